//! What goes wrong with systems that are asked, and what becomes of it (`connections.md` 1,
//! "Pulling").

use crate::pulling::{calls, currencies, days_ago, shop, wolkvox};
use crate::support::{Connection, FakeSource, Fault, Instance};
use beeiq::clock;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The seconds from now until the connection is asked again.
fn db_due_in(instance: &Instance) -> i64 {
    let text = instance
        .db_text("extract(epoch FROM next_run_at - now())::bigint::text FROM connections LIMIT 1");
    text.parse().unwrap()
}

/// What is told of a resource of a run.
#[track_caller]
fn resource<'r>(run: &'r Value, name: &str) -> &'r Value {
    let mut all = run["resources"].as_array().unwrap().iter();
    all.find(|resource| resource["resource"] == name).unwrap_or_else(|| panic!("{run}"))
}

const fn answer(status: u16, body: &'static str) -> Fault {
    Fault::Answer(status, Vec::new(), body)
}

#[actix_web::test]
async fn one_bad_item_and_one_failing_resource_leave_the_rest() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (since, acme) = (days_ago(10), instance.acme());
    let shop = shop(since);
    currencies(acme).await;
    let connection = Connection::iadvize(acme, &shop, since).await;
    let spoil = |page: &mut Value| page["data"][0]["created_at"] = json!("yesterday");
    shop.fault("/conversation.json-unicode?", 1, Fault::Edit(Arc::new(spoil)));
    let fails = r#"{"meta": {"status": "fail", "message": "No right to transactions."}}"#;
    shop.fault("/transaction", 1, answer(200, fails));

    let run = connection.run().await;
    assert_eq!(
        (run["status"].as_str(), run["failed"].as_i64()),
        (Some("partial"), Some(1)),
        "{run}"
    );
    assert_eq!(resource(&run, "conversations")["status"], "succeeded");
    let failed = resource(&run, "transactions");
    assert_eq!(
        (failed["status"].as_str(), failed["error"]["code"].as_str()),
        (Some("failed"), Some("source_failed")),
        "{run}"
    );
    assert_eq!(failed["error"]["message"], "No right to transactions.");
    assert_eq!(resource(&run, "callmeetings")["status"], "succeeded");
    assert_eq!(instance.db_count("activities WHERE external_id LIKE 'conversation:%'"), 119);
    assert!(connection.db_cursor("conversations").is_some(), "it moves on all the same");
    assert!(connection.db_cursor("transactions").is_none());
    assert_eq!(connection.db_column("last_error_code"), "source_failed");

    let delivery = instance.db_text("id::text FROM deliveries WHERE status = 'partial'");
    let told = acme.get(&format!("/deliveries/{delivery}")).await.expect(200).body;
    let pointer = told["answer"]["results"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|result| result["error"]["pointer"].as_str());
    assert_eq!(pointer, Some("/items/0/created_at"));

    let run = connection.run().await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(instance.db_count("deals"), 24);
    assert_eq!(connection.db_column("last_error_code"), "");
}

