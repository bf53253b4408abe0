//! The records of an org, as the API reads them (`api.md` 5).

pub mod customers;
mod deal_filters;
pub mod deals;
mod filters;
pub mod history;
pub mod notes;
pub mod representation;
pub mod tickets;

use super::openapi::ProblemDocument;
use utoipa::IntoResponses;

/// `not_found`: there is none, or none that the caller may see.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub struct NoSuchRecord(
    /// It says what.
    pub ProblemDocument,
);
