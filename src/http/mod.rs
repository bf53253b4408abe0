//! Every route on one page, and the handlers behind them.

pub mod body;
pub(crate) mod caller;
pub mod deliveries;
pub mod docs;
pub mod etag;
pub mod extract;
pub mod health;
pub mod listener;
pub mod metrics;
pub mod middleware;
pub mod openapi;
pub mod outbox;
pub mod page;
mod problem;
mod rate_limit;
pub mod records;
pub mod sandbox;
pub mod schemas;
pub mod sessions;
pub mod settings;

use crate::problem::Problem;
use actix_web::guard::{Any, Get, Head};
use actix_web::{HttpResponse, Route, web};
use settings::picklists::{channels, deal_categories, deal_packages, deal_stages, sources};
use settings::{
    api_keys, audit_log, currencies, custom_fields, email, groups, listeners, org, slas, sms, tags,
    users,
};

/// All routes. What matches none is 404; a method that a path does not have is 405.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        // What other systems call: the URL is the credential. First, because a path is compared with
        // one after the other.
        .service(web::resource("/listener/{token}").route(web::post().to(listener::receive)))
        .service(
            web::resource("/listener/{token}/deliveries/{requestId}")
                .route(read().to(listener::outcome)),
        )
        // The operator's.
        .service(web::resource("/healthz").route(read().to(health::healthz)))
        .service(web::resource("/readyz").route(read().to(health::readyz)))
        .service(web::resource("/metrics").route(read().to(metrics::serve)))
        .service(web::resource("/openapi.json").route(read().to(openapi::serve)))
        .service(web::resource("/docs").route(read().to(docs::enter)))
        .service(web::resource("/docs/{file:.*}").route(read().to(docs::file)))
        // Sign-in.
        .service(web::resource("/api/v1/sessions").route(web::post().to(sessions::create)))
        .service(
            web::resource("/api/v1/sessions/current").route(web::delete().to(sessions::delete)),
        )
        .service(web::resource("/api/v1/me").route(read().to(sessions::me)))
        // Settings.
        .configure(listener_settings)
        .configure(names)
        .configure(access)
        // What came in, what goes out, and how to try it.
        .configure(traffic)
        .configure(trying)
        // Records.
        .configure(records::routes)
        .default_service(web::to(nothing_here));
}

/// The URLs that other systems post to, and what to send there.
fn listener_settings(config: &mut web::ServiceConfig) {
    config
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
            web::resource("/api/v1/listeners/{id}/schema").route(read().to(schemas::of_listener)),
        );
}

/// Who may call the API, and by which accounts messages leave.
fn access(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/api/v1/api-keys")
                .route(read().to(api_keys::list))
                .route(web::post().to(api_keys::create)),
        )
        .service(
            web::resource("/api/v1/api-keys/{id}")
                .route(read().to(api_keys::read))
                .route(web::delete().to(api_keys::delete)),
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
        .service(web::resource("/api/v1/settings/sms/test").route(web::post().to(sms::try_out)));
}

/// Messages and deliveries.
fn traffic(config: &mut web::ServiceConfig) {
    config
        // Messages.
        .service(web::resource("/api/v1/outbox").route(read().to(outbox::list)))
        .service(web::resource("/api/v1/outbox/{id}").route(read().to(outbox::read)))
        .service(web::resource("/api/v1/outbox/{id}/retry").route(web::post().to(outbox::retry)))
        .service(web::resource("/api/v1/outbox/{id}/cancel").route(web::post().to(outbox::cancel)))
        // What came in.
        .service(web::resource("/api/v1/deliveries").route(read().to(deliveries::list)))
        .service(
            web::resource("/api/v1/deliveries/replay")
                .route(web::post().to(deliveries::replays::run_many)),
        )
        .service(web::resource("/api/v1/deliveries/{id}").route(read().to(deliveries::read)))
        .service(
            web::resource("/api/v1/deliveries/{id}/replay")
                .route(web::post().to(deliveries::replays::run)),
        );
}

/// Payloads to begin with, and staging.
fn trying(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/schemas/listener.json").route(read().to(schemas::payload)))
        .service(web::resource("/api/v1/examples").route(read().to(schemas::examples)))
        .service(web::resource("/api/v1/sandbox/reset").route(web::post().to(sandbox::reset)));
}

/// The routes of a settings resource: GET and POST of all; GET, PATCH and DELETE of one.
macro_rules! setting {
    ($config:ident, $module:ident, $all:expr, $one:expr) => {
        $config
            .service($all.route(read().to($module::list)).route(web::post().to($module::create)));
        $config.service(
            $one.route(read().to($module::read))
                .route(web::patch().to($module::change))
                .route(web::delete().to($module::delete)),
        );
    };
}

/// An org's people, the names that it chooses from, itself, and who changed what.
fn names(config: &mut web::ServiceConfig) {
    use web::resource;
    setting!(config, users, resource("/api/v1/users"), resource("/api/v1/users/{id}"));
    setting!(config, groups, resource("/api/v1/groups"), resource("/api/v1/groups/{id}"));
    setting!(config, tags, resource("/api/v1/tags"), resource("/api/v1/tags/{id}"));
    setting!(config, sources, resource("/api/v1/sources"), resource("/api/v1/sources/{id}"));
    setting!(config, channels, resource("/api/v1/channels"), resource("/api/v1/channels/{id}"));
    setting!(
        config,
        deal_stages,
        resource("/api/v1/deal-stages"),
        resource("/api/v1/deal-stages/{id}")
    );
    setting!(
        config,
        deal_categories,
        resource("/api/v1/deal-categories"),
        resource("/api/v1/deal-categories/{id}")
    );
    setting!(
        config,
        deal_packages,
        resource("/api/v1/deal-packages"),
        resource("/api/v1/deal-packages/{id}")
    );
    setting!(
        config,
        currencies,
        resource("/api/v1/currencies"),
        resource("/api/v1/currencies/{id}")
    );
    setting!(config, slas, resource("/api/v1/slas"), resource("/api/v1/slas/{id}"));
    setting!(
        config,
        custom_fields,
        resource("/api/v1/custom-fields"),
        resource("/api/v1/custom-fields/{id}")
    );
    config
        .service(resource("/api/v1/users/{id}/password").route(web::post().to(users::set_password)))
        .service(
            resource("/api/v1/settings")
                .route(read().to(org::read))
                .route(web::patch().to(org::change)),
        )
        .service(resource("/api/v1/audit-log").route(read().to(audit_log::list)))
        .service(resource("/api/v1/audit-log/{id}").route(read().to(audit_log::read)));
}

/// GET, and HEAD, which is the same without the body.
fn read() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("path"))
}
