//! Connections that are asked (`connections.md` 1, 3, 4).

use crate::support::{Connection, FakeSource, Fault, Instance, Org};
use beeiq::cli::demo::sources::{Feed, Iadvize, Wolkvox};
use beeiq::clock;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;

/// So many days ago, at a full second.
pub(crate) fn days_ago(days: i64) -> DateTime<Utc> {
    (clock::now() - TimeDelta::days(days)).duration_trunc(TimeDelta::seconds(1)).unwrap()
}

/// Two websites with a conversation every two hours.
pub(crate) fn shop(since: DateTime<Utc>) -> FakeSource<Iadvize> {
    let feed = Feed { from: since + TimeDelta::minutes(7), every: TimeDelta::hours(2) };
    FakeSource::start(Iadvize::new("a key".to_owned(), feed, 100))
}

pub(crate) async fn currencies(org: Org<'_>) {
    for code in ["EUR", "VND"] {
        org.post("/currencies", &json!({"code": code})).await;
    }
}

/// How many conversations are there.
fn db_conversations(instance: &Instance) -> i64 {
    instance.db_count("activities WHERE external_id LIKE 'conversation:%'")
}

#[actix_web::test]
async fn a_first_run_brings_a_hundred_days_and_the_next_only_what_is_new() {
    let instance = Instance::with(&Instance::PULLING).await;
    let since = days_ago(100);
    let (shop, acme) = (shop(since), instance.acme());
    currencies(acme).await;
    let connection = Connection::iadvize(acme, &shop, since).await;

    let run = connection.run().await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(
        run["failed"],
        0,
        "{run} {}",
        instance.db_text("left(answer, 3000) FROM deliveries LIMIT 1")
    );
    assert_eq!(db_conversations(&instance), 1200);
    assert_eq!(instance.db_count("deals WHERE deal_id LIKE 'iadvize:T-%'"), 240);
    assert_eq!(instance.db_count("activities WHERE details ? 'satisfaction'"), 400);
    // Those of a hundred days, and those that are planned for the next twenty.
    assert_eq!(instance.db_count("activities WHERE external_id LIKE 'callmeeting:%'"), 206);
    assert_eq!(instance.db_count("customers"), 100);
    assert_eq!(instance.db_count("activities WHERE outcome = 'pending'"), 34);
    let named: HashSet<String> = run["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| {
            format!(
                "{}: {}",
                resource["resource"].as_str().unwrap(),
                resource["status"].as_str().unwrap()
            )
        })
        .collect();
    assert!(named.contains("conversations: succeeded") && named.len() == 4, "{run}");

    let first = shop.requests();
    let visitors = first.iter().filter(|request| request.path == "/visitor").count();
    assert_eq!(visitors, 100, "each is asked for once");
    let before = instance.db_count("deliveries");

    let run = connection.run().await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!((run["created"].as_i64(), run["updated"].as_i64()), (Some(0), Some(0)), "{run}");
    assert_eq!(db_conversations(&instance), 1200);
    let second = shop.requests();
    for request in second.iter().filter(|request| request.path.starts_with("/conversation")) {
        let from = request.query.get("filters[from]").map(String::as_str).unwrap_or_default();
        assert!(
            from > (clock::now() - TimeDelta::days(1)).format("%Y-%m-%d").to_string().as_str(),
            "{request:?}"
        );
    }
    // Of the call-backs, which are asked for from a week ago on, some come again.
    assert!(instance.db_count("deliveries") <= before + 2);
}

#[actix_web::test]
async fn what_becomes_known_while_it_is_listed_is_there_once() {
    let instance = Instance::with(&Instance::PULLING).await;
    let since = days_ago(30);
    let (shop, acme) = (shop(since), instance.acme());
    let data = Arc::clone(&shop.data);
    let first = Fault::Edit(Arc::new(move |_| {
        (0..5).for_each(|_| data.arrive(since + TimeDelta::days(3)));
    }));
    shop.fault("/conversation.json-unicode?", 1, first);
    let connection = Connection::iadvize(acme, &shop, since).await;
    assert_eq!(connection.run().await["status"], "succeeded");
    let arrived = instance.db_count(
        "activities WHERE external_id > 'conversation:1000000000' \
                                     AND external_id < 'conversation:1000000009'",
    );
    // They move what follows to later pages: that comes twice, and is there once.
    assert_eq!(db_conversations(&instance) - arrived, 360);
}

