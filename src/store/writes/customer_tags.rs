//! Which customer has which tag.

use crate::domain::customer::Customer;
use crate::store::statement::{Statement, statement};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Deletes those: customer, tag.
pub(super) fn delete(
    conn: &mut PgConnection,
    org: Uuid,
    untagged: &[(Uuid, Uuid)],
) -> QueryResult<()> {
    if untagged.is_empty() {
        return Ok(());
    }
    statement(
        "DELETE FROM customer_tags t USING unnest($2, $3) AS gone (customer_id, tag_id) \
         WHERE t.org_id = $1 AND t.customer_id = gone.customer_id AND t.tag_id = gone.tag_id",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(untagged.iter().map(|(customer, _)| *customer).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(untagged.iter().map(|(_, tag)| *tag).collect::<Vec<_>>())
    .execute(conn)?;
    Ok(())
}

/// Inserts the tags of those created, and those that others came to have: customer, tag.
pub(super) fn insert(
    org: Uuid,
    created: &[Customer],
    tagged: &[(Uuid, Uuid)],
) -> Option<Statement<'static>> {
    let of_created =
        created.iter().flat_map(|customer| customer.tags.iter().map(|tag| (customer.id, *tag)));
    let tagged: BTreeSet<(Uuid, Uuid)> = of_created.chain(tagged.iter().copied()).collect();
    if tagged.is_empty() {
        return None;
    }
    let insert = statement(
        "INSERT INTO customer_tags (org_id, customer_id, tag_id) \
         SELECT $1, new.customer_id, new.tag_id FROM unnest($2, $3) AS new (customer_id, tag_id) \
         ON CONFLICT (org_id, customer_id, tag_id) DO NOTHING",
    )
    .bind::<SqlUuid, _>(org)
    .bind::<Array<SqlUuid>, _>(tagged.iter().map(|(customer, _)| *customer).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(tagged.iter().map(|(_, tag)| *tag).collect::<Vec<_>>());
    Some(insert)
}
