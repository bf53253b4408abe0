//! Messages on their way to a mail server, and back when it says no (`listener.md` 8).

use crate::support::{Act, Instance, Listener, Mail, Org, SmtpSink, action, person};
use serde_json::{Value, json};

/// A listener that welcomes by e-mail.
pub(crate) async fn welcoming(org: Org<'_>) -> Listener<'_> {
    let email =
        json!({"enabled": true, "subject": "Welcome {{ name }}", "body": "<p>Hi {{ name }}</p>"});
    org.listener_with(json!({"welcomeEmail": email})).await
}

/// Queues a welcome e-mail; the path of the message below `/api/v1`.
async fn queue(org: Org<'_>, to: &str) -> String {
    welcoming(org).await.send(&[person("Ann", to)]).await.expect(200);
    let list = org.get(&format!("/outbox?to={to}")).await.expect(200);
    format!("/outbox/{}", list.data()[0]["id"].as_str().unwrap())
}

/// One pass of the workers: how many messages were tried.
async fn pass(instance: &Instance) -> usize {
    instance.app.outbox.run_once().await.unwrap()
}

/// All that waits is due.
fn db_due(instance: &Instance) {
    instance.db_execute("UPDATE outbox SET next_attempt_at = now() WHERE status = 'pending'");
}

async fn message(org: Org<'_>, path: &str) -> Value {
    org.get(path).await.expect(200).body
}

/// The outcome and the provider's answer of each attempt.
fn attempts(message: &Value) -> Vec<(&str, &str)> {
    let attempts = message["attempts"].as_array().unwrap();
    attempts
        .iter()
        .map(|it| (it["outcome"].as_str().unwrap(), it["response"].as_str().unwrap()))
        .collect()
}

fn message_ids(mails: &[Mail]) -> Vec<String> {
    mails.iter().map(|mail| mail.header("Message-ID")).collect()
}

/// A name that is markup, a quote and a header of its own must stay a name.
#[actix_web::test]
async fn a_welcome_email_arrives_once_with_its_headers_whatever_the_name_is() {
    let sink = SmtpSink::start();
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let name = "Ann <script> \"& Co\"\r\nBcc: x@y.z";
    welcoming(acme).await.send(&[person(name, "ann@x.test")]).await.expect(200);
    assert_eq!((pass(&instance).await, pass(&instance).await), (1, 0));

    let [mail] = sink.mails().try_into().expect("one mail");
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("noreply@beeiq.test", "ann@x.test"));
    assert_eq!(mail.header("From"), "BeeIQ <noreply@beeiq.test>");
    assert_eq!(mail.header("To"), "ann@x.test");
    assert!(mail.header("Subject").starts_with("Welcome Ann <script>"), "{}", mail.raw);
    assert!(!mail.headers().iter().any(|line| line.starts_with("Bcc")), "{}", mail.raw);
    assert!(mail.header("Content-Type").starts_with("text/html"));
    assert!(mail.body().contains("Ann &lt;script&gt;"), "{}", mail.raw);

    let list = acme.get("/outbox").await.expect(200);
    let path = format!("/outbox/{}", list.data()[0]["id"].as_str().unwrap());
    let message = message(acme, &path).await;
    assert_eq!(message["status"], "sent");
    assert_eq!(mail.header("Message-ID"), message["messageId"]);
    assert_eq!(attempts(&message), [("sent", "250 2.0.0 queued")]);
    assert_eq!(acme.history("/contacts/PID-1").await[0]["kind"], "email_sent");
}

#[actix_web::test]
async fn a_mail_with_a_text_has_both_parts() {
    let sink = SmtpSink::start();
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let email =
        json!({"enabled": true, "subject": "Hi", "body": "<p>Xin chào</p>", "text": "Xin chao"});
    let listener = instance.acme().listener_with(json!({"welcomeEmail": email})).await;
    listener.send(&[person("Ann", "ann@x.test")]).await.expect(200);
    assert_eq!(pass(&instance).await, 1);
    let [mail] = sink.mails().try_into().expect("one mail");
    assert!(mail.header("Content-Type").starts_with("multipart/alternative"), "{}", mail.raw);
    for part in ["text/plain", "Xin chao", "text/html", "Xin ch=C3=A0o"] {
        assert!(mail.body().contains(part), "{part}: {}", mail.raw);
    }
    assert!(mail.raw.is_ascii());
}

