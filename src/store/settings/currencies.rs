//! The currencies that an org's deals may be in.

use super::{Rows, newest, statements};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{org_currencies, org_settings};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

#[derive(Queryable)]
pub(crate) struct Currency {
    pub(crate) id: Uuid,
    /// ISO 4217, upper case.
    pub(crate) code: String,
    pub(crate) created_at: DateTime<Utc>,
    /// The org's default.
    pub(crate) default_code: String,
}

statements!(pub(crate) org_currencies: delete);

pub(crate) fn list(
    conn: &mut Conn,
    org: Uuid,
    rows: Rows,
    code: Option<&str>,
) -> Result<Vec<Currency>> {
    let of_org = org_currencies::table
        .inner_join(org_settings::table.on(org_settings::org_id.eq(org_currencies::org_id)))
        .filter(org_currencies::org_id.eq(org))
        .filter(org_settings::org_id.eq(org));
    let mut query = newest!(of_org, org_currencies, rows);
    if let Some(code) = code {
        query = query.filter(org_currencies::code.eq(code));
    }
    Ok(query
        .select((
            org_currencies::id,
            org_currencies::code,
            org_currencies::created_at,
            org_settings::default_currency,
        ))
        .load(conn)?)
}

/// All codes, in alphabetical order.
pub(crate) fn codes(conn: &mut Conn, org: Uuid) -> Result<Vec<String>> {
    Ok(org_currencies::table
        .filter(org_currencies::org_id.eq(org))
        .order(org_currencies::code)
        .select(org_currencies::code)
        .load(conn)?)
}

pub(crate) fn create(
    conn: &mut Conn,
    org: Uuid,
    id: Uuid,
    code: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    diesel::insert_into(org_currencies::table)
        .values((
            org_currencies::org_id.eq(org),
            org_currencies::id.eq(id),
            org_currencies::code.eq(code),
            org_currencies::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Makes a currency that of deals that name none.
pub(crate) fn set_default(conn: &mut Conn, org: Uuid, code: &str) -> Result<()> {
    diesel::update(org_settings::table.filter(org_settings::org_id.eq(org)))
        .set(org_settings::default_currency.eq(code))
        .execute(conn)?;
    Ok(())
}
