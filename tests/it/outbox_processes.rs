//! Messages outlive the processes that send them (`listener.md` 8).

use crate::support::{Act, Instance, Process, SmtpSink};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

const MESSAGES: usize = 2_000;
const KILLS: usize = 20;

/// Queues so many e-mails, past the listeners.
fn db_queue(instance: &Instance, count: usize) {
    instance.db_execute(&format!(
        "INSERT INTO outbox (org_id, id, channel, status, recipient, subject, text, message_id, next_attempt_at, created_at) \
         SELECT orgs.id, gen_random_uuid(), 'email', 'pending', 'p' || n || '@x.test', 'Hi', 'Hi', '<' || n || '@x.test>', \
             now(), now() \
         FROM generate_series(1, {count}) AS n \
         JOIN orgs ON slug = CASE n % 2 WHEN 0 THEN 'acme' ELSE 'globex' END"
    ));
}

/// The promise of the outbox: a crash repeats what was in the air, at most, and loses nothing.
#[actix_web::test]
async fn two_servers_killed_twenty_times_send_every_message_and_repeat_only_what_was_in_flight() {
    let mut sink = SmtpSink::with(|_, _| Act::TakeAfter(Duration::from_millis(5)));
    let instance = Instance::start().await;
    db_queue(&instance, MESSAGES);
    let mut flags = sink.flags_without_sign_in();
    flags.push("--outbox-lease-seconds=2".to_owned());
    // What was in flight at a kill counts as sent.
    flags.push("--smtp-daily-quota=100000".to_owned());
    let mut servers = [Process::with(&instance, &flags), Process::with(&instance, &flags)];
    let mut in_flight = 0;
    let mut arrived = 0;
    for kill in 0..KILLS {
        // The kills are spread over the messages, each in the midst of work.
        while arrived < (kill + 1) * MESSAGES * 9 / 10 / KILLS {
            sink.next().await;
            arrived += 1;
        }
        let server = &mut servers[kill % 2];
        server.kill();
        in_flight += instance.db_count("outbox WHERE status = 'sending'");
        *server = Process::with(&instance, &flags);
    }
    assert!(in_flight > 0, "no kill was in the midst of work");
    instance.db_until_none("outbox WHERE status <> 'sent'").await;

    let mut ids: HashMap<String, HashSet<String>> = HashMap::new();
    let mails = sink.mails();
    for mail in &mails {
        ids.entry(mail.to.clone()).or_default().insert(mail.header("Message-ID"));
    }
    assert_eq!(ids.len(), MESSAGES, "some are lost");
    assert!(ids.values().all(|its| its.len() == 1), "a repetition has another Message-ID");
    let repeated = i64::try_from(mails.len() - MESSAGES).unwrap();
    assert!(repeated <= in_flight, "{repeated} repeated, {in_flight} in flight at the kills");
    assert_eq!(
        instance.db_count("outbox_attempts WHERE outcome = 'sent'"),
        i64::try_from(MESSAGES).unwrap()
    );
}

/// Who is being stopped gives back what cannot be finished: the next process need not wait for a lease.
#[actix_web::test]
async fn a_server_that_is_stopped_hands_back_what_it_cannot_finish() {
    let mut sink = SmtpSink::with(|to, _| match to {
        "p1@x.test" => Act::Hang,
        _ => Act::Take,
    });
    let instance = Instance::start().await;
    db_queue(&instance, 2);
    let mut server = Process::with(&instance, &sink.flags_without_sign_in());
    for _ in 0..2 {
        sink.next().await;
    }
    let stopped = Instant::now();
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    assert!(stopped.elapsed() < Duration::from_secs(30), "{:?}", stopped.elapsed());
    assert_eq!(instance.db_count("outbox WHERE status = 'sent' AND recipient = 'p2@x.test'"), 1);
    assert_eq!(
        instance.db_count(
            "outbox WHERE status = 'pending' AND recipient = 'p1@x.test' AND attempts = 0 \
             AND next_attempt_at <= now()"
        ),
        1
    );
    assert_eq!(instance.db_count("outbox_attempts WHERE outcome <> 'sent'"), 0);
}
