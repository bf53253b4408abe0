//! `/docs/`: the document for people, from assets in the binary. Nothing is loaded from elsewhere.

use crate::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use beeiq_core::diagnostics::Code;
use std::sync::Arc;
use utoipa_swagger_ui::Config;

/// The browser loads and calls this server alone. The pages set styles of their own in HTML.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// To where the relative links of the pages hold, also below a path of a proxy.
pub(crate) async fn enter() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "docs/")).finish()
}

/// A file of the pages.
pub(crate) async fn file(path: web::Path<String>) -> Result<HttpResponse, Problem> {
    // Without a validator, which would send the document to another server.
    let config = Config::new(["../openapi.json"]).validator_url("none");
    let found = utoipa_swagger_ui::serve(&path, Arc::new(config)).map_err(|error| {
        tracing::error!(%error, "a page of the document cannot be made");
        Problem::new(Code::Internal, "The page could not be made; this has been logged.")
    })?;
    let found = found.ok_or_else(|| Problem::not_found("page"))?;
    Ok(HttpResponse::Ok()
        .content_type(found.content_type)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(found.bytes.into_owned()))
}
