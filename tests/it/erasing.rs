//! Erasing a customer (`api.md` 5): nothing about them is left, and all else stays.

use crate::support::{Instance, action, person};
use diesel::connection::SimpleConnection;
use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};

/// Every table's rows as text: what is found in none of them is nowhere.
const EVERYTHING: &str = "SELECT table_name FROM information_schema.tables \
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'";

/// The tables in which a text stands, bodies of deliveries included.
fn db_tables_with(instance: &Instance, text: &str) -> Vec<String> {
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Table {
        #[diesel(sql_type = diesel::sql_types::Text)]
        table_name: String,
    }
    let tables: Vec<Table> =
        diesel::sql_query(EVERYTHING).load(&mut instance.db_connection()).unwrap();
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    tables
        .into_iter()
        .map(|table| table.table_name)
        .filter(|table| {
            let row = format!(
                "{table} AS row WHERE row::text ILIKE '%{text}%' OR row::text ILIKE '%{hex}%'"
            );
            instance.db_count(&row) > 0
        })
        .collect()
}

#[actix_web::test]
async fn of_an_erased_customer_nothing_is_left_in_any_table() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme
        .listener_with(json!({
            "welcomeEmail": {"enabled": true, "subject": "Hi {{ name }}", "body": "<p>{{ name }}</p>"},
            "welcomeSms": {"enabled": true, "content": "Hi {{ name }}"},
        }))
        .await;
    let zebra = json!({
        "name": "Zebra", "lastname": "Zebrason", "passport": "ZEBRA1", "contactId": "zebra",
        "emails": [{"value": "zebra@example.com"}], "phones": [{"value": "0905000001"}],
    });
    let body = json!({"senderUser": "ann@acme.test", "data": [
        action("add-contact", zebra.clone()),
        person("Huy", "huy@example.com"),
        action("add-note", json!({"body": "zebra stripes", "email": "zebra@example.com"})),
        action("add-ticket", json!({"body": "the zebra is late", "email": "zebra@example.com"})),
        action("send-sms", json!({"content": "dear zebra", "phones": ["0905000001"]})),
        action("add-deal", json!({"name": "Stripes", "stage": "New", "dealWith": zebra})),
    ]});
    let send = || async {
        let request =
            instance.client.post(&listener.url).header("Idempotency-Key", "1").json(&body);
        request.send().await.unwrap().error_for_status().unwrap();
    };
    // Under the same key, before its sender had mended it.
    let mut wrong = body.clone();
    wrong["senderUser"] = json!("nobody@acme.test");
    for (query, wrong) in [("", &wrong), ("?atomic=maybe", &body)] {
        let wrong = wrong.to_string().into_bytes();
        listener.post_bytes(query, wrong, &[("idempotency-key", "1")]).await.expect(422);
    }
    send().await;
    send().await;
    assert!(db_tables_with(&instance, "zebra").len() > 5);
    let another = db_tables_with(&instance, "huy@example.com");
    let with_huy = "deliveries WHERE convert_from(body, 'UTF8') LIKE '%huy@%'";
    assert_eq!(instance.db_count(with_huy), 4);

    acme.call("owner", Method::DELETE, "/contacts/PID-1", None).await.expect(204);

    assert_eq!(db_tables_with(&instance, "zebra"), Vec::<String>::new());
    assert_eq!(db_tables_with(&instance, "huy@example.com"), another, "another's went, too");
    assert_eq!(instance.db_count(with_huy), 3, "but where it cannot be told");
    acme.get("/contacts/PID-1").await.expect(404);
    let deal = acme.get("/deals?name=stripes").await.expect(200);
    assert_eq!(deal.data()[0]["dealWith"], json!(null));
    let line =
        "audit_log WHERE action = 'erased' AND resource = 'contacts' AND resource_name = 'PID-1'";
    assert_eq!(instance.db_count(line), 1);
}

