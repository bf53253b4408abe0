//! Activities that a batch names, locked: they may be changed.

use super::row::ActivityRow;
use crate::store::schema::activities;
use beeiq_core::batch::Keys;
use beeiq_core::records::activity::Activity;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use uuid::Uuid;

pub(in crate::store) fn load(
    conn: &mut PgConnection,
    org: Uuid,
    keys: &Keys,
) -> QueryResult<Vec<Activity>> {
    if keys.activities.is_empty() {
        return Ok(Vec::new());
    }
    let (sources, external_ids): (Vec<&str>, Vec<&str>) =
        keys.activities.iter().map(|key| (&*key.source, &*key.external_id)).unzip();
    let wanted = sql::<Bool>("(source, external_id) IN (SELECT unnest(")
        .bind::<Array<Text>, _>(sources)
        .sql("), unnest(")
        .bind::<Array<Text>, _>(external_ids)
        .sql("))");
    let rows: Vec<ActivityRow> = activities::table
        .filter(activities::org_id.eq(org))
        .filter(wanted)
        .order(activities::id)
        .select(ActivityRow::as_select())
        .for_no_key_update()
        .load(conn)?;
    Ok(rows.into_iter().map(ActivityRow::into_record).collect())
}
