//! Which customer has which tag.

use crate::store::pool::Conn;
use crate::store::statement::{Statement, statement};
use crate::store::writes::columns::Rows;
use beeiq_core::records::customer::Customer;
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Deletes those: customer, tag.
pub(in crate::store) fn delete(
    conn: &mut Conn,
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

/// Inserts the tags of those created.
pub(in crate::store) fn insert_new(org: Uuid, created: &[Customer]) -> Option<Statement<'static>> {
    let tagged: BTreeSet<(Uuid, Uuid)> = created
        .iter()
        .flat_map(|customer| customer.tags.iter().map(|tag| (customer.id, *tag)))
        .collect();
    rows(org, &tagged).map(|rows| rows.insert("customer_tags"))
}

/// Inserts the tags that others came to have: customer, tag. They may have them already.
pub(in crate::store) fn insert_more(
    org: Uuid,
    tagged: &[(Uuid, Uuid)],
) -> Option<Statement<'static>> {
    let tagged: BTreeSet<(Uuid, Uuid)> = tagged.iter().copied().collect();
    let or = " ON CONFLICT (org_id, customer_id, tag_id) DO NOTHING";
    rows(org, &tagged).map(|rows| rows.insert_or("customer_tags", or))
}

/// In one order, so that no two batches wait for each other.
fn rows(org: Uuid, tagged: &BTreeSet<(Uuid, Uuid)>) -> Option<Rows<'static>> {
    (!tagged.is_empty()).then(|| {
        Rows::of(org)
            .column::<SqlUuid, _>(
                "customer_id",
                tagged.iter().map(|(customer, _)| *customer).collect(),
            )
            .column::<SqlUuid, _>("tag_id", tagged.iter().map(|(_, tag)| *tag).collect())
    })
}
