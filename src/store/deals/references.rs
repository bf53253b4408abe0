//! Deals as other records refer to them: named as far as the caller may see them.

use super::read::{self, visible_to};
use crate::actor::Actor;
use crate::store::error::StoreError;
use crate::store::schema::deals;
use diesel::dsl::case_when;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use std::collections::HashMap;
use uuid::Uuid;

/// A deal that another record names.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub(crate) struct DealReference {
    pub(crate) id: Uuid,
    pub(crate) deal_id: String,
    /// `None` where the caller may not see it.
    pub(crate) name: Option<String>,
}

/// The id of the deal of that id or visible id, where `actor` may see it.
pub(in crate::store) fn addressed<'a>(
    actor: &Actor,
    address: &'a str,
) -> deals::BoxedQuery<'a, Pg, SqlUuid> {
    read::addressed(read::visible(actor), address).select(deals::id)
}

/// The deals of these ids, in one query however many there are.
pub(in crate::store) fn load(
    conn: &mut PgConnection,
    actor: &Actor,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, DealReference>, StoreError> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<DealReference> = deals::table
        .filter(deals::org_id.eq(actor.org))
        .filter(deals::id.eq_any(ids))
        .select((deals::id, deals::deal_id, case_when(visible_to(actor), deals::name.nullable())))
        .load(conn)?;
    Ok(found.into_iter().map(|deal| (deal.id, deal)).collect())
}
