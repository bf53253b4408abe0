//! SMS providers over HTTP (`listener.md` 8): what they are asked, and what their answers mean.

use crate::support::{Instance, Provider, Reaction};
use beeiq::send::{Outcome, Sms};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";

/// An instance that has that provider for its own account and for all that it knows by name.
async fn instance_with(provider: &Provider, account: &Value) -> Instance {
    let account = account.to_string();
    Instance::with(&[
        "--twilio-url",
        &provider.url,
        "--esms-url",
        &provider.url,
        "--speedsms-url",
        &provider.url,
        "--sms-account",
        &account,
        "--sms-timeout-seconds",
        "1",
    ])
    .await
}

/// Sends one through the account of the instance: no org has one of that id.
async fn send(instance: &Instance, content: &str) -> Outcome {
    let sms =
        Sms { to: "+84905000001".to_owned(), content: content.to_owned(), id: Uuid::from_u128(7) };
    instance.app.senders.sms(Uuid::from_u128(1), &sms).await
}

/// `sent`, `transient`, `permanent` or `refused`.
fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Transient { .. } => "transient",
        Outcome::Permanent { .. } => "permanent",
        Outcome::AccountRefused { .. } => "refused",
        Outcome::QuotaUsedUp { .. } => "used up",
    }
}

fn words(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Sent { words, .. }
        | Outcome::Transient { words, .. }
        | Outcome::Permanent { words }
        | Outcome::AccountRefused { words }
        | Outcome::QuotaUsedUp { words } => words,
    }
}

#[actix_web::test]
async fn twilio_gets_a_form_with_basic_authentication() {
    let taken = json!({"sid": "SM1", "status": "queued"});
    let provider = Provider::start(Reaction::json(201, taken)).await;
    let account = json!({
        "provider": "twilio", "accountSid": ACCOUNT_SID, "authToken": "t0ken", "from": "+12025550123",
    });
    let instance = instance_with(&provider, &account).await;
    let outcome = send(&instance, "Chào & hẹn").await;
    let sent =
        Outcome::Sent { words: "HTTP 201: queued".to_owned(), provider_id: Some("SM1".to_owned()) };
    assert_eq!(outcome, sent);
    let request = provider.only_arrived();
    assert_eq!(request.method, "POST");
    assert_eq!(request.target, format!("/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"));
    // base64 of "<sid>:t0ken"
    assert_eq!(
        request.headers["authorization"],
        "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0MGtlbg=="
    );
    let form = request.form();
    assert_eq!((form["To"].as_str(), form["From"].as_str()), ("+84905000001", "+12025550123"));
    assert_eq!((form["Body"].as_str(), form.len()), ("Chào & hẹn", 3));
}

#[actix_web::test]
async fn twilios_codes_tell_the_number_from_the_account() {
    let provider = Provider::start(Reaction::Close).await;
    let account = json!({
        "provider": "twilio", "accountSid": ACCOUNT_SID, "authToken": "t0ken", "from": "Acme",
    });
    let instance = instance_with(&provider, &account).await;
    for (status, code, meaning) in [
        (400, 21211, "permanent"),
        (400, 21610, "permanent"),
        (400, 21614, "permanent"),
        (401, 20003, "refused"),
        (403, 20005, "refused"),
        (400, 21606, "refused"),
        (429, 20429, "transient"),
        (429, 21611, "transient"),
        (500, 20500, "transient"),
    ] {
        let told = json!({"code": code, "message": "because of t0ken", "status": status});
        provider.react(Reaction::json(status, told));
        let outcome = send(&instance, "Hi").await;
        assert_eq!(kind(&outcome), meaning, "{outcome:?}");
        let expected = format!("HTTP {status}: because of ******** (code {code})");
        assert_eq!(words(&outcome), expected);
    }
}

