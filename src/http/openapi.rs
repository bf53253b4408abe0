//! The OpenAPI 3.1 document of all of it, at `/openapi.json`.

pub(crate) mod listener;
mod problems;
mod responses;

pub(crate) use problems::*;

use utoipa::OpenApi;
use utoipa::openapi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

/// The document without the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "BeeIQ",
        description = "Listener URLs in, clean customer records out.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ProblemDocument)),
    security(("session" = [])),
)]
pub(super) struct Frame;

/// What is said of all operations, once they are all there.
pub(super) fn complete(document: &mut openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("session", SecurityScheme::Http(bearer));
    responses::describe(document);
}

#[cfg(test)]
mod tests;