#[actix_web::test]
async fn a_mail_that_is_refused_for_now_goes_out_later() {
    let sink = SmtpSink::with(|_, before| match before {
        0 => Act::Refuse("451 4.7.1 greylisted"),
        _ => Act::Take,
    });
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let path = queue(acme, "ann@x.test").await;
    // The second pass finds nothing due.
    assert_eq!((pass(&instance).await, pass(&instance).await), (1, 0));
    let waiting = message(acme, &path).await;
    assert_eq!(waiting["status"], "pending");
    assert!(waiting["nextAttemptAt"].as_str() > waiting["createdAt"].as_str());
    assert_eq!(acme.history("/contacts/PID-1").await[0]["kind"], "email_queued");

    db_due(&instance);
    assert_eq!(pass(&instance).await, 1);
    let sent = message(acme, &path).await;
    assert_eq!(sent["status"], "sent");
    assert_eq!(
        attempts(&sent),
        [("transient", "451 4.7.1 greylisted"), ("sent", "250 2.0.0 queued")]
    );
    assert_eq!(sink.connections(), 1, "a refusal does not cost a connection");
}

#[actix_web::test]
async fn a_mail_that_is_refused_for_good_is_dead_at_once_and_can_be_retried() {
    let sink = SmtpSink::with(|_, before| match before {
        0 => Act::Refuse("550 5.1.1 no such user"),
        _ => Act::Take,
    });
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let path = queue(acme, "ann@x.test").await;
    assert_eq!((pass(&instance).await, pass(&instance).await), (1, 0));
    let dead = message(acme, &path).await;
    assert_eq!((dead["status"].as_str(), &dead["nextAttemptAt"]), (Some("dead"), &Value::Null));
    let line = &acme.history("/contacts/PID-1").await[0];
    assert_eq!(line["kind"], "email_failed");
    assert_eq!(line["details"]["reason"], "550 5.1.1 no such user");

    let retried = acme.post(&format!("{path}/retry"), &json!(null)).await.expect(200).body;
    assert_eq!(retried["status"], "pending");
    assert_eq!(pass(&instance).await, 1);
    let sent = message(acme, &path).await;
    assert_eq!(sent["status"], "sent");
    assert_eq!(attempts(&sent).len(), 2);
}

#[actix_web::test]
async fn after_ten_tries_a_message_is_dead() {
    let sink = SmtpSink::with(|_, _| Act::Refuse("452 4.2.2 mailbox full"));
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let path = queue(acme, "ann@x.test").await;
    for number in 1..=10 {
        assert_eq!(message(acme, &path).await["status"], "pending", "before try {number}");
        db_due(&instance);
        assert_eq!(pass(&instance).await, 1);
    }
    let dead = message(acme, &path).await;
    assert_eq!(dead["status"], "dead");
    assert_eq!(attempts(&dead).len(), 10);
    let kinds: Vec<Value> =
        acme.history("/contacts/PID-1").await.iter().map(|it| it["kind"].clone()).collect();
    assert_eq!(kinds, ["email_failed", "email_queued", "created"], "one line, not one a try");
}

/// The server may have taken it: whoever gets it twice must be able to tell.
#[actix_web::test]
async fn a_server_that_takes_a_mail_and_does_not_say_so_gets_the_same_one_again() {
    let sink = SmtpSink::with(|_, before| if before == 0 { Act::Hang } else { Act::Take });
    let mut flags = sink.flags_without_sign_in();
    flags.push("--smtp-timeout-seconds=1".to_owned());
    let instance = Instance::sending(flags).await;
    let acme = instance.acme();
    let path = queue(acme, "ann@x.test").await;
    assert_eq!(pass(&instance).await, 1);
    let waiting = message(acme, &path).await;
    assert_eq!(waiting["status"], "pending");
    assert!(waiting["lastResponse"].as_str().unwrap().contains("may have taken it"), "{waiting:#}");

    db_due(&instance);
    assert_eq!(pass(&instance).await, 1);
    let mails = sink.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    assert_eq!(mails[0].header("Date"), mails[1].header("Date"));
    assert_eq!(message(acme, &path).await["status"], "sent");
}

