//! Every route on one page, and the handlers behind them.

pub mod body;
pub(crate) mod caller;
pub mod etag;
pub mod health;
mod intake;
pub mod listener;
pub mod metrics;
pub mod openapi;
pub mod page;
pub mod records;
pub mod sessions;
pub mod settings;

use crate::error::Problem;
use actix_web::guard::{Any, Get, Head};
use actix_web::{HttpResponse, Route, web};
use settings::listeners;

/// All routes. What matches none is 404; a method that a path does not have is 405.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        // The operator's.
        .service(web::resource("/healthz").route(read().to(health::healthz)))
        .service(web::resource("/readyz").route(read().to(health::readyz)))
        .service(web::resource("/metrics").route(read().to(metrics::serve)))
        .service(web::resource("/openapi.json").route(read().to(openapi::serve)))
        // What other systems call: the URL is the credential.
        .service(web::resource("/listener/{token}").route(web::post().to(listener::receive)))
        // Sign-in.
        .service(web::resource("/api/v1/sessions").route(web::post().to(sessions::create)))
        .service(
            web::resource("/api/v1/sessions/current").route(web::delete().to(sessions::delete)),
        )
        .service(web::resource("/api/v1/me").route(read().to(sessions::me)))
        // Settings.
        .service(
            web::resource("/api/v1/listeners")
                .route(read().to(listeners::list))
                .route(web::post().to(listeners::create)),
        )
        .service(
            web::resource("/api/v1/listeners/{id}")
                .route(read().to(listeners::read))
                .route(web::patch().to(listeners::change))
                .route(web::delete().to(listeners::delete)),
        )
        .service(
            web::resource("/api/v1/listeners/{id}/rotate").route(web::post().to(listeners::rotate)),
        )
        // Records.
        .configure(records::routes)
        .default_service(web::to(nothing_here));
}

/// GET, and HEAD, which is the same without the body.
fn read() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("path"))
}
