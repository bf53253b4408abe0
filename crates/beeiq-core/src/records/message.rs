//! Messages of the outbox: by which channel they go, and what has become of them (`api.md` 4).

use std::fmt;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// An e-mail.
    Email,
    /// An SMS.
    Sms,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Email, Self::Sms];

    /// Its name in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    /// The channel of that name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == word)
    }
}

/// What has become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits to be sent.
    Pending,
    /// A process is sending it.
    Sending,
    /// A provider has taken it over.
    Sent,
    /// It will not be sent by itself any more.
    Dead,
    /// A person decided that it is not sent.
    Cancelled,
    /// It was never to be sent: this is staging.
    Captured,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Sending, Self::Sent, Self::Dead, Self::Cancelled, Self::Captured];

    /// Its name in the API and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::Captured => "captured",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether a person may have it tried again: not what may have gone out already, and not what
    /// is never to go.
    #[must_use]
    pub const fn can_be_retried(self) -> bool {
        matches!(self, Self::Pending | Self::Dead | Self::Cancelled)
    }

    /// Whether a person may have it not sent any more.
    #[must_use]
    pub const fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Pending | Self::Dead)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_not_gone_out_can_be_retried_or_cancelled() {
        for (status, retried, cancelled) in [
            (Status::Pending, true, true),
            (Status::Sending, false, false),
            (Status::Sent, false, false),
            (Status::Dead, true, true),
            (Status::Cancelled, true, false),
            (Status::Captured, false, false),
        ] {
            assert_eq!(status.can_be_retried(), retried, "{status}");
            assert_eq!(status.can_be_cancelled(), cancelled, "{status}");
        }
    }
}
