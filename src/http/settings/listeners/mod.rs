//! `/api/v1/listeners` (`api.md` 4): the URLs that other systems post to. Owner and admins only.

mod check;
mod input;
pub mod preview;

pub use input::ListenerSettings;

use super::resource::room;
use crate::access::Actor;
use crate::access::secrets::{TokenKind, new_token};
use crate::app::App;
use crate::clock;
use crate::http::body;
use crate::http::etag::{self, IfMatch};
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument, QueryProblem};
use crate::http::page::{Page, Query};
use crate::problem::Problem;
use crate::store::audit::{self, Subject};
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use crate::store::{directory, listeners, orgs};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{Action, changes};
use chrono::{DateTime, Duration, Utc};
use listeners::{ListenerRow, ListenerValues, NewToken};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

/// The longest that rotated tokens may go on working: a year.
const LONGEST_GRACE: u32 = 366 * 24 * 60 * 60;

/// The most listeners of an org.
const MOST: i64 = 1000;

/// A listener.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Its id.
    id: Uuid,
    /// What can be set.
    #[serde(flatten)]
    settings: ListenerSettings,
    /// Where to post to. Whoever knows it may.
    pub(crate) url: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When the newest delivery came.
    last_delivery_at: Option<DateTime<Utc>>,
}

impl Listener {
    /// The tag of what a change could overwrite: a delivery that comes in meanwhile does not make
    /// a read listener stale.
    fn etag(&self) -> String {
        let Self { id, settings, url, created_at, last_delivery_at: _ } = self;
        etag::of(&(id, settings, url, created_at))
    }

    /// What the audit log names it by.
    fn place(&self) -> (Uuid, &str) {
        (self.id, &self.settings.name)
    }

    /// What the audit log tells of it: the URL is a secret.
    fn told(&self) -> Result<Value, Problem> {
        self.settings.to_json()
    }
}

/// How to rotate a listener's URL.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rotation {
    /// How long the earlier URLs go on working, in seconds, at most 366 days.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 31_622_400)]
    grace_seconds: u32,
}

crate::http::routes::routes![list, create, read, change, delete, rotate];

/// The org's listeners, newest first.
#[utoipa::path(
    get, path = "/api/v1/listeners", tag = "Listeners", operation_id = "listListeners",
    params(
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100, description = "How many; 20 when absent"),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before"),
    ),
    responses((status = 200, body = Page<Listener>), AdminProblems, QueryProblem),
)]
pub async fn list(
    app: web::Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
) -> Result<web::Json<Page<Listener>>, Problem> {
    let paging = Query::of_list(&request, &[])?.paging()?;
    let rows = app
        .db
        .in_org(actor.org, move |conn| {
            listeners::list(conn, actor.org, paging.before(), paging.rows())
        })
        .await?;
    let Page { data, page } = paging.page(rows, |row| row.id);
    let data = data.into_iter().map(|row| shown(&app, actor.org, row)).collect::<Result<_, _>>()?;
    Ok(web::Json(Page { data, page }))
}

/// One listener.
#[utoipa::path(
    get, path = "/api/v1/listeners/{id}", tag = "Listeners", operation_id = "readListener",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = Listener, headers(("ETag" = String, description = "For If-Match"))),
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
    let row = app.db.in_org(org, move |conn| listeners::find(conn, org, id)).await?;
    let listener = shown(&app, org, row.ok_or_else(unknown)?)?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, listener.etag())).json(listener))
}

/// Makes a listener. A tag that is new is created.
#[utoipa::path(
    post, path = "/api/v1/listeners", tag = "Listeners", operation_id = "createListener",
    request_body(content = ListenerSettings, example = json!({
        "name": "Contact form", "allowedIps": ["203.0.113.0/24", "2001:db8::/32"],
        "defaultTag": "newsletter", "contactSource": "Website",
        "welcomeEmail": {"subject": "Welcome, {{ name }}", "body": "<p>Hello {{ name }}!</p>"},
        "welcomeSms": {"enabled": false, "content": "Welcome, {{ name }}!"}
    })),
    responses(
        (status = 201, body = Listener, headers(
            ("Location" = String, description = "Where it is read"),
            ("ETag" = String, description = "For If-Match"),
        )),
        AdminProblems,
        BodyProblems,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`name_taken`, or `limit_reached`"),
    ),
)]
pub async fn create(
    app: web::Data<App>,
    Admin(actor): Admin,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let settings: ListenerSettings = body::json(payload).await?;
    let (org, now) = (actor.org, clock::now());
    let inner = app.clone();
    let listener = app
        .db
        .in_org(org, move |conn| {
            directory::bump(conn, org)?;
            room(listeners::count(conn, org)?, MOST, "listener")?;
            let listener = make(&inner, conn, org, settings, now)?;
            log(conn, &actor, Action::Created, listener.place(), &Value::Null, &listener.told()?)?;
            Ok::<_, Problem>(listener)
        })
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((
            header::LOCATION,
            format!("{}/api/v1/listeners/{}", app.public_url, listener.id),
        ))
        .insert_header((header::ETAG, listener.etag()))
        .json(listener))
}

