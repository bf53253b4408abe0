//! `/api/v1/api-keys` (`api.md` 3): how programs call the management API. Owner and admins only.

use crate::access::secrets::{TokenKind, new_token};
use crate::access::{Actor, Role, Session};
use crate::app::App;
use crate::clock;
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument, QueryProblem};
use crate::http::page::{Page, Query};
use crate::http::{body, etag};
use crate::problem::Problem;
use crate::store::api_keys::{self, ApiKeyRow};
use crate::store::audit::{self, Subject};
use crate::store::error::StoreError;
use crate::store::orgs;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{Action, changes};
use beeiq_core::values::text::{clean, fold};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// The longest name, in characters.
const LONGEST_NAME: usize = 255;

/// An API key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKey {
    /// Unique in the org, in any case.
    #[schema(min_length = 1, max_length = 255, example = "Nightly report")]
    name: String,
    /// What it may do. A member's key reads what everybody may read.
    role: Role,
    /// When it ends, in the future; null: when it is deleted.
    expires_at: Option<DateTime<Utc>>,
}

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Its id.
    id: Uuid,
    /// Its name.
    name: String,
    /// What it may do.
    role: Role,
    /// When it ends; null: when it is deleted.
    expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to five minutes; null: never.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// An API key that has been made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedKey {
    /// What to send as `Authorization: Bearer …`; shown this once.
    key: String,
    /// What is shown of it later.
    #[serde(flatten)]
    shown: ApiKey,
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = StoreError;

    fn try_from(row: ApiKeyRow) -> Result<Self, StoreError> {
        let ApiKeyRow { id, name, role, expires_at, last_used_at, created_at } = row;
        let role = Role::of_column(&role)?;
        Ok(Self { id, name, role, expires_at, last_used_at, created_at })
    }
}

impl ApiKey {
    /// What the audit log tells of it.
    fn told(&self) -> Value {
        serde_json::json!({
            "name": self.name, "role": self.role, "expiresAt": self.expires_at,
        })
    }
}

crate::http::routes::routes![list, create, read, delete];

/// The org's API keys, newest first.
#[utoipa::path(
    get, path = "/api/v1/api-keys", tag = "API keys", operation_id = "listApiKeys",
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100, description = "How many; 20 when absent"),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before"),
    ),
    responses((status = 200, body = Page<ApiKey>), AdminProblems, QueryProblem),
)]
pub async fn list(
    app: web::Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
) -> Result<web::Json<Page<ApiKey>>, Problem> {
    let paging = Query::of_list(&request, &[])?.paging()?;
    let org = actor.org;
    let rows = app
        .db
        .in_org(org, move |conn| api_keys::list(conn, org, paging.before(), paging.rows()))
        .await?;
    let Page { data, page } = paging.page(rows, |row| row.id);
    let data = data.into_iter().map(ApiKey::try_from).collect::<Result<_, _>>()?;
    Ok(web::Json(Page { data, page }))
}

/// One API key; the key itself is not shown again.
#[utoipa::path(
    get, path = "/api/v1/api-keys/{id}", tag = "API keys", operation_id = "readApiKey",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = ApiKey, headers(("ETag" = String, description = "Of this state"))),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn read(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, org) = (parse_id(&id)?, actor.org);
    let row = app.db.in_org(org, move |conn| api_keys::find(conn, org, id)).await?;
    let key = ApiKey::try_from(row.ok_or_else(unknown)?)?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag::of(&key))).json(key))
}

/// Makes an API key, which is shown this once. Only who has signed in may: a key that leaks must
/// not outlive its end in another. An admin's cannot be an owner's.
#[utoipa::path(
    post, path = "/api/v1/api-keys", tag = "API keys", operation_id = "createApiKey",
    request_body(content = NewKey, example = json!({
        "name": "Nightly report", "role": "member", "expiresAt": "2099-01-01T00:00:00Z"
    })),
    responses(
        (status = 201, body = CreatedKey,
         headers(("Location" = String, description = "Where it is read"))),
        AdminProblems,
        BodyProblems,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`name_taken`"),
    ),
)]
pub async fn create(
    app: web::Data<App>,
    session: Session,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let actor = session.actor;
    actor.must_be_admin()?;
    let wanted: NewKey = body::json(payload).await?;
    let inner = app.clone();
    let created = app.db.in_org(actor.org, move |conn| make(&inner, conn, &actor, &wanted)).await?;
    let location = format!("{}/api/v1/api-keys/{}", app.public_url, created.shown.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(created))
}

