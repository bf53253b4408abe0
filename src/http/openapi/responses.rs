//! What is said of a response where an operation says nothing of its own.

use utoipa::Modify;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{OpenApi, RefOr};

/// Describes each response that is not described yet: OpenAPI asks for it, and a reader for the
/// problem's code.
pub struct UsualDescriptions;

impl Modify for UsualDescriptions {
    fn modify(&self, document: &mut OpenApi) {
        let operations = document.paths.paths.values_mut().flat_map(operations);
        for operation in operations {
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                {
                    usual(status).clone_into(&mut response.description);
                }
            }
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, patch, delete, .. } = path;
    [get, post, patch, delete].into_iter().flatten()
}

fn usual(status: &str) -> &'static str {
    match status {
        "200" => "As it is now.",
        "201" => "It has been made.",
        "204" => "Done.",
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
