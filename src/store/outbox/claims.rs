//! Claims: which queue is next, and whose its messages are.

use super::content::{SAID, Said};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::outbox;
use crate::store::word::Stored;
use beeiq_core::records::message::{Channel, Content, Status};
use beeiq_core::records::outgoing::{Email, Sms};
use chrono::{DateTime, Utc};
use diesel::dsl::{now, sql};
use diesel::expression::{AsExpression, SqlLiteral, UncheckedBind};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Text, Timestamptz, Uuid as SqlUuid};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The messages of one org's channel: what has its order, and its limits, of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Queue {
    pub org: Uuid,
    pub channel: Channel,
}

/// A message that is the caller's to send until its lease ends.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub id: Uuid,
    /// The claim, to be named when it is finished.
    pub claim: Uuid,
    pub content: Outgoing,
    /// What was filled into a wording for it: to be kept as it was sent.
    pub rendered: Option<Arc<Content>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    Email(Email),
    Sms(Sms),
    /// It cannot be made of its wording; why.
    Unrenderable(String),
}

#[derive(QueryableByName)]
#[diesel(table_name = outbox)]
struct QueueRow {
    org_id: Uuid,
    channel: Stored<Channel>,
}

/// The queues after `after`, in a fixed order, that have something due and are not paused; to be
/// read within `db::over_queues`. It looks at `looks` queues at most, at one row of each: what an
/// org has waiting costs the others nothing. The last queue that it looked at is told too, `None`
/// where it came to the end.
pub(crate) fn due_queues(
    conn: &mut Conn,
    after: Option<Queue>,
    looks: i32,
) -> Result<(Vec<Queue>, Option<Queue>)> {
    #[derive(QueryableByName)]
    struct Seen {
        #[diesel(embed)]
        queue: QueueRow,
        #[diesel(sql_type = diesel::sql_types::Bool)]
        due: bool,
    }
    // Each step of the recursion is one probe of the index outbox_waiting for the queue after the
    // one before; the ORDER BYs keep the planner from reading the table instead.
    let seen: Vec<Seen> = diesel::sql_query(
        "WITH RECURSIVE queue (org_id, channel, look) AS ( \
             SELECT $1, $2, 0 \
           UNION ALL \
             SELECT next.org_id, next.channel, queue.look + 1 \
             FROM queue, LATERAL ( \
                 SELECT org_id, channel FROM outbox \
                 WHERE status IN ('pending', 'sending') \
                     AND (org_id, channel) > (queue.org_id, queue.channel) \
                 ORDER BY org_id, channel LIMIT 1) AS next \
             WHERE queue.look < $3) \
         SELECT org_id, channel, \
             coalesce((SELECT waiting.next_attempt_at <= now() FROM outbox AS waiting \
                 WHERE waiting.org_id = queue.org_id AND waiting.channel = queue.channel \
                     AND waiting.status IN ('pending', 'sending') \
                 ORDER BY waiting.next_attempt_at LIMIT 1), false) \
             AND NOT EXISTS (SELECT FROM outbox_pauses AS pause \
                 WHERE pause.org_id = queue.org_id AND pause.channel = queue.channel \
                     AND pause.until > now()) AS due \
         FROM queue WHERE look > 0 ORDER BY look",
    )
    .bind::<SqlUuid, _>(after.map_or(Uuid::nil(), |queue| queue.org))
    .bind::<Text, _>(after.map_or("", |queue| queue.channel.as_str()))
    .bind::<Integer, _>(looks)
    .load(conn)?;
    let full = usize::try_from(looks).is_ok_and(|looks| seen.len() >= looks);
    let mut last = None;
    let mut due = Vec::new();
    for row in seen {
        let queue = Queue { org: row.queue.org_id, channel: row.queue.channel.0 };
        last = Some(queue);
        if row.due {
            due.push(queue);
        }
    }
    Ok((due, last.filter(|_| full)))
}

#[derive(QueryableByName)]
#[diesel(table_name = outbox)]
struct ClaimedRow {
    id: Uuid,
    recipient: String,
    #[diesel(embed)]
    said: Said,
    message_id: String,
    created_at: DateTime<Utc>,
}