#[actix_web::test]
async fn esms_gets_json_with_the_number_without_plus_and_the_messages_id() {
    let taken = json!({"CodeResult": "100", "SMSID": "d5"});
    let provider = Provider::start(Reaction::json(200, taken)).await;
    let account = json!({
        "provider": "esms", "apiKey": "key", "secretKey": "s3cret", "brandname": "ACME",
    });
    let instance = instance_with(&provider, &account).await;
    let outcome = send(&instance, "Chào").await;
    assert!(matches!(&outcome, Outcome::Sent { provider_id: Some(id), .. } if id == "d5"));
    let request = provider.only_arrived();
    assert_eq!(request.target, "/MainService.svc/json/SendMultipleMessage_V4_post_json/");
    let asked = json!({
        "ApiKey": "key", "SecretKey": "s3cret", "Brandname": "ACME", "SmsType": "2",
        "Phone": "84905000001", "Content": "Chào", "IsUnicode": "1",
        "RequestId": "00000000-0000-0000-0000-000000000007",
    });
    assert_eq!(request.json(), asked);
    send(&instance, "Chao").await;
    assert_eq!(provider.only_arrived().json()["IsUnicode"], "0");
    for (code, meaning) in [
        (json!("99"), "transient"),
        (json!("101"), "refused"),
        (json!(103), "refused"),
        (json!("104"), "refused"),
        (json!("108"), "permanent"),
        // An earlier attempt got through, and its answer got lost.
        (json!("124"), "sent"),
        (Value::Null, "transient"),
    ] {
        provider.react(Reaction::json(200, json!({"CodeResult": code, "ErrorMessage": "why"})));
        assert_eq!(kind(&send(&instance, "Hi").await), meaning, "{code}");
    }
}

#[actix_web::test]
async fn speedsms_gets_json_with_the_token_as_user() {
    let taken = json!({
        "status": "success", "code": "00",
        "data": {"tranId": 123_456, "totalSMS": 1, "totalPrice": 250, "invalidPhone": []},
    });
    let provider = Provider::start(Reaction::json(200, taken)).await;
    let account = json!({"provider": "speedsms", "accessToken": "t0ken", "sender": "ACME"});
    let instance = instance_with(&provider, &account).await;
    let outcome = send(&instance, "Hi").await;
    assert!(matches!(&outcome, Outcome::Sent { provider_id: Some(id), .. } if id == "123456"));
    let request = provider.only_arrived();
    assert_eq!(request.target, "/index.php/sms/send");
    // base64 of "t0ken:x"
    assert_eq!(request.headers["authorization"], "Basic dDBrZW46eA==");
    let asked = json!({"to": ["84905000001"], "content": "Hi", "sms_type": 3, "sender": "ACME"});
    assert_eq!(request.json(), asked);
    for (code, meaning) in [
        ("007", "refused"),
        ("008", "refused"),
        ("009", "refused"),
        ("300", "refused"),
        ("500", "transient"),
        ("105", "permanent"),
        ("113", "permanent"),
    ] {
        let told = json!({"status": "error", "code": code, "message": "why"});
        provider.react(Reaction::json(200, told));
        let outcome = send(&instance, "Hi").await;
        assert_eq!(kind(&outcome), meaning, "{code}");
        assert_eq!(words(&outcome), format!("HTTP 200: code {code} why"));
    }
    let unreached = json!({"status": "success", "data": {"invalidPhone": ["84905000001"]}});
    provider.react(Reaction::json(200, unreached));
    assert_eq!(kind(&send(&instance, "Hi").await), "permanent");
}

/// Any provider: the account of the instance, which may be anywhere.
fn any(url: &str) -> Value {
    json!({
        "provider": "http", "url": format!("{url}/send?to={{{{ to | digits }}}}&id={{{{ id }}}}"),
        "headers": {"Authorization": "Bearer {{ secret }}", "X-From": "{{ from }}"},
        "body": "{\"text\": \"{{ content }}\"}", "messageIdPointer": "/data/0/id",
        "from": "Acme", "secret": "s3cret",
    })
}

