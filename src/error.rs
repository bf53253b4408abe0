//! What goes wrong outside an action: which status it is, and how it is said (RFC 9457).
//!
//! The codes themselves are [`Code`]; this is where each gets its HTTP status and title, and where
//! database errors become one of them.

use crate::domain::fault::{Code, Fault};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use diesel::result::DatabaseErrorKind;
/// What the database driver reports.
pub use diesel::result::Error as DbError;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

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
        let status = status(self.code);
        ProblemBody {
            r#type: format!("urn:beeiq:problem:{}", self.code.as_str()),
            title: title(self.code),
            status: status.as_u16(),
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

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        status(self.code)
    }

    fn error_response(&self) -> HttpResponse {
        let request_id = self.request_id.unwrap_or_else(crate::clock::new_id);
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.code == Code::Unauthorized {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        match serde_json::to_vec(&self.body(request_id)) {
            Ok(body) => response.body(body),
            Err(_) => response.finish(),
        }
    }
}

/// The status of each code when it is the problem of a whole request.
#[expect(clippy::too_many_lines, reason = "a table: a line a code")]
fn status(code: Code) -> StatusCode {
    match code {
        Code::NotJson | Code::InvalidIdempotencyKey => StatusCode::BAD_REQUEST,
        Code::Unauthorized => StatusCode::UNAUTHORIZED,
        Code::AddressNotAllowed | Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
        Code::NameTaken
        | Code::SlugTaken
        | Code::InUse
        | Code::LastOwner
        | Code::LimitReached
        | Code::NoAccount
        | Code::WrongStatus
        | Code::IdempotencyKeyInUse
        | Code::StillPending
        | Code::StagingOnly
        | Code::NotReplayable => StatusCode::CONFLICT,
        Code::ListenerDisabled => StatusCode::GONE,
        Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Code::BodyTooLarge | Code::TooManyActions | Code::TooDeep | Code::TooComplex => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        Code::EncodingNotSupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::TooManyAttempts | Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable | Code::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Required
        | Code::WrongType
        | Code::TooLong
        | Code::OutOfRange
        | Code::InvalidChoice
        | Code::InvalidValue
        | Code::InvalidEmail
        | Code::InvalidPhone
        | Code::InvalidDate
        | Code::NulCharacter
        | Code::InvalidTemplate
        | Code::UnknownActionType
        | Code::UnknownField
        | Code::IgnoredField
        | Code::UnknownSender
        | Code::UnknownGroup
        | Code::UnknownUser
        | Code::UnknownCustomField
        | Code::InvalidCustomValue
        | Code::UnknownSource
        | Code::UnknownChannel
        | Code::UnknownSla
        | Code::UnknownDeal
        | Code::WrongKind
        | Code::MissingIdentifier
        | Code::IdentifierTaken
        | Code::CompanyNameRequired
        | Code::AmbiguousCompany
        | Code::AlreadyApplied
        | Code::UnknownCompany
        | Code::UnknownCustomer
        | Code::UnknownStage
        | Code::UnknownCategory
        | Code::UnknownPackage
        | Code::UnknownCurrency
        | Code::Ambiguous
        | Code::IdentifierShared
        | Code::SmsCreditsExhausted
        | Code::WelcomeSkipped
        | Code::InvalidEnvelope
        | Code::IdempotencyKeyReused
        | Code::InvalidFields
        | Code::InvalidQuery
        | Code::AllActionsFailed
        | Code::AtomicFailed => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// The short name of a problem, the same each time it happens.
fn title(code: Code) -> &'static str {
    match code {
        Code::NotJson => "The body is not JSON",
        Code::InvalidIdempotencyKey => "Not an Idempotency-Key",
        Code::IdempotencyKeyInUse => "The first request of this key is still running",
        Code::IdempotencyKeyReused => "The key belongs to another request",
        Code::InvalidQuery => "A query parameter is at fault",
        Code::Unauthorized => "Not signed in",
        Code::AddressNotAllowed => "Your address may not call this listener",
        Code::Forbidden => "Your role may not do this",
        Code::NotFound => "Not found",
        Code::MethodNotAllowed => "Not with this method",
        Code::BodyTooSlow => "The body came too slowly",
        Code::NameTaken => "The name is taken",
        Code::NoAccount => "There is no account to send through",
        Code::InUse => "It is in use",
        Code::WrongStatus => "Not in this status",
        Code::StillPending => "It has not been applied yet",
        Code::NotReplayable => "It cannot be run again",
        Code::SlugTaken => "The slug is taken",
        Code::LastOwner => "An org has an owner",
        Code::LimitReached => "There are as many as there may be",
        Code::ListenerDisabled => "The listener is disabled",
        Code::PreconditionFailed => "It has changed meanwhile",
        Code::BodyTooLarge => "The body is too large",
        Code::TooManyActions => "Too many actions",
        Code::TooDeep => "Nested too deeply",
        Code::EncodingNotSupported => "Encoded bodies are not read",
        Code::RateLimited => "Over the listener's rate",
        Code::Overloaded => "Too busy",
        Code::TooComplex => "The body holds too much",
        Code::StagingOnly => "Only in staging",
        Code::TooManyAttempts => "Too many attempts",
        Code::Unavailable => "The database is away",
        Code::Internal => "A fault of our own",
        Code::InvalidEnvelope | Code::UnknownSender => "The envelope is wrong",
        Code::AllActionsFailed => "No action could be applied",
        Code::AtomicFailed => "Nothing was applied",
        _ => "A field is at fault",
    }
}

/// What a unit of database work can end in besides its result.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another transaction was faster; worth doing again from the start.
    #[error("another transaction was faster")]
    Conflict,
    /// The database cannot be reached or gave up under load; nothing was applied.
    #[error("the database is away: {0}")]
    Unavailable(String),
    /// A unique constraint refused a value, in a place where that is the caller's doing.
    #[error("a value is taken")]
    Taken,
    /// A foreign key refused: what is named is gone, or what is deleted is in use.
    #[error("a reference does not hold")]
    Reference,
    /// The database refused for a reason that no check foresaw.
    #[error("the database refused: {0}")]
    Refused(DbError),
}

