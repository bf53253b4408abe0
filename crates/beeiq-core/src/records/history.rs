//! What happened to a record (`api.md` 5): each event with its details, written, read and told from
//! here.

#![expect(missing_docs, reason = "the specification's own words, api.md 5")]

use super::identity::IdentityKind;
use super::message::Channel;
use crate::words;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Declares the kinds of events: the variant, the shape of its details, its word.
macro_rules! events {
    ($($variant:ident($details:ty) => $word:tt,)+) => {
        words! {
            /// What a history line tells of.
            pub enum HistoryKind {
                $($variant => $word,)+
            }
        }

        /// Something that happened to a record, with what is kept of it: ids and codes of other
        /// records, never their names.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $($variant($details),)+
        }

        impl Event {
            /// The kind, as a column of its own.
            #[must_use]
            pub const fn kind(&self) -> HistoryKind {
                match self {
                    $(Self::$variant(_) => HistoryKind::$variant,)+
                }
            }

            /// # Errors
            /// Where the details are of another shape than the kind's.
            fn read(kind: HistoryKind, details: &Value) -> serde_json::Result<Self> {
                match kind {
                    $(HistoryKind::$variant => <$details>::deserialize(details).map(Self::$variant),)+
                }
            }
        }

        /// The details alone.
        impl Serialize for Event {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(details) => details.serialize(serializer),)+
                }
            }
        }
    };
}

events! {
    Created(Created) => "created",
    DuplicateSkipped(DuplicateSkipped) => "duplicate_skipped",
    Updated(Updated) => "updated",
    NoteAdded(NoteAdded) => "note_added",
    DealAdded(OfDeal) => "deal_added",
    DealUpdated(OfDeal) => "deal_updated",
    TicketAdded(OfTicket) => "ticket_added",
    ActivityAdded(OfActivity) => "activity_added",
    ActivityUpdated(OfActivity) => "activity_updated",
    SmsQueued(Queued) => "sms_queued",
    SmsSent(Sent) => "sms_sent",
    SmsFailed(Failed) => "sms_failed",
    EmailQueued(Queued) => "email_queued",
    EmailSent(Sent) => "email_sent",
    EmailFailed(Failed) => "email_failed",
    CompanyLinked(CompanyLinked) => "company_linked",
}

words! {
    /// By what a record was made.
    pub enum Maker {
        Listener => "listener",
        /// As the company of another record.
        Company => "company",
    }
}

/// The shapes of details. What a line lacks is read as empty.
macro_rules! details {
    ($($(#[$meta:meta])* $name:ident {
        $($(#[$of_field:meta])* $field:ident: $type:ty,)+
    })+) => {
        $($(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$of_field])* pub $field: $type,)+
        })+
    };
}

details! {
    Created {
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<Maker>,
        #[serde(skip_serializing_if = "Option::is_none")]
        company: Option<String>,
    }
    DuplicateSkipped {
        matched: Vec<Matched>,
    }
    Updated {
        /// Field → `{"old": …, "new": …}`.
        changes: Map<String, Value>,
    }
    NoteAdded {
        note: NoteId,
        /// The names of tags that came with it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tags_added: Vec<String>,
    }
    NoteId {
        id: Uuid,
    }
    OfDeal {
        deal: NamedDeal,
    }
    NamedDeal {
        id: Uuid,
        deal_id: String,
    }
    OfTicket {
        ticket: Coded,
    }
    OfActivity {
        activity: NamedActivity,
    }
    NamedActivity {
        id: Uuid,
        kind: String,
    }
    CompanyLinked {
        company: Coded,
        /// Whether it was made for that.
        created: bool,
    }
    /// A record by its code: its name may be hidden from who reads the line (`listener.md` 5).
    Coded {
        id: Uuid,
        code: String,
    }
    Queued {
        message_id: Uuid,
        to: String,
        /// On staging it is not sent.
        captured: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        segments: Option<u32>,
    }
    Sent {
        message_id: Uuid,
        to: String,
    }
    /// A message that could not even be made is not in the outbox.
    Failed {
        #[serde(skip_serializing_if = "Option::is_none")]
        message_id: Option<Uuid>,
        #[serde(skip_serializing_if = "String::is_empty")]
        to: String,
        reason: String,
    }
}

/// An identifier that two records share, in the form in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    pub field: IdentityKind,
    #[serde(default)]
    pub value: String,
}

