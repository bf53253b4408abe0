//! How settings resources are described, and how their handlers ask the service.

use crate::access::Actor;
use crate::app::App;
use crate::http::body;
use crate::http::etag::{self, IfMatch};
use crate::http::page::{Page, Query, invalid};
use crate::problem::Problem;
use crate::service::settings::{
    self, Changing, Edit, Entry, EntryOf, ListFilter, Resource, Settings, UnfitFilter, json,
};
use crate::store::settings::Rows;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

impl<S: Settings + ToSchema, X: ToSchema> PartialSchema for Entry<S, X> {
    /// The settings' fields, all of which are there, beside those of the server.
    fn schema() -> RefOr<Schema> {
        let mut object = object_of::<S>();
        object.additional_properties = None;
        object.description = None;
        object.properties.extend(object_of::<Made>().properties);
        object.properties.extend(object_of::<X>().properties);
        object.required = object.properties.keys().cloned().collect();
        object.into()
    }
}

impl<S: Settings + ToSchema, X: ToSchema> ToSchema for Entry<S, X> {
    fn name() -> Cow<'static, str> {
        S::NAME.into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        S::schemas(schemas);
        X::schemas(schemas);
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

impl<S: Settings + ToSchema> PartialSchema for Change<S> {
    fn schema() -> RefOr<Schema> {
        let mut object = object_of::<S>();
        object.required.clear();
        object.description = Some("What changes (RFC 7396); null sets back.".to_owned());
        object.into()
    }
}

impl<S: Settings + ToSchema> ToSchema for Change<S> {
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

/// A page of the list.
pub(super) async fn list<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
) -> Result<HttpResponse, Problem> {
    let query = Query::of_list(request, R::Filter::PARAMETERS)?;
    let filter = R::Filter::of(&|name| query.get(name).map(str::to_owned))
        .map_err(|UnfitFilter(name, message)| invalid(name, message))?;
    let paging = query.paging()?;
    let rows = Rows::page(paging.before(), paging.rows());
    let list = move |conn: &mut _| settings::list(conn, actor.org, &resource, rows, &filter);
    let found = app.read(actor.org, list).await?;
    let page: Page<EntryOf<R>> = paging.page(found, |entry| entry.id);
    Ok(HttpResponse::Ok().json(page))
}

pub(super) async fn read<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    id: String,
) -> Result<HttpResponse, Problem> {
    let read = move |conn: &mut _| settings::read(conn, actor.org, &resource, &id);
    shown::<R>(HttpResponse::Ok(), &app.read(actor.org, read).await?)
}

pub(super) async fn create<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let settings: R::Settings = body::json(payload).await?;
    add(resource, app, actor, settings).await
}

pub(super) async fn add<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    settings: R::Settings,
) -> Result<HttpResponse, Problem> {
    let path = resource.path();
    let entry = app
        .write(actor.org, move |conn| {
            settings::create(&mut Edit::of(conn, &actor), &resource, &settings)
        })
        .await?;
    let place = format!("{}/api/v1/{path}/{}", app.public_url, R::name_in_path(&entry));
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, place));
    shown::<R>(response, &entry)
}

/// Changes one by a merge patch.
pub(super) async fn change<R: Changing>(
    resource: R,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    id: String,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let if_match = IfMatch::of(request);
    let patch = body::value(payload).await?;
    let entry = app
        .write(actor.org, move |conn| {
            settings::change(&mut Edit::of(conn, &actor), &resource, &id, |present| {
                if_match.check(&etag_of::<R>(present)?)?;
                body::from_value(body::merged(json(&present.settings)?, patch)?)
            })
        })
        .await?;
    shown::<R>(HttpResponse::Ok(), &entry)
}

pub(super) async fn delete<R: Resource>(
    resource: R,
    app: &App,
    actor: Actor,
    request: &HttpRequest,
    id: String,
) -> Result<HttpResponse, Problem> {
    let if_match = IfMatch::of(request);
    app.write(actor.org, move |conn| {
        settings::delete(&mut Edit::of(conn, &actor), &resource, &id, |present| {
            if_match.check(&etag_of::<R>(present)?)
        })
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

pub(super) fn shown<R: Resource>(
    mut response: HttpResponseBuilder,
    entry: &EntryOf<R>,
) -> Result<HttpResponse, Problem> {
    Ok(response.insert_header((header::ETAG, etag_of::<R>(entry)?)).json(entry))
}

fn etag_of<R: Resource>(entry: &EntryOf<R>) -> Result<String, Problem> {
    Ok(etag::of(&R::version(entry)?))
}