/// An action that a replay applied has its history under the replay's id; the first delivery and all
/// other replays have the same body, and tell of nobody.
#[actix_web::test]
async fn of_a_customer_whom_a_replay_made_nothing_is_left_and_the_other_actions_stay() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let deal = |name: &str, stage: &str, who: &str, phone: &str| {
        let with = json!({"name": who, "emails": [{"value": format!("{who}@example.com")}],
            "phones": [{"value": phone}]});
        action("add-deal", json!({"name": name, "stage": stage, "dealWith": with}))
    };
    let actions = [
        person("Huy", "huy@example.com"),
        deal("One", "Tasting", "zebra", "0905000077"),
        deal("Two", "nowhere", "mai", "0905000002"),
    ];
    let first = acme.listener().await.send(&actions).await.expect(207);
    let id = first.body["requestId"].as_str().unwrap();
    let (path, failed) = (format!("/deliveries/{id}/replay"), json!({"only": "failed"}));
    let replay = || acme.post(&path, &failed);
    assert_eq!(replay().await.expect(200).statuses(), ["failed", "failed"]);
    acme.post("/deal-stages", &json!({"name": "Tasting"})).await.expect(201);
    let applied = replay().await.expect(200);
    assert_eq!(applied.statuses(), ["created", "failed"]);
    let zebra = applied.result(0)["related"][0]["code"].as_str().unwrap();
    assert_eq!(replay().await.expect(200).statuses(), ["failed"]);
    assert!(db_tables_with(&instance, "zebra").len() > 2);
    let others = ["huy@example.com", "mai@example.com", "0905000002"];
    let before = others.map(|text| db_tables_with(&instance, text));

    acme.delete(&format!("/contacts/{zebra}")).await.expect(204);

    for text in ["zebra", "0905000077", "+84905000077"] {
        assert_eq!(db_tables_with(&instance, text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(others.map(|text| db_tables_with(&instance, text)), before);
    let all = acme.get("/deliveries").await.expect(200);
    assert_eq!(all.data().len(), 4);
    for id in all.each("id") {
        let kept: Value =
            serde_json::from_slice(&instance.db_delivery(id).body).expect("a body that is there");
        assert_eq!(kept["data"][1]["data"], json!({}), "{id}");
        for index in [0, 2] {
            assert_eq!(kept["data"][index], actions[index], "{id}");
        }
    }
}

/// What a replay is about to keep is the body as it was when it was asked for.
#[actix_web::test]
async fn nothing_is_left_where_a_replay_runs_at_the_same_time() {
    for erased_first in [true, false] {
        let instance = Instance::start().await;
        let acme = instance.acme();
        let failing = action("add-deal", json!({"name": "One", "stage": "nowhere"}));
        let actions = [person("Zebra", "zebra@example.com"), failing];
        let sent = acme.listener().await.send(&actions).await.expect(207);
        let path = format!("/deliveries/{}/replay", sent.body["requestId"].as_str().unwrap());
        let failed = json!({"only": "failed"});
        let (erase, replay) = (acme.delete("/contacts/PID-1"), acme.post(&path, &failed));
        // Both come to the delivery, one after the other, and wait until they are let on.
        let mut lock = instance.db_connection();
        lock.batch_execute("BEGIN; SELECT FROM deliveries FOR UPDATE").unwrap();
        let instance = &instance;
        let waiting = |count: usize| async move {
            let who =
                "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
            instance
                .db_until(&format!("(SELECT count(*) AS n FROM {who}) AS w WHERE n = {count}"))
                .await;
        };
        let let_on = async {
            waiting(2).await;
            lock.batch_execute("ROLLBACK").unwrap();
        };
        let (erased, replayed) = if erased_first {
            let then = async {
                waiting(1).await;
                join(replay, let_on).await.0
            };
            join(erase, then).await
        } else {
            let then = async {
                waiting(1).await;
                join(erase, let_on).await.0
            };
            let (replayed, erased) = join(replay, then).await;
            (erased, replayed)
        };
        erased.expect(204);
        if erased_first {
            assert_eq!(replayed.expect(409).problem().0, "not_replayable");
        } else {
            assert_eq!(replayed.expect(200).statuses(), ["failed"]);
        }
        assert_eq!(db_tables_with(instance, "zebra"), Vec::<String>::new());
    }
}

/// Nothing leads from the customer to what failed, was refused, changed nothing or was a dry run.
#[actix_web::test]
async fn deliveries_that_only_name_an_erased_customer_forget_them_and_bring_nobody_back() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let zebra = person("Zebra", "zebra@example.com")["data"].clone();
    let made = listener.act("add-contact", zebra.clone()).await.expect(200);
    let code = made.body["results"][0]["record"]["code"].as_str().unwrap().to_owned();
    let with_phone = json!({"customerId": code, "phones": [{"value": "0905000001"}]});
    listener.act("update-contact", with_phone).await.expect(200);

    let failed = json!({"name": "", "passport": "x", "emails": [{"value": "Zebra@Example.com"}]});
    let both = [action("add-contact", failed), person("Huy", "huy@example.com")];
    let failed = listener.send(&both).await.expect(207).body;
    listener.act("send-sms", json!({"content": "", "phones": ["0905 000 001"]})).await.expect(422);
    let dry = crate::support::payload(&[action("add-contact", zebra.clone())]);
    listener.post_with("?dryRun=true&who=zebra", &dry).await.expect(200);
    listener.act("add-contact", zebra).await.expect(200);
    let referer = [("referer", "https://shop.example/zebra")];
    let broken = br#"{"senderUser": "zebra@example.com", "data": ["#.to_vec();
    listener.post_bytes("", broken, &referer).await.expect(400);

    acme.delete(&format!("/contacts/{code}")).await.expect(204);
    for text in ["zebra", "0905000001", "0905 000 001", "905000001"] {
        assert_eq!(db_tables_with(&instance, text), [""; 0], "{text}");
    }
    assert!(!db_tables_with(&instance, "huy@example.com").is_empty());
    let id = failed["requestId"].as_str().unwrap();
    let kept = instance.db_delivery(id);
    assert_eq!(
        (kept.caller.as_str(), kept.query.as_str(), kept.headers),
        ("0.0.0.0", "", json!({}))
    );
    acme.post(&format!("/deliveries/{id}/replay"), &json!({"only": "all"})).await;
    assert_eq!(instance.db_count("customers"), 1);
}

#[actix_web::test]
async fn contacts_of_an_erased_account_stay_without_a_company() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let data = json!({"name": "Huy", "companyContact": {"name": "Zebra Corp"}});
    acme.listener().await.act("add-contact", data).await.expect(200);
    acme.delete("/accounts/CID-1").await.expect(204);
    assert_eq!(acme.get("/contacts/PID-1").await.expect(200).body["company"], json!(null));
}

