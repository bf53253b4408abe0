//! The API: a module per resource, with its handlers, its routes and their description together.

mod body;
mod caller;
mod connections;
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
use actix_web::http::header::ContentType;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use routes::{Api, Operation, read};
use std::sync::LazyLock;
use utoipa::OpenApi;

/// Every operation, module by module. What other systems call comes first, because a path is
/// compared with one after the other; and a fixed path before a parameter in its place.
const OPERATIONS: &[&[&[Operation]]] = &[
    &[listener::ROUTES, connections::ROUTES, health::ROUTES, metrics::ROUTES, sessions::ROUTES],
    settings::ROUTES,
    settings::names::ROUTES,
    &[outbox::ROUTES, deliveries::replays::ROUTES, deliveries::ROUTES],
    &[schemas::ROUTES, sandbox::ROUTES],
    records::ROUTES,
];

static API: LazyLock<Api> = LazyLock::new(|| {
    let operations = OPERATIONS.iter().copied().flatten().copied().flatten();
    let mut api = Api::new(openapi::Frame::openapi(), operations);
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
    // Made once: it takes some milliseconds, and nobody has to sign in for it.
    static BYTES: LazyLock<Bytes> =
        LazyLock::new(|| document().to_json().unwrap_or_default().into());
    HttpResponse::Ok().content_type(ContentType::json()).body(BYTES.clone())
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("path"))
}