#[actix_web::test]
async fn any_provider_gets_what_the_templates_make() {
    let provider = Provider::start(Reaction::json(202, json!({"data": [{"id": 7}]}))).await;
    let instance = instance_with(&provider, &any(&provider.url)).await;
    let outcome = send(&instance, "\"}\r\nChào").await;
    assert!(matches!(&outcome, Outcome::Sent { provider_id: Some(id), .. } if id == "7"));
    let request = provider.only_arrived();
    assert_eq!(request.method, "POST");
    assert_eq!(request.target, "/send?to=84905000001&id=00000000-0000-0000-0000-000000000007");
    assert_eq!(request.headers["authorization"], "Bearer s3cret");
    assert_eq!(request.headers["x-from"], "Acme");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.json(), json!({"text": "\"}\r\nChào"}));
    // A provider that answers 200 whatever happened gives no id to what it did not take.
    provider.react(Reaction::json(200, json!({"error": "key s3cret is blocked"})));
    let outcome = send(&instance, "Hi").await;
    assert_eq!(kind(&outcome), "permanent");
    assert!(words(&outcome).contains("********") && !words(&outcome).contains("s3cret"));
}

#[actix_web::test]
async fn what_goes_wrong_on_the_way_may_work_later() {
    let provider = Provider::start(Reaction::Silence).await;
    let instance = instance_with(&provider, &any(&provider.url)).await;
    let busy = |seconds: &str| {
        Reaction::Answer(429, vec![("Retry-After", seconds.to_owned())], "slow down".to_owned())
    };
    for (reaction, told) in [
        (Reaction::Silence, "did not answer in time"),
        (Reaction::Close, "broke off"),
        (Reaction::json(500, json!("oops")), "HTTP 500: \"oops\""),
        (busy("7"), "HTTP 429: slow down"),
    ] {
        provider.react(reaction);
        let outcome = send(&instance, "Hi").await;
        assert_eq!(kind(&outcome), "transient", "{outcome:?}");
        assert!(words(&outcome).contains(told), "{outcome:?}");
        assert!(!words(&outcome).contains("s3cret"), "{outcome:?}");
    }
    let Outcome::Transient { retry_after, .. } = send(&instance, "Hi").await else { panic!() };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
    // A port that nobody listens on any more.
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let instance = instance_with(&provider, &any(&format!("http://{gone}"))).await;
    let outcome = send(&instance, "Hi").await;
    assert_eq!(kind(&outcome), "transient");
    assert!(words(&outcome).contains("cannot be connected to"), "{outcome:?}");
}

#[actix_web::test]
async fn a_refusal_is_of_the_account_or_of_the_message() {
    let provider = Provider::start(Reaction::Close).await;
    let instance = instance_with(&provider, &any(&provider.url)).await;
    for (status, meaning) in [
        (400, "permanent"),
        (404, "permanent"),
        (422, "permanent"),
        (401, "refused"),
        (403, "refused"),
        (408, "transient"),
        (503, "transient"),
    ] {
        provider.react(Reaction::json(status, json!({})));
        assert_eq!(kind(&send(&instance, "Hi").await), meaning, "{status}");
    }
}

/// Followed, a redirect would carry the credentials to wherever it leads.
#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let target = Provider::start(Reaction::json(200, json!({}))).await;
    let to = vec![("Location", format!("{}/stolen", target.url))];
    let provider = Provider::start(Reaction::Answer(307, to, String::new())).await;
    let instance = instance_with(&provider, &any(&provider.url)).await;
    let outcome = send(&instance, "Hi").await;
    assert_eq!(kind(&outcome), "refused");
    assert!(words(&outcome).contains("redirect"), "{outcome:?}");
    assert!(target.arrived().is_empty());
}

/// A provider that never stops talking would fill the memory.
#[actix_web::test]
async fn a_long_answer_is_read_to_a_bound_and_told_in_short() {
    let provider = Provider::start(Reaction::Answer(400, Vec::new(), "x".repeat(8 << 20))).await;
    let instance = instance_with(&provider, &any(&provider.url)).await;
    let outcome = send(&instance, "Hi").await;
    assert_eq!(kind(&outcome), "permanent");
    assert_eq!(words(&outcome).chars().count(), "HTTP 400: ".len() + 300 + 1);
}

#[actix_web::test]
async fn without_any_account_the_account_is_refused_with_the_remedy() {
    let instance = Instance::start().await;
    let outcome = send(&instance, "Hi").await;
    assert_eq!(kind(&outcome), "refused");
    assert!(words(&outcome).contains("/settings/sms"), "{outcome:?}");
}
