//! What the document tells of deliveries: the payload, and what a listener answers (`listener.md`
//! 1, 2). Here for its description: a payload is read by `listener::envelope`.

use super::ProblemDocument;
use crate::http::settings::resource::object_of;
use crate::ingest::Answer;
use serde_json::Value;
use std::borrow::Cow;
use utoipa::openapi::schema::{AnyOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// What is posted to a listener. Every field of every action is told by `GET
/// /schemas/listener.json`, with an org's own names by `GET /api/v1/listeners/{id}/schema`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase", example = json!({
    "senderUser": "ann@example.com",
    "data": [
        {"actionType": "add-contact", "data": {
            "name": "Huy", "lastname": "Nguyen", "dateOfBirth": "1993-01-01",
            "emails": [{"type": "Work", "value": "huy.nguyen@example.com"}],
            "phones": [{"type": "Mobile", "value": "0905000001"}],
            "addresses": [{"street": "58 Ton That Dam", "city": "Da Nang", "country": "VN"}],
            "tag": "newsletter",
            "companyContact": {"name": "Example Trading", "websites": [{"value": "example.com"}]}
        }},
        {"actionType": "add-note", "data": {
            "email": "huy.nguyen@example.com", "body": "Prefers to be called in the morning."
        }}
    ]
}))]
#[expect(dead_code, reason = "here for its description")]
pub(crate) struct Payload {
    /// The e-mail of an active user of the org: the owner of what is created.
    sender_user: String,
    /// Applied in order, each on its own. Absent or empty: a ping.
    #[schema(required = false, max_items = 5000)]
    data: Vec<Action>,
}

/// An action.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "here for its description")]
pub(crate) struct Action {
    action_type: ActionType,
    /// The fields of an action of that type.
    #[schema(value_type = Object)]
    data: Value,
}

/// What is to be done.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "here for its description")]
pub(crate) enum ActionType {
    /// Adds a person or a company, unless there is one.
    AddContact,
    /// Changes a person or a company.
    UpdateContact,
    /// Adds a lead, unless there is one.
    AddLead,
    /// Changes a lead.
    UpdateLead,
    /// Adds a note to a customer, a lead or a deal.
    AddNote,
    /// Adds a deal, or changes it.
    AddDeal,
    /// Opens a ticket of a customer or a lead.
    AddTicket,
    /// Sends an SMS to numbers.
    SendSms,
}

/// A delivery that was taken for later.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "here for its description")]
pub(crate) struct TakenForLater {
    /// The request's id, by which its outcome is read.
    request_id: Uuid,
    /// Always `pending`.
    #[schema(example = "pending")]
    status: String,
}

/// A problem (RFC 9457), with what became of each action where actions were read.
pub(crate) struct NothingApplied;

impl PartialSchema for NothingApplied {
    fn schema() -> RefOr<Schema> {
        let mut problem = object_of::<ProblemDocument>();
        let answer = object_of::<Answer>().properties;
        problem.properties.extend(answer);
        problem.description = Some(
            "A problem (RFC 9457). Where actions were read, it has the fields of an Answer as well."
                .to_owned(),
        );
        problem.into()
    }
}

impl ToSchema for NothingApplied {
    fn name() -> Cow<'static, str> {
        "NothingApplied".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ProblemDocument::schemas(schemas);
        Answer::schemas(schemas);
    }
}

/// What a delivery was answered, whatever the status.
pub(crate) struct AnyAnswer;

impl PartialSchema for AnyAnswer {
    fn schema() -> RefOr<Schema> {
        AnyOfBuilder::new()
            .item(Ref::from_schema_name("Answer"))
            .item(Ref::from_schema_name("NothingApplied"))
            .item(Ref::from_schema_name("TakenForLater"))
            .description(Some("What a delivery was answered: it depends on the status."))
            .into()
    }
}

impl ToSchema for AnyAnswer {
    fn name() -> Cow<'static, str> {
        "AnyAnswer".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for (name, schema) in [
            (Answer::name(), Answer::schema()),
            (NothingApplied::name(), NothingApplied::schema()),
            (TakenForLater::name(), TakenForLater::schema()),
        ] {
            schemas.push((name.into_owned(), schema));
        }
        Answer::schemas(schemas);
        NothingApplied::schemas(schemas);
    }
}
