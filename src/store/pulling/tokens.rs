//! Tokens of other systems that no two requests may use at once, whoever sends them.

use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::statement::statement;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Double, Uuid as SqlUuid};
use std::time::Duration;
use uuid::Uuid;

/// Takes a token for so long at most; whether it was free. Runs in `pool::using_tokens`.
pub(crate) fn take_token(
    conn: &mut Conn,
    hash: &[u8],
    holder: Uuid,
    lease: Duration,
) -> Result<bool> {
    let taken = statement(
        "INSERT INTO source_tokens (hash, holder, until) \
         VALUES ($1, $2, now() + make_interval(secs => $3)) \
         ON CONFLICT (hash) DO UPDATE SET holder = excluded.holder, until = excluded.until \
         WHERE source_tokens.until <= now()",
    )
    .bind::<Binary, _>(hash)
    .bind::<SqlUuid, _>(holder)
    .bind::<Double, _>(lease.as_secs_f64())
    .execute(conn)?;
    Ok(taken == 1)
}

/// Gives a token back.
pub(crate) fn give_back_token(conn: &mut Conn, hash: &[u8], holder: Uuid) -> Result<()> {
    statement("DELETE FROM source_tokens WHERE hash = $1 AND holder = $2")
        .bind::<Binary, _>(hash)
        .bind::<SqlUuid, _>(holder)
        .execute(conn)?;
    Ok(())
}
