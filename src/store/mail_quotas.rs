//! How many e-mails an org may send through the instance's mail server in a day (UTC).

use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::mail_quotas;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use uuid::Uuid;

/// Takes one of today's; false where they are used up.
pub(crate) fn take(conn: &mut Conn, org: Uuid, most: u32) -> Result<bool> {
    let taken = diesel::sql_query(
        "INSERT INTO mail_quotas (org_id, day, sent) VALUES ($1, current_date, 1) \
         ON CONFLICT (org_id) DO UPDATE SET day = excluded.day, \
             sent = CASE WHEN mail_quotas.day = excluded.day THEN mail_quotas.sent + 1 ELSE 1 END \
         WHERE mail_quotas.day <> excluded.day OR mail_quotas.sent < $2",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<BigInt, _>(i64::from(most))
    .execute(conn)?;
    Ok(taken > 0)
}

/// Gives one back that was not sent.
pub(crate) fn give_back(conn: &mut Conn, org: Uuid) -> Result<()> {
    diesel::update(mail_quotas::table)
        .filter(mail_quotas::org_id.eq(org))
        .filter(mail_quotas::sent.gt(0))
        .set(mail_quotas::sent.eq(mail_quotas::sent - 1))
        .execute(conn)?;
    Ok(())
}
