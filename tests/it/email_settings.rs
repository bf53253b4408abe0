//! `/settings/email` (`api.md` 4): an org's own mail server.

use crate::support::{Instance, SmtpSink};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const PATH: &str = "/settings/email";

fn server() -> Value {
    json!({
        "host": "smtp.example.com", "port": 587, "security": "starttls", "username": "crm",
        "password": "m4il-s3cret", "fromAddress": "crm@example.com", "fromName": "Example CRM",
    })
}

fn shown() -> Value {
    let mut shown = server();
    shown["password"] = json!("********");
    shown
}

#[actix_web::test]
async fn what_is_unset_is_null_and_what_is_set_is_read_without_the_password() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let unset = acme.get(PATH).await.expect(200);
    assert!(unset.body.as_object().unwrap().values().all(Value::is_null), "{}", unset.body);
    assert_eq!(unset.body.as_object().unwrap().len(), 7);
    let set = acme.patch(PATH, &server()).await.expect(200);
    assert_eq!(set.body, shown());
    let read = acme.get(PATH).await.expect(200);
    assert_eq!((&read.body, read.header("ETag")), (&shown(), set.header("ETag")));
    // What was read can be sent back.
    assert_eq!(acme.patch(PATH, &shown()).await.expect(200).body, shown());
    acme.delete(PATH).await.expect(204);
    assert_eq!(acme.get(PATH).await.body, unset.body);
    assert_eq!(instance.db_count("audit_log WHERE changes::text LIKE '%s3cret%'"), 0);
    assert_eq!(instance.db_count("audit_log WHERE resource = 'email'"), 2);
}

#[actix_web::test]
async fn faults_are_told_with_their_place() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for (patch, code, place) in [
        (json!({}), "required", "/host"),
        (json!({"host": "h.example"}), "required", "/fromAddress"),
        (json!({"host": "h.example", "fromAddress": "x"}), "invalid_email", "/fromAddress"),
        (json!({"hots": "h.example"}), "unknown_field", "/hots"),
    ] {
        let reply = acme.patch(PATH, &patch).await.expect(422);
        assert_eq!(reply.problem().1, [(code, place)], "{patch}");
    }
    for (field, value, code) in [
        ("host", json!("127.0.0.1"), "invalid_value"),
        ("host", json!("169.254.169.254"), "invalid_value"),
        ("host", json!("localhost"), "invalid_value"),
        ("host", json!("smtp://x"), "invalid_value"),
        ("port", json!(0), "out_of_range"),
        ("port", json!(65_536), "invalid_value"),
        ("security", json!("ssl"), "invalid_choice"),
        ("fromName", json!("a\nBcc: x@y.z"), "invalid_value"),
        ("username", Value::Null, "required"),
    ] {
        let mut patch = server();
        patch[field] = value.clone();
        let reply = acme.patch(PATH, &patch).await.expect(422);
        assert_eq!(reply.problem().1, [(code, format!("/{field}").as_str())], "{field} {value}");
    }
}

/// As with SMS: the password of one server is not for another.
#[actix_web::test]
async fn the_password_is_asked_for_anew_where_it_would_go_to_another_place() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.patch(PATH, &server()).await.expect(200);
    for (field, value) in [
        ("host", json!("smtp.thief.example")),
        ("port", json!(25)),
        ("security", json!("none")),
        ("username", json!("root")),
    ] {
        let refused = acme.patch(PATH, &json!({field: value})).await.expect(422);
        assert_eq!(refused.problem().1, [("required", "/password")], "{field}");
        let anew = json!({field: value, "password": "new"});
        acme.patch(PATH, &anew).await.expect(200);
        acme.patch(PATH, &server()).await.expect(200);
    }
    acme.patch(PATH, &json!({"fromName": null})).await.expect(200);
    let open = json!({"username": null, "password": null, "host": "relay.example.com"});
    let cleared = acme.patch(PATH, &open).await.expect(200).body;
    assert_eq!((&cleared["username"], &cleared["password"]), (&Value::Null, &Value::Null));
}

#[actix_web::test]
async fn a_test_needs_an_account_and_on_staging_sends_nothing() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let to = json!({"to": "ann@example.com"});
    let none = acme.post("/settings/email/test", &to).await.expect(409);
    assert_eq!(none.problem().0, "no_account");
    acme.patch(PATH, &server()).await.expect(200);
    let bad = acme.post("/settings/email/test", &json!({"to": "ann"})).await.expect(422);
    assert_eq!(bad.problem().1, [("invalid_email", "/to")]);
    let report = acme.post("/settings/email/test", &to).await.expect(200).body;
    assert_eq!(report["status"], "captured");
}

#[actix_web::test]
async fn a_test_sends_a_mail_through_the_orgs_own_server() {
    let mut sink = SmtpSink::start();
    let instance = Instance::production(&["--outbound-allow", "127.0.0.0/8"]).await;
    let acme = instance.acme();
    let own = json!({
        "host": "localhost", "port": sink.port(), "security": "none",
        "fromAddress": "crm@example.com", "fromName": "Example CRM",
    });
    acme.patch(PATH, &own).await.expect(200);
    let to = json!({"to": "ann@example.com"});
    let report = acme.post("/settings/email/test", &to).await.expect(200).body;
    assert_eq!(report["status"], "sent", "{report}");
    let mail = sink.next().await;
    assert_eq!((mail.from.as_str(), mail.to.as_str()), ("crm@example.com", "ann@example.com"));
    assert!(mail.header("From").contains("Example CRM"), "{}", mail.header("From"));
    assert_eq!(mail.header("Subject"), "acme: a test of your mail server");
}

/// An org's mail server is guarded against, too: the name is looked up when it is used.
#[actix_web::test]
async fn a_test_reports_what_went_wrong() {
    let allowing = Instance::production(&["--outbound-allow", "127.0.0.0/8"]).await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let local = json!({
        "host": "localhost", "port": gone.port(), "security": "none",
        "fromAddress": "crm@example.com",
    });
    allowing.acme().patch(PATH, &local).await.expect(200);
    let to = json!({"to": "ann@example.com"});
    let report = allowing.acme().post("/settings/email/test", &to).await.expect(200).body;
    assert_eq!(report["status"], "failed");
    assert!(report["response"].as_str().unwrap().contains("connect"), "{report}");

    let strict = allowing.another_with(&["--environment", "production"]);
    let acme = allowing.acme().on(&strict);
    let report = acme.post("/settings/email/test", &to).await.expect(200).body;
    assert!(report["response"].as_str().unwrap().contains("not at a public address"), "{report}");
}