/// The erased person may come back, as a new one.
#[actix_web::test]
async fn the_identifiers_of_an_erased_customer_are_free_again_and_his_code_is_not() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let lead = || action("add-lead", json!({"name": "Huy", "emails": [{"value": "h@x.com"}]}));
    listener.send(&[lead()]).await.expect(200);
    acme.delete("/leads/LID-1").await.expect(204);
    let again = listener.send(&[lead()]).await.expect(200);
    assert_eq!(again.statuses(), ["created"]);
    assert_ne!(again.result(0)["record"]["code"], "LID-1");
}

#[actix_web::test]
async fn only_owner_and_admins_erase_and_only_in_their_org() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.listener().await.send(&[person("Huy", "h@x.com")]).await.expect(200);
    let id = acme.get("/contacts/PID-1").await.body["id"].as_str().unwrap().to_owned();
    acme.call("ann", Method::DELETE, "/contacts/PID-1", None).await.expect(403);
    for path in ["/contacts/PID-1", &format!("/contacts/{id}"), "/leads/PID-1"] {
        instance.globex().delete(path).await.expect(404);
    }
    acme.get("/contacts/PID-1").await.expect(200);
    acme.call("admin", Method::DELETE, "/contacts/PID-1", None).await.expect(204);
    acme.delete("/contacts/PID-1").await.expect(404);
}
