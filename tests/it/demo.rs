//! `beeiq demo`, as somebody starts it who has just heard of it (`api.md` 1).

use crate::support::Reply;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A demo that has greeted.
struct Demo {
    child: Child,
    greeting: String,
    client: reqwest::Client,
}

impl Demo {
    fn start(dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_beeiq"))
            .args(["demo", "--bind", "127.0.0.1:0", "--data-dir"])
            .arg(dir)
            .env_remove("DATABASE_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut greeting = String::new();
        for line in lines {
            greeting.push_str(&line);
            greeting.push('\n');
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        Self { child, greeting, client: crate::support::http_client() }
    }

    /// What the greeting says behind `label`.
    #[track_caller]
    fn told(&self, label: &str) -> &str {
        let line = self.greeting.lines().find_map(|line| line.trim().strip_prefix(label));
        line.unwrap_or_else(|| panic!("no {label} in {}", self.greeting)).trim()
    }

    fn base(&self) -> &str {
        self.told("Listener URL").split("/listener/").next().unwrap()
    }

    async fn post(&self, body: &Value) -> Reply {
        let request = self.client.post(self.told("Listener URL")).json(body);
        Reply::to(request).await
    }

    async fn token(&self) -> String {
        let words: Vec<&str> =
            self.told("Sign-in").split([' ', ',']).filter(|w| !w.is_empty()).collect();
        let after = |label: &str| words[words.iter().position(|word| *word == label).unwrap() + 1];
        let body =
            json!({"org": after("org"), "email": after("e-mail"), "password": after("password")});
        let request = self.client.post(format!("{}/api/v1/sessions", self.base())).json(&body);
        let reply = Reply::to(request).await.expect(201);
        reply.body["token"].as_str().unwrap().to_owned()
    }

    async fn get(&self, token: &str, path: &str) -> Reply {
        let url = format!("{}/api/v1{path}", self.base());
        Reply::to(self.client.get(url).bearer_auth(token)).await
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Stops it as Ctrl-C does; the exit code.
    fn interrupt(mut self) -> Option<i32> {
        self.signal(Signal::SIGINT);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sample(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/samples").join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn data_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    // PostgreSQL's user has to get into it when the tests run as root.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.path(), open).unwrap();
    dir
}

/// The processes whose command line names the directory.
fn processes_of(dir: &Path) -> usize {
    let dir = dir.to_str().unwrap();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).contains(dir))
        .count()
}

#[actix_web::test]
async fn the_add_contact_examples_of_the_documents_work_as_printed() {
    let dir = data_dir();
    let demo = Demo::start(dir.path());
    let reply = demo.post(&sample("add-contact.json")).await.expect(200);
    assert_eq!(reply.statuses(), ["created"]);
    assert_eq!(reply.result(0)["warnings"], json!([]));
    let reply = demo.post(&sample("add-contact.json")).await.expect(200);
    assert_eq!(reply.statuses(), ["duplicate"]);
    assert_eq!(reply.result(0)["matchedBy"], "passport");
    let reply = demo.post(&sample("add-contact-template.json")).await.expect(200);
    assert_eq!(reply.statuses(), ["created"]);
    assert_eq!(reply.result(0)["warnings"], json!([]));

    let token = demo.token().await;
    let huy = demo.get(&token, "/contacts/PID-1").await.expect(200).body;
    assert_eq!(huy["dateOfBirth"], "1993-01-01");
    assert_eq!(huy["addresses"][0]["country"], json!({"code": "VN", "name": "Vietnam"}));
    assert_eq!(huy["phones"][0]["value"], "01234567890");
    let by_phone = demo.get(&token, "/contacts?phone=%2B84%2083%20456%207890").await.expect(200);
    assert_eq!(by_phone.each("customerId"), ["PID-1"]);
    assert_eq!(demo.interrupt(), Some(0));
}

/// The statuses of the documents' examples in the order in which they build on each other. Where one
/// names a record that a fresh org has not, it is told so; with the code of one that is there it works.
#[actix_web::test]
async fn the_examples_of_all_actions_do_what_the_documents_say() {
    let dir = data_dir();
    let demo = Demo::start(dir.path());
    let with = |name: &str, changes: &[(&str, Value)]| {
        let mut payload = sample(name);
        for (pointer, value) in changes {
            *payload.pointer_mut(&format!("/data/0/data/{pointer}")).unwrap() = value.clone();
        }
        payload
    };
    let as_printed = |name: &str| with(name, &[]);
    for (what, payload, status) in [
        ("add-contact", as_printed("add-contact.json"), "created"),
        ("add-lead", as_printed("add-lead.json"), "created"),
        ("add-lead again", as_printed("add-lead.json"), "duplicate"),
        ("update-lead, unknown", as_printed("update-lead.json"), "not_found"),
        ("update-lead", with("update-lead.json", &[("customerId", json!("LID-1"))]), "updated"),
        ("update-lead, template", as_printed("update-lead-template.json"), "unchanged"),
        ("update-contact, unknown", as_printed("update-contact.json"), "not_found"),
        (
            "update-contact",
            with("update-contact.json", &[("customerId", json!("PID-1"))]),
            "updated",
        ),
        ("update-contact, template", as_printed("update-contact-template.json"), "unchanged"),
        ("add-note, unknown", as_printed("add-note.json"), "not_found"),
        ("add-note", with("add-note.json", &[("customerId", json!("LID-1"))]), "created"),
        ("add-deal, no stage", as_printed("add-deal.json"), "required"),
        ("add-deal", with("add-deal.json", &[("stage", json!("New"))]), "created"),
        ("add-deal again", with("add-deal.json", &[("value", json!(60000))]), "updated"),
        ("note on a deal, unknown", as_printed("add-note-deal.json"), "not_found"),
        (
            "note on a deal",
            with("add-note-deal.json", &[("dealId", json!("1234567890"))]),
            "created",
        ),
        ("add-ticket", as_printed("add-ticket.json"), "created"),
        ("send-sms", as_printed("send-sms.json"), "queued"),
    ] {
        let reply = demo.post(&payload).await;
        let result = reply.result(0);
        let came =
            if result["status"] == "failed" { &result["error"]["code"] } else { &result["status"] };
        assert_eq!(came, status, "{what}: {result:#}");
    }
    let token = demo.token().await;
    let contact = demo.get(&token, "/contacts/PID-1").await.expect(200).body;
    assert_eq!(
        (&contact["lastname"], &contact["company"]["name"]),
        (&json!("Nguyen Viet"), &json!("GOOGLE"))
    );
    let deal = demo.get(&token, "/deals/1234567890").await.expect(200).body;
    assert_eq!(
        (&deal["value"], &deal["category"], &deal["package"]),
        (&json!("60000"), &json!("UI Design"), &json!("Goi A"))
    );
    assert_eq!(deal["closeDate"], "2016-12-23T05:19:42.793Z");
    let ticket = demo.get(&token, "/tickets/TID-1").await.expect(200).body;
    assert_eq!(
        (&ticket["customer"]["customerId"], &ticket["sla"]["name"]),
        (&json!("LID-1"), &json!("custom"))
    );
}

/// The first thing that somebody tries shows the messages that it caused.
#[actix_web::test]
async fn the_first_contact_leaves_a_rendered_email_and_sms_in_the_outbox() {
    let dir = data_dir();
    let demo = Demo::start(dir.path());
    let curl = demo.greeting.split_once("-d '").unwrap().1.split_once("\n}'").unwrap().0;
    let payload: Value = serde_json::from_str(&format!("{curl}\n}}")).unwrap();
    demo.post(&payload).await.expect(200);
    let token = demo.token().await;
    let messages = demo.get(&token, "/outbox").await.expect(200);
    assert_eq!(messages.each("status"), ["captured", "captured"]);
    for (message, content) in messages.data().iter().zip(["/sms/content", "/email/html"]) {
        let path = format!("/outbox/{}", message["id"].as_str().unwrap());
        let whole = demo.get(&token, &path).await.expect(200).body;
        let text = whole.pointer(content).and_then(Value::as_str).unwrap_or_default();
        assert!(text.contains("Huy") && !text.contains("{{"), "{whole:#}");
        assert_eq!(whole["recipients"][0]["customerId"], "PID-1");
    }
}

#[actix_web::test]
async fn ctrl_c_leaves_no_process_and_the_next_start_finds_the_data() {
    let dir = data_dir();
    let demo = Demo::start(dir.path());
    let (url, signin) = (demo.told("Listener URL").to_owned(), demo.told("Sign-in").to_owned());
    demo.post(&sample("add-contact.json")).await.expect(200);
    assert_eq!(demo.interrupt(), Some(0));
    assert_eq!(processes_of(dir.path()), 0);

    let again = Demo::start(dir.path());
    assert_eq!(again.told("Sign-in"), signin);
    assert_eq!(again.told("Listener URL").split('/').next_back(), url.split('/').next_back());
    assert_eq!(again.post(&sample("add-contact.json")).await.expect(200).statuses(), ["duplicate"]);
}

#[actix_web::test]
async fn after_a_kill_it_starts_again_with_its_data() {
    let dir = data_dir();
    let mut demo = Demo::start(dir.path());
    demo.post(&sample("add-contact.json")).await.expect(200);
    demo.signal(Signal::SIGKILL);
    demo.child.wait().unwrap();
    let again = Demo::start(dir.path());
    assert_eq!(again.post(&sample("add-contact.json")).await.expect(200).statuses(), ["duplicate"]);
}
