//! The API: a module per resource, with its handlers, its routes and their description together.

mod body;
mod caller;
mod deliveries;
mod docs;
mod etag;
mod extract;
mod health;
mod listener;
pub(crate) mod metrics;
pub(crate) mod middleware;
mod openapi;
mod outbox;
mod page;
mod problem;
mod rate_limit;
mod records;
mod routes;
mod sandbox;
mod schemas;
mod sessions;
pub(crate) mod settings;

use crate::problem::Problem;
use actix_web::{HttpResponse, web};
use routes::{Api, Operation, read};
use settings::{listeners, picklists};
use std::sync::LazyLock;
use utoipa::OpenApi;

/// Every operation, module by module. What other systems call comes first, because a path is
/// compared with one after the other; and a fixed path before a parameter in its place.
const OPERATIONS: &[&[Operation]] = &[
    listener::ROUTES,
    health::ROUTES,
    metrics::ROUTES,
    sessions::ROUTES,
    listeners::ROUTES,
    listeners::preview::ROUTES,
    settings::users::ROUTES,
    settings::groups::ROUTES,
    settings::tags::ROUTES,
    picklists::sources::ROUTES,
    picklists::channels::ROUTES,
    picklists::deal_stages::ROUTES,
    picklists::deal_categories::ROUTES,
    picklists::deal_packages::ROUTES,
    settings::currencies::ROUTES,
    settings::slas::ROUTES,
    settings::custom_fields::ROUTES,
    settings::org::ROUTES,
    settings::audit_log::ROUTES,
    settings::api_keys::ROUTES,
    settings::email::ROUTES,
    settings::sms::ROUTES,
    outbox::ROUTES,
    deliveries::replays::ROUTES,
    deliveries::ROUTES,
    schemas::ROUTES,
    sandbox::ROUTES,
    records::customers::ROUTES,
    records::deals::ROUTES,
    records::tickets::ROUTES,
    records::notes::ROUTES,
    records::activities::ROUTES,
];

static API: LazyLock<Api> = LazyLock::new(|| {
    let mut api = Api::new(openapi::Frame::openapi(), OPERATIONS.iter().copied().flatten());
    openapi::complete(&mut api.document);
    api
});

/// The OpenAPI document of all operations.
pub fn document() -> &'static utoipa::openapi::OpenApi {
    &API.document
}

/// All routes. What matches none is 404; a method that a path does not have is 405.
pub fn routes(config: &mut web::ServiceConfig) {
    API.serve(config);
    config
        .service(web::resource("/openapi.json").route(read().to(serve_document)))
        .service(web::resource("/docs").route(read().to(docs::enter)))
        .service(web::resource("/docs/{file:.*}").route(read().to(docs::file)))
        .default_service(web::to(nothing_here));
}

async fn serve_document() -> HttpResponse {
    HttpResponse::Ok().json(document())
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("path"))
}
