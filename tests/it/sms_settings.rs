//! `/settings/sms` (`api.md` 4): an org's own SMS account, its secrets, and where it may lead.

use crate::support::{Instance, Provider, Reaction, Reply};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/settings/sms";
const TWILIO_SECRET: &str = "tw1l10-s3cret";

fn twilio() -> Value {
    json!({
        "provider": "twilio", "accountSid": "AC0123456789abcdef0123456789abcdef",
        "authToken": TWILIO_SECRET, "from": "+12025550123",
    })
}

/// A provider at that URL, with a secret header.
fn http(url: &str) -> Value {
    json!({
        "provider": "http", "url": url, "body": "{\"to\": \"{{ to }}\", \"text\": \"{{ content }}\"}",
        "headers": {"Authorization": "Bearer abc-s3cret", "Accept": "application/json"},
    })
}

const LOOPBACK: [&str; 2] = ["--outbound-allow", "127.0.0.0/8"];

#[actix_web::test]
async fn what_is_unset_is_the_instances_and_what_is_set_is_read_without_secrets() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let unset = acme.get(PATH).await.expect(200);
    assert_eq!(unset.body, json!({"provider": null, "trialCredits": 20}));
    let set = acme.patch(PATH, &twilio()).await.expect(200);
    let shown = json!({
        "provider": "twilio", "accountSid": "AC0123456789abcdef0123456789abcdef",
        "authToken": "********", "from": "+12025550123", "trialCredits": 20,
    });
    assert_eq!(set.body, shown);
    let read = acme.get(PATH).await.expect(200);
    assert_eq!((&read.body, read.header("ETag")), (&shown, set.header("ETag")));
    assert_ne!(read.header("ETag"), unset.header("ETag"));
    assert_eq!(instance.globex().get(PATH).await.body["provider"], Value::Null);
    acme.delete(PATH).await.expect(204);
    assert_eq!(acme.get(PATH).await.body, unset.body);
    acme.delete(PATH).await.expect(204);
}

#[actix_web::test]
async fn faults_are_told_with_their_place() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let with = |field: &str, value: Value| {
        let mut account = twilio();
        account[field] = value;
        account
    };
    for (patch, code, place) in [
        (json!([]), "wrong_type", ""),
        (json!({}), "required", "/provider"),
        (json!({"provider": null}), "required", "/provider"),
        (json!({"provider": "pigeon"}), "invalid_choice", "/provider"),
        (json!({"provider": "twilio"}), "required", "/accountSid"),
        (with("accountSid", json!("x")), "invalid_value", "/accountSid"),
        (with("authToken", json!("")), "required", "/authToken"),
        // What stands for a secret is none.
        (with("authToken", json!("********")), "required", "/authToken"),
        (with("from", json!(7)), "wrong_type", "/from"),
        (with("url", json!("https://x.example/")), "unknown_field", "/url"),
        (with("trialCredits", json!(1000)), "unknown_field", "/trialCredits"),
        (
            json!({"provider": "http", "url": "https://x.example/{{ t }}"}),
            "invalid_template",
            "/url",
        ),
        (
            json!({"provider": "http", "url": "https://x.example/", "method": "PATCH"}),
            "invalid_choice",
            "/method",
        ),
        (json!({"provider": "esms", "apiKey": "a", "secretKey": "b"}), "required", "/brandname"),
        (json!({"provider": "speedsms"}), "required", "/accessToken"),
    ] {
        let reply = acme.patch(PATH, &patch).await.expect(422);
        assert_eq!(reply.problem().1, [(code, place)], "{patch} {:#}", reply.body);
    }
    assert_eq!(acme.get(PATH).await.body["provider"], Value::Null);
    assert_eq!(instance.db_count("audit_log"), 0);
}

#[actix_web::test]
async fn members_may_not_even_read() {
    let instance = Instance::start().await;
    for (method, path) in [
        (Method::GET, PATH),
        (Method::PATCH, PATH),
        (Method::DELETE, PATH),
        (Method::POST, "/settings/sms/test"),
    ] {
        instance.acme().call("ann", method, path, Some(&json!({}))).await.expect(403);
    }
}

#[actix_web::test]
async fn a_stale_change_is_refused() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let first = acme.patch(PATH, &twilio()).await.expect(200);
    let etag = first.header("ETag").unwrap();
    let change = |token: &str| {
        let request = acme.request("admin", Method::PATCH, PATH).header("If-Match", etag);
        request.json(&json!({"authToken": token}))
    };
    // A secret that is another now cannot be seen, but it is a change.
    Reply::to(change("new")).await.expect(200);
    Reply::to(change("newer")).await.expect(412);
}