#[actix_web::test]
async fn a_refused_key_pauses_the_connection_and_nothing_is_asked_until_that_ends() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (since, acme) = (days_ago(1), instance.acme());
    for (refusal, whole) in [
        (answer(401, "who are you, a key?"), true),
        (answer(200, r#"{"meta": {"status": "error", "message": "Forbidden"}}"#), false),
    ] {
        let shop = shop(since);
        let connection = Connection::iadvize(acme, &shop, since).await;
        shop.fault(if whole { "/website" } else { "/satisfaction" }, 1, refusal);
        let run = connection.run().await;
        assert_eq!(run["error"]["code"], "credentials_refused", "{run}");
        assert!(!run.to_string().contains("a key"), "{run}");
        assert_eq!(connection.db_column("paused_code"), "credentials_refused");
        assert_eq!(connection.db_column("last_error_code"), "credentials_refused");
        shop.requests();
        instance.db_execute("UPDATE connections SET next_run_at = now()");
        assert_eq!(instance.app.pulls.run_once().await.unwrap(), 0);
        assert_eq!(shop.requests(), []);
    }
}

#[actix_web::test]
async fn what_may_pass_is_tried_again_later_and_less_and_less_often() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (since, acme) = (days_ago(1), instance.acme());
    let shop = shop(since);
    let connection = Connection::iadvize(acme, &shop, since).await;
    let patient = Fault::Answer(429, vec![("Retry-After", "1800")], "slowly");
    for (fault, least, most) in [
        (answer(500, "oops"), 59, 75),
        (answer(200, "<html>maintenance</html>"), 119, 150),
        (answer(200, r#"{"data": []}"#), 239, 300),
        (Fault::Hang, 479, 600),
        (patient, 1799, 1800),
        (answer(503, ""), 1900, 2400),
        (answer(503, ""), 2800, 3600),
        (answer(503, ""), 2800, 3600),
    ] {
        shop.fault("/website", 1, fault);
        let run = connection.run().await;
        let error = &run["error"];
        assert_eq!(
            (run["status"].as_str(), error["code"].as_str()),
            (Some("failed"), Some("source_unavailable"))
        );
        let due_in = db_due_in(&instance);
        assert!((least..=most).contains(&due_in), "{due_in} after {error}");
        assert_eq!(connection.db_column("last_error_message"), error["message"].as_str().unwrap());
        assert_eq!(instance.app.pulls.run_once().await.unwrap(), 0, "it is left alone");
    }
    // Asking for a run ends the wait.
    assert_ne!(connection.run().await["status"], "failed");
    assert!((290..=300).contains(&db_due_in(&instance)));
    assert_eq!(connection.db_column("failures"), "0");
}

#[actix_web::test]
async fn a_resource_that_is_down_leaves_the_others() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (since, acme) = (days_ago(1), instance.acme());
    let shop = shop(since);
    let connection = Connection::iadvize(acme, &shop, since).await;
    shop.fault("/transaction", 1, answer(500, ""));
    let run = connection.run().await;
    assert_eq!(
        (run["status"].as_str(), run["error"]["code"].as_str()),
        (Some("partial"), Some("source_unavailable"))
    );
    assert_eq!(resource(&run, "satisfactions")["status"], "succeeded");
    assert!(db_due_in(&instance) <= 75);
    shop.fault("/transaction", 1, answer(429, ""));
    let run = connection.run().await;
    assert!(
        run["resources"].as_array().unwrap().len() == 2,
        "who asks for patience gets it: {run}"
    );
}

#[actix_web::test]
async fn an_answer_without_end_is_broken_off_and_less_is_asked_for() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (since, acme) = (days_ago(1), instance.acme());
    let shop = shop(since);
    let connection = Connection::iadvize(acme, &shop, since).await;
    shop.fault("/conversation.json-unicode?", 2, Fault::Endless);
    let run = connection.run().await;
    assert_eq!(resource(&run, "conversations")["status"], "succeeded", "{run}");
    let limits: Vec<String> = shop
        .requests()
        .into_iter()
        .filter(|request| request.path == "/conversation.json-unicode")
        .map(|request| request.query["limit"].clone())
        .collect();
    assert_eq!(limits[..3], ["100", "50", "25"]);
    assert_eq!(instance.db_count("activities WHERE external_id LIKE 'conversation:%'"), 12);

    // What is as short as can be is not asked for again.
    let since = clock::now() - TimeDelta::seconds(50);
    let calls = calls(since, TimeDelta::seconds(1));
    calls.fault("/reports", 9, Fault::Endless);
    let connection = wolkvox(acme, &calls, since, &["7"]).await;
    let run = connection.run().await;
    assert_eq!(run["error"]["code"], "source_failed", "{run}");
    assert_eq!(calls.requests().len(), 1);
    let streamed = calls.streamed();
    assert!((32 << 20..64 << 20).contains(&streamed), "{streamed}");
}

#[actix_web::test]
async fn an_empty_window_is_no_failure_and_moves_the_cursor() {
    let instance = Instance::with(&Instance::PULLING).await;
    let since = days_ago(40);
    let calls = calls(clock::now() + TimeDelta::days(1), TimeDelta::hours(1));
    let connection = wolkvox(instance.acme(), &calls, since, &["7"]).await;
    let run = connection.run().await;
    assert_eq!(
        (run["status"].as_str(), run["items"].as_i64()),
        (Some("succeeded"), Some(0)),
        "{run}"
    );
    assert!(connection.db_cursor("7").unwrap() > clock::now() - TimeDelta::minutes(1));
    assert_eq!(calls.requests().len(), 2);
    assert_eq!(instance.db_count("deliveries"), 0);
}

