//! What can be wrong with what somebody sent: a stable code, a sentence, and the place.

use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident => $text:literal,)+) => {
        /// The stable codes of faults and warnings (`listener.md` 2). A code, once published, keeps its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
            /// All of them.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as clients see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

codes! {
    // Values
    /// A required field is absent.
    Required => "required",
    /// A value is of another JSON type than the field's.
    WrongType => "wrong_type",
    /// A text is longer than the field holds.
    TooLong => "too_long",
    /// A value is outside what the field holds.
    OutOfRange => "out_of_range",
    /// A value is none of those to choose from.
    InvalidChoice => "invalid_choice",
    /// A value is malformed.
    InvalidValue => "invalid_value",
    /// Not an e-mail address.
    InvalidEmail => "invalid_email",
    /// Not a phone number.
    InvalidPhone => "invalid_phone",
    /// Not a date.
    InvalidDate => "invalid_date",
    /// A text holds U+0000, which no record can hold.
    NulCharacter => "nul_character",
    /// A template cannot be used.
    InvalidTemplate => "invalid_template",
    // Actions
    /// No action of that name.
    UnknownActionType => "unknown_action_type",
    /// A field that the action does not have (a warning).
    UnknownField => "unknown_field",
    /// A field that is not used here (a warning).
    IgnoredField => "ignored_field",
    /// The sender is no active user of the org.
    UnknownSender => "unknown_sender",
    /// No group of that name.
    UnknownGroup => "unknown_group",
    /// No active user of that e-mail.
    UnknownUser => "unknown_user",
    /// No custom field of that name on this kind of record.
    UnknownCustomField => "unknown_custom_field",
    /// A value that the custom field cannot hold.
    InvalidCustomValue => "invalid_custom_value",
    /// No channel of that name.
    UnknownChannel => "unknown_channel",
    /// No SLA of that name.
    UnknownSla => "unknown_sla",
    /// No deal of that id.
    UnknownDeal => "unknown_deal",
    /// No source of that name.
    UnknownSource => "unknown_source",
    /// No deal stage of that name.
    UnknownStage => "unknown_stage",
    /// No deal category of that name.
    UnknownCategory => "unknown_category",
    /// No deal package of that name.
    UnknownPackage => "unknown_package",
    /// No currency of the org.
    UnknownCurrency => "unknown_currency",
    /// Several records are meant by what was given.
    Ambiguous => "ambiguous",
    /// A code or type of another kind of record than the action's.
    WrongKind => "wrong_kind",
    /// Nothing in the action identifies the record that it is about.
    MissingIdentifier => "missing_identifier",
    /// Another record holds the identifier already.
    IdentifierTaken => "identifier_taken",
    /// A company that is to be created has no name.
    CompanyNameRequired => "company_name_required",
    /// Several companies have the name; the oldest was taken (a warning).
    AmbiguousCompany => "ambiguous_company",
    /// No company has that code; the search went on (a warning).
    UnknownCompany => "unknown_company",
    /// Nobody has that code; the search went on (a warning).
    UnknownCustomer => "unknown_customer",
    /// Another customer holds the company's e-mail or phone (a warning).
    IdentifierShared => "identifier_shared",
    /// The SMS credits do not suffice.
    SmsCreditsExhausted => "sms_credits_exhausted",
    /// A welcome message could not be made (a warning).
    WelcomeSkipped => "welcome_skipped",
    /// A replay leaves out what an earlier one made (a warning).
    AlreadyApplied => "already_applied",
    // The request as a whole
    /// The body is not JSON.
    NotJson => "not_json",
    /// The envelope of a payload is wrong.
    InvalidEnvelope => "invalid_envelope",
    /// The body is larger than the limit.
    BodyTooLarge => "body_too_large",
    /// More actions than the limit.
    TooManyActions => "too_many_actions",
    /// Nested deeper than the limit.
    TooDeep => "too_deep",
    /// The body came too slowly.
    BodyTooSlow => "body_too_slow",
    /// An encoded body.
    EncodingNotSupported => "encoding_not_supported",
    /// The caller's address is not allowed.
    AddressNotAllowed => "address_not_allowed",
    /// The listener is disabled.
    ListenerDisabled => "listener_disabled",
    /// Not an `Idempotency-Key`.
    InvalidIdempotencyKey => "invalid_idempotency_key",
    /// The first request of the key is still running.
    IdempotencyKeyInUse => "idempotency_key_in_use",
    /// The key came with another request before.
    IdempotencyKeyReused => "idempotency_key_reused",
    /// All actions failed.
    AllActionsFailed => "all_actions_failed",
    /// One action of an atomic request failed.
    AtomicFailed => "atomic_failed",
    /// Not found, or not to be known of.
    NotFound => "not_found",
    /// The path exists, but not for this method.
    MethodNotAllowed => "method_not_allowed",
    /// No or a bad token.
    Unauthorized => "unauthorized",
    /// The role may not.
    Forbidden => "forbidden",
    /// Too many attempts.
    TooManyAttempts => "too_many_attempts",
    /// Over the listener's rate.
    RateLimited => "rate_limited",
    /// More than this process takes on at a time.
    Overloaded => "overloaded",
    /// The body would take more memory than one is given.
    TooComplex => "too_complex",
    /// Only an instance in staging does this.
    StagingOnly => "staging_only",
    /// A name that is taken.
    NameTaken => "name_taken",
    /// There is no account to send through.
    NoAccount => "no_account",
    /// A message of that status cannot be retried or cancelled.
    WrongStatus => "wrong_status",
    /// It is in use and cannot be deleted.
    InUse => "in_use",
    /// The delivery has not been applied yet.
    StillPending => "still_pending",
    /// Of the delivery nothing is kept that could be run again.
    NotReplayable => "not_replayable",
    /// A slug that another org of the instance has.
    SlugTaken => "slug_taken",
    /// The org would be left without an active owner.
    LastOwner => "last_owner",
    /// The org has as many of them as it may have.
    LimitReached => "limit_reached",
    /// The resource has changed since it was read.
    PreconditionFailed => "precondition_failed",
    /// A query parameter is unknown or wrong.
    InvalidQuery => "invalid_query",
    /// One or more fields are at fault.
    InvalidFields => "invalid_fields",
    /// The database is away, or too busy to finish.
    Unavailable => "unavailable",
    /// A fault of the program's own.
    Internal => "internal_error",
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that is wrong, or odd: what, in words for a person, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
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
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The member `name` of the object here, escaped as RFC 6901 asks.
    #[must_use]
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
    #[must_use]
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
    #[must_use]
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
