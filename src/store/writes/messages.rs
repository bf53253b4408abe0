//! New rows of the outbox.

use super::Outgoing;
use super::columns::each;
use crate::actions::{Content, Message, Origin};
use crate::store::statement::{Statement, statement};
use diesel::sql_types::{Array, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

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
    let insert = statement(
        "INSERT INTO outbox (org_id, id, channel, status, recipient, subject, html, text, segments, \
             message_id, customer_id, lead_id, sender_id, listener_id, request_id, next_attempt_at, created_at) \
         SELECT $1, new.id, new.channel, $2, new.recipient, new.subject, new.html, new.text, new.segments, \
             new.message_id, new.customer_id, new.lead_id, new.sender_id, new.listener_id, new.request_id, \
             new.at, new.at \
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
             AS new (id, channel, recipient, subject, html, text, segments, message_id, customer_id, \
             lead_id, sender_id, listener_id, request_id, at)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Text, _>(if outgoing.staging { "captured" } else { "pending" })
    .bind::<Array<SqlUuid>, _>(each(messages, |(_, message)| message.id))
    .bind::<Array<Text>, _>(each(&rows, |row| row.channel))
    .bind::<Array<Text>, _>(each(messages, |(_, message)| message.recipient.as_str()))
    .bind::<Array<Nullable<Text>>, _>(each(&rows, |row| row.subject))
    .bind::<Array<Nullable<Text>>, _>(each(&rows, |row| row.html))
    .bind::<Array<Nullable<Text>>, _>(each(&rows, |row| row.text))
    .bind::<Array<Nullable<SmallInt>>, _>(each(&rows, |row| row.segments))
    .bind::<Array<Text>, _>(each(messages, |(_, message)| {
        format!("<{}@{}>", message.id, outgoing.mail_domain)
    }))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(messages, |(_, message)| message.customer))
    .bind::<Array<Nullable<SqlUuid>>, _>(each(messages, |(_, message)| message.lead))
    .bind::<Array<SqlUuid>, _>(each(messages, |(origin, _)| origin.sender))
    .bind::<Array<SqlUuid>, _>(each(messages, |(origin, _)| origin.listener))
    .bind::<Array<SqlUuid>, _>(each(messages, |(origin, _)| origin.request))
    .bind::<Array<Timestamptz>, _>(each(messages, |(origin, _)| origin.at));
    Some(insert)
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
                channel: "email",
                subject: Some(subject),
                html: Some(html),
                text: text.as_deref(),
                segments: None,
            },
            Content::Sms { text, segments } => Self {
                channel: "sms",
                subject: None,
                html: None,
                text: Some(text),
                segments: i16::try_from(*segments).ok(),
            },
        }
    }
}
