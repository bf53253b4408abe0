//! Every route on one page, and the handlers behind them.

pub mod body;
pub(crate) mod caller;
pub mod deliveries;
pub mod etag;
pub mod health;
mod intake;
pub mod listener;
pub mod openapi;
pub mod outbox;
pub mod page;
pub mod records;
pub mod sessions;
pub mod settings;

use crate::error::Problem;
use actix_web::guard::{Any, Get, Head};
use actix_web::{HttpResponse, Route, web};
use settings::{email, listeners, sms};

/// All routes. What matches none is 404; a method that a path does not have is 405.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        // The operator's.
        .service(web::resource("/healthz").route(read().to(health::healthz)))
        .service(web::resource("/readyz").route(read().to(health::readyz)))
        .service(web::resource("/openapi.json").route(read().to(openapi::serve)))
        // What other systems call: the URL is the credential.
        .service(web::resource("/listener/{token}").route(web::post().to(listener::receive)))
        .service(
            web::resource("/listener/{token}/deliveries/{requestId}")
                .route(read().to(listener::outcome)),
        )
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
        .service(
            web::resource("/api/v1/listeners/{id}/preview")
                .route(web::post().to(listeners::preview::preview)),
        )
        .service(
            web::resource("/api/v1/settings/email")
                .route(read().to(email::read))
                .route(web::patch().to(email::change))
                .route(web::delete().to(email::delete)),
        )
        .service(web::resource("/api/v1/settings/email/test").route(web::post().to(email::try_out)))
        .service(
            web::resource("/api/v1/settings/sms")
                .route(read().to(sms::read))
                .route(web::patch().to(sms::change))
                .route(web::delete().to(sms::delete)),
        )
        .service(web::resource("/api/v1/settings/sms/test").route(web::post().to(sms::try_out)))
        // Messages.
        .service(web::resource("/api/v1/outbox").route(read().to(outbox::list)))
        .service(web::resource("/api/v1/outbox/{id}").route(read().to(outbox::read)))
        .service(web::resource("/api/v1/outbox/{id}/retry").route(web::post().to(outbox::retry)))
        .service(web::resource("/api/v1/outbox/{id}/cancel").route(web::post().to(outbox::cancel)))
        // What came in.
        .service(web::resource("/api/v1/deliveries").route(read().to(deliveries::list)))
        .service(
            web::resource("/api/v1/deliveries/replay")
                .route(web::post().to(deliveries::replay_many)),
        )
        .service(web::resource("/api/v1/deliveries/{id}").route(read().to(deliveries::read)))
        .service(
            web::resource("/api/v1/deliveries/{id}/replay")
                .route(web::post().to(deliveries::replay)),
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
