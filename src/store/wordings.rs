//! What messages say, each once.

use crate::store::error::Result;
use crate::store::pool::Conn;
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use uuid::Uuid;

/// Deletes those of these wordings that no message says any more. A batch that has found one of
/// them there and is about to say it is refused by the foreign key, and writes it anew.
pub(super) fn delete_unused(conn: &mut Conn, org: Uuid, wordings: &[Uuid]) -> Result<()> {
    diesel::sql_query(
        "DELETE FROM wordings WHERE org_id = $1 AND id = ANY ($2) AND NOT EXISTS \
         (SELECT FROM outbox WHERE outbox.org_id = $1 AND outbox.wording_id = wordings.id)",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(wordings)
    .execute(conn)?;
    Ok(())
}