/// Changes a listener: a merge patch (RFC 7396). `null` sets a field back to its default.
#[utoipa::path(
    patch, path = "/api/v1/listeners/{id}", tag = "Listeners", operation_id = "changeListener",
    params(
        ("id" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "Refuse where its ETag is another"),
    ),
    request_body(content = ref("#/components/schemas/ListenerChange"),
                 content_type = "application/merge-patch+json", // made in openapi.rs
                 example = json!({"enabled": false, "defaultTag": null})),
    responses(
        (status = 200, body = Listener, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
        BodyProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`name_taken`"),
        (status = 412, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn change(
    app: web::Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (id, org, now) = (parse_id(&id)?, actor.org, clock::now());
    let if_match = IfMatch::of(&request);
    let patch = body::value(payload).await?;
    let inner = app.clone();
    let listener = app
        .db
        .in_org(org, move |conn| {
            // First, as in every change of settings: they take turns.
            directory::bump(conn, org)?;
            let present = shown(&inner, org, locked(conn, org, id)?)?;
            if_match.check(&present.etag())?;
            let wanted = body::from_value(body::merged(present.settings.to_json()?, patch)?)?;
            let values = checked(conn, org, wanted, now)?;
            listeners::update(conn, org, id, &values, now)
                .map_err(|error| name_taken(error, &values.name))?;
            let row = listeners::find(conn, org, id)?.ok_or_else(unknown)?;
            let listener = shown(&inner, org, row)?;
            let (before, after) = (present.told()?, listener.told()?);
            if before != after {
                log(conn, &actor, Action::Changed, listener.place(), &before, &after)?;
            }
            Ok::<_, Problem>(listener)
        })
        .await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, listener.etag())).json(listener))
}

/// Gives a listener a new URL; the earlier ones end with the grace.
#[utoipa::path(
    post, path = "/api/v1/listeners/{id}/rotate", tag = "Listeners",
    operation_id = "rotateListener",
    params(("id" = Uuid, Path)),
    request_body(content = Rotation, example = json!({"graceSeconds": 3600})),
    responses(
        (status = 200, body = Listener, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
        BodyProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn rotate(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (id, org, now) = (parse_id(&id)?, actor.org, clock::now());
    let Rotation { grace_seconds } = body::json(payload).await?;
    if grace_seconds > LONGEST_GRACE {
        let message = "The grace is at most 366 days.";
        return Err(Problem::fields(vec![Fault::new(Code::OutOfRange, "/graceSeconds", message)]));
    }
    let end = now + Duration::seconds(i64::from(grace_seconds));
    let inner = app.clone();
    let listener = app
        .db
        .in_org(org, move |conn| {
            directory::bump(conn, org)?;
            locked(conn, org, id)?;
            let token = made_token(&inner, conn, org)?;
            listeners::rotate(conn, org, id, &token, end, now)?;
            let row = listeners::find(conn, org, id)?.ok_or_else(unknown)?;
            let listener = shown(&inner, org, row)?;
            let grace = json!({"graceSeconds": grace_seconds});
            log(conn, &actor, Action::Rotated, listener.place(), &Value::Null, &grace)?;
            Ok::<_, Problem>(listener)
        })
        .await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, listener.etag())).json(listener))
}

