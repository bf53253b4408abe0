//! Bodies. Each is made of a number, which is in all that has to be unique.

use crate::scenario::Kind;
use serde_json::{Value, json};

/// The number as it stands in a body: seven digits, so that a phone number is one.
pub fn digits(n: u64) -> String {
    format!("{n:07}")
}

/// A body of `actions` actions, the first about the number `n`.
pub fn body(kind: Kind, sender: &str, n: u64, actions: usize) -> String {
    let data: Vec<Value> = match kind {
        Kind::Mix => mix(&digits(n)),
        Kind::Add | Kind::Duplicate | Kind::Async => {
            (n..).take(actions).map(|n| action("add-contact", &contact(&digits(n)))).collect()
        }
    };
    json!({"senderUser": sender, "data": data}).to_string()
}

/// What the answer says, where all went as meant.
pub fn expected(kind: Kind, actions: usize) -> String {
    match kind {
        Kind::Add => format!("\"created\":{actions},"),
        Kind::Duplicate => format!("\"duplicate\":{actions},"),
        Kind::Mix => "\"failed\":0".to_owned(),
        Kind::Async => "\"pending\"".to_owned(),
    }
}

fn action(action_type: &str, data: &Value) -> Value {
    json!({"actionType": action_type, "data": data})
}

fn contact(n: &str) -> Value {
    json!({
        "name": format!("Anna {n}"), "lastname": "Nguyen", "title": "Purchasing manager",
        "emails": [{"type": "Work", "value": format!("anna.{n}@example.com")}],
        "phones": [{"type": "Mobile", "value": format!("090{n}")}],
        "addresses": [{"type": "Work", "street": "58 Ton That Dam", "city": "Da Nang", "zip": "550000", "country": "VN"}],
        "tag": "newsletter",
    })
}

/// The eight actions, each but the first of a person needing what earlier ones made.
fn mix(n: &str) -> Vec<Value> {
    let lead = json!([{"value": format!("lan.{n}@example.com")}]);
    let contact = json!([{"value": format!("minh.{n}@example.com")}]);
    let phone = format!("090{n}");
    vec![
        action(
            "add-lead",
            &json!({"name": format!("Lan {n}"), "emails": lead, "phones": [{"value": phone}], "companyLead": "Shop"}),
        ),
        action("update-lead", &json!({"emails": lead, "title": "Director", "tag": "newsletter"})),
        action(
            "add-note",
            &json!({"email": format!("lan.{n}@example.com"), "contactType": "lead", "body": "Called back"}),
        ),
        action("add-contact", &json!({"name": format!("Minh {n}"), "emails": contact})),
        action("update-contact", &json!({"emails": contact, "companyContact": {"name": "Shop"}})),
        action(
            "add-deal",
            &json!({
                "dealId": format!("D-{n}"), "name": format!("Order {n}"), "stage": "New", "value": "1200.50",
                "dealWith": {"contactType": "lead", "emails": lead}, "contacts": [{"emails": contact}],
            }),
        ),
        action(
            "add-ticket",
            &json!({
                "contactType": "lead", "email": format!("lan.{n}@example.com"), "dealId": format!("D-{n}"),
                "title": "Delivery", "body": "It has not come yet", "channel": "Web",
            }),
        ),
        action("send-sms", &json!({"content": "We are on it", "phones": [phone]})),
    ]
}
