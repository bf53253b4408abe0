//! A new org, from `beeiq org create` on, set up with nothing but the API.

use crate::support::{Instance, PASSWORD, Reply, SECRET_KEY};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const OWNER: &str = "owner@htklabs.com";

/// The owner of the new org, signed in.
struct Owner<'i> {
    instance: &'i Instance,
    token: String,
}

impl<'i> Owner<'i> {
    async fn of_a_new_org(instance: &'i Instance) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_beeiq"))
            .args(["org", "create", "--slug", "htk", "--name", "HTK", "--owner-email", OWNER])
            .arg("--owner-password-stdin")
            .env("DATABASE_URL", instance.database_url())
            .env("BEEIQ_SECRET_KEY", SECRET_KEY)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        let body = json!({"org": "htk", "email": OWNER, "password": PASSWORD});
        let request = instance.request(Method::POST, "/api/v1/sessions").json(&body);
        let signed_in = Reply::to(request).await.expect(201);
        Self { instance, token: signed_in.body["token"].as_str().unwrap().to_owned() }
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.instance.request(Method::GET, &format!("/api/v1{path}"));
        Reply::to(request.bearer_auth(&self.token)).await.expect(200).body
    }

    async fn add(&self, path: &str, body: Value) -> Value {
        let request = self.instance.request(Method::POST, &format!("/api/v1{path}"));
        Reply::to(request.bearer_auth(&self.token).json(&body)).await.expect(201).body
    }
}

/// Everybody and everything that the documents' examples name.
async fn set_up(owner: &Owner<'_>) {
    let groups = ["Nhóm Test", "Nhom test", "Nhom 1", "Nhom 2", "Phong Kinh Doanh"];
    for name in groups {
        owner.add("/groups", json!({"name": name})).await;
    }
    for email in [
        "huy.nguyenviet@htklabs.com",
        "huy.nguyen@htklabs.com",
        "luyt.ngo@htklabs.com",
        "viethuy110@gmail.com",
        "nhanvien1@beeiq.co",
        "nhanvien2@beeiq.co",
        "youremail@here.com",
    ] {
        owner.add("/users", json!({"email": email, "groups": ["nhom 1", "NHOM TEST"]})).await;
    }
    owner.add("/sources", json!({"name": "Web form"})).await;
    owner.add("/deal-stages", json!({"name": "Báo giá"})).await;
    owner.add("/deal-categories", json!({"name": "UI Design"})).await;
    owner.add("/deal-packages", json!({"name": "Goi A"})).await;
    let sla = json!({"name": "custom", "firstResponseMinutes": 60, "resolutionMinutes": 1440});
    owner.add("/slas", sla).await;
    for (model, name, kind, options) in [
        ("contact", "name_01", "text", json!([])),
        ("contact", "Ngày bạn nhập học?", "date", json!([])),
        ("contact", "What animal do you like?", "checkbox", json!(["Dog", "Cat"])),
        ("contact", "Bạn thích con gì?", "inline_checkbox", json!(["Chó", "Mèo"])),
        ("contact", "Referred By", "text", json!([])),
        ("lead", "Referred By", "text", json!([])),
        ("deal", "Campaign", "text", json!([])),
    ] {
        let field = json!({"model": model, "name": name, "kind": kind, "options": options});
        owner.add("/custom-fields", field).await;
    }
}

fn sample(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/samples").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[actix_web::test]
async fn with_nothing_but_the_api_a_new_org_takes_the_documents_examples() {
    let instance = Instance::start().await;
    let owner = Owner::of_a_new_org(&instance).await;
    set_up(&owner).await;
    let listener = owner
        .add(
            "/listeners",
            json!({
                "name": "Web form", "allowedIps": ["127.0.0.1"], "defaultTag": "webhook",
                "contactSource": "Web form", "leadSource": "Web form",
                "welcomeEmail": {"subject": "Chào {{ name }}", "body": "<p>{{ code }}, {{ org.name }}</p>"},
                "welcomeSms": {"content": "Chào {{ name }}"},
            }),
        )
        .await;
    let url = listener["url"].as_str().unwrap();
    for (name, change, status) in [
        ("add-contact.json", None, "created"),
        ("add-contact-template.json", None, "created"),
        ("add-lead.json", None, "created"),
        ("update-lead.json", Some(("customerId", "LID-1")), "updated"),
        ("update-contact.json", Some(("customerId", "PID-1")), "updated"),
        ("add-note.json", Some(("customerId", "LID-1")), "created"),
        ("add-deal.json", Some(("stage", "báo giá")), "created"),
        ("add-note-deal.json", Some(("dealId", "1234567890")), "created"),
        ("add-ticket.json", None, "created"),
        ("send-sms.json", None, "queued"),
    ] {
        let mut payload = sample(name);
        if let Some((field, value)) = change {
            payload["data"][0]["data"][field] = json!(value);
        }
        let reply = Reply::to(instance.client.post(url).json(&payload)).await;
        assert_eq!(reply.statuses(), [status], "{name}: {:#}", reply.body);
    }
    let contact = owner.get("/contacts/PID-1").await;
    assert_eq!(
        (&contact["source"], &contact["tags"]),
        (&json!("Web form"), &json!(["webhook"])),
        "{contact:#}"
    );
    let emails = owner.get("/outbox?channel=email").await;
    let emails = emails["data"].as_array().unwrap().iter();
    assert_eq!(emails.filter(|it| it["subject"] == "Chào Huy").count(), 2);
    let mut contents = Vec::new();
    for sms in owner.get("/outbox?channel=sms").await["data"].as_array().unwrap() {
        let whole = owner.get(&format!("/outbox/{}", sms["id"].as_str().unwrap())).await;
        contents.push(whole["sms"]["content"].clone());
    }
    assert!(contents.contains(&json!("Chào Huy")), "{contents:?}");
    assert_eq!(owner.get("/deals/1234567890").await["stage"], "Báo giá");
    assert_eq!(owner.get("/tickets/TID-1").await["sla"]["name"], "custom");

    let log = owner.get("/audit-log?limit=100").await;
    let lines = log["data"].as_array().unwrap();
    assert!(lines.iter().all(|line| line["actor"] == json!({"email": OWNER})), "{log:#}");
    // And the sign-in.
    assert_eq!(lines.len(), 5 + 7 + 5 + 7 + 1 + 1);
}
