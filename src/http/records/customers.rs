//! Contacts, accounts and leads: list, read, erase, history (`api.md` 5). The three are alike; what they
//! share is at the end.

use super::NoSuchRecord;
use super::filters::{self, FILTERS, ListParameters, PageParameters};
use super::history::{HistoryLine, history_line};
use super::representation::{self, CustomerBody};
use crate::access::Actor;
use crate::app::App;
use crate::http::etag;
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, QueryProblem, SignedInProblems};
use crate::http::page::{Page, Query};
use crate::ingest::redaction::erase_customer;
use crate::problem::Problem;
use crate::service::audit;
use crate::store::error::StoreError;
use crate::store::{customers, history};
use actix_web::http::header;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::batch::Subject;
use beeiq_core::records::audit::Action;
use beeiq_core::records::customer::{CustomerCode, CustomerKind};
use beeiq_core::records::path_id::PathId;
use serde_json::json;

crate::http::routes::routes![
    list_contacts,
    read_contact,
    erase_contact,
    contact_history,
    list_accounts,
    read_account,
    erase_account,
    account_history,
    list_leads,
    read_lead,
    erase_lead,
    lead_history,
];

/// Lists contacts, newest first; a member gets those that permits let him see.
/// A parameter that is unknown or wrong is a 422.
#[utoipa::path(
    get,
    path = "/api/v1/contacts",
    tag = "Records",
    operation_id = "listContacts",
    params(ListParameters),
    responses(
        (status = 200, description = "A page of contacts", body = Page<CustomerBody>),
        SignedInProblems,
        QueryProblem,
    ),
)]
pub async fn list_contacts(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
) -> Result<Json<Page<CustomerBody>>, Problem> {
    list(&app, actor, &request, CustomerKind::Contact).await
}

/// Reads a contact by its id or its code, `PID-n` in any case.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/contacts/{id}",
    tag = "Records",
    operation_id = "readContact",
    params(("id" = String, Path, description = "Its id, or its code", example = "PID-1")),
    responses(
        (status = 200, description = "The contact", body = CustomerBody, headers(("ETag" = String))),
        SignedInProblems,
        QueryProblem,
        NoSuchRecord,
    ),
)]
pub async fn read_contact(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    read(&app, actor, &request, CustomerKind::Contact, &id).await
}

/// Erases a contact with all that hangs on it: notes, tickets, messages, history, and its part of the
/// kept deliveries. Deals with it stay, without it. Owner and admins only.
#[utoipa::path(
    delete,
    path = "/api/v1/contacts/{id}",
    tag = "Records",
    operation_id = "eraseContact",
    params(("id" = String, Path, description = "Its id, or its code", example = "PID-1")),
    responses((status = 204, description = "Nothing of it is left"), AdminProblems, NoSuchRecord),
)]
pub async fn erase_contact(
    app: Data<App>,
    Admin(actor): Admin,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    erase(&app, actor, CustomerKind::Contact, &id).await
}

/// Lists what happened to a contact, newest first.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/contacts/{id}/history",
    tag = "Records",
    operation_id = "contactHistory",
    params(
        ("id" = String, Path, description = "Its id, or its code", example = "PID-1"),
        PageParameters
    ),
    responses(
        (status = 200, description = "A page of its history", body = Page<HistoryLine>),
        SignedInProblems,
        NoSuchRecord,
        QueryProblem,
    ),
)]
pub async fn contact_history(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    read_history(&app, actor, &request, CustomerKind::Contact, &id).await
}

/// Lists accounts, newest first; a member gets those that permits let him see.
/// A parameter that is unknown or wrong is a 422.
#[utoipa::path(
    get,
    path = "/api/v1/accounts",
    tag = "Records",
    operation_id = "listAccounts",
    params(ListParameters),
    responses(
        (status = 200, description = "A page of accounts", body = Page<CustomerBody>),
        SignedInProblems,
        QueryProblem,
    ),
)]
pub async fn list_accounts(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
) -> Result<Json<Page<CustomerBody>>, Problem> {
    list(&app, actor, &request, CustomerKind::Account).await
}

/// Reads an account by its id or its code, `CID-n` in any case.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/accounts/{id}",
    tag = "Records",
    operation_id = "readAccount",
    params(("id" = String, Path, description = "Its id, or its code", example = "CID-1")),
    responses(
        (status = 200, description = "The account", body = CustomerBody, headers(("ETag" = String))),
        SignedInProblems,
        QueryProblem,
        NoSuchRecord,
    ),
)]
pub async fn read_account(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    read(&app, actor, &request, CustomerKind::Account, &id).await
}

/// Erases an account with all that hangs on it: notes, tickets, messages, history, and its part of the
/// kept deliveries. Deals with it stay, without it. Owner and admins only.
#[utoipa::path(
    delete,
    path = "/api/v1/accounts/{id}",
    tag = "Records",
    operation_id = "eraseAccount",
    params(("id" = String, Path, description = "Its id, or its code", example = "CID-1")),
    responses((status = 204, description = "Nothing of it is left"), AdminProblems, NoSuchRecord),
)]
pub async fn erase_account(
    app: Data<App>,
    Admin(actor): Admin,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    erase(&app, actor, CustomerKind::Account, &id).await
}

/// Lists what happened to an account, newest first.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/accounts/{id}/history",
    tag = "Records",
    operation_id = "accountHistory",
    params(
        ("id" = String, Path, description = "Its id, or its code", example = "CID-1"),
        PageParameters
    ),
    responses(
        (status = 200, description = "A page of its history", body = Page<HistoryLine>),
        SignedInProblems,
        NoSuchRecord,
        QueryProblem,
    ),
)]
pub async fn account_history(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    read_history(&app, actor, &request, CustomerKind::Account, &id).await
}

