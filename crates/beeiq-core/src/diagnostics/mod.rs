//! What can be wrong with what somebody sent: a stable code, a sentence, and the place.

mod collected;
mod references;
mod refusal;

pub use collected::Diagnostics;
pub use references::{References, UnknownName};
pub use refusal::Refusal;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The title of a code that stands for a fault of one field.
macro_rules! title {
    () => {
        "A field is at fault"
    };
    ($title:literal) => {
        $title
    };
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident => $text:literal, $status:literal $(, $title:literal)?;)+) => {
        /// The stable codes of faults and warnings (`listener.md` 2): each with the HTTP status and the
        /// title that it has as the problem of a whole request. A code, once published, keeps its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as clients see it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The HTTP status where it is the problem of a whole request.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$variant => $status,)+
                }
            }

            /// The short name of the problem, the same each time it happens.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => title!($($title)?),)+
                }
            }
        }
    };
}

codes! {
    // Values
    /// A required field is absent.
    Required => "required", 422;
    /// A value is of another JSON type than the field's.
    WrongType => "wrong_type", 422;
    /// A text is longer than the field holds.
    TooLong => "too_long", 422;
    /// A value is outside what the field holds.
    OutOfRange => "out_of_range", 422;
    /// A value is none of those to choose from.
    InvalidChoice => "invalid_choice", 422;
    /// A value is malformed.
    InvalidValue => "invalid_value", 422;
    /// Not an e-mail address.
    InvalidEmail => "invalid_email", 422;
    /// Not a phone number.
    InvalidPhone => "invalid_phone", 422;
    /// Not a date.
    InvalidDate => "invalid_date", 422;
    /// A text holds U+0000, which no record can hold.
    NulCharacter => "nul_character", 422;
    /// A template cannot be used.
    InvalidTemplate => "invalid_template", 422;
    // Actions
    /// No action of that name.
    UnknownActionType => "unknown_action_type", 422;
    /// A field that the action does not have (a warning).
    UnknownField => "unknown_field", 422;
    /// A field that is not used here (a warning).
    IgnoredField => "ignored_field", 422;
    /// The sender is no active user of the org.
    UnknownSender => "unknown_sender", 422, "The envelope is wrong";
    /// No group of that name.
    UnknownGroup => "unknown_group", 422;
    /// No active user of that e-mail.
    UnknownUser => "unknown_user", 422;
    /// No custom field of that name on this kind of record.
    UnknownCustomField => "unknown_custom_field", 422;
    /// A value that the custom field cannot hold.
    InvalidCustomValue => "invalid_custom_value", 422;
    /// No channel of that name.
    UnknownChannel => "unknown_channel", 422;
    /// No SLA of that name.
    UnknownSla => "unknown_sla", 422;
    /// No deal of that id.
    UnknownDeal => "unknown_deal", 422;
    /// No source of that name.
    UnknownSource => "unknown_source", 422;
    /// No deal stage of that name.
    UnknownStage => "unknown_stage", 422;
    /// No deal category of that name.
    UnknownCategory => "unknown_category", 422;
    /// No deal package of that name.
    UnknownPackage => "unknown_package", 422;
    /// No currency of the org.
    UnknownCurrency => "unknown_currency", 422;
    /// Several records are meant by what was given.
    Ambiguous => "ambiguous", 422;
    /// A code or type of another kind of record than the action's.
    WrongKind => "wrong_kind", 422;
    /// Nothing in the action identifies the record that it is about.
    MissingIdentifier => "missing_identifier", 422;
    /// Another record holds the identifier already.
    IdentifierTaken => "identifier_taken", 422;
    /// A company that is to be created has no name.
    CompanyNameRequired => "company_name_required", 422;
    /// Several companies have the name; the oldest was taken (a warning).
    AmbiguousCompany => "ambiguous_company", 422;
    /// No company has that code; the search went on (a warning).
    UnknownCompany => "unknown_company", 422;
    /// Nobody has that code; the search went on (a warning).
    UnknownCustomer => "unknown_customer", 422;
    /// Another customer holds the company's e-mail or phone (a warning).
    IdentifierShared => "identifier_shared", 422;
    /// The activity stays with the customer that it was with (a warning).
    CustomerKept => "customer_kept", 422;
    /// The customer has been erased: what a source tells of them is not taken (a warning).
    Erased => "erased", 422;
    /// What a source sent is none of the events that it is known for.
    UnknownEvent => "unknown_event", 422;
    /// Nothing in what a source sent says whose it is.
    NoCustomer => "no_customer", 422;
    /// The SMS credits do not suffice.
    SmsCreditsExhausted => "sms_credits_exhausted", 422;
    /// What it is to send does not fit into one delivery any more.
    TooLarge => "too_large", 422;
    /// A welcome message could not be made (a warning).
    WelcomeSkipped => "welcome_skipped", 422;
    /// A replay leaves out what an earlier one made (a warning).
    AlreadyApplied => "already_applied", 422;
    // The request as a whole
    /// The body is not JSON.
    NotJson => "not_json", 400, "The body is not JSON";
    /// The envelope of a payload is wrong.
    InvalidEnvelope => "invalid_envelope", 422, "The envelope is wrong";
    /// The body is larger than the limit.
    BodyTooLarge => "body_too_large", 413, "The body is too large";
    /// More actions than the limit.
    TooManyActions => "too_many_actions", 413, "Too many actions";
    /// Nested deeper than the limit.
    TooDeep => "too_deep", 413, "Nested too deeply";
    /// The body came too slowly.
    BodyTooSlow => "body_too_slow", 408, "The body came too slowly";
    /// An encoded body.
    EncodingNotSupported => "encoding_not_supported", 415, "Encoded bodies are not read";
    /// The caller's address is not allowed.
    AddressNotAllowed => "address_not_allowed", 403, "Your address may not call this listener";
    /// The listener is disabled.
    ListenerDisabled => "listener_disabled", 410, "The listener is disabled";
    /// The connection is disabled.
    ConnectionDisabled => "connection_disabled", 410, "The connection is disabled";
    /// A signature is wrong or absent.
    BadSignature => "bad_signature", 401, "The signature is wrong";
    /// What was sent is of another business than the connection's.
    WrongBusiness => "wrong_business", 403, "Not the connection's business";
    /// Not an `Idempotency-Key`.
    InvalidIdempotencyKey => "invalid_idempotency_key", 400, "Not an Idempotency-Key";
    /// The first request of the key is still running.
    IdempotencyKeyInUse => "idempotency_key_in_use", 409, "The first request of this key is still running";
    /// The key came with another request before.
    IdempotencyKeyReused => "idempotency_key_reused", 422, "The key belongs to another request";
    /// All actions failed.
    AllActionsFailed => "all_actions_failed", 422, "No action could be applied";
    /// One action of an atomic request failed.
    AtomicFailed => "atomic_failed", 422, "Nothing was applied";
    /// Not found, or not to be known of.
    NotFound => "not_found", 404, "Not found";
    /// The path exists, but not for this method.
    MethodNotAllowed => "method_not_allowed", 405, "Not with this method";
    /// No or a bad token.
    Unauthorized => "unauthorized", 401, "Not signed in";
    /// The role may not.
    Forbidden => "forbidden", 403, "Your role may not do this";
    /// Too many attempts.
    TooManyAttempts => "too_many_attempts", 429, "Too many attempts";
    /// Over the listener's rate.
    RateLimited => "rate_limited", 429, "Over the listener's rate";
    /// More than this process takes on at a time.
    Overloaded => "overloaded", 503, "Too busy";
    /// The body would take more memory than one is given.
    TooComplex => "too_complex", 413, "The body holds too much";
    /// Only an instance in staging does this.
    StagingOnly => "staging_only", 409, "Only in staging";
    /// A name that is taken.
    NameTaken => "name_taken", 409, "The name is taken";
    /// There is no account to send through.
    NoAccount => "no_account", 409, "There is no account to send through";
    /// A message of that status cannot be retried or cancelled.
    WrongStatus => "wrong_status", 409, "Not in this status";
    /// A run of the connection is under way.
    AlreadyRunning => "already_running", 409, "A run is under way";
    /// The connection is disabled or paused.
    NotActive => "not_active", 409, "The connection is not active";
    /// The connection is asked, and takes nothing that is sent.
    NotPush => "not_push", 422, "Nothing is sent to this connection";
    /// The connection is sent what happens, and asks for nothing.
    NotPull => "not_pull", 422, "This connection asks for nothing";
    /// The other system refuses the credentials.
    CredentialsRefused => "credentials_refused", 422, "The credentials are refused";
    /// It is in use and cannot be deleted.
    /// The other system does not answer, or asks to be left alone for a while.
    SourceUnavailable => "source_unavailable", 503, "The other system cannot be asked now";
    /// The other system does not give what it is asked for.
    SourceFailed => "source_failed", 422, "The other system does not give it";
    /// A run ended before it was through; the next one goes on.
    Interrupted => "interrupted", 503, "It was interrupted";
    /// It is in use and cannot be deleted.
    InUse => "in_use", 409, "It is in use";
    /// The delivery has not been applied yet.
    StillPending => "still_pending", 409, "It has not been applied yet";
    /// Of the delivery nothing is kept that could be run again.
    NotReplayable => "not_replayable", 409, "It cannot be run again";
    /// A slug that another org of the instance has.
    SlugTaken => "slug_taken", 409, "The slug is taken";
    /// The org would be left without an active owner.
    LastOwner => "last_owner", 409, "An org has an owner";
    /// The org has as many of them as it may have.
    LimitReached => "limit_reached", 409, "There are as many as there may be";
    /// The resource has changed since it was read.
    PreconditionFailed => "precondition_failed", 412, "It has changed meanwhile";
    /// A query parameter is unknown or wrong.
    InvalidQuery => "invalid_query", 422, "A query parameter is at fault";
    /// One or more fields are at fault.
    InvalidFields => "invalid_fields", 422;
    /// The database is away, or too busy to finish.
    Unavailable => "unavailable", 503, "The database is away";
    /// The database was lost while it committed.
    OutcomeUnknown => "outcome_unknown", 503, "Whether it was applied is not known";
    /// A fault of the program's own.
    Internal => "internal_error", 500, "A fault of our own";
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|code| code.as_str() == text);
        known.copied().ok_or_else(|| serde::de::Error::custom(format!("no code \"{text}\"")))
    }
}