/// Deletes a listener: its URLs end at once, its deliveries stay.
#[utoipa::path(
    delete, path = "/api/v1/listeners/{id}", tag = "Listeners", operation_id = "deleteListener",
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
    let (id, org) = (parse_id(&id)?, actor.org);
    app.db
        .in_org(org, move |conn| {
            directory::bump(conn, org)?;
            let settings: ListenerSettings = locked(conn, org, id)?.try_into()?;
            listeners::delete(conn, org, id)?;
            let place = (id, settings.name.as_str());
            log(conn, &actor, Action::Deleted, place, &settings.to_json()?, &Value::Null)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Makes a listener in the transaction that is open.
///
/// # Errors
/// What is wrong with the settings, and the database's.
pub fn make(
    app: &App,
    conn: &mut Conn,
    org: Uuid,
    settings: ListenerSettings,
    now: DateTime<Utc>,
) -> Result<Listener, Problem> {
    let id = clock::new_id();
    let values = checked(conn, org, settings, now)?;
    let token = made_token(app, conn, org)?;
    listeners::create(conn, org, id, &values, &token, now)
        .map_err(|error| name_taken(error, &values.name))?;
    directory::bump(conn, org)?;
    shown(app, org, listeners::find(conn, org, id)?.ok_or_else(unknown)?)
}

/// The URL of the org's oldest listener.
///
/// # Errors
/// Where its token was sealed with another key, and the database's.
pub fn oldest(app: &App, conn: &mut Conn, org: Uuid) -> Result<Option<String>, Problem> {
    let rows = listeners::list(conn, org, None, i64::MAX)?;
    rows.last().map(|row| url(app, org, &row.token_sealed)).transpose()
}

/// The URL of a listener.
///
/// # Errors
/// As [`oldest`], and where there is no such listener.
pub fn url_of(app: &App, conn: &mut Conn, org: Uuid, id: Uuid) -> Result<String, Problem> {
    let row = listeners::find(conn, org, id)?.ok_or_else(unknown)?;
    url(app, org, &row.token_sealed)
}

/// The listener as its row shows it, kept from being changed until the transaction ends.
fn locked(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<ListenerRow, Problem> {
    listeners::lock(conn, org, id)?;
    listeners::find(conn, org, id)?.ok_or_else(unknown)
}

/// Writes a line of the audit log.
fn log(
    conn: &mut Conn,
    actor: &Actor,
    action: Action,
    (id, name): (Uuid, &str),
    before: &Value,
    after: &Value,
) -> Result<(), Problem> {
    let id = id.to_string();
    let subject = Subject { resource: "listeners", id: &id, name };
    Ok(audit::record(conn, actor, action, subject, &changes(before, after))?)
}

/// Checks settings against what the org has; makes the tag where it is new.
fn checked(
    conn: &mut Conn,
    org: Uuid,
    settings: ListenerSettings,
    now: DateTime<Utc>,
) -> Result<ListenerValues, Problem> {
    let fields = listeners::custom_field_names(conn, org)?;
    let sources = listeners::sources(conn, org)?;
    let (mut values, tag) = settings.check(&fields, &sources).map_err(Problem::fields)?;
    if let Some(tag) = tag {
        values.default_tag_id = Some(listeners::tag(conn, org, &tag, clock::new_id(), now)?);
    }
    Ok(values)
}

fn made_token(app: &App, conn: &mut Conn, org: Uuid) -> Result<NewToken, Problem> {
    let public_id = orgs::with_id(conn, org)?.ok_or_else(|| Problem::not_found("org"))?.public_id;
    let token = new_token(TokenKind::Listener, &public_id);
    Ok(NewToken {
        id: clock::new_id(),
        hash: app.key.token_hash(TokenKind::Listener.purpose(), &token),
        sealed: app.key.seal(&listeners::token_place(org), token.as_bytes()),
    })
}

fn shown(app: &App, org: Uuid, row: ListenerRow) -> Result<Listener, Problem> {
    let url = url(app, org, &row.token_sealed)?;
    let (id, created_at, last_delivery_at) = (row.id, row.created_at, row.last_delivery_at);
    Ok(Listener { id, settings: row.try_into()?, url, created_at, last_delivery_at })
}

fn url(app: &App, org: Uuid, token_sealed: &[u8]) -> Result<String, Problem> {
    let token = app.key.open(&listeners::token_place(org), token_sealed).map_err(|error| {
        tracing::error!(%org, "the token of a listener: {error}");
        Problem::new(
            Code::Internal,
            "The listener's URL cannot be read with this instance's key; rotate it for a new one.",
        )
    })?;
    Ok(format!("{}/listener/{}", app.public_url, String::from_utf8_lossy(&token)))
}

fn parse_id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::not_found("listener")
}

fn name_taken(error: StoreError, name: &str) -> Problem {
    match error {
        StoreError::Taken => {
            let message = format!("Another listener has the name \"{name}\".");
            let fault = Fault::new(Code::NameTaken, "/name", message.clone());
            Problem::new(Code::NameTaken, message).with_errors(vec![fault])
        }
        other => other.into(),
    }
}
