//! What an action may look like, as JSON Schema 2020-12 (`api.md` 6): for editors, form builders and
//! tests of those who send.
//!
//! It is as lenient as the readers: what is blank is absent, numbers may be texts, fixed words may
//! be in any case, and fields that no action knows are allowed, since they are a warning only. What
//! it says is required, the readers require. Each object is made of the list of fields that its
//! reader knows, so that neither has one that the other lacks.

mod examples;
mod fields;
mod org;
pub(crate) mod parts;

pub use examples::{Example, examples};

use crate::actions::ActionType;
use crate::actions::add_activity::ACTIVITY_FIELDS;
use crate::actions::add_note::NOTE_FIELDS;
use crate::actions::add_ticket::TICKET_FIELDS;
use crate::actions::customer::linked_customer::PARTY_IDENTIFIERS;
use crate::actions::customer::named_customer::CUSTOMER_IDENTIFIERS;
use crate::actions::customer::person::PERSON_FIELDS;
use crate::actions::deal::fields::DEAL_FIELDS;
use crate::actions::send_sms::SMS_FIELDS;
use crate::batch::Context;
use crate::values::custom_field::Model;
use fields::{activity_field, deal_field, note_field, person_field, sms_field, ticket_field};
use org::Org;
use parts::{
    any_of_present, array_of, described, line, number_choice, object, optional, present, required,
};
use serde_json::{Map, Value, json};

/// Where the schema of all orgs is, below the instance's URL.
pub const PATH: &str = "/schemas/listener.json";

/// What identifies the record of an update (`listener.md` 3).
const UPDATE_IDENTIFIERS: &[&str] = &["customerId", "contactId", "passport", "emails", "phones"];

/// The schema of a payload; with the names that the org of `context` has, where one is given.
pub fn payload(id: &str, context: Option<Context<'_>>) -> Value {
    let org = Org(context);
    let actions: Vec<Value> = ActionType::ALL
        .into_iter()
        .map(|action_type| {
            json!({
                "if": {"properties": {"actionType": {"const": action_type}}},
                "then": {"properties": {"data": {"$ref": format!("#/$defs/{action_type}")}}},
            })
        })
        .collect();
    let mut definitions = shared(org);
    let action_schema = json!({
        "type": "object",
        "required": ["actionType", "data"],
        "properties": {"actionType": {"enum": ActionType::ALL}, "data": {"type": "object"}},
        "allOf": actions,
    });
    definitions.insert("action".to_owned(), action_schema);
    for action_type in ActionType::ALL {
        definitions.insert(action_type.to_string(), action(action_type, org));
    }
    let sender = described(
        json!({"type": "string", "format": "email"}),
        "The e-mail of an active user of the org: the \"me\" of permits, and the owner of what is created.",
    );
    let data = described(
        json!({"type": "array", "items": {"$ref": "#/$defs/action"}}),
        "The actions, applied in order; later ones see what earlier ones did.",
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": id,
        "title": "A payload of a BeeIQ listener",
        "type": "object",
        "required": ["senderUser"],
        "properties": {"senderUser": required(sender), "data": optional(data)},
        "$defs": definitions,
    })
}

