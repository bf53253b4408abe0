//! The throttle of sign-ins (`api.md` 3). Global: the org that was named may not exist.

use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::sign_in_failures;
use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer, Timestamptz};

/// After so long without one the row begins anew.
const FORGOTTEN_AFTER: Duration = Duration::minutes(15);

/// Whether a sign-in may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It may, and counts as failed until [`clear`].
    Counted,
    /// Not before that time.
    Blocked(DateTime<Utc>),
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Integer)]
    failures: i32,
    #[diesel(sql_type = Timestamptz)]
    last_failed_at: DateTime<Utc>,
}

/// Counts an attempt before it is looked at, so that simultaneous ones cannot slip through; so many
/// are `allowed` to fail. Those that are blocked do not lengthen the block.
pub(crate) fn count(
    conn: &mut Conn,
    subject: &[u8],
    allowed: i32,
    now: DateTime<Utc>,
) -> Result<Attempt> {
    let Counted { failures, last_failed_at } = diesel::sql_query(
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
    .get_result(conn)?;
    Ok(if failures > allowed {
        Attempt::Blocked(last_failed_at + FORGOTTEN_AFTER)
    } else {
        Attempt::Counted
    })
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

/// Forgets the failures of a subject that has signed in, and those of all whose time is over.
pub(crate) fn clear(conn: &mut Conn, subject: &[u8], now: DateTime<Utc>) -> Result<()> {
    diesel::delete(sign_in_failures::table)
        .filter(sign_in_failures::subject.eq(subject))
        .or_filter(sign_in_failures::last_failed_at.le(now - FORGOTTEN_AFTER))
        .execute(conn)?;
    Ok(())
}
