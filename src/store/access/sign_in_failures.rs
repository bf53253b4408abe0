//! The throttle of sign-ins (`api.md` 3). Global: the org that was named may not exist. To be asked
//! within `pool::signing_in`.

use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{sign_in_failures, sign_in_networks};
use chrono::{DateTime, Duration, Utc};
use diesel::connection::SimpleConnection;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer, Timestamptz};

/// After so long without one the row begins anew.
const FORGOTTEN_AFTER: Duration = Duration::minutes(15);

/// How long it is known that somebody has signed in from a network.
const NETWORK_KNOWN_FOR: Duration = Duration::days(30);

/// How often a sign-in has failed by now, counting this attempt as failed until it is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub(crate) struct Failures {
    #[diesel(sql_type = Integer)]
    pub(crate) failures: i32,
    #[diesel(sql_type = Timestamptz)]
    last_failed_at: DateTime<Utc>,
}

impl Failures {
    /// Until when there are more than so many.
    pub(crate) fn blocked_until(&self, allowed: i32) -> Option<DateTime<Utc>> {
        (self.failures > allowed).then(|| self.last_failed_at + FORGOTTEN_AFTER)
    }
}

/// Counts an attempt before it is looked at, so that simultaneous ones cannot slip through; so many
/// are `allowed` to fail. Those that are blocked do not lengthen the block.
pub(crate) fn count(
    conn: &mut Conn,
    subject: &[u8],
    allowed: i32,
    now: DateTime<Utc>,
) -> Result<Failures> {
    Ok(diesel::sql_query(
        "INSERT INTO sign_in_failures AS f (subject, failures, last_failed_at) VALUES ($1, 1, $2)
         ON CONFLICT (subject) DO UPDATE SET
             failures = CASE WHEN f.last_failed_at <= $3 THEN 1 ELSE least(f.failures, $4) + 1 END,
             last_failed_at = CASE WHEN f.last_failed_at > $3 AND f.failures >= $4
                              THEN f.last_failed_at ELSE $2 END
         RETURNING failures, last_failed_at",
    )
    .bind::<Binary, _>(subject)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - FORGOTTEN_AFTER)
    .bind::<Integer, _>(allowed)
    .get_result(conn)?)
}

/// Takes one attempt back, which did not fail.
pub(crate) fn take_back(conn: &mut Conn, subject: &[u8]) -> Result<()> {
    diesel::update(sign_in_failures::table)
        .filter(sign_in_failures::subject.eq(subject))
        .filter(sign_in_failures::failures.gt(0))
        .set(sign_in_failures::failures.eq(sign_in_failures::failures - 1))
        .execute(conn)?;
    Ok(())
}

/// Forgets the failures of a subject.
pub(crate) fn clear(conn: &mut Conn, subject: &[u8]) -> Result<()> {
    diesel::delete(sign_in_failures::table)
        .filter(sign_in_failures::subject.eq(subject))
        .execute(conn)?;
    Ok(())
}

/// Forgets the failures of all subjects that begin with that, in a transaction of an org.
pub(crate) fn clear_all_of(conn: &mut Conn, beginning: &[u8]) -> Result<()> {
    conn.batch_execute("SET LOCAL app.scope = 'sign_in'")?;
    let last = [beginning, &[u8::MAX; 32]].concat();
    diesel::delete(sign_in_failures::table)
        .filter(sign_in_failures::subject.between(beginning, &last[..]))
        .execute(conn)?;
    Ok(conn.batch_execute("SET LOCAL app.scope = ''")?)
}

/// Remembers that somebody has signed in from there.
pub(crate) fn signed_in_from(conn: &mut Conn, subject: &[u8], now: DateTime<Utc>) -> Result<()> {
    diesel::insert_into(sign_in_networks::table)
        .values((
            sign_in_networks::subject.eq(subject),
            sign_in_networks::last_signed_in_at.eq(now),
        ))
        .on_conflict(sign_in_networks::subject)
        .do_update()
        .set(sign_in_networks::last_signed_in_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Whether somebody has signed in from there lately.
pub(crate) fn has_signed_in_from(
    conn: &mut Conn,
    subject: &[u8],
    now: DateTime<Utc>,
) -> Result<bool> {
    let lately = sign_in_networks::table
        .filter(sign_in_networks::subject.eq(subject))
        .filter(sign_in_networks::last_signed_in_at.gt(now - NETWORK_KNOWN_FOR));
    Ok(diesel::select(exists(lately)).get_result(conn)?)
}

/// Forgets what has no say any more.
pub(crate) fn purge(conn: &mut Conn, now: DateTime<Utc>) -> Result<()> {
    diesel::delete(sign_in_failures::table)
        .filter(sign_in_failures::last_failed_at.le(now - FORGOTTEN_AFTER))
        .execute(conn)?;
    diesel::delete(sign_in_networks::table)
        .filter(sign_in_networks::last_signed_in_at.le(now - NETWORK_KNOWN_FOR))
        .execute(conn)?;
    Ok(())
}
