//! An example of each action, of an org's own names (`api.md` 6). Each works on an org without
//! records, and as often as it is sent: what it changes, it adds first.

use crate::actions::ActionType;
use crate::directory::{Directory, Named, Names};
use crate::values::custom_field::{Kind, Model};
use serde_json::{Map, Value, json};

/// In E.164, so that it is a mobile number whatever the org's region.
const PHONE: &str = "+84905000001";

/// An action, and a payload that shows it; actions that it needs come before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The `actionType` that it is an example of.
    pub action_type: ActionType,
    /// The payload.
    pub payload: Value,
}

/// An example of each action, of the org's own names; `sender` is the e-mail of one of its users.
#[must_use]
pub fn examples(directory: &Directory, sender: &str) -> Vec<Example> {
    ActionType::ALL
        .into_iter()
        .map(|action_type| {
            let needed = needed_by(action_type).map(|needed| action(needed, directory));
            let data: Vec<Value> =
                needed.into_iter().chain([action(action_type, directory)]).collect();
            Example { action_type, payload: json!({"senderUser": sender, "data": data}) }
        })
        .collect()
}

/// The action that makes what that one is about.
const fn needed_by(action_type: ActionType) -> Option<ActionType> {
    match action_type {
        ActionType::UpdateContact | ActionType::AddNote | ActionType::AddActivity => {
            Some(ActionType::AddContact)
        }
        ActionType::UpdateLead => Some(ActionType::AddLead),
        ActionType::AddContact
        | ActionType::AddLead
        | ActionType::AddDeal
        | ActionType::AddTicket
        | ActionType::SendSms => None,
    }
}

fn action(action_type: ActionType, directory: &Directory) -> Value {
    let data = match action_type {
        ActionType::AddContact => contact(directory),
        ActionType::UpdateContact => json!({
            "emails": emails("lan.tran@example.com"), "title": "Director", "tag": "vip",
        }),
        ActionType::AddLead => lead(directory),
        ActionType::UpdateLead => {
            json!({"emails": emails("minh.le@example.com"), "bgInfo": "Called back."})
        }
        ActionType::AddDeal => deal(directory),
        ActionType::AddNote => with_name(
            json!({"email": "lan.tran@example.com", "body": "Asked for a call tomorrow."}),
            "channel",
            &directory.channels,
        ),
        ActionType::AddTicket => ticket(directory),
        ActionType::AddActivity => json!({
            "kind": "call", "source": "switchboard", "externalId": "call-1",
            "startedAt": "2026-01-31T09:00:00+07:00", "endedAt": "2026-01-31T09:04:00+07:00",
            "outcome": "answered", "email": "lan.tran@example.com", "details": {"queue": "sales"},
        }),
        ActionType::SendSms => json!({"content": "Your order is on its way.", "phones": [PHONE]}),
    };
    json!({"actionType": action_type, "data": data})
}

fn contact(directory: &Directory) -> Value {
    let permit = directory
        .groups
        .all_names()
        .next()
        .map_or_else(|| json!({"status": 1}), |group| json!({"status": 3, "group": group}));
    json!({
        "name": "Lan",
        "lastname": "Tran",
        "gender": 1,
        "dateOfBirth": "1993-01-01",
        "emails": emails("lan.tran@example.com"),
        "phones": [{"type": "Mobile", "value": PHONE}],
        "addresses": [{"type": "Work", "street": "58 Ton That Dam", "city": "Da Nang", "country": "VN"}],
        "tag": "newsletter",
        "cusFields": cus_fields(directory, Model::Contact),
        "permit": permit,
        "companyContact": {"name": "Example Trading", "websites": [{"value": "example.com"}]},
    })
}

fn lead(directory: &Directory) -> Value {
    json!({
        "name": "Minh",
        "lastname": "Le",
        "emails": emails("minh.le@example.com"),
        "cusFields": cus_fields(directory, Model::Lead),
        "companyLead": "Example Trading",
    })
}

fn deal(directory: &Directory) -> Value {
    let deal = json!({
        "dealId": "EXAMPLE-1",
        "name": "Example order",
        "value": "1500000.50",
        "currency": directory.org.default_currency,
        "cusFields": cus_fields(directory, Model::Deal),
        "dealWith": {"name": "Lan", "lastname": "Tran", "emails": emails("lan.tran@example.com")},
    });
    let deal = with_name(deal, "stage", &directory.deal_stages);
    let deal = with_name(deal, "category", &directory.deal_categories);
    with_name(deal, "package", &directory.deal_packages)
}

fn ticket(directory: &Directory) -> Value {
    let ticket = json!({
        "name": "Lan",
        "email": "lan.tran@example.com",
        "title": "Delivery",
        "body": "Where is my order?",
        "cusFields": cus_fields(directory, Model::Ticket),
    });
    let ticket = with_name(ticket, "groupName", &directory.groups);
    let ticket = with_name(ticket, "slaName", &directory.slas);
    with_name(ticket, "channel", &directory.channels)
}

fn emails(address: &str) -> Value {
    json!([{"type": "Work", "value": address}])
}

/// The same with the first of the org's names in that field, where it has one.
fn with_name<T: Named>(mut data: Value, field: &str, names: &Names<T>) -> Value {
    if let (Some(name), Value::Object(data)) = (names.all_names().next(), &mut data) {
        data.insert(field.to_owned(), json!(name));
    }
    data
}

/// A value of every custom field of that kind of record.
fn cus_fields(directory: &Directory, model: Model) -> Value {
    let fields = directory.custom_fields.of(model).into_iter().flat_map(Names::iter);
    let entries = fields.filter_map(|field| {
        let value = match field.kind {
            Kind::Text | Kind::Textarea => "An example".to_owned(),
            Kind::Number => "12.5".to_owned(),
            Kind::Date => "2026-01-31T09:00:00+07:00".to_owned(),
            Kind::Select | Kind::Radio => field.options.first()?.clone(),
            Kind::Checkbox | Kind::InlineCheckbox => field.options.join("|"),
        };
        let entry = [("name", json!(field.name)), ("value", json!(value))];
        let entry = entry.map(|(name, value)| (name.to_owned(), value));
        Some(Value::Object(entry.into_iter().collect::<Map<_, _>>()))
    });
    Value::Array(entries.collect())
}
