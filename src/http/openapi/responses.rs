//! What all operations have in common, and need not say each for itself.

use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::{Object, OpenApi, RefOr, Required, Response, Type};

pub(super) fn describe(document: &mut OpenApi) {
    for path in document.paths.paths.values_mut() {
        if let Some(read) = &mut path.get {
            not_modified(read);
        }
        let PathItem { get, post, patch, delete, .. } = path;
        for operation in [get, post, patch, delete].into_iter().flatten() {
            usual_descriptions(operation);
        }
    }
}

/// Describes each response that is not described yet: OpenAPI asks for it, and a reader for the
/// problem's code.
fn usual_descriptions(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            usual(status).clone_into(&mut response.description);
        }
    }
}

/// Tells of `If-None-Match` where what is read has an ETag.
fn not_modified(read: &mut Operation) {
    let responses = &mut read.responses.responses;
    if !responses.get("200").is_some_and(has_etag) {
        return;
    }
    responses.insert("304".to_owned(), RefOr::T(Response::default()));
    let header = ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Answer 304 where its ETag is this"))
        .schema(Some(Object::with_type(Type::String)))
        .build();
    read.parameters.get_or_insert_default().push(RefOr::T(header));
}

fn has_etag(response: &RefOr<Response>) -> bool {
    matches!(response, RefOr::T(response) if response.headers.contains_key("ETag"))
}

fn usual(status: &str) -> &'static str {
    match status {
        "200" => "As it is now.",
        "201" => "It has been made.",
        "204" => "Done.",
        "304" => "It still has the ETag that `If-None-Match` names.",
        "400" => "`not_json`: the body is not JSON.",
        "401" => "`unauthorized`: no token, or a bad one.",
        "403" => "`forbidden`: the role may not.",
        "404" => "`not_found`: there is none, or the caller may not know of it.",
        "412" => "`precondition_failed`: it has changed since it was read.",
        "429" => "`too_many_attempts`: try again after `Retry-After`.",
        "503" => "`unavailable`: the database is away; nothing was applied.",
        _ => "",
    }
}