/// Claims the `most` longest due messages of a queue for `lease`; what another process is claiming
/// at the same time is passed over. A message whose lease has ended is due again.
pub(crate) fn claim(
    conn: &mut Conn,
    Queue { org, channel }: Queue,
    claim: Uuid,
    most: usize,
    lease: Duration,
) -> Result<Vec<Claimed>> {
    let rows: Vec<ClaimedRow> = diesel::sql_query(format!(
        "WITH due AS ( \
             SELECT id, wording_id FROM outbox \
             WHERE org_id = $1 AND channel = $2 AND status IN ('pending', 'sending') \
                 AND next_attempt_at <= now() \
             ORDER BY next_attempt_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) \
         UPDATE outbox SET status = 'sending', claim_id = $4, \
             next_attempt_at = now() + make_interval(secs => $5) \
         FROM due LEFT JOIN wordings ON wordings.org_id = $1 AND wordings.id = due.wording_id \
         WHERE outbox.org_id = $1 AND outbox.id = due.id \
         RETURNING outbox.id, recipient, {SAID}, message_id, created_at",
    ))
    .bind::<SqlUuid, _>(org)
    .bind::<Text, _>(channel.as_str())
    .bind::<BigInt, _>(i64::try_from(most).unwrap_or(i64::MAX))
    .bind::<SqlUuid, _>(claim)
    .bind::<Double, _>(lease.as_secs_f64())
    .load(conn)?;
    Ok(rows.into_iter().map(|row| row.claimed(claim)).collect())
}

impl ClaimedRow {
    fn claimed(self, claim: Uuid) -> Claimed {
        let Self { id, recipient: to, said, message_id, created_at } = self;
        let is_merged = said.is_merged();
        let content = match said.content() {
            Ok(content) => content,
            Err(error) => {
                let content = Outgoing::Unrenderable(error.to_string());
                return Claimed { id, claim, content, rendered: None };
            }
        };
        let rendered = is_merged.then(|| Arc::new(content.clone()));
        let content = match content {
            Content::Email { subject, html, text } => {
                let (html, date) = (Some(html), created_at);
                Outgoing::Email(Email { to, subject, html, text, message_id, date })
            }
            Content::Sms { text } => Outgoing::Sms(Sms { to, content: text, id }),
        };
        Claimed { id, claim, content, rendered }
    }
}

/// See [`from_now`].
type FromNow = SqlLiteral<
    Timestamptz,
    UncheckedBind<SqlLiteral<Timestamptz>, <f64 as AsExpression<Double>>::Expression>,
>;

/// A message as long as it is held by that claim.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn held(org: Uuid, message: Uuid, claim: Uuid) -> _ {
    let message = outbox::org_id.eq(org).and(outbox::id.eq(message));
    outbox::table.filter(message).filter(outbox::claim_id.eq(claim))
}

/// So long from now, by the database's clock.
pub(super) fn from_now(wait: Duration) -> FromNow {
    sql::<Timestamptz>("now() + make_interval(secs => ")
        .bind::<Double, f64>(wait.as_secs_f64())
        .sql(")")
}

/// Makes the lease of a message that is still being sent last for `lease` from now.
pub(crate) fn renew(
    conn: &mut Conn,
    org: Uuid,
    message: Uuid,
    claim: Uuid,
    lease: Duration,
) -> Result<()> {
    diesel::update(held(org, message, claim))
        .set(outbox::next_attempt_at.eq(from_now(lease)))
        .execute(conn)?;
    Ok(())
}

/// Gives a message back unsent: it is due at once, and no try is counted.
pub(crate) fn hand_back(conn: &mut Conn, org: Uuid, message: Uuid, claim: Uuid) -> Result<()> {
    diesel::update(held(org, message, claim))
        .set((
            outbox::status.eq(Status::Pending.as_str()),
            outbox::claim_id.eq(None::<Uuid>),
            outbox::next_attempt_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
