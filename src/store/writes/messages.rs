//! New rows of the outbox.

use super::columns::{Rows, each};
use crate::store::statement::Statement;
use beeiq_core::batch::{Content, Message, Origin};
use beeiq_core::records::message::{Channel, Status};
use diesel::sql_types::{Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// What messages are queued as.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Whether they are captured instead of sent.
    pub staging: bool,
    /// What `Message-ID`s end in.
    pub mail_domain: &'a str,
}

/// Inserts them: to be sent, or on staging to be looked at.
pub(super) fn insert<'a>(
    org: Uuid,
    messages: &'a [(Origin, Message)],
    outgoing: Outgoing<'_>,
) -> Option<Statement<'a>> {
    if messages.is_empty() {
        return None;
    }
    let rows: Vec<Row<'_>> = messages.iter().map(|(_, message)| Row::of(message)).collect();
    let status = if outgoing.staging { Status::Captured } else { Status::Pending };
    let message_id = |message: &Message| format!("<{}@{}>", message.id, outgoing.mail_domain);
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("id", each(messages, |(_, message)| message.id))
        .column::<Text, _>("status", each(messages, |_| status.as_str()))
        .column::<Text, _>("channel", each(&rows, |row| row.channel))
        .column::<Text, _>("recipient", each(messages, |(_, message)| message.recipient.as_str()))
        .column::<Nullable<Text>, _>("subject", each(&rows, |row| row.subject))
        .column::<Nullable<Text>, _>("html", each(&rows, |row| row.html))
        .column::<Nullable<Text>, _>("text", each(&rows, |row| row.text))
        .column::<Nullable<SmallInt>, _>("segments", each(&rows, |row| row.segments))
        .column::<Text, _>("message_id", each(messages, |(_, message)| message_id(message)))
        .column::<Nullable<SqlUuid>, _>(
            "customer_id",
            each(messages, |(_, message)| message.customer),
        )
        .column::<Nullable<SqlUuid>, _>("lead_id", each(messages, |(_, message)| message.lead))
        .column::<SqlUuid, _>("sender_id", each(messages, |(origin, _)| origin.sender))
        .column::<SqlUuid, _>("listener_id", each(messages, |(origin, _)| origin.listener))
        .column::<SqlUuid, _>("request_id", each(messages, |(origin, _)| origin.request))
        .column::<Timestamptz, _>("next_attempt_at", each(messages, |(origin, _)| origin.at))
        .column::<Timestamptz, _>("created_at", each(messages, |(origin, _)| origin.at));
    Some(rows.insert("outbox"))
}

/// What differs between the channels.
struct Row<'a> {
    channel: &'static str,
    subject: Option<&'a str>,
    html: Option<&'a str>,
    text: Option<&'a str>,
    segments: Option<i16>,
}

impl<'a> Row<'a> {
    fn of(message: &'a Message) -> Self {
        match &message.content {
            Content::Email { subject, html, text } => Self {
                channel: Channel::Email.as_str(),
                subject: Some(subject),
                html: Some(html),
                text: text.as_deref(),
                segments: None,
            },
            Content::Sms { text, segments } => Self {
                channel: Channel::Sms.as_str(),
                subject: None,
                html: None,
                text: Some(text),
                segments: i16::try_from(*segments).ok(),
            },
        }
    }
}