/// An admin whose session was stolen would otherwise have the provider's credentials sent to the
/// thief by changing the URL alone.
#[actix_web::test]
async fn a_secret_is_not_sent_to_another_place_than_it_was_given_for() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.patch(PATH, &http("https://sms.example/send")).await.expect(200);
    let moved = json!({"url": "https://thief.example/send"});
    let refused = acme.patch(PATH, &moved).await.expect(422);
    assert_eq!(refused.problem().1, [("required", "/headers/Authorization")]);
    let masked = json!({"url": "https://thief.example/", "headers": {"Authorization": "********"}});
    acme.patch(PATH, &masked).await.expect(422);
    let anew = json!({"url": "https://new.example/", "headers": {"Authorization": "Bearer new"}});
    acme.patch(PATH, &anew).await.expect(200);
    // What stays where it is need not be given again.
    let same = acme.patch(PATH, &json!({"from": "Acme"})).await.expect(200);
    assert_eq!(same.body["headers"]["Authorization"], "********");
    // null clears.
    let cleared = acme.patch(PATH, &json!({"headers": {"Authorization": null}})).await.expect(200);
    assert_eq!(cleared.body["headers"], json!({"Accept": "application/json"}));

    acme.patch(PATH, &twilio()).await.expect(200);
    let other = json!({"accountSid": "ACffffffffffffffffffffffffffffffff"});
    let refused = acme.patch(PATH, &other).await.expect(422);
    assert_eq!(refused.problem().1, [("required", "/authToken")]);
}

#[actix_web::test]
async fn an_org_cannot_have_its_provider_in_a_private_network() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for url in [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:10.0.0.1]/",
        "http://localhost:8080/",
        "http://2130706433/",
        "ftp://sms.example/",
        "https://user:pass@sms.example/",
    ] {
        let refused = acme.patch(PATH, &http(url)).await.expect(422);
        assert_eq!(refused.problem().1, [("invalid_value", "/url")], "{url}");
    }
}

/// A name is looked up when it is used: what it meant when it was saved says nothing.
#[actix_web::test]
async fn a_name_that_leads_into_a_private_network_is_refused_when_it_is_used() {
    let provider = Provider::start(Reaction::json(200, json!({}))).await;
    let allowing = Instance::production(&LOOPBACK).await;
    let url = provider.url.replace("127.0.0.1", "localhost");
    allowing.acme().patch(PATH, &http(&url)).await.expect(200);
    let to = json!({"to": "0905000001"});
    let report = allowing.acme().post("/settings/sms/test", &to).await.expect(200).body;
    assert_eq!(report["status"], "sent", "{report}");
    provider.only_arrived();

    let strict = allowing.another_with(&["--environment", "production"]);
    let report = allowing.acme().on(&strict).post("/settings/sms/test", &to).await.expect(200).body;
    assert_eq!(report["status"], "failed", "{report}");
    assert!(report["response"].as_str().unwrap().contains("not at a public address"), "{report}");
    assert!(provider.arrived().is_empty());
}

#[actix_web::test]
async fn a_test_sends_one_now_and_reports_what_the_provider_said() {
    let provider = Provider::start(Reaction::json(200, json!({"ok": true}))).await;
    let instance = Instance::production(&LOOPBACK).await;
    let acme = instance.acme();
    let to = json!({"to": "0905000001"});
    let none = acme.post("/settings/sms/test", &to).await.expect(409);
    assert_eq!(none.problem().0, "no_account");
    acme.patch(PATH, &http(&provider.url)).await.expect(200);
    let bad = acme.post("/settings/sms/test", &json!({"to": "12"})).await.expect(422);
    assert_eq!(bad.problem().1, [("invalid_phone", "/to")]);

    let report = acme.post("/settings/sms/test", &to).await.expect(200).body;
    assert_eq!(report, json!({"status": "sent", "response": "HTTP 200: {\"ok\":true}"}));
    let request = provider.only_arrived();
    assert_eq!(request.headers["authorization"], "Bearer abc-s3cret");
    assert_eq!(request.json()["to"], "+84905000001");
    assert_eq!(acme.get(PATH).await.body["trialCredits"], 20);

    let told = "Bearer abc-s3cret is unknown".to_owned();
    provider.react(Reaction::Answer(401, Vec::new(), told));
    let report = acme.post("/settings/sms/test", &to).await.expect(200).body;
    assert_eq!(report, json!({"status": "failed", "response": "HTTP 401: ******** is unknown"}));

    for _ in 0..3 {
        acme.post("/settings/sms/test", &to).await.expect(200);
    }
    let limited = acme.post("/settings/sms/test", &to).await.expect(429);
    assert!(limited.header("Retry-After").is_some());
}

/// The instance's account is the operator's money.
#[actix_web::test]
async fn a_test_through_the_instances_account_takes_a_trial_credit() {
    let provider = Provider::start(Reaction::json(200, json!({}))).await;
    let account = http(&provider.url).to_string();
    let instance = Instance::production(&["--sms-account", &account]).await;
    let acme = instance.acme();
    let to = json!({"to": "0905000001"});
    let report = acme.post("/settings/sms/test", &to).await.expect(200).body;
    assert_eq!(report["status"], "sent", "{report}");
    assert_eq!(acme.get(PATH).await.body["trialCredits"], 19);
    instance.db_execute("UPDATE org_settings SET sms_credits = 0");
    let refused = acme.post("/settings/sms/test", &to).await.expect(422);
    assert_eq!(refused.problem().1, [("sms_credits_exhausted", "")]);
    assert_eq!(provider.arrived().len(), 1);
}

