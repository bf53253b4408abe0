//! What grows with what a tenant or their servers send is bounded (`docs/operations.md`, memory).

use crate::outbox::welcoming;
use crate::support::{Endless, Instance, Process, SmtpSink, action, payload, person};
use serde_json::{Value, json};

const MIB: usize = 1024 * 1024;

/// What a process with the default settings may take at most, whatever is sent.
const MOST_MEMORY: usize = 1024 * MIB;

/// As large as a newsletter can be: a template of 64 KiB that makes 256 KiB of a name of 31 letters.
fn newsletter() -> Value {
    json!({"enabled": true, "subject": "Hi {{ name }}", "body": "{{name}}".repeat(8 * 1024)})
}

/// People who are new, told apart by `n`.
fn people(n: usize, count: usize) -> Vec<Value> {
    (0..count)
        .map(|i| person(&format!("{i:05}{}", "x".repeat(26)), &format!("p{i}.{n}@x.test")))
        .collect()
}

#[track_caller]
fn within(process: &Process, most: usize) {
    let peak = process.peak_memory();
    println!("peak {} MiB", peak / MIB);
    assert!(peak < most, "{} MiB", peak / MIB);
}

/// It took 3.4 GiB in 3 s.
#[actix_web::test]
async fn a_mail_server_whose_line_has_no_end_is_given_up() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = welcoming(acme).await;
    let mut endless = Endless::start("220 ");
    let process = Process::with(
        &instance,
        &[
            "--environment=production".to_owned(),
            format!("--smtp-url=smtp://127.0.0.1:{}?security=none", endless.port),
            "--smtp-from=BeeIQ <noreply@beeiq.test>".to_owned(),
        ],
    );
    listener.at(&process.url).send(&[person("Ann", "ann@x.test")]).await.expect(200);
    let written = endless.broken_off().await;
    assert!(written < 16 * MIB, "{written} bytes were read");
    instance.db_until("outbox WHERE last_words LIKE '%has no end%'").await;
    within(&process, MOST_MEMORY / 2);
}

#[actix_web::test]
async fn a_provider_whose_answer_has_no_end_is_read_as_far_as_its_words_go() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener().await;
    let mut endless =
        Endless::start("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n");
    let account = json!({"provider": "http", "url": format!("http://127.0.0.1:{}", endless.port)});
    let process = Process::with(
        &instance,
        &["--environment=production".to_owned(), format!("--sms-account={account}")],
    );
    let sms = action("send-sms", json!({"content": "Hi", "phones": ["0905000001"]}));
    listener.at(&process.url).send(&[sms]).await.expect(200);
    let written = endless.broken_off().await;
    assert!(written < 16 * MIB, "{written} bytes were read");
    instance.db_until("outbox WHERE last_words LIKE 'HTTP 500: xxx%'").await;
    within(&process, MOST_MEMORY / 2);
}

/// 1,500 such contacts took 3 GiB; on an async listener the server died again after each restart.
#[actix_web::test]
async fn a_newsletter_to_five_thousand_new_contacts_takes_no_memory_and_little_disk() {
    let instance = Instance::start().await;
    let listener = instance.acme().listener_with(json!({"welcomeEmail": newsletter()})).await;
    let process = Process::start(&instance);
    let at = listener.at(&process.url);
    at.send(&people(0, 5_000)).await.expect(200);
    let body = payload(&people(1, 5_000)).to_string().into_bytes();
    at.post_bytes("", body, &[("prefer", "respond-async")]).await.expect(202);
    instance.db_until_none("deliveries WHERE status = 'pending'").await;
    assert_eq!(instance.db_count("outbox WHERE status = 'captured'"), 10_000);
    assert_eq!(instance.db_count("wordings"), 1);
    let small = "(SELECT 1 WHERE pg_total_relation_size('outbox') < 16 * 1024 * 1024) AS small";
    assert_eq!(instance.db_count(small), 1);
    within(&process, MOST_MEMORY / 2);
}

/// 60,000 numbers in one action took 1.4 GiB.
#[actix_web::test]
async fn sixty_thousand_numbers_in_a_delivery_are_sent_as_far_as_they_fit() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    instance.db_execute("UPDATE org_settings SET sms_credits = 1000000");
    let process = Process::start(&instance);
    let content = "x".repeat(1_600);
    let actions: Vec<Value> = (0..12)
        .map(|n| {
            let numbers = n * 5_000..(n + 1) * 5_000;
            let phones: Vec<String> = numbers.map(|i| format!("0905{i:06}")).collect();
            action("send-sms", json!({"content": content, "phones": phones}))
        })
        .collect();
    let reply = listener.at(&process.url).send(&actions).await.expect(207);
    let codes: Vec<_> = reply.body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["error"]["code"].as_str())
        .collect();
    assert_eq!(codes, [[None; 4], [Some("too_large"); 4], [Some("too_large"); 4]].concat());
    assert_eq!(instance.db_count("outbox"), 20_000);
    assert_eq!(instance.db_count("wordings"), 1);
    within(&process, MOST_MEMORY / 2);
}

#[actix_web::test]
async fn what_was_sent_is_kept_byte_for_byte_and_says_what_the_template_said_when_it_was_queued() {
    let sink = SmtpSink::start();
    let instance = Instance::sending(sink.flags_without_sign_in()).await;
    let acme = instance.acme();
    let listener = welcoming(acme).await;
    listener.send(&[person("Ann", "ann@x.test")]).await.expect(200);
    let email = json!({"enabled": true, "subject": "New", "body": "New"});
    acme.patch(&format!("/listeners/{}", listener.id), &json!({"welcomeEmail": email}))
        .await
        .expect(200);
    let path = format!("/outbox/{}", acme.get("/outbox").await.data()[0]["id"].as_str().unwrap());
    let waiting = acme.get(&path).await.expect(200).body;
    assert_eq!(instance.app.outbox.run_once().await.unwrap(), 1);
    let [mail] = sink.mails().try_into().expect("one mail");
    assert!(mail.body().starts_with("<p>Hi Ann</p>"), "{}", mail.raw);
    let sent = acme.get(&path).await.expect(200).body;
    for message in [waiting, sent] {
        assert_eq!(message["subject"], "Welcome Ann");
        assert_eq!(message["email"]["html"], "<p>Hi Ann</p>");
    }
    // It does not hang on what it was made of.
    let kept =
        "outbox WHERE html = '<p>Hi Ann</p>' AND subject = 'Welcome Ann' AND merge_fields IS NULL";
    assert_eq!(instance.db_count(kept), 1);
}

#[actix_web::test]
async fn what_was_written_to_somebody_who_is_erased_goes_with_their_messages() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let phone = json!({"name": "Ann", "phones": [{"value": "0905000001"}]});
    listener.act("add-contact", phone).await.expect(200);
    for content in ["To Ann alone", "To both"] {
        let sms = json!({"content": content, "phones": ["0905000001"]});
        listener.act("send-sms", sms).await.expect(200);
    }
    listener
        .act("send-sms", json!({"content": "To both", "phones": ["0905000002"]}))
        .await
        .expect(200);
    acme.delete("/contacts/PID-1").await.expect(204);
    assert_eq!(instance.db_count("wordings"), 1);
    assert_eq!(instance.db_count("wordings WHERE text = 'To both'"), 1);
}
