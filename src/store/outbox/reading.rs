//! The outbox as it is read (`api.md` 4).

use super::super::customers::references::{self as customer_references, CustomerReference};
use super::content;
use crate::actor::Actor;
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{outbox, outbox_attempts, outbox_pauses};
use crate::store::word::Stored;
use beeiq_core::records::message::{Channel, Status};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use uuid::Uuid;

#[derive(Clone, Debug, Default)]
pub(crate) struct Filters {
    pub channel: Option<Channel>,
    pub status: Option<Status>,
    /// To this address or number, in any case.
    pub to: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = outbox, check_for_backend(Pg))]
pub(crate) struct MessageRow {
    pub id: Uuid,
    pub channel: Stored<Channel>,
    pub status: Stored<Status>,
    pub recipient: String,
    pub segments: Option<i16>,
    pub message_id: String,
    pub customer_id: Option<Uuid>,
    pub lead_id: Option<Uuid>,
    pub listener_id: Option<Uuid>,
    pub request_id: Option<Uuid>,
    pub next_attempt_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub provider_id: Option<String>,
    pub last_words: Option<String>,
}

/// A message with whom it is for.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub row: MessageRow,
    /// An e-mail's subject.
    pub subject: Option<String>,
    pub channel: Channel,
    pub status: Status,
    /// The contact or account, and the lead, that it is for.
    pub recipients: Vec<CustomerReference>,
    /// The pause of its channel, where there is one.
    pub pause: Option<Pause>,
}

/// The pause of a channel whose account was refused.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct Pause {
    channel: Stored<Channel>,
    pub until: DateTime<Utc>,
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = outbox_attempts, check_for_backend(Pg))]
pub(crate) struct AttemptRow {
    pub number: i32,
    pub at: DateTime<Utc>,
    pub duration_ms: i32,
    pub outcome: String,
    pub words: String,
}

/// A page of the org's messages, newest first; `before` is the last id of the page before.
pub(crate) fn list(
    conn: &mut Conn,
    actor: &Actor,
    filters: &Filters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Message>> {
    let mut query = outbox::table.filter(outbox::org_id.eq(actor.org)).into_boxed();
    if let Some(channel) = filters.channel {
        query = query.filter(outbox::channel.eq(channel.as_str()));
    }
    if let Some(status) = filters.status {
        query = query.filter(outbox::status.eq(status.as_str()));
    }
    if let Some(to) = &filters.to {
        query = query
            .filter(sql::<Bool>("lower(recipient) = lower(").bind::<Text, _>(to.clone()).sql(")"));
    }
    if let Some(before) = before {
        query = query.filter(outbox::id.lt(before));
    }
    let rows =
        query.order(outbox::id.desc()).limit(limit).select(MessageRow::as_select()).load(conn)?;
    messages(conn, actor, rows)
}

/// One message.
pub(crate) fn find(conn: &mut Conn, actor: &Actor, id: Uuid) -> Result<Option<Message>> {
    let row = outbox::table
        .filter(outbox::org_id.eq(actor.org))
        .filter(outbox::id.eq(id))
        .select(MessageRow::as_select())
        .first(conn)
        .optional()?;
    Ok(messages(conn, actor, row.into_iter().collect())?.pop())
}

/// A message's tries, in order.
pub(crate) fn attempts(conn: &mut Conn, org: Uuid, message: Uuid) -> Result<Vec<AttemptRow>> {
    Ok(outbox_attempts::table
        .filter(outbox_attempts::org_id.eq(org))
        .filter(outbox_attempts::message_id.eq(message))
        .order(outbox_attempts::number)
        .select(AttemptRow::as_select())
        .load(conn)?)
}

fn messages(conn: &mut Conn, actor: &Actor, rows: Vec<MessageRow>) -> Result<Vec<Message>> {
    let named = rows.iter().flat_map(|row| row.customer_id.into_iter().chain(row.lead_id));
    let customers = customer_references::load(conn, actor, named)?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut subjects = content::subjects(conn, actor.org, &ids)?;
    let pauses: Vec<Pause> = outbox_pauses::table
        .filter(outbox_pauses::org_id.eq(actor.org))
        .filter(sql::<Bool>("until > now()"))
        .select((outbox_pauses::channel, outbox_pauses::until))
        .load(conn)?;
    let messages = rows
        .into_iter()
        .map(|row| {
            let ids = row.customer_id.into_iter().chain(row.lead_id);
            Message {
                subject: subjects.remove(&row.id),
                channel: row.channel.0,
                status: row.status.0,
                recipients: ids.filter_map(|id| customers.get(&id).cloned()).collect(),
                pause: pauses.iter().find(|pause| pause.channel == row.channel).cloned(),
                row,
            }
        })
        .collect();
    Ok(messages)
}