#[actix_web::test]
async fn a_conversation_that_is_open_is_asked_for_again_until_it_is_closed() {
    let instance = Instance::with(&Instance::PULLING).await;
    let now = clock::now();
    let feed = Feed { from: now - TimeDelta::minutes(9), every: TimeDelta::hours(2) };
    let shop = FakeSource::start(Iadvize::new("a key".to_owned(), feed, 100));
    shop.set_now(now - TimeDelta::seconds(500));
    let connection = Connection::iadvize(instance.acme(), &shop, days_ago(1)).await;
    connection.run().await;
    assert_eq!(
        instance.db_count("activities WHERE ended_at IS NULL AND external_id = 'conversation:1'"),
        1
    );
    // So that no window has it any more.
    instance.db_execute("UPDATE connection_cursors SET until = now() + interval '5 minutes'");
    shop.set_now(now);
    shop.requests();
    connection.run().await;
    let again: Vec<_> = shop.requests().into_iter().filter(|it| it.path.ends_with("/1")).collect();
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!(
        instance.db_count("activities WHERE ended_at IS NULL AND external_id = 'conversation:1'"),
        0
    );
    shop.requests();
    connection.run().await;
    assert!(!shop.requests().iter().any(|it| it.path.ends_with("/1")));
}

#[actix_web::test]
async fn campaigns_are_pulled_one_after_the_other_in_the_zone_of_the_connection() {
    let instance = Instance::with(&Instance::PULLING).await;
    let since = days_ago(100);
    let calls = calls(since, TimeDelta::hours(3));
    let connection = wolkvox(instance.acme(), &calls, since, &["7", "9"]).await;
    let run = connection.run().await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!((run["items"].as_i64(), run["failed"].as_i64()), (Some(1600), Some(0)), "{run}");
    assert_eq!(instance.db_count("activities WHERE source = 'wolkvox'"), 1600);
    assert_eq!(instance.db_count("customers"), 50);
    let first = instance.db_text(
        "min(started_at AT TIME ZONE 'UTC')::text FROM activities WHERE source = 'wolkvox'",
    );
    assert_eq!(first, (since + TimeDelta::minutes(7)).format("%Y-%m-%d %H:%M:%S").to_string());
    for campaign in ["7", "9"] {
        assert!(connection.db_cursor(campaign).unwrap() > clock::now() - TimeDelta::minutes(5));
    }
    calls.requests();
    let run = connection.run().await;
    assert_eq!(
        (run["status"].as_str(), run["created"].as_i64()),
        (Some("succeeded"), Some(0)),
        "{run}"
    );
    assert_eq!(calls.requests().len(), 2, "the overlap of each campaign");
}

#[actix_web::test]
async fn a_window_with_too_many_rows_is_halved_so_that_none_is_left_out() {
    let instance = Instance::with(&Instance::PULLING).await;
    let since = clock::now() - TimeDelta::hours(30);
    let calls = calls(since, TimeDelta::seconds(2));
    let connection = wolkvox(instance.acme(), &calls, since, &["7"]).await;
    let run = connection.run().await;
    assert_eq!(run["status"], "succeeded", "{run}");
    let expected = 30 * 1800 - 210;
    let there = instance.db_count("activities WHERE source = 'wolkvox'");
    assert!((expected..expected + 60).contains(&there), "{there}");
    assert!(run["requests"].as_i64() >= Some(3), "{run}");
}

