//! Contacts, accounts and leads: list, read, erase, history (`api.md` 5). The three are alike; what they
//! share is at the end.

use super::NoSuchRecord;
use super::filters::{self, FILTERS, ListParameters, PageParameters};
use super::history::HistoryLine;
use super::record::{self, Address};
use super::representation::{self, CustomerBody};
use crate::access::Actor;
use crate::app::App;
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, QueryProblem, SignedInProblems};
use crate::http::page::Page;
use crate::ingest::redaction::erase_customer;
use crate::problem::Problem;
use crate::service::audit;
use crate::store::customers;
use crate::store::listing::Filters;
use crate::store::pool::Conn;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::batch::Subject;
use beeiq_core::records::audit::Action;
use beeiq_core::records::customer::{Customer, CustomerKind};
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

/// Lists contacts, newest first; a member gets those that permits let them see.
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
    list(CustomerKind::Contact, &app, actor, &request).await
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
    read(CustomerKind::Contact, &app, actor, &request, &id).await
}

/// Erases a contact with all that hangs on it: notes, tickets, activities, messages, history, and its part of the
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
    erase(CustomerKind::Contact, &app, actor, &id).await
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
    read_history(CustomerKind::Contact, &app, actor, &request, &id).await
}

/// Lists accounts, newest first; a member gets those that permits let them see.
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
    list(CustomerKind::Account, &app, actor, &request).await
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
    read(CustomerKind::Account, &app, actor, &request, &id).await
}

/// Erases an account with all that hangs on it: notes, tickets, activities, messages, history, and its part of the
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
    erase(CustomerKind::Account, &app, actor, &id).await
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
    read_history(CustomerKind::Account, &app, actor, &request, &id).await
}

/// Lists leads, newest first; a member gets those that permits let them see.
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
    list(CustomerKind::Lead, &app, actor, &request).await
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
    read(CustomerKind::Lead, &app, actor, &request, &id).await
}

/// Erases a lead with all that hangs on it: notes, tickets, activities, messages, history, and its part of the
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
    erase(CustomerKind::Lead, &app, actor, &id).await
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
    read_history(CustomerKind::Lead, &app, actor, &request, &id).await
}

async fn list(
    kind: CustomerKind,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
) -> Result<Json<Page<CustomerBody>>, Problem> {
    let load = move |conn: &mut Conn, actor: &Actor, filters: &Filters, before, limit| {
        customers::list(conn, actor, kind, filters, before, limit)
    };
    record::list(app, actor, request, (&FILTERS, filters::of_org), load, representation::customer)
        .await
}

async fn read(
    kind: CustomerKind,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    id: &str,
) -> Result<HttpResponse, Problem> {
    let find = move |conn: &mut Conn, actor: &Actor, id| customers::find(conn, actor, kind, id);
    record::read(app, actor, request, address(kind, id), find, representation::customer).await
}

async fn read_history(
    kind: CustomerKind,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    id: &str,
) -> Result<Json<Page<HistoryLine>>, Problem> {
    let find = move |conn: &mut Conn, actor: &Actor, id| customers::find_id(conn, actor, kind, id);
    record::read_history(app, actor, request, address(kind, id), find, Subject::Customer).await
}

fn address(kind: CustomerKind, id: &str) -> Address<PathId> {
    Address { kind: kind.as_str(), id: PathId::parse(id, kind) }
}

async fn erase(
    kind: CustomerKind,
    app: &App,
    actor: Actor,
    id: &str,
) -> Result<HttpResponse, Problem> {
    let id = address(kind, id).get()?;
    app.db
        .in_org(actor.org, move |conn| {
            let found = customers::find(conn, &actor, kind, id)?
                .ok_or_else(|| Problem::not_found(kind.as_str()))?;
            let Customer { id, code, .. } = found.record;
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
