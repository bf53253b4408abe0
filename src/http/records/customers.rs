//! Contacts, accounts and leads: list, read, erase, history (`api.md` 5). The three are alike; what they
//! share is at the end.

use super::filters::{self, FILTERS};
use super::history::HistoryLine;
use super::record::{self, Address};
use super::representation::{self, CustomerBody};
use crate::access::Actor;
use crate::app::App;
use crate::http::page::Page;
use crate::ingest::redaction::erase_customer;
use crate::problem::Problem;
use crate::service::audit;
use crate::store::customers;
use crate::store::listing::Filters;
use crate::store::pool::Conn;
use crate::telemetry::request;
use actix_web::web::Json;
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::batch::Subject;
use beeiq_core::records::audit::Action;
use beeiq_core::records::customer::CustomerKind;
use beeiq_core::records::path_id::PathId;
use serde_json::json;
use std::time::Duration;

macro_rules! customers {
    ($Kind:ident, $of:tt, $named:tt, $paths:tt, $by:literal, $code:literal) => {
        use crate::http::records::customers;
        use crate::http::records::filters::ListParameters;
        use crate::http::records::representation::CustomerBody;
        use beeiq_core::records::customer::CustomerKind::$Kind;

        crate::http::records::operations::operations! {
            with: (app, actor, request, id), of: $of, named: $named, body: CustomerBody,
            paths: $paths,
            id: ("id" = String, Path, description = "Its id, or its code", example = $code),
            list(ListParameters, "those that permits let them see") =>
                customers::list($Kind, &app, actor, &request),
            read($by) => customers::read($Kind, &app, actor, &request, &id),
            erase() => customers::erase($Kind, &app, actor, &id),
            history() => customers::read_history($Kind, &app, actor, &request, &id),
        }
    };
}

pub mod contacts {
    customers! {
        Contact, ("a contact", "contacts"), ("Contact", "Contacts", "contact"),
        ("/api/v1/contacts", "/api/v1/contacts/{id}", "/api/v1/contacts/{id}/history"),
        "its id or its code, `PID-n` in any case", "PID-1"
    }
}

pub mod accounts {
    customers! {
        Account, ("an account", "accounts"), ("Account", "Accounts", "account"),
        ("/api/v1/accounts", "/api/v1/accounts/{id}", "/api/v1/accounts/{id}/history"),
        "its id or its code, `CID-n` in any case", "CID-1"
    }
}

pub mod leads {
    customers! {
        Lead, ("a lead", "leads"), ("Lead", "Leads", "lead"),
        ("/api/v1/leads", "/api/v1/leads/{id}", "/api/v1/leads/{id}/history"),
        "its id or its code, `LID-n` in any case", "LID-1"
    }
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

/// How long erasing somebody may take: all kept deliveries of the org are read for those that name them.
const ERASING: Duration = Duration::from_secs(600);

async fn erase(
    kind: CustomerKind,
    app: &App,
    actor: Actor,
    id: &str,
) -> Result<HttpResponse, Problem> {
    let id = address(kind, id).get()?;
    let erasing = app.write(actor.org, move |conn| {
        let found = customers::find(conn, &actor, kind, id)?
            .ok_or_else(|| Problem::not_found(kind.as_str()))?;
        let (id, code) = (found.record.id, found.record.code);
        erase_customer(conn, actor.org, id)?;
        // The code alone: the log outlives what was to be forgotten.
        let subject = audit::Subject {
            resource: resource(kind),
            id: &id.to_string(),
            name: &code.to_string(),
        };
        audit::record(conn, &actor, Action::Erased, subject, &json!({}))?;
        Ok::<_, Problem>(())
    });
    request::with_time(ERASING, erasing).await?;
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
