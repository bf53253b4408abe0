//! What all settings resources have in common: list, create, read, change and delete, with one way
//! to check, to lock, to log, and to tell what is wrong (`api.md` 2, 4). A resource says what is its
//! own by [`Resource`]; `operations` makes of it what the document describes.

use crate::access::Actor;
use crate::app::App;
use crate::clock;
use crate::http::body;
use crate::http::etag::{self, IfMatch};
use crate::http::page::{Page, Query};
use crate::problem::Problem;
use crate::service::validity::check;
use crate::store::audit::{self, Subject};
use crate::store::directory;
use crate::store::error::{DbError, StoreError};
use crate::store::pool::Conn;
use crate::store::settings::rows::Rows;
use crate::store::settings::usage::{self, Referred};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{Action, changes};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use validator::Validate;

/// What to do about what is in use.
const OTHERS_FIRST: &str = "Give them another one first, or none.";

/// What can be set of a resource: the body of a create, and a read one's but for what the server
/// sets.
pub trait Settings: Serialize + DeserializeOwned + Validate + ToSchema + Send + 'static {
    /// What one of the resource is called in the document, such as `DealStage`.
    const NAME: &'static str;
    /// What it is called in messages, such as "deal stage".
    const WHAT: &'static str;

    /// What it is known by in the org.
    fn key(&self) -> &str;

    /// Which field that is.
    #[must_use]
    fn key_pointer() -> &'static str {
        "/name"
    }
}

/// One of a resource, as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry<S> {
    /// Its id.
    pub id: Uuid,
    /// What can be set.
    #[serde(flatten)]
    pub settings: S,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl<S: Settings> PartialSchema for Entry<S> {
    /// The settings' fields, all of which are there, beside those of the server.
    fn schema() -> RefOr<Schema> {
        let mut object = object_of::<S>();
        object.additional_properties = None;
        object.description = None;
        object.properties.extend(object_of::<Made>().properties);
        object.required = object.properties.keys().cloned().collect();
        object.into()
    }
}

impl<S: Settings> ToSchema for Entry<S> {
    fn name() -> Cow<'static, str> {
        S::NAME.into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        S::schemas(schemas);
    }
}

/// What the server sets of one, for its description.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "here for its description")]
struct Made {
    /// Its id.
    id: Uuid,
    /// When it was made.
    created_at: DateTime<Utc>,
}

/// What changes of one: a merge patch (RFC 7396). It only describes; the patch itself is read as
/// JSON.
pub struct Change<S>(std::marker::PhantomData<S>);

impl<S: Settings> PartialSchema for Change<S> {
    fn schema() -> RefOr<Schema> {
        let mut object = object_of::<S>();
        object.required.clear();
        object.description = Some("What changes (RFC 7396); null sets back.".to_owned());
        object.into()
    }
}

impl<S: Settings> ToSchema for Change<S> {
    fn name() -> Cow<'static, str> {
        format!("{}Change", S::NAME).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        S::schemas(schemas);
    }
}

/// The schema of an object; empty where it is none.
pub(crate) fn object_of<S: PartialSchema>() -> Object {
    match S::schema() {
        RefOr::T(Schema::Object(object)) => object,
        _ => Object::new(),
    }
}

/// Why something was not set.
pub enum Refusal {
    /// Because of this.
    Problem(Problem),
    /// The database, which may mean a name that is taken or a thing in use.
    Store(StoreError),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl Refusal {
    fn of_writing<S: Settings>(self, settings: &S) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Store(StoreError::Taken) => {
                let message =
                    format!("Another {} is called \"{}\", in any case.", S::WHAT, settings.key());
                let fault = Fault::new(Code::NameTaken, S::key_pointer(), message.clone());
                Problem::new(Code::NameTaken, message).with_errors(vec![fault])
            }
            Self::Store(error) => error.into(),
        }
    }

    fn of_deleting(self, what: &str) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Store(StoreError::Reference) => in_use(what, "other records", OTHERS_FIRST),
            Self::Store(error) => error.into(),
        }
    }
}

