//! What leaves the instance, and what those said whom it was given to.

pub mod smtp;

use chrono::{DateTime, Utc};
use smtp::{Smtp, SmtpServer};
use std::time::Duration;
use uuid::Uuid;

/// Gives messages to those who carry them.
pub struct Senders {
    smtp: Smtp,
    instance: Option<SmtpServer>,
}

impl Senders {
    /// Senders that use the instance's mail server, where there is one.
    #[must_use]
    pub fn new(smtp: Smtp, instance: Option<SmtpServer>) -> Self {
        Self { smtp, instance }
    }

    /// Sends an e-mail of an org, once.
    pub async fn email(&self, _org: Uuid, email: &Email) -> Outcome {
        match &self.instance {
            Some(server) => self.smtp.send(server, email).await,
            None => Outcome::AccountRefused {
                words: "There is no mail server: set the org's under /settings/email, or the \
                        instance's with BEEIQ_SMTP_URL and BEEIQ_SMTP_FROM."
                    .to_owned(),
            },
        }
    }

    /// Sends an SMS of an org, once.
    pub async fn sms(&self, _org: Uuid, _sms: &Sms) -> Outcome {
        let words = "There is no SMS account: set the org's under /settings/sms.".to_owned();
        std::future::ready(Outcome::AccountRefused { words }).await
    }
}

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
}