#[actix_web::test]
async fn a_connection_is_tried_with_one_request() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (shop, acme) = (shop(days_ago(1)), instance.acme());
    let connection = Connection::iadvize(acme, &shop, days_ago(1)).await;
    let told = connection.test().await.expect(200).body;
    assert_eq!((told["ok"].as_bool(), told["code"].as_str()), (Some(true), Some("ok")), "{told}");
    assert_eq!(shop.requests().len(), 1);
    let refused = Fault::Answer(403, vec![], "no, a key");
    shop.fault("/website", 1, refused);
    let told = connection.test().await.expect(200).body;
    assert_eq!(told["code"], "credentials_refused", "{told}");
    assert_eq!(told["message"], "HTTP 403: no, ********");
    assert_eq!(connection.db_column("paused_code"), "", "trying it changes nothing");
}

#[actix_web::test]
async fn a_run_can_be_asked_for_where_there_is_none_and_the_connection_is_active() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (shop, acme) = (shop(days_ago(1)), instance.acme());
    let connection = Connection::iadvize(acme, &shop, days_ago(1)).await;
    let run = connection.ask_to_run().await.expect(202).body["runId"].clone();
    assert_eq!(connection.last_run().await["status"], "running");
    assert_eq!(connection.ask_to_run().await.expect(409).problem().0, "already_running");
    instance.app.pulls.run_once().await.unwrap();
    assert_eq!(connection.last_run().await["id"], run);

    instance.db_execute("UPDATE connections SET paused_code = 'unknown_sender'");
    assert_eq!(connection.ask_to_run().await.expect(409).problem().0, "not_active");
    instance.db_execute("UPDATE connections SET paused_code = NULL, enabled = false");
    assert_eq!(connection.ask_to_run().await.expect(409).problem().0, "not_active");

    let pushed = Connection::with(acme, ("oktium", "s"), json!({}), days_ago(1)).await;
    assert_eq!(pushed.ask_to_run().await.expect(422).problem().0, "not_pull");
    for path in ["run", "test"] {
        let nowhere = format!("/connections/{}/{path}", uuid::Uuid::nil());
        acme.post(&nowhere, &json!({})).await.expect(404);
    }
    acme.get(&format!("/connections/{}/runs", uuid::Uuid::nil())).await.expect(404);
    instance.globex().get(&format!("/connections/{}/runs", connection.id)).await.expect(404);
}

#[actix_web::test]
async fn a_sender_who_has_left_pauses_the_connection() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (shop, acme) = (shop(days_ago(1)), instance.acme());
    let connection = Connection::iadvize(acme, &shop, days_ago(1)).await;
    instance.db_execute(
        "UPDATE users SET active = false WHERE email = 'ann@acme.test'; \
         UPDATE org_settings SET directory_version = directory_version + 1",
    );
    let run = connection.run().await;
    assert_eq!(
        (run["status"].as_str(), run["error"]["code"].as_str()),
        (Some("failed"), Some("unknown_sender"))
    );
    assert_eq!(connection.db_column("paused_code"), "unknown_sender");
    assert_eq!(shop.requests(), [], "nothing is asked");
}

/// An operation with two campaigns that call somebody so often.
pub(crate) fn calls(since: DateTime<Utc>, every: TimeDelta) -> FakeSource<Wolkvox> {
    FakeSource::start(Wolkvox {
        token: "a token".to_owned(),
        campaigns: vec!["7".to_owned(), "9".to_owned()],
        feed: Feed { from: since + TimeDelta::minutes(7), every },
        customers: 50,
        zone: chrono_tz::America::Bogota,
    })
}

pub(crate) async fn wolkvox<'i>(
    org: Org<'i>,
    calls: &FakeSource<Wolkvox>,
    since: DateTime<Utc>,
    campaigns: &[&str],
) -> Connection<'i> {
    let settings = json!({"server": "0012", "baseUrl": calls.url, "campaignIds": campaigns,
                          "timeZone": "America/Bogota", "documentTypes": ["cc"]});
    Connection::with(org, ("wolkvox", "a token"), settings, since).await
}