/// The `data` of an action of that type.
fn action(action_type: ActionType, org: Org<'_>) -> Value {
    let person = |description: &str, models: &[Model], extra: Value| {
        object(PERSON_FIELDS, description, |field| person_field(field, org, models), extra)
    };
    let customers = &[Model::Contact, Model::Account];
    let no_name_null =
        json!({"not": {"required": ["name"], "properties": {"name": {"type": "null"}}}});
    let update = json!({"allOf": [any_of_present(UPDATE_IDENTIFIERS), no_name_null]});
    match action_type {
        ActionType::AddContact => person(
            "Adds a contact or account, unless the org has it already.",
            customers,
            present("name"),
        ),
        ActionType::AddLead => {
            person("Adds a lead, unless a lead is it already.", &[Model::Lead], present("name"))
        }
        ActionType::UpdateContact => person(
            "Changes a contact or account. What is absent or empty stays; null clears.",
            customers,
            update,
        ),
        ActionType::UpdateLead => person(
            "Changes a lead. What is absent or empty stays; null clears.",
            &[Model::Lead],
            update,
        ),
        ActionType::AddDeal => object(
            DEAL_FIELDS,
            "Adds a deal, or changes the one of that dealId or name.",
            |field| deal_field(field, org),
            present("name"),
        ),
        ActionType::AddNote => object(
            NOTE_FIELDS,
            "Adds a note to a customer, or where `model` is `deal` to a deal.",
            |field| note_field(field, org),
            json!({"allOf": [present("body"), any_of_present(&[CUSTOMER_IDENTIFIERS, &["dealId", "name"]].concat())]}),
        ),
        ActionType::AddTicket => object(
            TICKET_FIELDS,
            "Adds a ticket of a customer, who is made where they are not there.",
            |field| ticket_field(field, org),
            json!({"allOf": [present("body"), any_of_present(CUSTOMER_IDENTIFIERS)]}),
        ),
        ActionType::AddActivity => object(
            ACTIVITY_FIELDS,
            "Adds something that happened with a customer; of the same source and externalId: \
             changes it.",
            |field| activity_field(field, org),
            any_of_present(&[CUSTOMER_IDENTIFIERS, &["externalId"]].concat()),
        ),
        ActionType::SendSms => object(
            SMS_FIELDS,
            "Sends an SMS to each number.",
            sms_field,
            json!({"allOf": [present("content"), present("phones")]}),
        ),
    }
}

/// What several actions have.
fn shared(org: Org<'_>) -> Map<String, Value> {
    let company = object(
        PERSON_FIELDS,
        "The company: an account, found by its code, name, e-mails or phones, else made of these.",
        |field| match field {
            "companyContact" | "companyLead" => {
                Some(described(json!({}), "Ignored: a company has no company of its own."))
            }
            other => person_field(other, org, &[Model::Account]),
        },
        json!({}),
    );
    let party = object(
        PERSON_FIELDS,
        "A customer or lead: found by their identifiers, else made.",
        |field| person_field(field, org, &[Model::Contact, Model::Account, Model::Lead]),
        any_of_present(PARTY_IDENTIFIERS),
    );
    let mut definitions = parts::definitions();
    definitions.insert("companyContact".to_owned(), company);
    definitions.insert("party".to_owned(), party);
    definitions.insert("permit".to_owned(), permit(org));
    definitions
}

