//! What a batch mentions, in a handful of set-based queries: as many for one action as for
//! thousands (`design.md`, "load").

mod customers;
mod deals;

pub use customers::{kind_number, world_number};

use crate::actions::{Loaded, Mentions};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

/// What an org's processes agree on, as of this transaction.
#[derive(Clone, Copy, Debug, Queryable)]
pub struct OrgState {
    /// Which directory is the current one.
    pub directory_version: i64,
    /// Trial SMS credits left.
    pub sms_credits: i64,
}

/// The state of the org.
///
/// # Errors
/// Those of the database.
pub fn org_state(conn: &mut PgConnection, org: Uuid) -> QueryResult<OrgState> {
    use crate::schema::org_settings::dsl;
    dsl::org_settings
        .filter(dsl::org_id.eq(org))
        .select((dsl::directory_version, dsl::sms_credits))
        .first(conn)
}

/// Loads what the batch mentions.
///
/// # Errors
/// Those of the database.
pub fn load(
    conn: &mut PgConnection,
    org: Uuid,
    mentions: &Mentions,
    state: OrgState,
) -> QueryResult<Loaded> {
    let mut customers = customers::load(conn, org, mentions)?;
    let deals = deals::load(conn, org, mentions)?;
    customers.known.extend(customers::load_by_id(conn, org, &deals.customers())?);
    Ok(Loaded {
        customers,
        deals,
        tags: load_tags(conn, org, mentions)?,
        sms_credits: state.sms_credits,
    })
}

fn load_tags(
    conn: &mut PgConnection,
    org: Uuid,
    mentions: &Mentions,
) -> QueryResult<Vec<(String, Uuid)>> {
    use crate::schema::tags::dsl;
    if mentions.tags.is_empty() {
        return Ok(Vec::new());
    }
    dsl::tags
        .filter(dsl::org_id.eq(org))
        .filter(dsl::name_key.eq_any(mentions.tags.iter().collect::<Vec<_>>()))
        .select((dsl::name_key, dsl::id))
        .load(conn)
}