/// Lists leads, newest first; a member gets those that permits let him see.
/// A parameter that is unknown or wrong is a 422.
#[utoipa::path(
    get,
    path = "/api/v1/leads",
    tag = "Records",
    operation_id = "listLeads",
    params(ListParameters),
    responses(
        (status = 200, description = "A page of leads", body = Page<CustomerBody>),
        SignedInProblems,
        QueryProblem,
    ),
)]
pub async fn list_leads(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
) -> Result<Json<Page<CustomerBody>>, Problem> {
    list(&app, actor, &request, CustomerKind::Lead).await
}

/// Reads a lead by its id or its code, `LID-n` in any case.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/leads/{id}",
    tag = "Records",
    operation_id = "readLead",
    params(("id" = String, Path, description = "Its id, or its code", example = "LID-1")),
    responses(
        (status = 200, description = "The lead", body = CustomerBody, headers(("ETag" = String))),
        SignedInProblems,
        QueryProblem,
        NoSuchRecord,
    ),
)]
pub async fn read_lead(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    read(&app, actor, &request, CustomerKind::Lead, &id).await
}

/// Erases a lead with all that hangs on it: notes, tickets, messages, history, and its part of the
/// kept deliveries. Deals with it stay, without it. Owner and admins only.
#[utoipa::path(
    delete,
    path = "/api/v1/leads/{id}",
    tag = "Records",
    operation_id = "eraseLead",
    params(("id" = String, Path, description = "Its id, or its code", example = "LID-1")),
    responses((status = 204, description = "Nothing of it is left"), AdminProblems, NoSuchRecord),
)]
pub async fn erase_lead(
    app: Data<App>,
    Admin(actor): Admin,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    erase(&app, actor, CustomerKind::Lead, &id).await
}

/// Lists what happened to a lead, newest first.
/// One that is not there, or that the caller may not see, is a 404.
#[utoipa::path(
    get,
    path = "/api/v1/leads/{id}/history",
    tag = "Records",
    operation_id = "leadHistory",
    params(
        ("id" = String, Path, description = "Its id, or its code", example = "LID-1"),
        PageParameters
    ),
    responses(
        (status = 200, description = "A page of its history", body = Page<HistoryLine>),
        SignedInProblems,
        NoSuchRecord,
        QueryProblem,
    ),
)]
pub async fn lead_history(
    app: Data<App>,
    actor: Actor,
    request: HttpRequest,
    id: Path<String>,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    read_history(&app, actor, &request, CustomerKind::Lead, &id).await
}

async fn list(
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    kind: CustomerKind,
) -> Result<Json<Page<CustomerBody>>, Problem> {
    let query = Query::of_list(request, &FILTERS)?;
    let paging = query.paging()?;
    let directory = app.directories.current(actor.org).await?;
    let filters = filters::read(&query, directory.org.region)?;
    let rows = app
        .db
        .in_org(actor.org, move |conn| {
            customers::list(conn, &actor, kind, &filters, paging.before(), paging.rows())
        })
        .await?;
    let bodies: Vec<CustomerBody> = rows
        .into_iter()
        .map(|row| representation::customer(row, kind, &directory))
        .collect::<Result<_, _>>()?;
    Ok(Json(paging.page(bodies, |body| body.id)))
}

async fn read(
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    kind: CustomerKind,
    id: &str,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string(), &[])?;
    let id = addressed(id, kind)?;
    let directory = app.directories.current(actor.org).await?;
    let found = app
        .db
        .in_org(actor.org, move |conn| customers::find(conn, &actor, kind, id))
        .await?
        .ok_or_else(|| Problem::not_found(kind.as_str()))?;
    let body = representation::customer(found, kind, &directory)?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag::of(&body))).json(body))
}

async fn erase(
    app: &App,
    actor: Actor,
    kind: CustomerKind,
    id: &str,
) -> Result<HttpResponse, Problem> {
    let id = addressed(id, kind)?;
    app.db
        .in_org(actor.org, move |conn| {
            let found = customers::find(conn, &actor, kind, id)?
                .ok_or_else(|| Problem::not_found(kind.as_str()))?;
            let (id, code) = (found.record.id, CustomerCode { kind, number: found.record.number });
            erase_customer(conn, actor.org, id)?;
            // The code alone: the log outlives what was to be forgotten.
            let subject = audit::Subject {
                resource: resource(kind),
                id: &id.to_string(),
                name: &code.to_string(),
            };
            audit::record(conn, &actor, Action::Erased, subject, &json!({}))?;
            Ok::<_, Problem>(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The kind's part of the path.
const fn resource(kind: CustomerKind) -> &'static str {
    match kind {
        CustomerKind::Contact => "contacts",
        CustomerKind::Account => "accounts",
        CustomerKind::Lead => "leads",
    }
}

async fn read_history(
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    kind: CustomerKind,
    id: &str,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    let paging = Query::of_list(request, &[])?.paging()?;
    let id = addressed(id, kind)?;
    let lines = app
        .db
        .in_org(actor.org, move |conn| {
            let Some(customer) = customers::find_id(conn, &actor, kind, id)? else {
                return Ok::<_, StoreError>(None);
            };
            let subject = Subject::Customer(customer);
            let page = history::list(conn, actor.org, subject, paging.before(), paging.rows())?;
            Ok(Some(page))
        })
        .await?
        .ok_or_else(|| Problem::not_found(kind.as_str()))?;
    Ok(Json(paging.page(lines, |line| line.id).map(history_line)))
}

/// What a path's id addresses; what can be no record of the kind is not found either.
fn addressed(id: &str, kind: CustomerKind) -> Result<PathId, Problem> {
    PathId::parse(id, kind).ok_or_else(|| Problem::not_found(kind.as_str()))
}
