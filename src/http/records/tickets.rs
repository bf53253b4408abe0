//! Tickets: list, read, history (`api.md` 5).

use super::filters;
use super::operations::operations;
use super::record::{self, Address, Body};
use super::representation::{
    CustomFieldEntry, CustomerReferenceBody, OwnerBody, custom_fields, customer_reference, name_of,
    owner,
};
use crate::store::tickets::{self, FoundTicket};
use beeiq_core::batch::Subject;
use beeiq_core::directory::Directory;
use beeiq_core::records::path_id::PathId;
use beeiq_core::records::ticket::{Ticket, TicketCode, TicketSla};
use beeiq_core::values::custom_field::Model;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The names of the filters, beside `limit` and `cursor`.
const FILTERS: [&str; 10] = [
    "email",
    "phone",
    "passport",
    "contactId",
    "tag",
    "name",
    "owner",
    "createdFrom",
    "createdTo",
    "q",
];

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ticket)]
pub struct TicketBody {
    /// Its id.
    pub id: Uuid,
    /// Its code.
    #[schema(example = "TID-1")]
    pub code: String,
    /// The title.
    pub title: Option<String>,
    /// The text.
    pub body: String,
    /// `customer` (contacts and accounts) or `lead`: what its customer is.
    #[schema(example = "customer")]
    pub contact_type: &'static str,
    /// Whose it is.
    pub customer: CustomerReferenceBody,
    /// The `dealId` of the deal that it is linked to.
    pub deal_id: Option<String>,
    /// The group whose members may read it.
    pub group: Option<String>,
    /// The service level.
    pub sla: Option<TicketSlaBody>,
    /// Through which channel it came.
    pub channel: Option<String>,
    /// Its tags, in alphabetical order.
    pub tags: Vec<String>,
    /// Custom fields that have a value, in the org's order.
    pub cus_fields: Vec<CustomFieldEntry>,
    /// Who owns it.
    pub owner: OwnerBody,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

/// The service level of a ticket.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TicketSlaBody {
    /// Its name.
    pub name: String,
    /// Until when it is to be answered first.
    pub first_response_due_at: DateTime<Utc>,
    /// Until when it is to be resolved.
    pub resolution_due_at: DateTime<Utc>,
}

/// The query parameters of a list of tickets, for the API's description.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by name; here for their description")]
pub(super) struct TicketParameters {
    /// Entries on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Those of the customer or lead who holds this e-mail address, as far as you may see them.
    email: Option<String>,
    /// Those of the customer or lead who holds this phone number, in any spelling.
    phone: Option<String>,
    /// Those of the customer or lead who holds this passport.
    passport: Option<String>,
    /// Those of the customer or lead with this identifier of the sender's.
    contact_id: Option<String>,
    /// Those with this tag, in any case.
    tag: Option<String>,
    /// Those of the customers or leads of this name, in any case.
    name: Option<String>,
    /// Those whose owner has this e-mail address.
    owner: Option<String>,
    /// Those created then or later.
    created_from: Option<DateTime<Utc>>,
    /// Those created then or earlier.
    created_to: Option<DateTime<Utc>>,
    /// Words, each of which is in the title or the text, or is the code.
    #[param(max_length = 100)]
    q: Option<String>,
}

operations! {
    with: (app, actor, request, id), of: ("a ticket", "tickets"),
    named: ("Ticket", "Tickets", "ticket"), body: TicketBody,
    paths: ("/api/v1/tickets", "/api/v1/tickets/{id}", "/api/v1/tickets/{id}/history"),
    id: ("id" = String, Path, description = "Its id, or its code", example = "TID-1"),
    list(TicketParameters, "their own, those of their groups, and those of no group") =>
        record::list(&app, actor, &request, (&FILTERS, filters::of_org), tickets::list, ticket),
    read("its id or its code, `TID-n` in any case") =>
        record::read(&app, actor, &request, address(&id), tickets::find, ticket),
    history() =>
        record::read_history(&app, actor, &request, address(&id), tickets::find_id, Subject::Ticket),
}

impl Body for TicketBody {
    fn id(&self) -> Uuid {
        self.id
    }
}

fn address(id: &str) -> Address<PathId> {
    let number = || TicketCode::parse(id).map(|TicketCode(number)| PathId::Number(number));
    Address { kind: "ticket", id: Uuid::try_parse(id).map(PathId::Id).ok().or_else(number) }
}

/// A ticket in the words of the org's directory.
fn ticket(found: FoundTicket, directory: &Directory) -> Result<TicketBody, Problem> {
    let FoundTicket { record, customer, deal_id, tags } = found;
    let Ticket {
        id,
        code,
        title,
        body,
        customer: _,
        deal: _,
        readers,
        sla,
        channel,
        tags: _,
        cus_fields,
        owner: owner_id,
        created_at,
    } = record;
    let customer = customer_reference(customer);
    Ok(TicketBody {
        id,
        code: code.to_string(),
        title,
        body,
        contact_type: customer.contact_type,
        customer,
        deal_id,
        group: name_of(&directory.groups, readers.group()),
        sla: sla.and_then(|TicketSla { id, first_response_due_at, resolution_due_at }| {
            let name = name_of(&directory.slas, Some(id))?;
            Some(TicketSlaBody { name, first_response_due_at, resolution_due_at })
        }),
        channel: name_of(&directory.channels, channel),
        tags,
        cus_fields: custom_fields(cus_fields, Model::Ticket, directory),
        owner: owner(owner_id, directory)?,
        created_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::IntoParams;

    #[test]
    fn the_described_parameters_are_those_that_are_read() {
        let described: Vec<String> =
            TicketParameters::into_params(|| None).into_iter().map(|param| param.name).collect();
        assert_eq!(described, [&["limit", "cursor"], FILTERS.as_slice()].concat());
    }

    #[test]
    fn a_ticket_is_addressed_by_its_id_or_its_code_in_any_case() {
        let id = Uuid::from_u128(7);
        for (text, expected) in [
            (id.to_string(), Some(PathId::Id(id))),
            ("tid-12".to_owned(), Some(PathId::Number(12))),
            ("PID-12".to_owned(), None),
            ("12".to_owned(), None),
        ] {
            assert_eq!(address(&text).id, expected, "{text}");
        }
    }
}
