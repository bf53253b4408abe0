//! `GET /metrics`: what the instance measures of itself (`api.md` 1).

use super::openapi::ProblemDocument;
use crate::app::App;
use crate::config::Environment;
use crate::problem::Problem;
use crate::secrets::TokenKind;
use crate::service::metrics::CONTENT_TYPE;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::ExposeSecret;

crate::http::routes::routes![serve];

/// What the instance measures of itself, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "Operation", operation_id = "metrics", security(()),
    responses(
        (status = 200, body = String,
         content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json",
         description = "`not_found`: they are served on an address of their own, or to who has their token"),
    ),
)]
pub(crate) async fn serve(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    if app.metrics_elsewhere || !may_read(&app, &request) {
        return Err(Problem::not_found("path"));
    }
    Ok(render(app).await)
}

/// In production nobody may who does not have the token, where one is set at all.
fn may_read(app: &App, request: &HttpRequest) -> bool {
    let Some(token) = &app.metrics_token else { return app.environment == Environment::Staging };
    let sent = request.headers().get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let sent = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    // As hashes, so that the time tells nothing of the token.
    let hash = |text: &str| app.key.token_hash(TokenKind::Session, text);
    hash(sent) == hash(token.expose_secret())
}

/// The same on the address of their own.
pub(crate) async fn serve_elsewhere(app: web::Data<App>) -> HttpResponse {
    render(app).await
}

async fn render(app: web::Data<App>) -> HttpResponse {
    let text = app.metrics.render(&app.db).await;
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, CONTENT_TYPE)).body(text)
}