#[actix_web::test]
async fn staging_tries_no_account_out() {
    let provider = Provider::start(Reaction::json(200, json!({}))).await;
    let instance = Instance::with(&LOOPBACK).await;
    let acme = instance.acme();
    acme.patch(PATH, &http(&provider.url)).await.expect(200);
    let report = acme.post("/settings/sms/test", &json!({"to": "0905000001"})).await.expect(200);
    assert_eq!(report.body["status"], "captured");
    assert!(provider.arrived().is_empty());
}

#[actix_web::test]
async fn an_account_of_ones_own_takes_no_trial_credits() {
    let instance = Instance::start().await;
    let other = instance.another();
    let acme = instance.acme();
    let welcome = json!({"welcomeSms": {"content": "Hi"}});
    let listener = acme.listener_with(welcome).await;
    instance.db_execute("UPDATE org_settings SET sms_credits = 0");
    let sms = || json!({"content": "Hi", "phones": ["0905000001"]});
    // Both servers know the org without an account.
    listener.act("send-sms", sms()).await.expect(422);
    listener.on(&other).act("send-sms", sms()).await.expect(422);
    acme.patch(PATH, &twilio()).await.expect(200);
    for server in [&listener, &listener.on(&other)] {
        assert_eq!(server.act("send-sms", sms()).await.expect(200).statuses(), ["queued"]);
    }
    let person = json!({"name": "Huy", "phones": [{"value": "0905000002"}]});
    let reply = listener.act("add-contact", person).await.expect(200);
    assert_eq!(reply.result(0)["warnings"], json!([]));
    assert_eq!(instance.db_count("outbox"), 3);
    assert_eq!(instance.db_count("org_settings WHERE sms_credits = 0"), 2);
    acme.delete(PATH).await.expect(204);
    let refused = listener.act("send-sms", sms()).await.expect(422);
    assert_eq!(refused.fault(0).0, "sms_credits_exhausted");
}

/// A channel whose account is refused is paused, and its messages wait for a better one.
#[actix_web::test]
async fn another_account_ends_the_pause_that_a_refused_one_began() {
    let provider = Provider::start(Reaction::json(401, json!({}))).await;
    let instance = Instance::production(&LOOPBACK).await;
    let acme = instance.acme();
    acme.patch(PATH, &http(&provider.url)).await.expect(200);
    let sms = json!({"content": "Hi", "phones": ["0905000001"]});
    acme.listener().await.act("send-sms", sms).await.expect(200);
    instance.app.outbox.run_once().await.unwrap();
    assert_eq!(provider.arrived().len(), 1);
    assert_eq!(instance.db_count("outbox_pauses WHERE channel = 'sms'"), 1);

    provider.react(Reaction::json(200, json!({})));
    let right = json!({"headers": {"Authorization": "Bearer right"}});
    acme.patch(PATH, &right).await.expect(200);
    assert_eq!(instance.db_count("outbox_pauses"), 0);
    instance.db_execute("UPDATE outbox SET next_attempt_at = now()");
    instance.app.outbox.run_once().await.unwrap();
    assert_eq!(provider.only_arrived().headers["authorization"], "Bearer right");
    assert_eq!(instance.db_count("outbox WHERE status = 'sent'"), 1);
}

#[actix_web::test]
async fn changes_are_in_the_audit_log_and_secrets_are_nowhere_in_clear() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.patch(PATH, &twilio()).await.expect(200);
    acme.patch(PATH, &json!({"authToken": "an0ther-s3cret"})).await.expect(200);
    acme.patch(PATH, &json!({"from": "MG1"})).await.expect(200);
    acme.delete(PATH).await.expect(204);
    let lines = "audit_log WHERE resource = 'sms' AND actor_name = 'admin@acme.test'";
    assert_eq!(instance.db_count(lines), 4);
    // That the secret is another is told, and not which.
    let masked =
        r#"audit_log WHERE changes = '{"authToken": {"from": "********", "to": "********"}}'"#;
    assert_eq!(instance.db_count(masked), 1);
    let changed = r#"audit_log WHERE changes = '{"from": {"from": "+12025550123", "to": "MG1"}}'"#;
    assert_eq!(instance.db_count(changed), 1);
    assert_eq!(instance.db_count("audit_log WHERE changes::text LIKE '%s3cret%'"), 0);
    acme.patch(PATH, &twilio()).await.expect(200);
    let kept = "message_accounts WHERE settings::text LIKE '%s3cret%' \
                OR encode(secrets_sealed, 'escape') LIKE '%s3cret%'";
    assert_eq!(instance.db_count(kept), 0);
}
