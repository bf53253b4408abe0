//! Messages of the outbox: by which channel they go, and what has become of them (`api.md` 4).

use crate::values::template::{Markup, MergeFields, MessageTemplate, RenderError, TemplateError};
use crate::words;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

words! {
    /// What a message is.
    #[schema(as = MessageChannel)]
    pub enum Channel {
        Email => "email",
        Sms => "sms",
    }
}

words! {
    /// What has become of a message.
    #[schema(as = MessageStatus)]
    pub enum Status {
        /// It waits to be sent.
        Pending => "pending",
        /// A process is sending it.
        Sending => "sending",
        /// A provider has taken it over.
        Sent => "sent",
        /// It will not be sent by itself any more.
        Dead => "dead",
        /// A person decided that it is not sent.
        Cancelled => "cancelled",
        /// It was never to be sent: this is staging.
        Captured => "captured",
    }
}

impl Status {
    /// Whether a person may have it tried again: not what may have gone out already, and not what
    /// is never to go.
    pub const fn can_be_retried(self) -> bool {
        matches!(self, Self::Pending | Self::Dead | Self::Cancelled)
    }

    /// Whether a person may have it not sent any more.
    pub const fn can_be_cancelled(self) -> bool {
        matches!(self, Self::Pending | Self::Dead)
    }
}

/// What a message says, by channel: the text itself, or templates of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Content {
    Email { subject: String, html: String, text: Option<String> },
    Sms { text: String },
}

/// Why templates that have been checked cannot be rendered.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "their texts say it")]
pub enum Unrenderable {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Message(#[from] RenderError),
}

impl Content {
    /// By which channel it goes.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Email { .. } => Channel::Email,
            Self::Sms { .. } => Channel::Sms,
        }
    }

    /// What templates say with these values.
    ///
    /// # Errors
    /// Where they are none, or the message would be too large.
    pub fn rendered(&self, fields: &MergeFields) -> Result<Self, Unrenderable> {
        let render = |source: &str, markup| -> Result<String, Unrenderable> {
            Ok(MessageTemplate::checked(source, markup)?.render(fields)?)
        };
        Ok(match self {
            Self::Email { subject, html, text } => Self::Email {
                subject: render(subject, Markup::Line)?,
                html: render(html, Markup::Html)?,
                text: text.as_deref().map(|text| render(text, Markup::Text)).transpose()?,
            },
            Self::Sms { text } => Self::Sms { text: render(text, Markup::Text)? },
        })
    }

    /// The subject, where it has one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Email { subject, .. } => Some(subject),
            Self::Sms { .. } => None,
        }
    }

    /// The HTML part, where it has one.
    #[must_use]
    pub fn html(&self) -> Option<&str> {
        match self {
            Self::Email { html, .. } => Some(html),
            Self::Sms { .. } => None,
        }
    }

    /// The text of an SMS, or the text part of an e-mail.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Email { text, .. } => text.as_deref(),
            Self::Sms { text } => Some(text),
        }
    }
}

/// What many messages say, kept once: a text, or the templates that each fills in for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// Made of the content: the same words have the same id.
    pub id: Uuid,
    /// The words.
    pub content: Content,
}

impl Wording {
    /// The wording of that content.
    #[must_use]
    pub fn new(content: Content) -> Self {
        let mut hash = Sha256::new_with_prefix(content.channel().as_str());
        for part in [content.subject(), content.html(), content.text()] {
            // The length tells where a part ends, and an empty part from none.
            let length = part.and_then(|part| u64::try_from(part.len()).ok());
            hash.update(length.map_or([u8::MAX; 8], u64::to_be_bytes));
            hash.update(part.unwrap_or_default());
        }
        let mut id = [0; 16];
        id.iter_mut().zip(hash.finalize()).for_each(|(byte, of_hash)| *byte = of_hash);
        Self { id: Builder::from_custom_bytes(id).into_uuid(), content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_have_one_id_and_others_another() {
        let email = |subject: &str, html: &str, text: Option<&str>| {
            let text = text.map(str::to_owned);
            let (subject, html) = (subject.to_owned(), html.to_owned());
            Wording::new(Content::Email { subject, html, text }).id
        };
        assert_eq!(email("a", "b", None), email("a", "b", None));
        let sms = Wording::new(Content::Sms { text: "ab".to_owned() }).id;
        let others = [email("a", "b", Some("")), email("ab", "", None), email("", "ab", None), sms];
        for (place, id) in others.iter().enumerate() {
            assert_ne!(*id, email("a", "b", None));
            assert!(!others[..place].contains(id));
        }
    }

    #[test]
    fn a_template_names_a_custom_field_that_is_called_something_else_by_now() {
        let content = Content::Sms { text: "Hi {{ fields['Old name'] }}".to_owned() };
        let fields = [("old NAME".to_owned(), "x".to_owned())].into();
        let fields = MergeFields { fields, ..MergeFields::default() };
        assert_eq!(content.rendered(&fields).unwrap(), Content::Sms { text: "Hi x".to_owned() });
    }

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
