//! Tickets: list, read, history (`api.md` 5).

use super::NoSuchRecord;
use super::deals::entry;
use super::filters::{self, FILTERS, PageParameters};
use super::history::{HistoryLine, history_line};
use super::representation::{
    CustomFieldEntry, CustomerReferenceBody, OwnerBody, custom_fields, customer_reference, owner,
    stored,
};
use crate::access::Actor;
use crate::app::App;
use crate::http::etag;
use crate::http::openapi::{QueryProblem, SignedInProblems};
use crate::http::page::{Page, Query};
use crate::problem::Problem;
use crate::store::error::StoreError;
use crate::store::history;
use crate::store::tickets::{self, Ticket};
use actix_web::http::header;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::batch::Subject;
use beeiq_core::directory::Directory;
use beeiq_core::records::path_id::PathId;
use beeiq_core::records::ticket::TicketCode;
use beeiq_core::values::custom_field::Model;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

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
    /// Those of the customer or lead who holds this e-mail address, as far as you may see him.
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

crate::http::routes::routes![list_tickets, read_ticket, ticket_history];

/// Lists tickets, newest first; a member gets his own, those of his groups, and those of no group.
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
    let query = Query::of_list(&request, &FILTERS)?;
    let paging = query.paging()?;
    let directory = app.directories.current(actor.org).await?;
    let filters = filters::read(&query, directory.org.region)?;
    let rows = app
        .db
        .in_org(actor.org, move |conn| {
            tickets::list(conn, &actor, &filters, paging.before(), paging.rows())
        })
        .await?;
    let bodies: Vec<TicketBody> =
        rows.into_iter().map(|row| ticket(row, &directory)).collect::<Result<_, _>>()?;
    Ok(Json(paging.page(bodies, |body| body.id)))
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
    Query::parse(request.query_string(), &[])?;
    let id = addressed(&id)?;
    let directory = app.directories.current(actor.org).await?;
    let found = app
        .db
        .in_org(actor.org, move |conn| tickets::find(conn, &actor, id))
        .await?
        .ok_or_else(|| Problem::not_found("ticket"))?;
    let body = ticket(found, &directory)?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag::of(&body))).json(body))
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
    let paging = Query::of_list(&request, &[])?.paging()?;
    let id = addressed(&id)?;
    let lines = app
        .db
        .in_org(actor.org, move |conn| {
            let Some(ticket) = tickets::find_id(conn, &actor, id)? else {
                return Ok::<_, StoreError>(None);
            };
            let subject = Subject::Ticket(ticket);
            let page = history::list(conn, actor.org, subject, paging.before(), paging.rows())?;
            Ok(Some(page))
        })
        .await?
        .ok_or_else(|| Problem::not_found("ticket"))?;
    Ok(Json(paging.page(lines, |line| line.id).map(history_line)))
}

/// What a path's id addresses; what can be no ticket is not found either.
fn addressed(id: &str) -> Result<PathId, Problem> {
    Uuid::try_parse(id)
        .map(PathId::Id)
        .ok()
        .or_else(|| TicketCode::parse(id).map(|TicketCode(number)| PathId::Number(number)))
        .ok_or_else(|| Problem::not_found("ticket"))
}

/// A ticket in the words of the org's directory.
///
/// # Errors
/// 500 where a stored list is not of its shape.
fn ticket(found: Ticket, directory: &Directory) -> Result<TicketBody, Problem> {
    let Ticket { record, customer, deal_id, tags } = found;
    let customer = customer_reference(customer);
    let group = record.permit_group_id.and_then(|id| directory.groups.with_id(id));
    let sla = record.sla_id.and_then(|id| directory.slas.with_id(id));
    let due = record.first_response_due_at.zip(record.resolution_due_at);
    Ok(TicketBody {
        cus_fields: custom_fields(stored(record.cus_fields)?, Model::Ticket, directory),
        id: record.id,
        code: TicketCode(record.number).to_string(),
        title: record.title,
        body: record.body,
        contact_type: customer.contact_type,
        customer,
        deal_id,
        group: group.map(|group| group.name.clone()),
        sla: sla.zip(due).map(|(sla, (first_response_due_at, resolution_due_at))| TicketSlaBody {
            name: sla.name.clone(),
            first_response_due_at,
            resolution_due_at,
        }),
        channel: entry(&directory.channels, record.channel_id),
        tags,
        owner: owner(record.owner_id, directory)?,
        created_at: record.created_at,
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
            assert_eq!(addressed(&text).ok(), expected, "{text}");
        }
    }
}
