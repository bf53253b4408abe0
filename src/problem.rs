//! What an answer that is not a success says, and how it is said (RFC 9457).

use beeiq_core::diagnostics::{Code, Fault, Refusal};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What is asked for, or why it is not to be had.
pub type Result<T, E = Problem> = std::result::Result<T, E>;

/// An answer that is not a success.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Which problem.
    pub code: Code,
    /// What happened this time, for a person.
    pub detail: String,
    /// The single faults, where there are several or where they have a place.
    pub errors: Vec<Fault>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
    /// The request's id, where it got one; otherwise the answer makes one.
    pub request_id: Option<Uuid>,
}

impl Problem {
    /// A problem with a sentence about it.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            request_id: None,
        }
    }

    /// Faults in the fields of a body: 422 with pointers (`api.md` 2).
    #[must_use]
    pub fn fields(errors: Vec<Fault>) -> Self {
        let detail = match errors.as_slice() {
            [only] => only.message.clone(),
            several => format!("{} fields are at fault; see errors.", several.len()),
        };
        Self { errors, ..Self::new(Code::InvalidFields, detail) }
    }

    /// What the caller may not know of.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    /// The same problem with the single faults.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    /// The same problem, as the answer to that request.
    #[must_use]
    pub fn of_request(mut self, id: Uuid) -> Self {
        self.request_id = Some(id);
        self
    }

    /// The same problem, to be tried again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body: `application/problem+json`.
    #[must_use]
    pub fn body(&self, request_id: Uuid) -> ProblemBody<'_> {
        ProblemBody {
            r#type: format!("urn:beeiq:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            code: self.code,
            request_id,
            errors: &self.errors,
        }
    }
}

/// A problem as it goes over the wire.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[schema(value_type = String, example = "invalid_fields")]
    code: Code,
    request_id: Uuid,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<Refusal> for Problem {
    fn from(Refusal { code, detail, errors }: Refusal) -> Self {
        Self { errors, ..Self::new(code, detail) }
    }
}
