//! The instance's keys: one takes the place of another while requests come in (`api.md` 1).

use crate::support::{Instance, Org, Reply, SECRET_KEY, person};
use beeiq::secrets::Keyring;
use beeiq::service::rekey::{Rekeyed, rekey};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::json;
use sha2::Sha256;
use std::cell::Cell;

/// 32 other bytes in base64.
const NEW: &str = "YW5vdGhlciBrZXkgYW5kIG5vdGhpbmcgYnV0IHRlc3Q=";

fn keys(list: &str) -> Keyring {
    list.parse().unwrap()
}

async fn me(instance: &Instance, token: &str) -> Reply {
    Reply::to(instance.request(Method::GET, "/api/v1/me").bearer_auth(token)).await
}

async fn set_mail_account(org: Org<'_>) {
    let account = json!({
        "host": "smtp.example.com", "port": 587, "security": "starttls", "username": "crm",
        "password": "m4il-s3cret", "fromAddress": "crm@example.com", "fromName": "CRM",
    });
    org.patch("/settings/email", &account).await.expect(200);
}

/// Whether the account's password can still be read: else its mask stands for nothing.
async fn has_its_password(org: Org<'_>) -> bool {
    let change = json!({"fromName": "Another", "password": "********"});
    org.patch("/settings/email", &change).await.status == 200
}

/// The guide's way, step by step, with one server after the other started anew while senders post.
#[actix_web::test]
async fn a_key_is_replaced_under_load_without_a_request_that_fails() {
    let (first, both) = (format!("{SECRET_KEY},{NEW}"), format!("{NEW},{SECRET_KEY}"));
    let old = Instance::start().await;
    let acme = old.acme();
    let listener = acme.listener().await;
    set_mail_account(acme).await;
    let key = json!({"name": "k", "role": "admin"});
    let key = acme.post("/api-keys", &key).await.expect(201).body["key"].clone();
    let (key, session) = (key.as_str().unwrap(), acme.db_token("ann"));

    let opens_both = old.another_with(&["--secret-key", &first]);
    let seals_new = old.another_with(&["--secret-key", &both]);
    let stop = Cell::new(false);
    let load = async {
        let mut sent = 0;
        while !stop.get() {
            for server in [&opens_both, &seals_new] {
                let contact = person("Huy", &format!("huy{sent}@x.com"));
                listener.on(server).send(&[contact]).await.expect(200);
                sent += 1;
            }
        }
        sent
    };
    let rotation = async {
        for token in [key, session.as_str()] {
            me(&opens_both, token).await.expect(200);
            me(&seals_new, token).await.expect(200);
        }
        let db = seals_new.app.db.clone();
        let run = move || rekey(&db, &keys(&both), |_| {}).unwrap();
        let done = tokio::task::spawn_blocking(run).await.unwrap();
        stop.set(true);
        done
    };
    let (sent, done) = futures_util::future::join(load, rotation).await;
    assert_eq!((done.listener_urls, done.accounts, done.unreadable), (1, 1, 0), "{done:?}");
    // Who has called since is known by the new key; those sessions are the set-up's.
    assert_eq!(done.api_keys, 0, "{done:?}");
    assert_eq!(old.db_count("customers"), sent);

    let new = old.another_with(&["--secret-key", NEW]);
    listener.on(&new).send(&[person("Lan", "lan@x.com")]).await.expect(200);
    for token in [key, session.as_str()] {
        me(&new, token).await.expect(200);
    }
    let request = new.request(Method::GET, &format!("/api/v1{}", listener.path()));
    let shown = Reply::to(request.bearer_auth(key)).await.expect(200);
    assert!(
        shown.body["url"].as_str().unwrap().ends_with(listener.url.rsplit('/').next().unwrap())
    );
    assert!(has_its_password(acme.on(&new)).await);
}

#[actix_web::test]
async fn what_nobody_has_used_is_told_as_known_by_an_older_key() {
    let instance = Instance::start().await;
    instance.acme().db_token("ann");
    let list = keys(&format!("{NEW},{SECRET_KEY}"));
    let done = rekey(&instance.app.db, &list, |_| {}).unwrap();
    assert_eq!(done, Rekeyed { orgs: 2, sessions: 1, ..Rekeyed::default() });
    assert!(!done.is_complete());
}

#[actix_web::test]
async fn what_no_key_opens_is_left_as_it_is_and_told() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let done = rekey(&instance.app.db, &keys(NEW), |_| {}).unwrap();
    assert_eq!((done.listener_urls, done.unreadable), (0, 1));
    assert_eq!(acme.get(&listener.path()).await.expect(200).body["url"], listener.url);
}

/// Seals as the versions before key ids did.
fn sealed_before(place: &str, plain: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let key = base64::prelude::BASE64_STANDARD.decode(SECRET_KEY).unwrap();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).unwrap();
    mac.update(b"seal");
    let cipher = XChaCha20Poly1305::new(&mac.finalize().into_bytes());
    let payload = Payload { msg: plain, aad: place.as_bytes() };
    let sealed = cipher.encrypt(&XNonce::from([7; 24]), payload).unwrap();
    [&[7; 24][..], &sealed].concat()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A database that a version without key ids has filled goes on as it is.
#[actix_web::test]
async fn what_was_sealed_before_keys_had_ids_is_opened_and_sealed_again() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    set_mail_account(acme).await;
    let org = acme.get("/me").await.expect(200).body["org"]["id"].as_str().unwrap().to_owned();
    let token = listener.url.rsplit('/').next().unwrap();
    let token = sealed_before(&format!("{org}:listener_tokens:token"), token.as_bytes());
    let secrets =
        sealed_before(&format!("{org}:message_accounts:email"), br#"{"/password":"old"}"#);
    instance.db_execute(&format!(
        "UPDATE listener_tokens SET token_sealed = '\\x{}'; \
         UPDATE message_accounts SET secrets_sealed = '\\x{}'; \
         UPDATE sessions SET key_id = NULL; UPDATE api_keys SET key_id = NULL",
        hex(&token),
        hex(&secrets)
    ));
    assert_eq!(acme.get(&listener.path()).await.expect(200).body["url"], listener.url);
    let done = rekey(&instance.app.db, &keys(SECRET_KEY), |_| {}).unwrap();
    assert_eq!((done.listener_urls, done.accounts, done.unreadable), (1, 1, 0));
    assert_eq!(acme.get(&listener.path()).await.expect(200).body["url"], listener.url);
    assert!(has_its_password(acme).await);
    listener.send(&[person("Huy", "huy@x.com")]).await.expect(200);
    // There is nothing left to be done.
    let again = rekey(&instance.app.db, &keys(SECRET_KEY), |_| {}).unwrap();
    assert_eq!((again.listener_urls, again.accounts), (0, 0));
}

/// Who can write to the database must not have the server show them another row's secret.
#[actix_web::test]
async fn a_sealed_value_that_was_copied_to_another_row_is_not_opened() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (one, other) = (acme.listener().await, acme.listener().await);
    instance.db_execute(&format!(
        "UPDATE listener_tokens SET token_sealed = \
         (SELECT token_sealed FROM listener_tokens WHERE listener_id = '{}') \
         WHERE listener_id = '{}'",
        one.id, other.id
    ));
    // A fault of the instance, which no document tells of.
    let request = acme.request("admin", Method::GET, &other.path());
    let shown = request.send().await.unwrap();
    assert_eq!(shown.status(), 500);
    assert!(!shown.text().await.unwrap().contains(&one.url));
    assert_eq!(acme.get(&one.path()).await.expect(200).body["url"], one.url);
}
