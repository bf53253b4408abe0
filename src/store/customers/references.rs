//! Customers as other records refer to them: named as far as the caller may see them, and searched
//! among those that they may see.

use super::conditions::{is_named, visible_to};
use super::identities::kind_number;
use crate::actor::Actor;
use crate::store::error::StoreError;
use crate::store::listing::Filters;
use crate::store::schema::{customer_identities, customers};
use crate::store::word::Stored;
use beeiq_core::records::customer::{CustomerCode, CustomerKind};
use diesel::dsl::case_when;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A customer or lead that another record names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerReference {
    pub id: Uuid,
    pub code: CustomerCode,
    /// `None` where the caller may not see it.
    pub name: Option<String>,
}

/// By what a customer of any kind is addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CustomerAddress {
    Id(Uuid),
    Code(CustomerCode),
}

/// The customers of these ids, in one query however many there are.
pub(in crate::store) fn load(
    conn: &mut PgConnection,
    actor: &Actor,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, CustomerReference>, StoreError> {
    let ids: BTreeSet<Uuid> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, Stored<CustomerKind>, i64, Option<String>)> = customers::table
        .filter(customers::org_id.eq(actor.org))
        .filter(customers::id.eq_any(ids))
        .select((
            customers::id,
            customers::kind,
            customers::number,
            case_when(visible_to(actor), customers::name.nullable()),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, Stored(kind), number, name)| {
            (id, CustomerReference { id, code: CustomerCode { kind, number }, name })
        })
        .collect())
}

/// The id of the customer of that address, where `actor` may see them.
pub(in crate::store) fn addressed<'a>(
    actor: &Actor,
    address: CustomerAddress,
) -> customers::BoxedQuery<'a, Pg, SqlUuid> {
    let seen = customers::table
        .filter(customers::org_id.eq(actor.org))
        .filter(visible_to(actor))
        .select(customers::id)
        .into_boxed();
    match address {
        CustomerAddress::Id(id) => seen.filter(customers::id.eq(id)),
        CustomerAddress::Code(CustomerCode { kind, number }) => {
            seen.filter(customers::kind.eq(kind.as_str())).filter(customers::number.eq(number))
        }
    }
}

/// The ids of the customers that `actor` may see and that hold the identifiers and bear the name
/// of `filters`; `None` where it asks for none of them.
pub(in crate::store) fn matching<'a>(
    actor: &Actor,
    filters: &Filters,
) -> Option<customers::BoxedQuery<'a, Pg, SqlUuid>> {
    if filters.name.is_none() && filters.identifiers().next().is_none() {
        return None;
    }
    let mut matching = customers::table
        .filter(customers::org_id.eq(actor.org))
        .filter(visible_to(actor))
        .select(customers::id)
        .into_boxed();
    for (kind, value) in filters.identifiers() {
        let holders = customer_identities::table
            .filter(customer_identities::org_id.eq(actor.org))
            .filter(customer_identities::kind.eq(kind_number(kind)))
            .filter(customer_identities::value.eq(value.to_owned()))
            .select(customer_identities::customer_id);
        matching = matching.filter(customers::id.eq_any(holders));
    }
    if let Some(name) = &filters.name {
        matching = matching.filter(is_named(name));
    }
    Some(matching)
}