#[actix_web::test]
async fn a_connection_that_breaks_off_is_tried_again() {
    let sink = SmtpSink::with(|_, before| if before == 0 { Act::Close } else { Act::Take });
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let path = queue(acme, "ann@x.test").await;
    assert_eq!(pass(&instance).await, 1);
    assert_eq!(message(acme, &path).await["status"], "pending");
    db_due(&instance);
    assert_eq!(pass(&instance).await, 1);
    assert_eq!(message(acme, &path).await["status"], "sent");
}

#[actix_web::test]
async fn a_server_that_cannot_be_reached_is_tried_again() {
    let flags = SmtpSink::start().flags_without_sign_in();
    let instance = Instance::sending(flags).await;
    let acme = instance.acme();
    let path = queue(acme, "ann@x.test").await;
    assert_eq!(pass(&instance).await, 1);
    let waiting = message(acme, &path).await;
    assert_eq!(attempts(&waiting)[0].0, "transient", "{waiting:#}");
}

/// A wrong password would else turn a night's messages into dead ones.
#[actix_web::test]
async fn a_refused_account_pauses_its_channel_and_costs_no_message_a_try() {
    let sink = SmtpSink::start();
    sink.require("another");
    let instance = Instance::sending(sink.flags()).await;
    let acme = instance.acme();
    let people: Vec<Value> =
        (0..8).map(|i| person(&format!("P{i}"), &format!("p{i}@x.test"))).collect();
    welcoming(acme).await.send(&people).await.expect(200);
    assert_eq!((pass(&instance).await, pass(&instance).await), (4, 0));
    assert_eq!(sink.sign_ins(), 4, "the others are not tried");
    assert_eq!(instance.db_count("outbox WHERE status = 'pending' AND attempts = 0"), 8);
    assert_eq!(instance.db_count("outbox_attempts"), 0);

    let refused = acme.get("/outbox?to=p0@x.test").await.expect(200).data()[0].clone();
    assert_eq!(refused["lastResponse"], "535 5.7.8 wrong password");
    assert!(refused["pausedUntil"].is_string(), "{refused:#}");

    // The pause is over, the account is still wrong: the next one is longer.
    instance.db_execute("UPDATE outbox_pauses SET until = now()");
    assert_eq!((pass(&instance).await, pass(&instance).await), (4, 0));
    assert_eq!(
        instance.db_count("outbox_pauses WHERE refusals = 2 AND until > now() + interval '90 s'"),
        1
    );

    sink.require("right");
    let path = format!("/outbox/{}", refused["id"].as_str().unwrap());
    acme.post(&format!("{path}/retry"), &json!(null)).await.expect(200);
    assert_eq!((pass(&instance).await, pass(&instance).await), (4, 4));
    assert_eq!(instance.db_count("outbox WHERE status = 'sent'"), 8);
    assert_eq!(instance.db_count("outbox_pauses"), 0);
}

/// The pause of one org, or of one channel, is nobody else's.
#[actix_web::test]
async fn without_an_sms_account_sms_wait_and_mails_go_out() {
    let sink = SmtpSink::start();
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let sms = action("send-sms", json!({"content": "Hi", "phones": ["0905000001"]}));
    welcoming(acme).await.send(&[sms, person("Ann", "ann@x.test")]).await.expect(200);
    assert_eq!(pass(&instance).await, 2);
    let waiting = acme.get("/outbox?channel=sms").await.expect(200).data()[0].clone();
    assert_eq!(waiting["status"], "pending");
    assert!(waiting["lastResponse"].as_str().unwrap().contains("/settings/sms"), "{waiting:#}");
    let sent = acme.get("/outbox?channel=email").await.expect(200).data()[0].clone();
    assert_eq!((sent["status"].as_str(), &sent["pausedUntil"]), (Some("sent"), &Value::Null));
}

#[actix_web::test]
async fn a_sender_that_the_server_refuses_is_the_accounts_fault() {
    let sink = SmtpSink::with(|_, _| Act::RefuseSender("553 5.7.1 not your address"));
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let path = queue(acme, "ann@x.test").await;
    assert_eq!(pass(&instance).await, 1);
    let waiting = message(acme, &path).await;
    assert_eq!((waiting["status"].as_str(), attempts(&waiting)), (Some("pending"), vec![]));
    assert_eq!(waiting["lastResponse"], "553 5.7.1 not your address");
}

