//! Bodies. Each is made of a number, which is in all that has to be unique.

use crate::scenario::Kind;
use serde_json::{Value, json};

/// How many digits a number has in a body: so many that a phone number is one.
const DIGITS: usize = 7;
/// The first number that has more.
const TOO_LARGE: u64 = 10_000_000;

/// The number as it stands in a body.
pub fn digits(n: u64) -> String {
    format!("{n:0DIGITS$}")
}

/// The requests of one kind to one target. They differ in nothing but their numbers, so the bytes of
/// one are made of those of the last by writing digits over digits.
#[derive(Clone, Debug)]
pub struct Template {
    request: Vec<u8>,
    /// Where a number stands, and what it is more than the request's.
    places: Vec<(usize, u64)>,
    actions: u64,
}

impl Template {
    /// Those with that head (of the length of the body) and a [`body`] of that kind.
    pub fn new(
        head: impl Fn(usize) -> String,
        kind: Kind,
        sender: &str,
        actions: usize,
    ) -> anyhow::Result<Self> {
        const SAMPLE: u64 = 8_300_000;
        let body = body(kind, sender, SAMPLE, actions);
        let head = head(body.len());
        let mut template = Self {
            places: places(&body, SAMPLE, u64::try_from(actions)?, head.len()),
            request: [head.as_bytes(), body.as_bytes()].concat(),
            actions: u64::try_from(actions)?,
        };
        // What is sent is what `body` says, whatever is changed there.
        for n in [1, 2_345_678, TOO_LARGE - template.actions] {
            let wanted =
                [head.as_bytes(), self::body(kind, sender, n, actions).as_bytes()].concat();
            anyhow::ensure!(template.request(n)? == wanted, "{kind:?} has no template");
        }
        Ok(template)
    }

    /// The request whose first action is about the number `n`.
    pub fn request(&mut self, n: u64) -> anyhow::Result<&[u8]> {
        anyhow::ensure!(
            n <= TOO_LARGE - self.actions,
            "all numbers of {DIGITS} digits are used up"
        );
        for &(place, more) in &self.places {
            let mut rest = n + more;
            for digit in self.request.iter_mut().skip(place).take(DIGITS).rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        Ok(&self.request)
    }
}

/// Where in a body the numbers from `first` on stand, counted from `start`, and which one it is.
fn places(body: &str, first: u64, count: u64, start: usize) -> Vec<(usize, u64)> {
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u64>().ok();
    body.as_bytes()
        .windows(DIGITS)
        .enumerate()
        .filter_map(|(place, digits)| {
            let more = number(digits)?.checked_sub(first).filter(|more| *more < count)?;
            Some((start + place, more))
        })
        .collect()
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
