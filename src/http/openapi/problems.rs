//! The problems that operations answer with, by name: `responses(AdminProblems, NotFound, …)`.

use crate::problem::ProblemBody;
use std::collections::BTreeMap;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

/// A problem (RFC 9457), as it is described.
pub(crate) type ProblemDocument = ProblemBody<'static>;

/// A description that is empty becomes the usual one of the status.
macro_rules! problems {
    ($($(#[doc = $doc:literal])* $name:ident { $($status:literal: $told:literal),+ $(,)? })+) => {$(
        $(#[doc = $doc])*
        pub(crate) enum $name {}

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$(problem($status, $told)),+].into()
            }
        }
    )+};
}

problems! {
    /// What every operation of a signed-in user can answer.
    SignedInProblems {
        "401": "`unauthorized`: no token, or a bad one.",
        "503": "`unavailable`: the database is away, or it took longer than 5 s to read. \
                `overloaded`: the org uses its share of the server.",
    }
    /// What every operation of owner and admins can answer.
    AdminProblems {
        "401": "`unauthorized`: no token, or a bad one.",
        "403": "`forbidden`: the role may not.",
        "503": "`unavailable`: the database is away, or it took longer than 5 s to read. \
                `overloaded`: the org uses its share of the server.",
    }
    /// What every operation with a body can answer.
    BodyProblems {
        "400": "`not_json`: not JSON.",
        "408": "`body_too_slow`: it took over 30 seconds.",
        "413": "`body_too_large`: it has more than 1 MiB, or with a password 16 KiB. \
                `too_complex`: it holds too many values.",
        "422": "`invalid_fields`: faults in fields, with pointers.",
    }
    QueryProblem { "422": "`invalid_query`: a parameter is unknown or wrong." }
    Forbidden { "403": "" }
    NotFound { "404": "" }
    NoSuchRecord { "404": "`not_found`: there is none, or none that the caller may see." }
    NameTaken { "409": "`name_taken`, or `limit_reached`" }
    Stale { "412": "" }
    Unavailable { "503": "" }
}

fn problem(status: &str, told: &str) -> (String, RefOr<Response>) {
    let schema = Content::new(Some(Ref::from_schema_name(ProblemDocument::name())));
    let response = ResponseBuilder::new().description(told);
    let response = response.content("application/problem+json", schema).build();
    (status.to_owned(), RefOr::T(response))
}
