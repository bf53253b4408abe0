//! Oktium pushes what happens to a connection (`connections.md` 1, 2).

use crate::support::{Instance, Org, Reply};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const CALL: &str = include_str!("heard_oktium/call.json");
const ORDER: &str = include_str!("heard_oktium/order.json");
const APPOINTMENT: &str = include_str!("heard_oktium/appointment.json");

const SECRET: &str = "between us";

struct Oktium<'i> {
    org: Org<'i>,
    id: String,
    url: String,
}

impl<'i> Oktium<'i> {
    /// A connection of acme's with these settings beside the secret.
    async fn with(instance: &'i Instance, fields: Value) -> Self {
        let org = instance.acme();
        let listener = org.listener().await;
        let mut connection = json!({
            "kind": "oktium", "name": "Calls", "listenerId": listener.id,
            "senderUser": "ann@acme.test", "settings": {"secret": SECRET},
        });
        merge(&mut connection, fields);
        let made = org.post("/connections", &connection).await.expect(201).body;
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        Self { org, id: text("id"), url: text("url") }
    }

    async fn new(instance: &'i Instance) -> Self {
        Self::with(instance, json!({})).await
    }

    /// Sends an event as Oktium does.
    async fn tell(&self, key: &str, body: &str) -> Reply {
        self.tell_with(&[("X-Oktium-Event-Key", key)], body).await
    }

    async fn tell_with(&self, headers: &[(&str, &str)], body: &str) -> Reply {
        let signature = signature(body);
        let signed = [headers, &[("X-Oktium-Hmac-Sha256", signature.as_str())]].concat();
        self.send(&signed, body).await
    }

    async fn send(&self, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = self.org.instance.client.post(&self.url).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::to(request).await
    }

    async fn deliveries(&self) -> Vec<Value> {
        let path = format!("/deliveries?connection={}", self.id);
        self.org.get(&path).await.expect(200).data().to_vec()
    }

    async fn activities(&self) -> Vec<Value> {
        self.org.get("/activities").await.expect(200).data().to_vec()
    }
}

fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