impl Event {
    /// The details alone, which are plain data.
    #[must_use]
    pub fn details(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The record was made.
    #[must_use]
    pub const fn created(by: Maker) -> Self {
        Self::Created(Created { by: Some(by), company: None })
    }

    /// A message is to be sent.
    #[must_use]
    pub const fn queued(channel: Channel, queued: Queued) -> Self {
        match channel {
            Channel::Email => Self::EmailQueued(queued),
            Channel::Sms => Self::SmsQueued(queued),
        }
    }

    /// A provider has taken a message over.
    #[must_use]
    pub const fn sent(channel: Channel, sent: Sent) -> Self {
        match channel {
            Channel::Email => Self::EmailSent(sent),
            Channel::Sms => Self::SmsSent(sent),
        }
    }

    /// A message could not be sent.
    #[must_use]
    pub const fn failed(channel: Channel, failed: Failed) -> Self {
        match channel {
            Channel::Email => Self::EmailFailed(failed),
            Channel::Sms => Self::SmsFailed(failed),
        }
    }

    /// One English sentence about it. What is not told makes the sentence shorter.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Created(Created { by, company }) => {
                let how = match by {
                    Some(Maker::Listener) => " by a listener",
                    Some(Maker::Company) => " as the company of another record",
                    None => "",
                };
                let company = company.as_deref().unwrap_or_default();
                format!("Created{how}{}.", unless_empty(", with company ", company))
            }
            Self::DuplicateSkipped(DuplicateSkipped { matched }) => {
                let shared = matched
                    .iter()
                    .map(|Matched { field, value }| format!("{field}{}", unless_empty(" ", value)))
                    .collect::<Vec<_>>()
                    .join(", ");
                format!("A duplicate was skipped{}.", unless_empty(": the same ", &shared))
            }
            Self::Updated(Updated { changes }) => {
                let fields: Vec<&str> = changes.keys().map(String::as_str).collect();
                format!("Updated{}.", unless_empty(": ", &fields.join(", ")))
            }
            Self::NoteAdded(_) => "A note was added.".to_owned(),
            Self::DealAdded(OfDeal { deal }) => {
                format!("{} was added.", named("A deal", "Deal", &deal.deal_id))
            }
            Self::DealUpdated(OfDeal { deal }) => {
                format!("{} was updated.", named("A deal", "Deal", &deal.deal_id))
            }
            Self::TicketAdded(OfTicket { ticket }) => {
                format!("{} was added.", named("A ticket", "Ticket", &ticket.code))
            }
            Self::ActivityAdded(OfActivity { activity }) => {
                format!("An activity{} was added.", in_brackets(&activity.kind))
            }
            Self::ActivityUpdated(OfActivity { activity }) => {
                format!("An activity{} was updated.", in_brackets(&activity.kind))
            }
            Self::SmsQueued(queued) => queued.summary("An SMS"),
            Self::SmsSent(Sent { message_id: _, to }) => {
                format!("An SMS{} was sent.", unless_empty(" to ", to))
            }
            Self::SmsFailed(failed) => failed.summary("An SMS"),
            Self::EmailQueued(queued) => queued.summary("An e-mail"),
            Self::EmailSent(Sent { message_id: _, to }) => {
                format!("An e-mail{} was sent.", unless_empty(" to ", to))
            }
            Self::EmailFailed(failed) => failed.summary("An e-mail"),
            Self::CompanyLinked(CompanyLinked { company, created }) => {
                let made = if *created { ", newly created" } else { "" };
                format!("Linked to {}{made}.", named("a company", "company", &company.code))
            }
        }
    }
}

impl Queued {
    fn summary(&self, what: &str) -> String {
        let to = unless_empty(" to ", &self.to);
        let segments = match self.segments {
            Some(1) => " (1 segment)".to_owned(),
            Some(count) => format!(" ({count} segments)"),
            None => String::new(),
        };
        if self.captured {
            format!("{what}{to} was captured, not sent{segments}: this is staging.")
        } else {
            format!("{what}{to} was queued{segments}.")
        }
    }
}

impl Failed {
    fn summary(&self, what: &str) -> String {
        let to = unless_empty(" to ", &self.to);
        let reason = capitalised(self.reason.trim_end_matches('.'));
        let stop = if reason.is_empty() { "" } else { "." };
        format!("{what}{to} could not be sent.{}{stop}", unless_empty(" ", &reason))
    }
}

/// An event as it is read. What a version of this program wrote that this one does not know is
/// shown as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kept {
    Known(Event),
    Unknown { kind: String, details: Value },
}

impl Kept {
    /// The event of two columns.
    #[must_use]
    pub fn read(kind: String, details: Value) -> Self {
        let known = kind.parse().ok().and_then(|kind| Event::read(kind, &details).ok());
        known.map_or(Self::Unknown { kind, details }, Self::Known)
    }

    /// The kind's word.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Known(event) => event.kind().as_str(),
            Self::Unknown { kind, .. } => kind,
        }
    }

    /// One English sentence about it.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Known(event) => event.summary(),
            Self::Unknown { kind, .. } => format!("{}.", capitalised(&kind.replace('_', " "))),
        }
    }
}

/// The details alone.
impl Serialize for Kept {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(event) => event.serialize(serializer),
            Self::Unknown { details, .. } => details.serialize(serializer),
        }
    }
}

fn unless_empty(before: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{before}{text}") }
}

/// `name` with the code, or `unnamed` where there is none.
fn named(unnamed: &str, name: &str, code: &str) -> String {
    if code.is_empty() { unnamed.to_owned() } else { format!("{name} {code}") }
}

fn in_brackets(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

fn capitalised(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
