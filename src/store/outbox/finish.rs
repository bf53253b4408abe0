//! What became of an attempt: on the message, in its list of attempts, and in the history of whom
//! it is for, in one transaction.

use super::claims::{from_now, held};
use crate::clock;
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{outbox, outbox_pauses};
use crate::store::word::Stored;
use beeiq_core::records::history::{Event, Failed, Sent};
use beeiq_core::records::message::{Channel, Content, Status};
use beeiq_core::records::outgoing::Outcome;
use beeiq_core::values::retry_schedule::{next_try, pause};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::upsert::excluded;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// An attempt that has come to its end.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub message: Uuid,
    pub claim: Uuid,
    pub duration: Duration,
    pub outcome: Outcome,
    /// What a message says that was made of a wording: kept where it was sent.
    pub rendered: Option<Arc<Content>>,
    /// Any number; see `retry_schedule::next_try`.
    pub roll: u32,
}

/// The message as the attempt finds it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox)]
struct Row {
    channel: Stored<Channel>,
    recipient: String,
    customer_id: Option<Uuid>,
    lead_id: Option<Uuid>,
    sender_id: Option<Uuid>,
    listener_id: Option<Uuid>,
    request_id: Option<Uuid>,
    attempts: i16,
}

/// What a message is after an attempt.
struct After<'a> {
    status: Status,
    wait: Duration,
    /// The name of the try's outcome; a refused account is no try.
    tried: Option<&'static str>,
    words: &'a str,
    provider_id: Option<&'a str>,
    /// Whether it waits for tomorrow's quota: then its history says so.
    waits_for_quota: bool,
}

/// Keeps what became of an attempt. What another claim has taken over since stays as it is, and the
/// answer is false.
pub(crate) fn finish(conn: &mut Conn, org: Uuid, attempt: &Attempt) -> Result<bool> {
    let row = held(org, attempt.message, attempt.claim)
        .select(Row::as_select())
        .for_update()
        .first(conn)
        .optional()?;
    let Some(row) = row else { return Ok(false) };
    let channel = row.channel.0;
    let failed = usize::try_from(row.attempts).unwrap_or_default() + 1;
    let after = after(attempt, failed);
    update(conn, org, attempt, &after)?;
    if let Some(outcome) = after.tried {
        add_attempt(conn, org, attempt, outcome, after.words)?;
    }
    match &attempt.outcome {
        Outcome::Sent { .. } => super::clear_pause(conn, org, channel)?,
        Outcome::AccountRefused { words } => rest(conn, org, channel, words)?,
        Outcome::QuotaUsedUp { words } => rest_until_tomorrow(conn, org, channel, words)?,
        Outcome::Transient { .. } | Outcome::Permanent { .. } => {}
    }
    add_history(conn, org, attempt.message, channel, &row, &after)
}

fn after(attempt: &Attempt, failed: usize) -> After<'_> {
    let ended = |status, tried, words| After {
        status,
        wait: Duration::ZERO,
        tried,
        words,
        provider_id: None,
        waits_for_quota: false,
    };
    match &attempt.outcome {
        Outcome::Sent { words, provider_id } => After {
            provider_id: provider_id.as_deref(),
            ..ended(Status::Sent, Some("sent"), words.as_str())
        },
        Outcome::Transient { words, retry_after } => {
            match next_try(failed, *retry_after, attempt.roll) {
                Some(wait) => {
                    After { wait, ..ended(Status::Pending, Some("transient"), words.as_str()) }
                }
                None => ended(Status::Dead, Some("transient"), words.as_str()),
            }
        }
        Outcome::Permanent { words } => ended(Status::Dead, Some("permanent"), words.as_str()),
        Outcome::AccountRefused { words } => ended(Status::Pending, None, words.as_str()),
        Outcome::QuotaUsedUp { words } => {
            After { waits_for_quota: true, ..ended(Status::Pending, None, words.as_str()) }
        }
    }
}

fn update(conn: &mut Conn, org: Uuid, attempt: &Attempt, after: &After<'_>) -> Result<()> {
    let failed = after.tried.is_some() && after.status != Status::Sent;
    let rendered = attempt.rendered.as_deref().filter(|_| after.status == Status::Sent);
    let as_sent = rendered.map(|content| {
        (
            outbox::subject.eq(content.subject()),
            outbox::html.eq(content.html()),
            outbox::text.eq(content.text()),
            outbox::merge_fields.eq(None::<serde_json::Value>),
        )
    });
    let sent_at = if after.status == Status::Sent { "now()" } else { "NULL" };
    diesel::update(held(org, attempt.message, attempt.claim))
        .set((
            outbox::status.eq(after.status.as_str()),
            outbox::claim_id.eq(None::<Uuid>),
            outbox::attempts.eq(outbox::attempts + i16::from(failed)),
            outbox::next_attempt_at.eq(from_now(after.wait)),
            outbox::sent_at.eq(sql::<Nullable<Timestamptz>>(sent_at)),
            outbox::last_words.eq(after.words),
            outbox::provider_id.eq(after.provider_id),
            as_sent,
        ))
        .execute(conn)?;
    Ok(())
}