/// A resource of settings: what is its own.
pub trait Resource: Clone + Send + 'static {
    /// What can be set of one.
    type Settings: Settings;
    /// Which of a list are asked for.
    type Filter: Default + Send + 'static;
    /// The query parameters of its list beside `limit` and `cursor`.
    const FILTERS: &'static [&'static str] = &["name"];

    /// The last part of its path.
    fn path(&self) -> &'static str;

    /// Reads the filters of a list.
    ///
    /// # Errors
    /// 422 `invalid_query`.
    fn filter(query: &Query) -> Result<Self::Filter, Problem>;

    /// Those that are asked for, newest first.
    ///
    /// # Errors
    /// Those of the database.
    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &Self::Filter,
    ) -> Result<Vec<Entry<Self::Settings>>, Problem>;

    /// The id of what a path names.
    ///
    /// # Errors
    /// Those of the database.
    fn named(&self, _: &mut Conn, _: Uuid, text: &str) -> Result<Option<Uuid>, Problem> {
        Ok(text.parse().ok())
    }

    /// What a path names it by.
    fn name_in_path(entry: &Entry<Self::Settings>) -> String {
        entry.id.to_string()
    }

    /// Adds one, in the transaction that is open; other changes of the org's settings wait.
    ///
    /// # Errors
    /// What is wrong with it, and the database's.
    fn create(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        id: Uuid,
        settings: &Self::Settings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal>;

    /// Changes one; deliveries and other changes of the org's settings wait.
    ///
    /// # Errors
    /// What is wrong with it, and the database's.
    fn change(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &Entry<Self::Settings>,
        settings: &Self::Settings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal>;

    /// Deletes one; deliveries and other changes of the org's settings wait.
    ///
    /// # Errors
    /// Why it cannot be deleted, and the database's.
    fn delete(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &Entry<Self::Settings>,
    ) -> Result<(), Refusal>;
}

/// A page of the list.
pub(super) async fn list<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
) -> Result<web::Json<Page<Entry<R::Settings>>>, Problem> {
    let query = Query::of_list(request, R::FILTERS)?;
    let (paging, filter) = (query.paging()?, R::filter(&query)?);
    let rows = Rows::page(paging.before(), paging.rows());
    let found =
        app.db.in_org(actor.org, move |conn| resource.load(conn, actor.org, rows, &filter)).await?;
    Ok(web::Json(paging.page(found, |entry| entry.id)))
}

/// One.
pub(super) async fn read<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    id: String,
) -> Result<HttpResponse, Problem> {
    let entry =
        app.db.in_org(actor.org, move |conn| found(&resource, conn, actor.org, &id)).await?;
    Ok(shown(HttpResponse::Ok(), &entry))
}

/// Adds one from a body.
pub(super) async fn create<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let settings: R::Settings = body::json(payload).await?;
    add(resource, app, actor, settings).await
}

/// Adds one.
pub(super) async fn add<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    settings: R::Settings,
) -> Result<HttpResponse, Problem> {
    check(&settings)?;
    let (org, now, id) = (actor.org, clock::now(), clock::new_id());
    let path = resource.path();
    let entry = app
        .db
        .in_org(org, move |conn| {
            directory::bump(conn, org)?;
            resource
                .create(conn, &actor, id, &settings, now)
                .map_err(|refusal| refusal.of_writing(&settings))?;
            let entry = loaded(&resource, conn, org, id)?;
            log(&resource, conn, &actor, Action::Created, None, Some(&entry))?;
            Ok::<_, Problem>(entry)
        })
        .await?;
    let place = format!("{}/api/v1/{path}/{}", app.public_url, R::name_in_path(&entry));
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, place));
    Ok(shown(response, &entry))
}

/// Changes one by a merge patch.
pub(super) async fn change<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    id: String,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (org, now, if_match) = (actor.org, clock::now(), IfMatch::of(request));
    let patch = body::value(payload).await?;
    let entry = app
        .db
        .in_org(org, move |conn| {
            directory::hold_deliveries(conn, org)?;
            directory::bump(conn, org)?;
            let present = found(&resource, conn, org, &id)?;
            if_match.check(&etag::of(&present))?;
            let wanted: R::Settings =
                body::from_value(body::merged(json(&present.settings)?, patch)?)?;
            check(&wanted)?;
            resource
                .change(conn, &actor, &present, &wanted, now)
                .map_err(|refusal| refusal.of_writing(&wanted))?;
            let entry = loaded(&resource, conn, org, present.id)?;
            log(&resource, conn, &actor, Action::Changed, Some(&present), Some(&entry))?;
            Ok::<_, Problem>(entry)
        })
        .await?;
    Ok(shown(HttpResponse::Ok(), &entry))
}