/// What a process was sending when it died is another's once its lease has ended, and not before.
#[actix_web::test]
async fn the_claim_of_a_dead_process_is_free_when_its_lease_ends() {
    let sink = SmtpSink::start();
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let path = queue(acme, "ann@x.test").await;
    instance.db_execute(
        "UPDATE outbox SET status = 'sending', claim_id = gen_random_uuid(), \
         next_attempt_at = now() + interval '60 s'",
    );
    assert_eq!(pass(&instance).await, 0);
    instance.db_execute("UPDATE outbox SET next_attempt_at = now()");
    assert_eq!(pass(&instance).await, 1);
    assert_eq!(message(acme, &path).await["status"], "sent");
}

/// Two processes that pass at the same time share the work.
#[actix_web::test]
async fn no_message_is_sent_by_two_servers() {
    let sink = SmtpSink::start();
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let people: Vec<Value> =
        (0..40).map(|i| person(&format!("P{i}"), &format!("p{i}@x.test"))).collect();
    welcoming(instance.acme()).await.send(&people).await.expect(200);
    let flags = sink.flags_without_sign_in();
    let other = instance.another_with(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    let all = |server: &Instance| {
        let outbox = server.app.outbox.clone();
        async move { while outbox.run_once().await.unwrap() > 0 {} }
    };
    tokio::join!(all(&instance), all(&other));
    assert_eq!(instance.db_count("outbox WHERE status = 'sent'"), 40);
    let mut ids = message_ids(&sink.mails());
    assert_eq!(ids.len(), 40);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    assert!(sink.connections() <= 8, "connections are reused: {}", sink.connections());
}

/// The workers must outlive the database's absence: nobody starts them again.
#[actix_web::test]
async fn while_the_database_is_away_nothing_is_sent_and_afterwards_everything_is() {
    let mut sink = SmtpSink::start();
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let listener = welcoming(acme).await;
    let workers = instance.app.outbox.start();
    listener.send(&[person("Ann", "ann@x.test")]).await.expect(200);
    assert_eq!(sink.next().await.to, "ann@x.test");
    instance.db_until_none("outbox WHERE status <> 'sent'").await;

    instance.db_lock_out();
    assert!(instance.app.outbox.run_once().await.is_err());
    instance.db_let_in();
    instance.db_execute(
        "UPDATE outbox SET status = 'pending', next_attempt_at = now(), recipient = 'bob@x.test'",
    );
    assert_eq!(sink.next().await.to, "bob@x.test");
    workers.stop().await;
    assert_eq!(instance.db_count("outbox WHERE status = 'sent'"), 1);
}

#[actix_web::test]
async fn what_is_beyond_the_quota_of_the_instances_server_waits_for_tomorrow_and_is_told_of() {
    let sink = SmtpSink::start();
    let mut flags = sink.flags_without_sign_in();
    flags.push("--smtp-daily-quota=2".to_owned());
    let instance = Instance::sending(flags).await;
    let acme = instance.acme();
    let people = ["a", "b", "c"].map(|name| person(name, &format!("{name}@x.test")));
    welcoming(acme).await.send(&people).await.expect(200);
    while pass(&instance).await > 0 {}
    assert_eq!(sink.mails().len(), 2);
    let list = acme.get("/outbox?status=pending").await.expect(200);
    let [waiting] = list.data() else { panic!("{:#}", list.body) };
    assert!(
        waiting["lastResponse"].as_str().unwrap().contains("2 e-mails of a day"),
        "{waiting:#}"
    );
    assert!(waiting["pausedUntil"].as_str().unwrap().ends_with("T00:00:00Z"), "{waiting:#}");
    let code = waiting["recipients"][0]["customerId"].as_str().unwrap();
    let line = &acme.history(&format!("/contacts/{code}")).await[0];
    assert_eq!(line["kind"], "email_failed");
    assert!(line.to_string().contains("waits for tomorrow"), "{line:#}");
    // Another org has a quota of its own.
    welcoming(instance.globex())
        .await
        .act_as("ann", "add-contact", people[0]["data"].clone())
        .await
        .expect(200);
    while pass(&instance).await > 0 {}
    assert_eq!(sink.mails().len(), 3);

    instance.db_execute("UPDATE mail_quotas SET day = day - 1; DELETE FROM outbox_pauses");
    db_due(&instance);
    assert_eq!(pass(&instance).await, 1);
    assert_eq!(sink.mails().len(), 4);
}