fn add_attempt(
    conn: &mut Conn,
    org: Uuid,
    attempt: &Attempt,
    outcome: &str,
    words: &str,
) -> Result<()> {
    diesel::sql_query(
        "INSERT INTO outbox_attempts (org_id, message_id, number, at, duration_ms, outcome, words) \
         SELECT $1, $2, coalesce(max(number), 0) + 1, \
             now() - make_interval(secs => $3 / 1000.0), $3, $4, $5 \
         FROM outbox_attempts WHERE org_id = $1 AND message_id = $2",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<SqlUuid, _>(attempt.message)
    .bind::<Integer, _>(i32::try_from(attempt.duration.as_millis()).unwrap_or(i32::MAX))
    .bind::<Text, _>(outcome)
    .bind::<Text, _>(words)
    .execute(conn)?;
    Ok(())
}

/// Pauses a channel whose account was refused. Several messages refused at once are one refusal.
fn rest(conn: &mut Conn, org: Uuid, channel: Channel, words: &str) -> Result<()> {
    let known: Option<(i32, bool)> = outbox_pauses::table
        .filter(outbox_pauses::org_id.eq(org))
        .filter(outbox_pauses::channel.eq(channel.as_str()))
        .select((outbox_pauses::refusals, sql::<Bool>("until > now()")))
        .for_update()
        .first(conn)
        .optional()?;
    let refusals = match known {
        Some((_, true)) => return Ok(()),
        Some((refusals, false)) => refusals.saturating_add(1),
        None => 1,
    };
    let wait = pause(u32::try_from(refusals).unwrap_or_default());
    let pause = (
        outbox_pauses::until.eq(from_now(wait)),
        outbox_pauses::refusals.eq(refusals),
        outbox_pauses::reason.eq(words),
    );
    diesel::insert_into(outbox_pauses::table)
        .values((
            outbox_pauses::org_id.eq(org),
            outbox_pauses::channel.eq(channel.as_str()),
            pause.clone(),
        ))
        .on_conflict((outbox_pauses::org_id, outbox_pauses::channel))
        .do_update()
        .set(pause)
        .execute(conn)?;
    Ok(())
}

/// Pauses a channel until the next day begins (UTC).
fn rest_until_tomorrow(conn: &mut Conn, org: Uuid, channel: Channel, words: &str) -> Result<()> {
    let tomorrow = sql::<Timestamptz>("date_trunc('day', now()) + interval '1 day'");
    diesel::insert_into(outbox_pauses::table)
        .values((
            outbox_pauses::org_id.eq(org),
            outbox_pauses::channel.eq(channel.as_str()),
            outbox_pauses::until.eq(tomorrow),
            outbox_pauses::refusals.eq(0),
            outbox_pauses::reason.eq(words),
        ))
        .on_conflict((outbox_pauses::org_id, outbox_pauses::channel))
        .do_update()
        .set((
            outbox_pauses::until.eq(excluded(outbox_pauses::until)),
            outbox_pauses::reason.eq(excluded(outbox_pauses::reason)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Tells the customer's and the lead's history, once the message has come to its end, or
/// has to wait for tomorrow.
fn add_history(
    conn: &mut Conn,
    org: Uuid,
    message: Uuid,
    channel: Channel,
    row: &Row,
    after: &After<'_>,
) -> Result<bool> {
    let failed = || {
        let (to, reason) = (row.recipient.clone(), after.words.to_owned());
        Event::failed(channel, Failed { message_id: Some(message), to, reason })
    };
    let event = match after.status {
        Status::Sent => {
            Event::sent(channel, Sent { message_id: message, to: row.recipient.clone() })
        }
        Status::Dead => failed(),
        Status::Pending if after.waits_for_quota => failed(),
        Status::Pending | Status::Sending | Status::Cancelled | Status::Captured => {
            return Ok(true);
        }
    };
    let holders: Vec<Uuid> = row.customer_id.into_iter().chain(row.lead_id).collect();
    if holders.is_empty() {
        return Ok(true);
    }
    let ids: Vec<Uuid> = holders.iter().map(|_| clock::new_id()).collect();
    diesel::sql_query(
        "INSERT INTO history (org_id, id, at, kind, customer_id, actor_id, listener_id, request_id, details) \
         SELECT $1, new.id, now(), $2, new.customer_id, $3, $4, $5, $6 \
         FROM unnest($7, $8) AS new (id, customer_id)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Text, _>(event.kind().as_str())
    .bind::<Nullable<SqlUuid>, _>(row.sender_id)
    .bind::<Nullable<SqlUuid>, _>(row.listener_id)
    .bind::<Nullable<SqlUuid>, _>(row.request_id)
    .bind::<Jsonb, _>(event.details())
    .bind::<Array<SqlUuid>, _>(ids)
    .bind::<Array<SqlUuid>, _>(holders)
    .execute(conn)?;
    Ok(true)
}
