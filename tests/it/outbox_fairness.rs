//! One org's backlog or slow server does not delay another's (`listener.md` 8).

use crate::outbox::welcoming;
use crate::support::{Act, Instance, SmtpSink, person};
use std::time::{Duration, Instant};

/// First come, first served would make everybody wait for the org with the slow server.
#[actix_web::test]
async fn a_message_leaves_within_two_seconds_beside_50_000_of_a_slow_org() {
    let mut sink = SmtpSink::with(|to, _| match to.ends_with("@slow.test") {
        true => Act::TakeAfter(Duration::from_secs(5)),
        false => Act::Take,
    });
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    instance.db_execute(
        "INSERT INTO outbox (org_id, id, channel, status, recipient, subject, text, message_id, next_attempt_at, created_at) \
         SELECT id, gen_random_uuid(), 'email', 'pending', 'p' || n || '@slow.test', 'Hi', 'Hi', '<' || n || '@x>', \
             now() - interval '1 h', now() - interval '1 h' \
         FROM orgs, generate_series(1, 50000) AS n WHERE slug = 'acme'",
    );
    let listener = welcoming(instance.globex()).await;
    let workers = instance.app.outbox.start();
    for _ in 0..4 {
        assert!(sink.next().await.to.ends_with("@slow.test"));
    }
    for round in 0..3 {
        let to = format!("p{round}@fast.test");
        listener.send(&[person("P", &to)]).await.expect(200);
        let committed = Instant::now();
        let mail = loop {
            let mail = sink.next().await;
            if mail.to == to {
                break mail;
            }
        };
        let waited = mail.at.saturating_duration_since(committed);
        assert!(waited < Duration::from_secs(2), "round {round}: {waited:?}");
    }
    drop(workers);
}
