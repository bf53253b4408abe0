//! What a batch names, in a handful of set-based queries: as many for one action as for
//! thousands (`docs/architecture.md`, "load").

use super::{activities, customers, deals};
use crate::store::error::Result;
use crate::store::pool::Conn;
use beeiq_core::batch::{Keys, Snapshot};
use diesel::prelude::*;
use uuid::Uuid;

/// Loads what the batch names.
///
/// # Errors
/// Those of the database; [`StoreError::Conflict`] where what is to be updated has changed while it
/// was loaded.
pub fn load(conn: &mut Conn, org: Uuid, keys: &Keys) -> Result<Snapshot> {
    let erased = customers::external_ids::load_erased(conn, org, keys)?;
    let mut customers = customers::load::load(conn, org, keys)?;
    let mut tag_names = customers::lock::load(conn, org, keys, &mut customers)?;
    let deals = deals::load::load(conn, org, keys)?;
    customers.known.extend(customers::load::load_by_id(conn, org, &deals.customers())?);
    let activities = activities::load(conn, org, keys)?;
    if keys.customers_of_activities {
        let theirs = activities.iter().map(|activity| activity.customer).collect();
        customers.known.extend(customers::load::load_by_id(conn, org, &theirs)?);
    }
    let mut tags = Vec::new();
    for (id, name, name_key) in load_tags(conn, org, keys)? {
        tags.push((name_key, id));
        tag_names.push((id, name));
    }
    let sms_credits = if keys.sms { sms_credits(conn, org)? } else { 0 };
    Ok(Snapshot { customers, erased, deals, activities, tags, tag_names, sms_credits })
}

fn sms_credits(conn: &mut Conn, org: Uuid) -> QueryResult<i64> {
    use crate::store::schema::org_settings::dsl;
    dsl::org_settings.filter(dsl::org_id.eq(org)).select(dsl::sms_credits).first(conn)
}

fn load_tags(conn: &mut Conn, org: Uuid, keys: &Keys) -> QueryResult<Vec<(Uuid, String, String)>> {
    use crate::store::schema::tags::dsl;
    if keys.tags.is_empty() && keys.tag_ids.is_empty() {
        return Ok(Vec::new());
    }
    dsl::tags
        .filter(dsl::org_id.eq(org))
        .filter(dsl::name_key.eq_any(&keys.tags).or(dsl::id.eq_any(&keys.tag_ids)))
        .select((dsl::id, dsl::name, dsl::name_key))
        .load(conn)
}
