//! Tickets: list, read, history (`api.md` 5).

use super::NoSuchRecord;
use super::filters::{self, FILTERS, PageParameters};
use super::history::HistoryLine;
use super::record::{self, Address, Body};
use super::representation::{
    CustomFieldEntry, CustomerReferenceBody, OwnerBody, custom_fields, customer_reference, name_of,
    owner,
};
use crate::access::Actor;
use crate::app::App;
use crate::http::openapi::{QueryProblem, SignedInProblems};
use crate::http::page::Page;
use crate::problem::Problem;
use crate::store::tickets::{self, FoundTicket};
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::batch::Subject;
use beeiq_core::directory::Directory;
use beeiq_core::records::path_id::PathId;
use beeiq_core::records::ticket::{Ticket, TicketCode, TicketSla};
use beeiq_core::values::custom_field::Model;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

crate::http::routes::routes![list_tickets, read_ticket, ticket_history];

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

/// Lists tickets, newest first; a member gets their own, those of their groups, and those of no group.
/// A parameter that is unknown or wrong is a 422.
#[utoipa::path(
    get,
    path = "/api/v1/tickets",
    tag = "Records",
    operation_id = "listTickets",
    params(TicketParameters),
    responses(
        (status = 200, description = "A page of tickets", body = Page<TicketBody>),
        SignedInProblems,
        QueryProblem,
    ),
)]
pub async fn list_tickets(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
) -> Result<Json<Page<TicketBody>>, Problem> {
    record::list(&app, actor, &request, (&FILTERS, filters::of_org), tickets::list, ticket).await
}

/// Reads a ticket by its id or its code, `TID-n` in any case.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/tickets/{id}",
    tag = "Records",
    operation_id = "readTicket",
    params(("id" = String, Path, description = "Its id, or its code", example = "TID-1")),
    responses(
        (status = 200, description = "The ticket", body = TicketBody, headers(("ETag" = String))),
        SignedInProblems,
        QueryProblem,
        NoSuchRecord,
    ),
)]
pub async fn read_ticket(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    record::read(&app, actor, &request, address(&id), tickets::find, ticket).await
}

/// Lists what happened to a ticket, newest first.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/tickets/{id}/history",
    tag = "Records",
    operation_id = "ticketHistory",
    params(
        ("id" = String, Path, description = "Its id, or its code", example = "TID-1"),
        PageParameters
    ),
    responses(
        (status = 200, description = "A page of its history", body = Page<HistoryLine>),
        SignedInProblems,
        NoSuchRecord,
        QueryProblem,
    ),
)]
pub async fn ticket_history(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    record::read_history(&app, actor, &request, address(&id), tickets::find_id, Subject::Ticket)
        .await
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