fn permit(org: Org<'_>) -> Value {
    object(
        &["status", "group", "users"],
        "Who may read the record.",
        |field| match field {
            "status" => Some(described(
                number_choice(&[1, 2, 3, 4]),
                "1 everybody, 2 only me, 3 me and a group, 4 me and users.",
            )),
            "group" => Some(described(org.one_of(|it| &it.groups), "With status 3.")),
            "users" => Some(described(array_of(line()), "E-mails of users; with status 4.")),
            _ => None,
        },
        json!({}),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::testing::TestOrg;

    fn schema() -> Value {
        payload("urn:test", None)
    }

    fn valid(schema: &Value, action_type: &str, data: &Value) -> bool {
        let payload =
            json!({"senderUser": "a@b.c", "data": [{"actionType": action_type, "data": data}]});
        jsonschema::draft202012::new(schema).unwrap().is_valid(&payload)
    }

    /// A field that a reader learns and the schema does not would be missing from what senders see.
    #[test]
    fn every_field_that_an_action_knows_is_in_the_schema() {
        let schema = schema();
        for (definition, fields) in [
            ("add-contact", PERSON_FIELDS),
            ("update-lead", PERSON_FIELDS),
            ("party", PERSON_FIELDS),
            ("companyContact", PERSON_FIELDS),
            ("add-deal", DEAL_FIELDS),
            ("add-note", NOTE_FIELDS),
            ("add-ticket", TICKET_FIELDS),
            ("add-activity", ACTIVITY_FIELDS),
            ("send-sms", SMS_FIELDS),
        ] {
            let properties = schema["$defs"][definition]["properties"].as_object().unwrap();
            let missing: Vec<_> =
                fields.iter().filter(|field| !properties.contains_key(**field)).collect();
            assert!(missing.is_empty(), "{definition}: {missing:?}");
        }
    }

    #[test]
    fn it_is_as_lenient_as_the_readers() {
        let schema = schema();
        for (action_type, data) in [
            (
                "add-contact",
                json!({"name": "A", "type": "1", "gender": "", "emails": [{"value": ""}]}),
            ),
            ("add-contact", json!({"name": 7, "websites": "a.b", "emails": null, "emial": "x"})),
            ("add-contact", json!({"name": "A", "websites": ["a.b", {"value": "c.d"}], "im": []})),
            ("add-contact", json!({"name": "A", "emails": [{"type": "WORK", "value": "a@b.c"}]})),
            (
                "add-contact",
                json!({"name": "A", "addresses": [{"country": {"code": "VN"}}, {"country": "VN"}]}),
            ),
            (
                "add-contact",
                json!({"name": "A", "cusFields": [{"name": "x", "value": ["a", "b"]}, {"name": "y", "value": true}]}),
            ),
            (
                "update-lead",
                json!({"contactId": 5, "name": "", "permit": {"status": "", "users": []}}),
            ),
            (
                "update-contact",
                json!({"customerId": "PID-1", "lastname": null, "companyContact": null}),
            ),
            (
                "add-deal",
                json!({"name": "D", "dealId": 192, "value": "50000", "closeDate": 1_482_470_382_793_i64}),
            ),
            (
                "add-deal",
                json!({"name": "D", "owner_opportunity": [{"users": ["a@b.c"]}, {"groups": []}, {}]}),
            ),
            (
                "add-deal",
                json!({"name": "D", "dealWith": {"customerId": "PID-1"}, "contacts": [{}]}),
            ),
            (
                "add-contact",
                json!({"name": "A", "cusFields": {"x": ["a", "b"], "y": true, "z": 5, "w": null}}),
            ),
            (
                "add-contact",
                json!({"name": "A", "companyContact": {"name": "B", "type": 1, "gender": "2", "tag": "x",
                    "passport": 7, "contactId": "c", "dateOfBirth": "1993-01-01", "bgInfo": "i"}}),
            ),
            ("add-note", json!({"body": "x", "phone": 905_000_001, "model": "Contact"})),
            ("add-activity", json!({"externalId": 7, "details": {"a": null}, "kind": "Call"})),
            ("send-sms", json!({"content": "x", "phones": ["0905000001", 905_000_002]})),
        ] {
            assert!(valid(&schema, action_type, &data), "{action_type} {data}");
            let read = TestOrg::new().read(action_type, &data);
            let refused: Vec<_> = read
                .faults
                .iter()
                .filter(|fault| !fault.code.as_str().starts_with("unknown_"))
                .collect();
            assert!(refused.is_empty(), "{action_type} {data}: {refused:?}");
        }
    }

    #[test]
    fn what_it_refuses_the_readers_refuse() {
        let schema = schema();
        for (action_type, data) in [
            ("add-contact", json!({})),
            ("add-contact", json!({"name": " "})),
            ("add-contact", json!({"name": null})),
            ("add-contact", json!({"name": "x".repeat(256)})),
            ("add-contact", json!({"name": "A", "type": 2})),
            ("add-contact", json!({"name": "A", "emails": "a@b.c"})),
            ("add-contact", json!({"name": "A", "emails": [{"type": "Office", "value": "a@b.c"}]})),
            ("add-contact", json!({"name": "A", "cusFields": [{"value": "x"}]})),
            ("add-contact", json!({"name": "A", "permit": {"status": 5}})),
            ("add-lead", json!({"lastname": "A"})),
            ("update-contact", json!({"name": "A"})),
            ("update-contact", json!({"customerId": "PID-1", "name": null})),
            ("update-lead", json!({"emails": []})),
            ("add-deal", json!({"stage": "New"})),
            ("add-deal", json!({"name": "D", "value": true})),
            ("add-note", json!({"email": "a@b.c"})),
            ("add-note", json!({"body": "x"})),
            ("add-ticket", json!({"email": "a@b.c"})),
            ("add-ticket", json!({"body": "x", "name": "A"})),
            ("add-activity", json!({"email": "a@b.c", "kind": "fax"})),
            ("add-activity", json!({"email": "a@b.c", "details": [1]})),
            ("add-deal", json!({"name": "D", "dealWith": {"name": "A"}})),
            ("add-deal", json!({"name": "D", "contacts": [{"name": "A", "emails": []}]})),
            ("add-deal", json!({"name": "D", "owner_opportunity": ["a@b.c"]})),
            ("add-contact", json!({"name": "A", "cusFields": "x"})),
            ("add-contact", json!({"name": "A", "cusFields": {"x": {"value": 1}}})),
            ("add-contact", json!({"name": "A", "companyContact": {"name": "B", "gender": 3}})),
            ("send-sms", json!({"phones": ["0905000001"]})),
            ("send-sms", json!({"content": "x", "phones": []})),
            ("send-sms", json!({"content": "x".repeat(1601), "phones": ["0905000001"]})),
            ("send-sms", json!([])),
        ] {
            assert!(!valid(&schema, action_type, &data), "{action_type} {data}");
            let read = TestOrg::new().read(action_type, &data);
            assert!(!read.faults.is_empty(), "{action_type} {data}");
        }
        assert!(!valid(&schema, "add-contacts", &json!({"name": "A"})));
    }

    #[test]
    fn an_orgs_own_schema_has_its_names() {
        let org = TestOrg::new();
        let own = payload("urn:test", Some(org.context()));
        let deal = |stage: &str| json!({"name": "D", "stage": stage});
        let stage = org.context().directory.deal_stages.all_names().next().unwrap();
        assert!(valid(&own, "add-deal", &deal(stage)) && valid(&own, "add-deal", &deal("")));
        assert!(!valid(&own, "add-deal", &deal("Nowhere")));
        assert!(valid(&schema(), "add-deal", &deal("Nowhere")));
        let ticket = |fields: Value| json!({"body": "x", "email": "a@b.c", "cusFields": fields});
        for severity in [
            |value| json!([{"name": "Severity", "value": value}]),
            |value| json!({"Severity": value}),
        ] {
            assert!(valid(&own, "add-ticket", &ticket(severity("High"))));
            assert!(!valid(&own, "add-ticket", &ticket(severity("Highest"))));
        }
        for other in [json!([{"name": "Colour", "value": "x"}]), json!({"Colour": "x"})] {
            assert!(!valid(&own, "add-ticket", &ticket(other)));
        }
        let note = |channel: &str| json!({"body": "x", "email": "a@b.c", "channel": channel});
        assert!(
            valid(&own, "add-note", &note("Web")) && valid(&own, "add-note", &note("Kite Chat"))
        );
        assert!(!valid(&own, "add-note", &note("Pigeon")));
    }

    /// Where unknown names are dropped with a warning, a schema that refuses them is wrong.
    #[test]
    fn a_listener_that_skips_unknown_names_has_a_schema_that_allows_them() {
        let mut org = TestOrg::new();
        org.listener.skip_unknown_references = true;
        let own = payload("urn:test", Some(org.context()));
        assert!(valid(&own, "add-deal", &json!({"name": "D", "stage": "Nowhere"})));
        let mut other = json!({"body": "x", "email": "a@b.c"});
        other["cusFields"] = json!([{"name": "Colour", "value": "x"}]);
        assert!(valid(&own, "add-ticket", &other));
        other["cusFields"] = json!({"Colour": "x"});
        assert!(valid(&own, "add-ticket", &other));
        let deal = |currency: &str| json!({"name": "D", "currency": currency});
        assert!(valid(&own, "add-deal", &deal("VND")), "an amount keeps its currency");
        assert!(!valid(&own, "add-deal", &deal("EUR")), "an amount keeps its currency");
    }
}
