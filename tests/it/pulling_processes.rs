//! Several processes that ask other systems (`connections.md` 1, "Pulling").

use crate::pulling::{calls, currencies, days_ago, shop, wolkvox};
use crate::support::{Connection, FakeSource, Instance, Process};
use beeiq::cli::demo::sources::{Feed, Iadvize};
use beeiq::clock;
use chrono::TimeDelta;
use std::time::Duration;

const KILLS: usize = 20;

fn flags() -> Vec<String> {
    let all = ["--environment=staging", "--outbound-allow=127.0.0.0/8", "--pull-lease-seconds=2"];
    all.map(str::to_owned).to_vec()
}

#[actix_web::test]
async fn two_processes_never_use_one_token_at_once_also_for_different_orgs() {
    let instance = Instance::with(&Instance::PULLING).await;
    let since = days_ago(1);
    let calls = calls(since, TimeDelta::hours(3));
    calls.slow_down(Duration::from_millis(30));
    let mut connections = Vec::new();
    for org in [instance.acme(), instance.globex()] {
        for campaign in ["7", "9"] {
            connections.push(wolkvox(org, &calls, since, &[campaign, "7"]).await);
        }
    }
    let others =
        [instance.another_with(&Instance::PULLING), instance.another_with(&Instance::PULLING)];
    for round in 0..3 {
        instance.db_execute("UPDATE connections SET next_run_at = now()");
        let (pulls, a, b) = (&instance.app.pulls, &others[0].app.pulls, &others[1].app.pulls);
        let (first, second, third) = tokio::join!(pulls.run_once(), a.run_once(), b.run_once());
        let begun = [first, second, third].map(Result::unwrap);
        assert!(begun.iter().sum::<usize>() >= 2, "{begun:?} in round {round}");
    }
    assert_eq!(calls.most_at_once(), 1);
    assert!(calls.requests().len() >= 12);
    for connection in &connections {
        for run in connection.runs().await {
            assert_eq!(run["status"], "succeeded", "{run}");
        }
    }
}

#[actix_web::test]
async fn a_connection_is_asked_by_one_process_at_a_time() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (since, acme) = (days_ago(1), instance.acme());
    let shop = shop(since);
    let connection = Connection::iadvize(acme, &shop, since).await;
    let another = instance.another_with(&Instance::PULLING);
    let (pulls, others) = (instance.app.pulls.clone(), another.app.pulls.clone());
    // While one process asks for the websites, another looks what is due.
    shop.slow_down(Duration::from_millis(100));
    let first = tokio::spawn(async move { pulls.run_once().await.unwrap() });
    instance.db_until("connections WHERE lease_until > now()").await;
    assert_eq!(others.run_once().await.unwrap(), 0);
    assert_eq!(connection.ask_to_run().await.expect(409).problem().0, "already_running");
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(connection.runs().await.len(), 1);
}

/// The promise of the cursors: a crash asks again for a window, at most.
#[actix_web::test]
async fn a_server_killed_twenty_times_in_its_run_loses_nothing_and_doubles_nothing() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (since, acme) = (days_ago(100), instance.acme());
    currencies(acme).await;
    let feed = Feed { from: since + TimeDelta::minutes(7), every: TimeDelta::minutes(30) };
    let shop = FakeSource::start(Iadvize::new("a key".to_owned(), feed, 20));
    shop.slow_down(Duration::from_millis(5));
    let connection = Connection::iadvize(acme, &shop, since).await;
    let mut server = Process::with(&instance, &flags());
    for kill in 0..KILLS {
        // Each somewhere else in a run: while it looks up, lists, or has things applied.
        shop.until_more(5 + kill * 29 % 43).await;
        server.kill();
        server = Process::with(&instance, &flags());
    }
    instance.db_until("connections WHERE last_success_at IS NOT NULL").await;
    server.kill();

    assert!(instance.db_count("connection_runs WHERE error ->> 'code' = 'interrupted'") > 0);
    let last = connection.last_run().await;
    assert_eq!(last["status"], "succeeded", "{last}");
    let conversations = 100 * 48;
    for (there, expected) in [
        ("activities WHERE external_id LIKE 'conversation:%'", conversations),
        ("deals", conversations / 5),
        ("activities WHERE details ? 'satisfaction'", conversations / 3),
        ("customers", 20),
        ("activities WHERE kind = 'callback' AND outcome = 'done'", (conversations + 6) / 7),
    ] {
        let count = instance.db_count(there);
        assert!((expected..=expected + 1).contains(&count), "{there}: {count}, not {expected}");
    }
}

#[actix_web::test]
async fn a_server_that_is_told_to_stop_ends_its_run_and_another_goes_on_at_once() {
    let instance = Instance::with(&Instance::PULLING).await;
    let (since, acme) = (days_ago(100), instance.acme());
    let shop = shop(since);
    let connection = Connection::iadvize(acme, &shop, since).await;
    shop.slow_down(Duration::from_millis(20));
    let server = Process::with(&instance, &flags());
    instance.db_until("connection_cursors WHERE resource = 'conversations'").await;
    server.stop();
    let run = connection.last_run().await;
    assert_eq!(run["error"]["code"], "interrupted", "{run}");
    assert_eq!(instance.db_count("connections WHERE lease_until IS NOT NULL"), 0);
    assert_eq!(instance.db_count("connections WHERE next_run_at <= now() AND failures = 0"), 1);
    shop.slow_down(Duration::ZERO);
    let before = connection.db_cursor("conversations").unwrap();
    let run = connection.run().await;
    assert_ne!(run["error"]["code"], "interrupted", "{run}");
    assert!(connection.db_cursor("conversations").unwrap() > before);
    assert!(clock::now() - connection.db_cursor("conversations").unwrap() < TimeDelta::minutes(5));
    assert_eq!(instance.db_count("activities WHERE external_id LIKE 'conversation:%'"), 1200);
}