fn merge(target: &mut Value, fields: Value) {
    match (target, fields) {
        (Value::Object(target), Value::Object(fields)) => {
            for (name, value) in fields {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
        (target, value) => *target = value,
    }
}

#[actix_web::test]
async fn a_call_as_it_is_documented_makes_a_customer_and_an_activity() {
    let instance = Instance::start().await;
    let oktium = Oktium::new(&instance).await;
    let reply = oktium.tell("call:ended", CALL).await.expect(200);
    assert_eq!(reply.statuses(), ["created", "created"], "{:#}", reply.body);

    let contact = oktium.org.get("/contacts/PID-1").await.expect(200).body;
    assert_eq!((&contact["name"], &contact["lastname"]), (&json!("Doe"), &json!("John")));
    assert_eq!(contact["emails"][0]["value"], "customer@email.com");
    assert_eq!(contact["addresses"][0]["zip"], "10001");
    let id = json!([{"source": "oktium", "id": "5853bf13364ab36fca5333cf"}]);
    assert_eq!(contact["externalIds"], id);

    let [call] = oktium.activities().await.try_into().unwrap();
    assert_eq!((&call["kind"], &call["source"]), (&json!("call"), &json!("oktium")));
    assert_eq!(call["startedAt"], "2017-05-07T09:03:51.697Z");
    assert_eq!(call["endedAt"], "2017-10-06T09:02:46.655Z", "the last of what comes twice counts");
    assert_eq!(
        (&call["outcome"], &call["subject"]),
        (&json!("answered"), &json!("Mark Borghi Fine Art"))
    );
    assert_eq!(call["customer"]["customerId"], "PID-1");
}

#[actix_web::test]
async fn an_order_as_it_is_documented_makes_a_deal_and_an_activity_that_is_linked_to_it() {
    let instance = Instance::start().await;
    let settings = json!({"settings": {"stages": {"confirmed": "New", "paid": "Won"}}});
    let oktium = Oktium::with(&instance, settings).await;
    let reply = oktium.tell("call:order", ORDER).await.expect(200);
    assert_eq!(reply.statuses(), ["created", "created", "created"], "{:#}", reply.body);
    let deal = oktium.org.get("/deals/oktium:CX-00000160").await.expect(200).body;
    let shown = (&deal["name"], &deal["value"], &deal["currency"], &deal["stage"]);
    assert_eq!(shown, (&json!("Order CX-00000160"), &json!("55"), &json!("USD"), &json!("New")));
    let [order] = oktium.activities().await.try_into().unwrap();
    assert_eq!((&order["kind"], &order["dealId"]), (&json!("order"), &json!("oktium:CX-00000160")));

    let paid = ORDER.replace("\"confirmed\"", "\"paid\"").replace(
        "\"currency\": \"USD\"",
        "\"currency\": \"USD\", \"paidAt\": \"2017-09-12T10:00:00.000Z\"",
    );
    let reply = oktium.tell("call:order", &paid).await.expect(200);
    assert_eq!(reply.statuses(), ["unchanged", "updated", "updated"], "{:#}", reply.body);
    let deal = oktium.org.get("/deals/oktium:CX-00000160").await.body;
    assert_eq!(deal["stage"], "Won");

    // What comes late changes nothing.
    let reply = oktium.tell("call:order", ORDER).await.expect(200);
    assert_eq!(reply.statuses(), ["unchanged", "unchanged", "unchanged"], "{:#}", reply.body);
    assert_eq!(oktium.activities().await[0]["outcome"], "paid");
}

#[actix_web::test]
async fn an_appointment_of_somebody_not_known_makes_a_placeholder_that_gets_a_name_later() {
    let instance = Instance::start().await;
    let oktium = Oktium::new(&instance).await;
    let reply = oktium.tell("appointment", APPOINTMENT).await.expect(200);
    assert_eq!(reply.statuses(), ["created", "created"], "{:#}", reply.body);
    let contact = oktium.org.get("/contacts/PID-1").await.body;
    assert_eq!(contact["name"], "Oktium customer 59a6761d2a2b21000fb1f396");

    let reply = oktium.tell("order", ORDER).await.expect(200);
    assert_eq!(reply.statuses(), ["updated", "created", "created"], "{:#}", reply.body);
    let contact = oktium.org.get("/contacts/PID-1").await.body;
    assert_eq!((&contact["name"], &contact["lastname"]), (&json!("Terez"), &json!("Awesome")));
    let numbers: Vec<&Value> =
        contact["phones"].as_array().unwrap().iter().map(|it| &it["value"]).collect();
    assert_eq!(numbers.len(), 2, "{numbers:?}");
}

#[actix_web::test]
async fn what_is_not_signed_as_it_should_be_is_refused_and_not_kept() {
    let instance = Instance::start().await;
    let oktium = Oktium::new(&instance).await;
    let wrong = signature("something else");
    for headers in [vec![], vec![("X-Oktium-Hmac-Sha256", wrong.as_str())]] {
        let reply = oktium.send(&headers, CALL).await.expect(401);
        assert_eq!(reply.problem().0, "bad_signature");
    }
    assert_eq!(oktium.deliveries().await, Vec::<Value>::new());
    let connection = oktium.org.get(&format!("/connections/{}", oktium.id)).await.body;
    assert_eq!(connection["lastError"]["code"], "bad_signature");
    // The right one clears it.
    oktium.tell("call", CALL).await.expect(200);
    let connection = oktium.org.get(&format!("/connections/{}", oktium.id)).await.body;
    assert_eq!(connection["lastError"], Value::Null);
}

#[actix_web::test]
async fn an_event_of_another_business_is_refused() {
    let instance = Instance::start().await;
    let oktium = Oktium::with(&instance, json!({"settings": {"businessId": "b1"}})).await;
    for (business, status) in [(None, 403), (Some("b2"), 403), (Some("b1"), 200)] {
        let header = business.map(|business| ("X-Oktium-Business-Id", business));
        let headers: Vec<_> = header.into_iter().collect();
        let reply = oktium.tell_with(&headers, CALL).await.expect(status);
        if status == 403 {
            assert_eq!(reply.problem().0, "wrong_business");
        }
    }
}

#[actix_web::test]
async fn the_same_event_sent_again_gets_the_first_answer_and_another_body_does_not() {
    let instance = Instance::start().await;
    let oktium = Oktium::new(&instance).await;
    let hook = |attempt| [("X-Hook-UUID", "h1"), ("X-Attempt-Number", attempt)];
    let first = oktium.tell_with(&hook("1"), CALL).await.expect(200);
    let again = oktium.tell_with(&hook("2"), CALL).await.expect(200);
    assert_eq!(again.body, first.body);
    let other = oktium.tell_with(&hook("1"), APPOINTMENT).await.expect(200);
    assert_ne!(other.body["requestId"], first.body["requestId"]);
    assert_eq!(oktium.activities().await.len(), 2);
}

#[actix_web::test]
async fn what_is_no_event_is_kept_and_answered_200() {
    let instance = Instance::start().await;
    let oktium = Oktium::new(&instance).await;
    let reply = oktium.tell("lunch", "{\"menu\": 1}").await.expect(200);
    assert_eq!(reply.fault(0).0, "unknown_event");
    let reply = oktium.tell("call", "no JSON").await.expect(200);
    assert_eq!(reply.problem().0, "not_json");
    let kept = oktium.deliveries().await;
    let statuses: Vec<&Value> = kept.iter().map(|delivery| &delivery["status"]).collect();
    assert_eq!(statuses, ["rejected", "failed"]);
    let of = json!({"id": oktium.id, "name": "Calls", "kind": "oktium"});
    assert!(kept.iter().all(|delivery| delivery["connection"] == of), "{kept:#?}");
}

#[actix_web::test]
async fn a_deal_that_failed_is_added_by_a_replay_and_the_activity_gets_it() {
    let instance = Instance::start().await;
    let oktium = Oktium::new(&instance).await;
    let reply = oktium.tell("order", &ORDER.replace("USD", "CHF")).await.expect(200);
    assert_eq!(reply.statuses(), ["created", "failed", "created"], "{:#}", reply.body);
    assert_eq!(reply.fault(1), ("unknown_currency", "/currency"));
    oktium.org.post("/currencies", &json!({"code": "CHF"})).await.expect(201);
    let delivery = reply.body["requestId"].as_str().unwrap();
    let path = format!("/deliveries/{delivery}/replay");
    let replayed = oktium.org.post(&path, &json!({"only": "failed"})).await.expect(200);
    assert_eq!(replayed.statuses(), ["created"], "{:#}", replayed.body);
    let [order] = oktium.activities().await.try_into().unwrap();
    assert_eq!(order["dealId"], "oktium:CX-00000160");
}

#[actix_web::test]
async fn a_disabled_or_unknown_connection_takes_nothing() {
    let instance = Instance::start().await;
    let oktium = Oktium::new(&instance).await;
    let path = format!("/connections/{}", oktium.id);
    oktium.org.patch(&path, &json!({"enabled": false})).await.expect(200);
    let reply = oktium.tell("call", CALL).await.expect(410);
    assert_eq!(reply.problem().0, "connection_disabled");
    let elsewhere = Oktium { url: format!("{}x", oktium.url), ..oktium };
    assert_eq!(elsewhere.tell("call", CALL).await.expect(404).problem().0, "not_found");
}

#[actix_web::test]
async fn who_has_been_erased_stays_erased() {
    let instance = Instance::start().await;
    let oktium = Oktium::new(&instance).await;
    let told = oktium.tell("call", CALL).await.expect(200);
    oktium.org.delete("/contacts/PID-1").await.expect(204);
    let delivery = told.body["requestId"].as_str().unwrap();
    let kept = oktium.org.get(&format!("/deliveries/{delivery}")).await.expect(200).body;
    assert!(!kept.to_string().contains("customer@email.com"), "{kept:#}");

    let later = CALL.replace("590ee2f7195e9c5ad3d564da", "later");
    let reply = oktium.tell("call", &later).await.expect(200);
    assert_eq!(reply.statuses(), ["unchanged", "unchanged"], "{:#}", reply.body);
    for index in [0, 1] {
        assert_eq!(reply.result(index)["warnings"][0]["code"], "erased");
        assert_eq!(reply.result(index)["record"], Value::Null);
    }
    assert_eq!(oktium.org.get("/contacts").await.data(), [] as [Value; 0]);
    assert_eq!(oktium.activities().await, Vec::<Value>::new());
}

#[actix_web::test]
async fn histories_name_the_connection_beside_the_listener() {
    let instance = Instance::start().await;
    let oktium = Oktium::new(&instance).await;
    oktium.tell("call", CALL).await.expect(200);
    let history = oktium.org.history("/contacts/PID-1").await;
    let of = json!({"id": oktium.id, "name": "Calls", "kind": "oktium"});
    assert_eq!(history.len(), 2, "{history:#?}");
    assert!(history.iter().all(|line| line["connection"] == of), "{history:#?}");
    assert!(history.iter().all(|line| line["listener"]["id"].is_string()));
}