/// One thing that is wrong, or odd: what, in words for a person, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// The stable code.
    #[schema(value_type = String, example = "required")]
    pub code: Code,
    /// A sentence that names the remedy.
    pub message: String,
    /// Where: a JSON Pointer (RFC 6901) into the body.
    pub pointer: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(code: Code, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), pointer: pointer.into() }
    }
}

/// Something odd that did not stop the action (`listener.md` 1); the same shape as a fault.
pub type Warning = Fault;

/// A place in a payload, built up on the way down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// The member `name` of the object here, escaped as RFC 6901 asks.
    pub fn member(&self, name: &str) -> Self {
        let mut place = self.longer_by(name.len());
        for character in name.chars() {
            match character {
                '~' => place.push_str("~0"),
                '/' => place.push_str("~1"),
                other => place.push(other),
            }
        }
        Self(place)
    }

    /// The entry `index` of the array here.
    pub fn index(&self, index: usize) -> Self {
        let index = index.to_string();
        let mut place = self.longer_by(index.len());
        place.push_str(&index);
        Self(place)
    }

    /// This, a slash, and room for so many bytes more.
    fn longer_by(&self, bytes: usize) -> String {
        let mut place = String::with_capacity(self.0.len() + 1 + bytes);
        place.push_str(&self.0);
        place.push('/');
        place
    }

    /// The pointer as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}

impl From<&Pointer> for String {
    fn from(pointer: &Pointer) -> Self {
        pointer.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_what_rfc_6901_asks() {
        let place = Pointer::root().member("a/b").index(3).member("m~n");
        assert_eq!(place.as_str(), "/a~1b/3/m~0n");
    }
}
