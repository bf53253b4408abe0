//! The fields of each kind of object, by the names that its reader knows; `None` for any other.

use super::org::Org;
use super::parts::{
    array_of, choice, described, line, long_line, number_choice, one_or_several, optional, text,
};
use crate::actions::add_activity::LONGEST_SOURCE;
use crate::actions::customer::person::person_schema;
use crate::values::custom_field::Model;
use serde_json::{Value, json};

pub(super) fn person_field(field: &str, org: Org<'_>, models: &[Model]) -> Option<Value> {
    if let Some(own) = person_schema(field) {
        return Some(own);
    }
    Some(match field {
        "type" => described(number_choice(&[0, 1]), "0 a person, 1 a company; a lead is a person."),
        "tag" => described(text(), "Tags, separated by commas; new ones are made."),
        "cusFields" => org.cus_fields(models),
        "permit" => json!({"$ref": "#/$defs/permit"}),
        "companyContact" => json!({"$ref": "#/$defs/companyContact"}),
        "companyLead" => described(line(), "A lead's company, by name."),
        "customerId" => {
            described(line(), "The code PID-n, CID-n or LID-n; on an add it is ignored.")
        }
        "contactType" => choice::<crate::actions::customer::customer_type::ContactKind>(),
        "source" | "contactSource" | "leadSource" => {
            described(json!({}), "Ignored: the listener sets the source.")
        }
        _ => return None,
    })
}

pub(super) fn deal_field(field: &str, org: Org<'_>) -> Option<Value> {
    Some(match field {
        "dealId" => described(line(), "The deal's id; unknown: a new deal with that id."),
        "name" => described(line(), "The deal's name."),
        "value" => described(
            json!({"type": ["number", "string"]}),
            "A decimal from 0 on, 18 digits, 4 of them after the point; kept exactly.",
        ),
        "currency" => described(org.currency(), "ISO 4217; the org's default where absent."),
        "description" => text(),
        "stage" => described(org.entry(|it| &it.deal_stages), "Required to make a deal."),
        "category" => org.entry(|it| &it.deal_categories),
        "package" => org.entry(|it| &it.deal_packages),
        "closeDate" => described(line(), "Epoch milliseconds, or as a dateOfBirth."),
        "owner_opportunity" => described(
            one_or_several(json!({"type": "object", "properties": {
                "users": optional(array_of(line())),
                "groups": optional(array_of(org.one_of(|it| &it.groups))),
            }})),
            "Who owns the deal; without it the sender.",
        ),
        "permit" => json!({"$ref": "#/$defs/permit"}),
        "cusFields" => org.cus_fields(&[Model::Deal]),
        "dealWith" => described(json!({"$ref": "#/$defs/party"}), "Required to make a deal."),
        "contacts" => array_of(json!({"$ref": "#/$defs/party"})),
        _ => return None,
    })
}

pub(super) fn note_field(field: &str, org: Org<'_>) -> Option<Value> {
    Some(match field {
        "body" => text(),
        "model" => choice::<crate::actions::add_note::Model>(),
        "email" | "phone" => line(),
        "channel" => org.channel_or_source(),
        "dealId" | "name" => described(line(), "The deal, where `model` is `deal`."),
        shared => return person_field(shared, org, &[]),
    })
}

pub(super) fn ticket_field(field: &str, org: Org<'_>) -> Option<Value> {
    Some(match field {
        "body" => text(),
        "email" | "phone" => line(),
        "dealId" => described(line(), "A deal to link."),
        "groupName" => org.one_of(|it| &it.groups),
        "slaName" => org.one_of(|it| &it.slas),
        "channel" => org.entry(|it| &it.channels),
        "cusFields" => org.cus_fields(&[Model::Ticket]),
        shared => return person_field(shared, org, &[]),
    })
}

pub(super) fn activity_field(field: &str, org: Org<'_>) -> Option<Value> {
    Some(match field {
        "kind" => described(
            choice::<crate::records::activity::ActivityKind>(),
            "Required, unless it is there.",
        ),
        "source" => described(
            long_line(LONGEST_SOURCE),
            "Which system tells of it; without one `listener`.",
        ),
        "externalId" => described(line(), "That system's id of it: heard of again, it is changed."),
        "startedAt" => described(line(), "As a closeDate. Required, unless the activity is there."),
        "endedAt" => described(line(), "As a closeDate; not before the start."),
        "outcome" | "subject" | "email" | "phone" => line(),
        "body" => text(),
        "operator" => described(line(), "Who of yours: a user's e-mail, or any text."),
        "details" => described(
            json!({"type": ["object", "null", "string"]}),
            "Your own members, at most 16 KiB and 8 levels; null takes one away.",
        ),
        "dealId" => described(line(), "A deal to link."),
        shared => return person_field(shared, org, &[]),
    })
}

pub(super) fn sms_field(field: &str) -> Option<Value> {
    Some(match field {
        "content" => described(long_line(crate::actions::send_sms::LONGEST_CONTENT), "The text."),
        "phones" => described(array_of(line()), "Mobile numbers, each once."),
        _ => return None,
    })
}
