//! The OpenAPI 3.1 document of all of it, at `/openapi.json`.

pub(crate) mod listener;
mod problems;
mod responses;

pub(crate) use problems::*;

use std::collections::BTreeMap;
use utoipa::OpenApi;
use utoipa::openapi::schema::{ArrayItems, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{self, Ref, RefOr};

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
    listeners(&mut components.schemas);
    responses::describe(document);
}

/// What serde does with a listener, and utoipa cannot tell by itself.
fn listeners(schemas: &mut BTreeMap<String, RefOr<Schema>>) {
    let Some(RefOr::T(Schema::Object(mut settings))) = schemas.get("ListenerSettings").cloned()
    else {
        return;
    };
    // A merge patch has any of them.
    let mut change = settings.clone();
    change.required.clear();
    change.description = Some("What changes of a listener (RFC 7396).".to_owned());
    schemas.insert("ListenerChange".to_owned(), RefOr::T(Schema::Object(change)));
    // A page would have one as it was described before.
    if let Some(RefOr::T(Schema::Object(page))) = schemas.get_mut("Page_Listener")
        && let Some(RefOr::T(Schema::Array(data))) = page.properties.get_mut("data")
    {
        data.items = ArrayItems::from(Ref::from_schema_name("Listener"));
    }
    // The settings are flattened into a listener, so there they are not all that there is.
    if let Some(RefOr::T(Schema::AllOf(listener))) = schemas.get_mut("Listener") {
        settings.additional_properties = None;
        for part in listener.items.iter_mut().filter(|part| matches!(part, RefOr::Ref(_))) {
            *part = RefOr::T(Schema::Object(settings.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
