//! New rows of the outbox.

use super::Origin;
use crate::actions::{Content, Message};
use crate::store::statement::{Statement, statement};
use diesel::sql_types::{Array, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// Inserts them: to be sent, or on staging to be looked at.
pub(super) fn insert<'a>(
    org: Uuid,
    messages: &'a [Message],
    origin: Origin<'_>,
) -> Option<Statement<'a>> {
    if messages.is_empty() {
        return None;
    }
    let rows: Vec<Row<'_>> = messages.iter().map(Row::of).collect();
    let insert = statement(
        "INSERT INTO outbox (org_id, id, channel, status, recipient, subject, html, text, segments, \
             message_id, customer_id, lead_id, sender_id, listener_id, request_id, next_attempt_at, created_at) \
         SELECT $1, new.id, new.channel, $2, new.recipient, new.subject, new.html, new.text, new.segments, \
             new.message_id, new.customer_id, new.lead_id, $3, $4, $5, $6, $6 \
         FROM unnest($7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
             AS new (id, channel, recipient, subject, html, text, segments, message_id, customer_id, \
             lead_id)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Text, _>(if origin.staging { "captured" } else { "pending" })
    .bind::<SqlUuid, _>(origin.sender)
    .bind::<SqlUuid, _>(origin.listener)
    .bind::<SqlUuid, _>(origin.request)
    .bind::<Timestamptz, _>(origin.at)
    .bind::<Array<SqlUuid>, _>(messages.iter().map(|m| m.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.channel).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(messages.iter().map(|m| m.recipient.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.subject).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.html).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.text).collect::<Vec<_>>())
    .bind::<Array<Nullable<SmallInt>>, _>(rows.iter().map(|row| row.segments).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(
        messages.iter().map(|m| format!("<{}@{}>", m.id, origin.mail_domain)).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<SqlUuid>>, _>(messages.iter().map(|m| m.customer).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(messages.iter().map(|m| m.lead).collect::<Vec<_>>());
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
