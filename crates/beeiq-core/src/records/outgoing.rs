//! What leaves the instance, and what became of it.

use chrono::{DateTime, Utc};
use std::time::Duration;
use uuid::Uuid;

/// An e-mail as it was queued.
#[derive(Clone, Debug)]
pub struct Email {
    /// The address it goes to.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The HTML part.
    pub html: Option<String>,
    /// The text part.
    pub text: Option<String>,
    /// `<id@host>`, fixed when queued: the same on every attempt.
    pub message_id: String,
    /// The `Date`, fixed when queued.
    pub date: DateTime<Utc>,
}

/// An SMS as it was queued.
#[derive(Clone, Debug)]
pub struct Sms {
    /// The number it goes to, in E.164.
    pub to: String,
    /// The text.
    pub content: String,
    /// The outbox row: what a provider that knows idempotency keys is given.
    pub id: Uuid,
}

/// What became of an attempt (`listener.md` 8). `words` are the provider's own, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken over by the provider.
    Sent {
        /// Its answer.
        words: String,
        /// The id that it gave the message.
        provider_id: Option<String>,
    },
    /// It may work later.
    Transient {
        /// Why not now.
        words: String,
        /// How long the provider asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It will never work for this message.
    Permanent {
        /// Why.
        words: String,
    },
    /// The org's account is refused, whatever the message: credentials, or no account at all.
    AccountRefused {
        /// Why.
        words: String,
    },
    /// It was not tried: the org has sent what it may send today. It waits for tomorrow.
    QuotaUsedUp {
        /// Which quota, and what helps.
        words: String,
    },
}

impl Outcome {
    /// One that may work later, of which nobody said when.
    pub fn transient(words: impl Into<String>) -> Self {
        Self::Transient { words: words.into(), retry_after: None }
    }

    /// The words of whoever answered.
    pub fn words(&self) -> &str {
        match self {
            Self::Sent { words, provider_id: _ }
            | Self::Transient { words, retry_after: _ }
            | Self::Permanent { words }
            | Self::AccountRefused { words }
            | Self::QuotaUsedUp { words } => words,
        }
    }

    /// The same in other words.
    #[must_use]
    pub fn reworded(mut self, reword: impl FnOnce(&str) -> String) -> Self {
        let (Self::Sent { words, provider_id: _ }
        | Self::Transient { words, retry_after: _ }
        | Self::Permanent { words }
        | Self::AccountRefused { words }
        | Self::QuotaUsedUp { words }) = &mut self;
        *words = reword(words);
        self
    }
}
