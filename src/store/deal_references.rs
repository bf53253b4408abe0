//! Deals as other records refer to them: named as far as the caller may see them.

use crate::auth::Actor;
use crate::error::StoreError;
use crate::schema::{deal_owners, deals};
use diesel::dsl::{case_when, exists, sql};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};
use std::collections::HashMap;
use uuid::Uuid;

/// A deal that another record names.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct DealReference {
    /// Its id.
    pub id: Uuid,
    /// Its visible id.
    pub deal_id: String,
    /// Its name; `None` where the caller may not see it.
    pub name: Option<String>,
}

/// The deals of these ids, in one query however many there are.
///
/// # Errors
/// When the database fails.
pub(super) fn load(
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

/// Whether `actor` may see the deal (`listener.md` 5): owner and admin of the org all, a member
/// what he owns, himself or by a group, and what the permit admits him to.
fn visible_to(
    actor: &Actor,
) -> Box<dyn BoxableExpression<deals::table, Pg, SqlType = Nullable<Bool>>> {
    if actor.sees_all() {
        return Box::new(sql::<Nullable<Bool>>("TRUE"));
    }
    let owned = deal_owners::table
        .filter(deal_owners::org_id.eq(actor.org))
        .filter(deal_owners::deal_id.eq(deals::id))
        .filter(
            deal_owners::user_id
                .eq(actor.user)
                .or(deal_owners::group_id.eq_any(actor.groups.clone())),
        );
    let for_group = deals::permit_group_id.eq_any(actor.groups.clone());
    let for_user = deals::permit_user_ids.contains(vec![Some(actor.user)]);
    Box::new(
        deals::permit_status
            .eq(1)
            .nullable()
            .or(exists(owned))
            .or(deals::permit_status.eq(4).and(for_user))
            .or(deals::permit_status.eq(3).and(for_group)),
    )
}
