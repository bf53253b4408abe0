//! The org's names as one value, and its version.

use crate::error::StoreError;
use crate::schema::org_settings;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

/// Counts the directory's version up: part of every transaction that changes a setting, so that
/// every process reads the directory anew. Transactions of one org that change settings wait for
/// each other here.
///
/// # Errors
/// Those of the database.
pub fn bump(conn: &mut PgConnection, org: Uuid) -> Result<(), StoreError> {
    diesel::update(org_settings::table.filter(org_settings::org_id.eq(org)))
        .set(org_settings::directory_version.eq(org_settings::directory_version + 1))
        .execute(conn)?;
    Ok(())
}
