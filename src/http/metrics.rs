//! `GET /metrics`: what the instance measures of itself (`api.md` 1).

use super::openapi::ProblemDocument;
use crate::app::App;
use crate::problem::Problem;
use crate::telemetry::metrics::CONTENT_TYPE;
use actix_web::http::header;
use actix_web::{HttpResponse, web};

crate::http::routes::routes![serve];

/// What the instance measures of itself, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "Operation", operation_id = "metrics", security(()),
    responses(
        (status = 200, body = String,
         content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json",
         description = "`not_found`: they are served on an address of their own"),
    ),
)]
pub(crate) async fn serve(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    if app.metrics_elsewhere {
        return Err(Problem::not_found("path"));
    }
    Ok(render(app).await)
}

/// The same on the address of their own.
pub(crate) async fn serve_elsewhere(app: web::Data<App>) -> HttpResponse {
    render(app).await
}

async fn render(app: web::Data<App>) -> HttpResponse {
    let text = app.metrics.render(&app).await;
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, CONTENT_TYPE)).body(text)
}
