//! What messages go through.

/// What messages go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageChannel {
    /// E-mail.
    Email,
    /// SMS.
    Sms,
}

impl MessageChannel {
    /// Its name in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}
