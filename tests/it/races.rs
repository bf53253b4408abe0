//! What holds when many come at once, over two processes (`listener.md` 3, 4).

use crate::support::{Instance, Process, Reply};
use futures_util::future::join_all;
use serde_json::{Value, json};

const POSTS: usize = 64;

/// Posts one add-contact each, all at once, every other to the other process.
async fn all_at_once(instance: &Instance, data: impl Fn(usize) -> Value) -> Vec<Reply> {
    let listener = instance.acme().listener().await;
    let (one, other) = (Process::start(instance), Process::start(instance));
    let posts = (0..POSTS).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        let data = data(i);
        async move { listener.act("add-contact", data).await.expect(200) }
    });
    join_all(posts).await
}

fn count(replies: &[Reply], status: &str) -> usize {
    replies.iter().filter(|reply| reply.statuses() == [status]).count()
}

/// The promise that the product is bought for.
#[actix_web::test]
async fn the_same_person_posted_64_times_at_once_in_six_spellings_is_made_once() {
    let instance = Instance::start().await;
    let spellings = [
        json!({"emails": [{"value": "Huy@Exämple.com"}], "phones": [{"value": "01234567890"}]}),
        json!({"emails": [{"value": "huy@xn--exmple-cua.com"}], "passport": "b 12-34"}),
        json!({"phones": [{"value": "+84 83 456 7890"}], "emails": [{"value": "HUY@EXÄMPLE.COM"}]}),
        json!({"phones": [{"value": "0834567890"}], "passport": "B1234"}),
        json!({"passport": "B-12-34", "phones": [{"value": "0084834567890"}]}),
        json!({"emails": [{"value": " huy@exämple.com "}], "passport": "b1234"}),
    ];
    // Each pair of spellings shares an identifier only by way of a third, so all carry the phone.
    let replies = all_at_once(&instance, |i| {
        let mut data = spellings[i % spellings.len()].clone();
        data["name"] = json!(format!("Huy {i}"));
        let phone = ["01234567890", "+84834567890", "0834567890"][i % 3];
        data["phones"] = json!([{"value": phone}]);
        data
    })
    .await;
    assert_eq!((count(&replies, "created"), count(&replies, "duplicate")), (1, 63));
    assert_eq!(instance.db_count("customers"), 1);
    assert_eq!(instance.db_count("history WHERE kind = 'duplicate_skipped'"), 63);
    assert_eq!(instance.db_count("deliveries WHERE status = 'succeeded'"), 64);
}

#[actix_web::test]
async fn a_new_company_named_by_64_people_at_once_is_made_once() {
    let instance = Instance::start().await;
    let replies = all_at_once(&instance, |i| {
        let company = ["GOOGLE", "google", "Google"][i % 3];
        json!({"name": format!("P{i}"), "emails": [{"value": format!("p{i}@x.com")}], "companyContact": {"name": company}})
    })
    .await;
    assert_eq!(count(&replies, "created"), 64);
    assert_eq!(instance.db_count("customers WHERE kind = 'account'"), 1);
    assert_eq!(
        instance.db_count("customers c JOIN customers a ON a.id = c.company_id AND a.kind = 'account' WHERE c.kind = 'contact'"),
        64
    );
}

#[actix_web::test]
async fn a_new_tag_brought_by_64_people_at_once_is_made_once() {
    let instance = Instance::start().await;
    let replies = all_at_once(&instance, |i| {
        json!({"name": format!("P{i}"), "emails": [{"value": format!("p{i}@x.com")}], "tag": "VIP, new"})
    })
    .await;
    assert_eq!(count(&replies, "created"), 64);
    assert_eq!(instance.db_count("tags"), 2);
    assert_eq!(instance.db_count("customer_tags"), 128);
}

/// Sorted keys and one order of statements: otherwise most such batches end in a deadlock.
#[actix_web::test]
async fn batches_that_overlap_in_opposite_orders_all_end_well() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let (one, other) = (Process::start(&instance), Process::start(&instance));
    let posts = (0..16_usize).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        let mut actions: Vec<Value> = (0..50)
            .map(|n| {
                let person = (n + 10 * i) % 100;
                crate::support::action(
                    "add-contact",
                    json!({"name": "x", "emails": [{"value": format!("p{person}@x.com")}],
                           "phones": [{"value": format!("09050{person:05}")}], "companyContact": {"name": format!("Co {}", person % 7)}}),
                )
            })
            .collect();
        if i % 3 == 0 {
            actions.reverse();
        }
        async move { listener.send(&actions).await.expect(200) }
    });
    join_all(posts).await;
    assert_eq!(instance.db_count("customers WHERE kind = 'contact'"), 100);
    assert_eq!(instance.db_count("customers WHERE kind = 'account'"), 7);
    assert_eq!(instance.db_count("history WHERE kind = 'duplicate_skipped'"), 16 * 50 - 100);
    // Codes are given once each.
    assert_eq!(instance.db_count("(SELECT DISTINCT kind, number FROM customers) AS codes"), 107);
}

#[actix_web::test]
async fn credits_that_do_not_suffice_for_all_are_taken_exactly() {
    let instance = Instance::start().await;
    let listener = instance
        .acme()
        .listener_with(json!({"welcomeSms": {"enabled": true, "content": "Hi"}}))
        .await;
    let (one, other) = (Process::start(&instance), Process::start(&instance));
    let posts = (0..POSTS).map(|i| {
        let listener = listener.at(if i % 2 == 0 { &one.url } else { &other.url });
        let data = json!({"name": "x", "phones": [{"value": format!("09050{i:05}")}]});
        async move { listener.act("add-contact", data).await.expect(200) }
    });
    let replies = join_all(posts).await;
    assert_eq!(count(&replies, "created"), POSTS);
    assert_eq!(instance.db_count("outbox WHERE channel = 'sms'"), 20);
    assert_eq!(instance.db_count("history WHERE kind = 'sms_failed'"), 44);
    assert_eq!(instance.db_count("org_settings WHERE sms_credits = 0"), 1);
}