#[actix_web::test]
async fn a_private_address_is_not_asked_where_the_operator_does_not_allow_it() {
    let allowed = Instance::with(&Instance::PULLING).await;
    let shop = shop(days_ago(1));
    let connection = Connection::iadvize(allowed.acme(), &shop, days_ago(1)).await;
    connection.ask_to_run().await.expect(202);
    allowed.another().app.pulls.run_once().await.unwrap();
    let run = connection.last_run().await;
    assert_eq!(run["status"], "failed", "{run}");
    assert!(run["error"]["message"].as_str().unwrap().contains("not at a public address"), "{run}");
    assert_eq!(shop.requests(), []);
}

#[actix_web::test]
async fn the_cursor_of_a_window_that_breaks_off_stays_and_what_came_is_there_once() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (since, acme) = (days_ago(30), instance.acme());
    let feed = beeiq::cli::demo::sources::Feed { from: since, every: TimeDelta::minutes(20) };
    let shop =
        FakeSource::start(beeiq::cli::demo::sources::Iadvize::new("a key".to_owned(), feed, 50));
    let connection = Connection::iadvize(acme, &shop, since).await;
    // Of the first website all comes, of the second some.
    shop.fault("&page=9&", 1, Fault::Edit(Arc::new(|_| ())));
    shop.fault("&page=9&", 1, answer(500, ""));
    let run = connection.run().await;
    assert_eq!(resource(&run, "conversations")["status"], "partial", "{run}");
    assert!(connection.db_cursor("conversations").is_none());
    let there = instance.db_count("activities WHERE external_id LIKE 'conversation:%'");
    assert!(there >= 1000, "{there}");
    assert!(connection.db_cursor("satisfactions").is_none(), "they wait for their conversations");
    let run = connection.run().await;
    assert_eq!(resource(&run, "conversations")["status"], "succeeded", "{run}");
    assert_eq!(
        instance.db_count("activities WHERE external_id LIKE 'conversation:%'"),
        30 * 72 + 1
    );
}

#[actix_web::test]
async fn a_key_that_was_changed_while_the_old_one_was_refused_is_not_held_to_be_refused() {
    let instance = Instance::with(&Instance::PULLING).await;
    let shop = shop(days_ago(1));
    let connection = Connection::iadvize(instance.acme(), &shop, days_ago(1)).await;
    shop.slow_down(Duration::from_millis(1500));
    shop.fault("/website", 1, answer(401, ""));
    let pulls = instance.app.pulls.clone();
    let running = tokio::spawn(async move { pulls.run_once().await.unwrap() });
    shop.until_more(1).await;
    connection.change(json!({"settings": {"apiKey": "another"}})).await;
    assert_eq!(running.await.unwrap(), 1);
    let told = connection.read().await;
    assert_eq!((told["status"].as_str(), &told["lastError"]), (Some("active"), &json!(null)));
}

#[actix_web::test]
async fn a_pause_ends_with_a_new_key_or_by_resuming() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (shop, acme) = (shop(days_ago(1)), instance.acme());
    let connection = Connection::iadvize(acme, &shop, days_ago(1)).await;
    for ends_by_key in [true, false] {
        shop.fault("/website", 1, answer(401, ""));
        connection.run().await;
        assert_eq!(connection.read().await["status"], "paused");
        if ends_by_key {
            connection.change(json!({"settings": {"apiKey": "a key"}})).await;
        } else {
            acme.post(&format!("/connections/{}/resume", connection.id), &json!({}))
                .await
                .expect(200);
        }
        assert_eq!(instance.app.pulls.run_once().await.unwrap(), 1);
        assert_eq!(connection.read().await["status"], "active");
        assert_eq!(connection.last_run().await["status"], "succeeded");
    }
}

#[actix_web::test]
async fn an_earlier_since_brings_what_was_before_and_doubles_nothing() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (shop, acme) = (shop(days_ago(20)), instance.acme());
    let connection = Connection::iadvize(acme, &shop, days_ago(5)).await;
    connection.run().await;
    let conversations = "activities WHERE external_id LIKE 'conversation:%'";
    assert_eq!(instance.db_count(conversations), 60);
    let cursors = connection.read().await["cursors"].clone();
    assert_eq!(cursors.as_object().unwrap().len(), 4, "{cursors}");
    connection.change(json!({"since": days_ago(20)})).await;
    assert_eq!(connection.read().await["cursors"], json!({}));
    assert_eq!(connection.run().await["status"], "succeeded");
    assert_eq!(instance.db_count(conversations), 240);
}