impl StoreError {
    /// For a stored value that the program wrote itself and cannot read any more.
    #[must_use]
    pub fn unreadable(error: &dyn std::fmt::Display) -> Self {
        Self::Refused(DbError::DeserializationError(error.to_string().into()))
    }

    /// Whether a statement took longer than it may.
    #[must_use]
    pub fn is_statement_timeout(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.contains(STATEMENT_TIMEOUT))
    }
}

impl From<DbError> for StoreError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::DatabaseError(kind, info) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Taken,
                DatabaseErrorKind::ForeignKeyViolation => Self::Reference,
                DatabaseErrorKind::SerializationFailure => Self::Conflict,
                DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ReadOnlyTransaction => {
                    Self::Unavailable(info.message().to_owned())
                }
                _ if is_deadlock(info.message()) => Self::Conflict,
                _ if is_away(info.message()) => Self::Unavailable(info.message().to_owned()),
                _ => Self::Refused(DbError::DatabaseError(kind, info)),
            },
            DbError::BrokenTransactionManager => {
                Self::Unavailable("the connection broke within a transaction".to_owned())
            }
            other => Self::Refused(other),
        }
    }
}

/// diesel does not hand out the SQLSTATE of 40P01, 55P03 and 57014, so their fixed English messages
/// have to do; every connection asks for them in English (`db.rs`).
fn is_deadlock(message: &str) -> bool {
    message == "deadlock detected" || message == "canceling statement due to lock timeout"
}

/// What Postgres says of 57014.
const STATEMENT_TIMEOUT: &str = "canceling statement due to statement timeout";

/// A server that goes down or comes up says so in these words (57P01–57P03, 53300), one that lacks
/// disk or memory in those (53100, 53200, XX000): what is refused for that may be taken later.
fn is_away(message: &str) -> bool {
    [
        "could not extend file",
        "could not write",
        "No space left on device",
        "out of memory",
        "out of shared memory",
        "terminating connection",
        "the database system is",
        "server closed the connection",
        "sorry, too many clients",
        STATEMENT_TIMEOUT,
    ]
    .iter()
    .any(|known| message.contains(known))
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        StoreError::from(error).into()
    }
}

impl From<StoreError> for Problem {
    /// For places where no case is expected: the cause is logged here, once, and not sent.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                tracing::error!(cause, "the database is away");
                Self::new(
                    Code::Unavailable,
                    "The database is away; nothing was applied. Try again.",
                )
                .retry_after(2)
            }
            StoreError::Conflict => {
                tracing::warn!("gave up on a conflict");
                Self::new(
                    Code::Unavailable,
                    "Others were faster each time; nothing was applied. Try again.",
                )
                .retry_after(1)
            }
            unexpected => {
                tracing::error!(cause = %unexpected, "the database refused what no check foresaw");
                Self::new(
                    Code::Internal,
                    "Something went wrong on our side; it has been logged under this requestId.",
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was taken for later would be rejected for good, and a batch be answered action by action
    /// with faults that nobody can mend.
    #[test]
    fn a_disk_that_is_full_is_worth_another_try() {
        for message in [
            "could not extend file \"base/16384/16660\": No space left on device",
            "could not extend file \"base/16384/16660\": wrote only 4096 of 8192 bytes at block 7",
            "could not write to file \"base/pgsql_tmp/pgsql_tmp1.0\": No space left on device",
        ] {
            let full =
                DbError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()));
            assert!(matches!(StoreError::from(full), StoreError::Unavailable(_)), "{message}");
        }
    }
}
