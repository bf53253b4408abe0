//! New rows of the outbox, and what they say.

use super::columns::{Json, Rows, each};
use crate::store::statement::Statement;
use beeiq_core::batch::{Message, Origin};
use beeiq_core::records::message::{Status, Wording};
use diesel::sql_types::{Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use std::collections::BTreeMap;
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
    let status = if outgoing.staging { Status::Captured } else { Status::Pending };
    let message_id = |message: &Message| format!("<{}@{}>", message.id, outgoing.mail_domain);
    let segments = |message: &Message| message.segments.and_then(|it| i16::try_from(it).ok());
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("id", each(messages, |(_, message)| message.id))
        .column::<Text, _>("status", each(messages, |_| status.as_str()))
        .column::<Text, _>(
            "channel",
            each(messages, |(_, message)| message.wording.content.channel().as_str()),
        )
        .column::<Text, _>("recipient", each(messages, |(_, message)| message.recipient.as_str()))
        .column::<SqlUuid, _>("wording_id", each(messages, |(_, message)| message.wording.id))
        .column_as::<Nullable<Text>, _>(
            "merge_fields",
            "new.merge_fields::jsonb",
            each(messages, |(_, message)| message.merge.as_deref().map(Json)),
        )
        .column::<Nullable<SmallInt>, _>("segments", each(messages, |(_, it)| segments(it)))
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

/// Inserts what they say, where that is not there yet.
pub(super) fn insert_wordings<'a>(
    org: Uuid,
    messages: &'a [(Origin, Message)],
) -> Option<Statement<'a>> {
    if messages.is_empty() {
        return None;
    }
    // In the order of their ids, so that those who insert the same ones do not wait in a circle.
    let wordings: BTreeMap<Uuid, &Wording> =
        messages.iter().map(|(_, message)| (message.wording.id, &*message.wording)).collect();
    let wordings: Vec<&Wording> = wordings.into_values().collect();
    let rows = Rows::of(org)
        .column::<SqlUuid, _>("id", wordings.iter().map(|it| it.id).collect())
        .column::<Nullable<Text>, _>(
            "subject",
            wordings.iter().map(|it| it.content.subject()).collect(),
        )
        .column::<Nullable<Text>, _>("html", wordings.iter().map(|it| it.content.html()).collect())
        .column::<Nullable<Text>, _>("text", wordings.iter().map(|it| it.content.text()).collect());
    Some(rows.insert_or("wordings", " ON CONFLICT DO NOTHING"))
}
