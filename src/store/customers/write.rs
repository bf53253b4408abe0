//! Customers, new and changed.

use super::columns::{Rows, each, list, object};
use crate::store::statement::Statement;
use beeiq_core::records::customer::Customer;
use beeiq_core::values::search::lexemes;
use beeiq_core::values::text::fold;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

/// What no change touches.
const FIXED: [&str; 5] = ["kind", "number", "source_id", "owner_id", "created_at"];

/// Inserts them.
pub(super) fn insert(org: Uuid, customers: &[Customer]) -> Option<Statement<'_>> {
    (!customers.is_empty()).then(|| rows(org, customers).insert("customers"))
}

/// Writes all of them that can change: they are locked.
pub(super) fn update(
    conn: &mut PgConnection,
    org: Uuid,
    customers: &[Customer],
) -> QueryResult<()> {
    if !customers.is_empty() {
        rows(org, customers).update("customers", &FIXED).execute(conn)?;
    }
    Ok(())
}

fn rows(org: Uuid, customers: &[Customer]) -> Rows<'_> {
    Rows::of(org)
        .column::<SqlUuid, _>("id", each(customers, |c| c.id))
        .column::<Text, _>("kind", each(customers, |c| c.code.kind.as_str()))
        .column::<BigInt, _>("number", each(customers, |c| c.code.number))
        .column::<Nullable<Text>, _>("contact_id", each(customers, |c| c.contact_id.as_deref()))
        .column::<Text, _>("name", each(customers, |c| c.name.as_str()))
        .column::<Text, _>("name_key", each(customers, |c| fold(&c.name)))
        .column::<Nullable<Text>, _>("lastname", each(customers, |c| c.lastname.as_deref()))
        .column::<Nullable<Text>, _>(
            "lastname_key",
            each(customers, |c| c.lastname.as_deref().map(fold)),
        )
        .column::<Nullable<Text>, _>("title", each(customers, |c| c.title.as_deref()))
        .column::<Nullable<Text>, _>("passport", each(customers, |c| c.passport.as_deref()))
        .column::<SmallInt, _>("gender", each(customers, |c| c.gender))
        .column::<Nullable<Text>, _>("bg_info", each(customers, |c| c.bg_info.as_deref()))
        .column::<Nullable<Date>, _>("date_of_birth", each(customers, |c| c.date_of_birth))
        .json("emails", "[]", each(customers, |c| list(&c.emails)))
        .json("phones", "[]", each(customers, |c| list(&c.phones)))
        .json("addresses", "[]", each(customers, |c| list(&c.addresses)))
        .json("websites", "[]", each(customers, |c| list(&c.websites)))
        .json("im", "[]", each(customers, |c| list(&c.im)))
        .json("cus_fields", "{}", each(customers, |c| object(&c.cus_fields)))
        .column::<SmallInt, _>("permit_status", each(customers, |c| c.permit.status()))
        .column::<Nullable<SqlUuid>, _>("permit_group_id", each(customers, |c| c.permit.group()))
        .id_lists("permit_user_ids", each(customers, |c| c.permit.users()))
        .column::<Nullable<SqlUuid>, _>("company_id", each(customers, |c| c.company))
        .column::<Nullable<SqlUuid>, _>("source_id", each(customers, |c| c.source))
        .column::<SqlUuid, _>("owner_id", each(customers, |c| c.owner))
        .column::<Timestamptz, _>("created_at", each(customers, |c| c.created_at))
        .column::<Timestamptz, _>("updated_at", each(customers, |c| c.updated_at))
        .column_as::<Text, _>(
            "search",
            "array_to_tsvector(string_to_array(new.search, E'\\n'))",
            each(customers, |c| lexemes(org, c)),
        )
}
