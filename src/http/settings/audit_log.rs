//! `/api/v1/audit-log` (`api.md` 4): who changed which setting, when, from where.

use crate::app::App;
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, ProblemDocument, QueryProblem};
use crate::http::page::{Page, Query};
use crate::problem::Problem;
use crate::store::audit::{self, Line, LineFilter, OPERATOR};
use crate::store::settings::Rows;
use crate::store::word::Stored;
use actix_web::{HttpRequest, web};
use beeiq_core::records::audit::Action;
use beeiq_core::values::network;
use beeiq_core::values::text::clean;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A line of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditLine {
    /// Its id.
    id: Uuid,
    /// When it happened.
    at: DateTime<Utc>,
    /// Who did it; null for who has not signed in.
    actor: Option<AuditActor>,
    /// The address that it was done from, where it could be told.
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
    action: Action,
    /// To what: the last part of its path.
    #[schema(example = "listeners")]
    resource: String,
    /// Its id in the path; empty where there is one of it.
    resource_id: String,
    /// Its name when it happened.
    name: String,
    /// Field → `{from, to}` of what it changed; secrets are left out.
    #[schema(value_type = HashMap<String, AuditChange>)]
    changes: Value,
}

/// What a field was and is; null where there was, or is, nothing.
#[derive(ToSchema)]
#[expect(dead_code, reason = "here for its description")]
pub struct AuditChange {
    from: Value,
    to: Value,
}

/// Who changed a setting.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AuditActor {
    /// A user, by their e-mail then.
    Email(String),
    /// An API key, by its name then.
    ApiKey(String),
    /// Who runs the instance, by its commands.
    Operator(bool),
}

impl From<Line> for AuditLine {
    fn from(line: Line) -> Self {
        let Line {
            id,
            at,
            actor_id,
            api_key_id,
            actor_name,
            address,
            action: Stored(action),
            resource,
            resource_id,
            resource_name,
            changes,
        } = line;
        let actor = match (actor_id, api_key_id) {
            (Some(_), _) => Some(AuditActor::Email(actor_name)),
            (None, Some(_)) => Some(AuditActor::ApiKey(actor_name)),
            (None, None) if actor_name == OPERATOR => Some(AuditActor::Operator(true)),
            (None, None) => None,
        };
        let address = address.map(network::written);
        Self { id, at, actor, address, action, resource, resource_id, name: resource_name, changes }
    }
}

crate::http::routes::routes![list, read];

/// Lists who changed which setting, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit-log", tag = "Audit log", operation_id = "listAuditLog",
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100, description = "How many; 20 when absent"),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before"),
        ("resource" = Option<String>, Query, description = "About this resource, such as listeners"),
        ("resourceId" = Option<String>, Query, description = "About the one with this id"),
        ("actor" = Option<String>, Query, description = "By the user of this e-mail, or the API key of this name"),
        ("from" = Option<DateTime<Utc>>, Query, description = "Then or later"),
        ("to" = Option<DateTime<Utc>>, Query, description = "Then or earlier"),
    ),
    responses((status = 200, body = Page<AuditLine>), AdminProblems, QueryProblem),
)]
pub async fn list(
    app: web::Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
) -> Result<web::Json<Page<AuditLine>>, Problem> {
    let query = Query::of_list(&request, &["resource", "resourceId", "actor", "from", "to"])?;
    let (paging, text) = (query.paging()?, |name: &str| query.get(name).map(clean));
    let filter = LineFilter {
        resource: text("resource"),
        resource_id: text("resourceId"),
        actor: text("actor"),
        from: query.time("from")?,
        to: query.time("to")?,
    };
    let rows = Rows::page(paging.before(), paging.rows());
    let lines = app.read(actor.org, move |conn| audit::list(conn, actor.org, rows, &filter)).await;
    Ok(web::Json(paging.page(lines?, |line| line.id).map(AuditLine::from)))
}

/// Reads a line of the audit log.
#[utoipa::path(
    get, path = "/api/v1/audit-log/{id}", tag = "Audit log", operation_id = "readAuditLine",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = AuditLine),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn read(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<web::Json<AuditLine>, Problem> {
    let unknown = || Problem::not_found("line of the audit log");
    let rows = Rows::one(id.parse().map_err(|_| unknown())?);
    let filter = LineFilter::default();
    let lines = app.read(actor.org, move |conn| audit::list(conn, actor.org, rows, &filter)).await;
    Ok(web::Json(lines?.into_iter().next().ok_or_else(unknown)?.into()))
}
