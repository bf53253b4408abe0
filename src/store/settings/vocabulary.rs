//! The names that an org's payloads may use: groups, picklists, custom fields, SLAs.

use crate::store::error::StoreError;
use crate::store::schema::{custom_fields, group_members, groups, picklist_entries, slas};
use beeiq_core::values::custom_field::{Kind, Model};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use uuid::Uuid;

/// Adds a group with its members.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn create_group(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    name: &str,
    members: &[Uuid],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(groups::table)
        .values((
            groups::org_id.eq(org),
            groups::id.eq(id),
            groups::name.eq(name),
            groups::name_key.eq(fold(name)),
            groups::created_at.eq(now),
            groups::updated_at.eq(now),
        ))
        .execute(conn)?;
    let members: Vec<_> = members
        .iter()
        .map(|user| {
            (
                group_members::org_id.eq(org),
                group_members::group_id.eq(id),
                group_members::user_id.eq(user),
            )
        })
        .collect();
    diesel::insert_into(group_members::table).values(members).execute(conn)?;
    Ok(())
}

/// Adds an entry to the end of a picklist, unless it is there.
///
/// # Errors
/// Those of the database.
pub fn add_entry(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    list: &str,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    use picklist_entries::dsl;
    let last: Option<i32> = dsl::picklist_entries
        .filter(dsl::org_id.eq(org))
        .filter(dsl::list.eq(list))
        .select(diesel::dsl::max(dsl::position))
        .first(conn)?;
    diesel::insert_into(dsl::picklist_entries)
        .values((
            dsl::org_id.eq(org),
            dsl::id.eq(id),
            dsl::list.eq(list),
            dsl::name.eq(name),
            dsl::name_key.eq(fold(name)),
            dsl::position.eq(last.map_or(0, |position| position + 1)),
            dsl::created_at.eq(now),
            dsl::updated_at.eq(now),
        ))
        .on_conflict((dsl::org_id, dsl::list, dsl::name_key))
        .do_nothing()
        .execute(conn)?;
    Ok(())
}

/// A custom field to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewCustomField<'a> {
    /// Which records have it.
    pub model: Model,
    /// Its name.
    pub name: &'a str,
    /// What its values are.
    pub kind: Kind,
    /// What a choice chooses from.
    pub options: &'a [&'a str],
}

/// Adds a custom field.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn create_custom_field(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    field: NewCustomField<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let NewCustomField { model, name, kind, options } = field;
    diesel::insert_into(custom_fields::table)
        .values((
            custom_fields::org_id.eq(org),
            custom_fields::id.eq(id),
            custom_fields::model.eq(model.as_str()),
            custom_fields::name.eq(name),
            custom_fields::name_key.eq(fold(name)),
            custom_fields::kind.eq(kind.as_str()),
            custom_fields::options.eq(serde_json::json!(options)),
            custom_fields::created_at.eq(now),
            custom_fields::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Adds an SLA; the times are in minutes.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn create_sla(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    name: &str,
    (first_response, resolution): (i32, i32),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(slas::table)
        .values((
            slas::org_id.eq(org),
            slas::id.eq(id),
            slas::name.eq(name),
            slas::name_key.eq(fold(name)),
            slas::first_response_minutes.eq(first_response),
            slas::resolution_minutes.eq(resolution),
            slas::created_at.eq(now),
            slas::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