/// Deletes an API key: it ends at once.
#[utoipa::path(
    delete, path = "/api/v1/api-keys/{id}", tag = "API keys", operation_id = "deleteApiKey",
    params(("id" = Uuid, Path)),
    responses(
        (status = 204),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn delete(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    app.db
        .in_org(actor.org, move |conn| {
            let key = api_keys::find(conn, actor.org, id)?.ok_or_else(unknown)?;
            let key = ApiKey::try_from(key)?;
            may_hold(&actor, key.role)?;
            if !api_keys::delete(conn, actor.org, id)? {
                return Err(unknown());
            }
            let subject = Subject { resource: "api-keys", id: &id.to_string(), name: &key.name };
            let told = changes(&key.told(), &Value::Null);
            Ok(audit::record(conn, &actor, Action::Deleted, subject, &told)?)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn make(
    app: &App,
    conn: &mut crate::store::pool::Conn,
    actor: &Actor,
    wanted: &NewKey,
) -> Result<CreatedKey, Problem> {
    let (id, now) = (clock::new_id(), clock::now());
    let NewKey { name, role, expires_at } = wanted;
    let name = checked(name, *expires_at, now)?;
    may_hold(actor, *role)?;
    let org = orgs::with_id(conn, actor.org)?.ok_or_else(|| Problem::not_found("org"))?;
    let key = new_token(TokenKind::ApiKey, &org.public_id);
    let new = api_keys::NewApiKey {
        id,
        name: &name,
        name_key: &fold(&name),
        role: role.as_str(),
        token_hash: &app.key.token_hash(TokenKind::ApiKey.purpose(), &key),
        expires_at: *expires_at,
        created_at: now,
    };
    api_keys::create(conn, actor.org, &new).map_err(|error| name_taken(error, &name))?;
    let shown: ApiKey = api_keys::find(conn, actor.org, id)?.ok_or_else(unknown)?.try_into()?;
    let subject = Subject { resource: "api-keys", id: &id.to_string(), name: &name };
    let told = changes(&Value::Null, &shown.told());
    audit::record(conn, actor, Action::Created, subject, &told)?;
    Ok(CreatedKey { key, shown })
}

/// The name in the form in which it is kept.
fn checked(
    name: &str,
    expires_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<String, Problem> {
    let mut faults = Vec::new();
    let name = clean(name);
    if name.is_empty() {
        faults.push(Fault::new(Code::Required, "/name", "The name is empty."));
    } else if name.chars().nth(LONGEST_NAME).is_some() {
        let message = format!("A name has at most {LONGEST_NAME} characters.");
        faults.push(Fault::new(Code::TooLong, "/name", message));
    }
    if expires_at.is_some_and(|end| end <= now) {
        let message = "It would have expired already; give a time in the future, or none.";
        faults.push(Fault::new(Code::OutOfRange, "/expiresAt", message));
    }
    if faults.is_empty() { Ok(name) } else { Err(Problem::fields(faults)) }
}

/// Whether `actor` may make, and end, keys of that role.
fn may_hold(actor: &Actor, role: Role) -> Result<(), Problem> {
    if role == Role::Owner && actor.role != Role::Owner {
        let detail = "Only an owner may make or delete an owner's key.";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(())
}

fn parse_id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::not_found("API key")
}

fn name_taken(error: StoreError, name: &str) -> Problem {
    match error {
        StoreError::Taken => {
            let message = format!("Another API key has the name \"{name}\".");
            let fault = Fault::new(Code::NameTaken, "/name", message.clone());
            Problem::new(Code::NameTaken, message).with_errors(vec![fault])
        }
        other => other.into(),
    }
}