/// Deletes one.
pub(super) async fn delete<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    id: String,
) -> Result<HttpResponse, Problem> {
    let (org, if_match) = (actor.org, IfMatch::of(request));
    app.db
        .in_org(org, move |conn| {
            directory::hold_deliveries(conn, org)?;
            directory::bump(conn, org)?;
            let present = found(&resource, conn, org, &id)?;
            if_match.check(&etag::of(&present))?;
            resource
                .delete(conn, &actor, &present)
                .map_err(|refusal| refusal.of_deleting(R::Settings::WHAT))?;
            log(&resource, conn, &actor, Action::Deleted, Some(&present), None)
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What a path names.
pub(super) fn found<R: Resource>(
    resource: &R,
    conn: &mut Conn,
    org: Uuid,
    id: &str,
) -> Result<Entry<R::Settings>, Problem> {
    let id = resource.named(conn, org, id)?;
    let id = id.ok_or_else(|| Problem::not_found(R::Settings::WHAT))?;
    loaded(resource, conn, org, id)
}

fn loaded<R: Resource>(
    resource: &R,
    conn: &mut Conn,
    org: Uuid,
    id: Uuid,
) -> Result<Entry<R::Settings>, Problem> {
    let found = resource.load(conn, org, Rows::one(id), &R::Filter::default())?;
    found.into_iter().next().ok_or_else(|| Problem::not_found(R::Settings::WHAT))
}

/// Writes the line of the audit log. A change of nothing writes none.
fn log<R: Resource>(
    resource: &R,
    conn: &mut Conn,
    actor: &Actor,
    action: Action,
    before: Option<&Entry<R::Settings>>,
    after: Option<&Entry<R::Settings>>,
) -> Result<(), Problem> {
    let Some(entry) = after.or(before) else {
        return Ok(());
    };
    let settings = |entry: Option<&Entry<R::Settings>>| {
        entry.map_or(Ok(Value::Null), |entry| json(&entry.settings))
    };
    let changes = changes(&settings(before)?, &settings(after)?);
    if action == Action::Changed && changes.as_object().is_some_and(|it| it.is_empty()) {
        return Ok(());
    }
    let id = R::name_in_path(before.unwrap_or(entry));
    let subject = Subject { resource: resource.path(), id: &id, name: entry.settings.key() };
    Ok(audit::record(conn, actor, action, subject, &changes)?)
}

fn shown<S: Settings>(
    mut response: actix_web::HttpResponseBuilder,
    entry: &Entry<S>,
) -> HttpResponse {
    response.insert_header((header::ETAG, etag::of(entry))).json(entry)
}

/// A representation as JSON, with all fields.
pub(super) fn json(representation: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(representation).map_err(|error| {
        tracing::error!(%error, "a setting cannot be written");
        Problem::new(Code::Internal, "The setting cannot be shown; this has been logged.")
    })
}

/// 409 `in_use`, saying by what, and what to do about it.
pub(super) fn in_use(what: &str, by: &str, remedy: &str) -> Problem {
    Problem::new(Code::InUse, format!("This {what} is in use by {by}. {remedy}"))
}

/// Refuses where something refers to it.
pub(super) fn unused(
    conn: &mut Conn,
    org: Uuid,
    referred: Referred,
    what: &str,
    id: Uuid,
) -> Result<(), Problem> {
    match usage::of(conn, org, referred, id)? {
        Some(by) if referred == Referred::User => Err(in_use(what, &by, "Deactivate him instead.")),
        Some(by) => Err(in_use(what, &by, OTHERS_FIRST)),
        None => Ok(()),
    }
}

/// Refuses where the org has as many as it may have.
pub(super) fn room(count: i64, most: i64, what: &str) -> Result<(), Problem> {
    if count < most {
        return Ok(());
    }
    let detail = format!("There are {most} already, the most that an org may have of a {what}.");
    Err(Problem::new(Code::LimitReached, detail))
}

/// The filter of a list by name, in any case.
#[derive(Debug, Default)]
pub struct ByName(pub(super) Option<String>);

impl ByName {
    /// Reads it.
    pub(super) fn of(query: &Query) -> Self {
        Self(query.get("name").map(fold))
    }

    /// The key to compare with.
    pub(super) fn key(&self) -> Option<&str> {
        self.0.as_deref()
    }
}
