//! Custom fields as they are set up.

use super::rows::Rows;
use crate::store::error::StoreError;
use crate::store::schema::custom_fields;
use beeiq_core::values::custom_field::{Kind, Model};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

/// A custom field as it is kept.
#[derive(Debug, Queryable, Selectable)]
pub struct CustomField {
    /// Its id.
    pub id: Uuid,
    /// Which records have it.
    pub model: String,
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: String,
    /// Array of text: what a choice chooses from.
    pub options: Value,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// Custom fields, newest first; those of a name and model where these are given.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    rows: Rows,
    name_key: Option<&str>,
    model: Option<Model>,
) -> Result<Vec<CustomField>, StoreError> {
    let Rows { id, before, limit } = rows;
    let mut query = custom_fields::table.filter(custom_fields::org_id.eq(org)).into_boxed();
    if let Some(id) = id {
        query = query.filter(custom_fields::id.eq(id));
    }
    if let Some(before) = before {
        query = query.filter(custom_fields::id.lt(before));
    }
    if let Some(key) = name_key {
        query = query.filter(custom_fields::name_key.eq(key));
    }
    if let Some(model) = model {
        query = query.filter(custom_fields::model.eq(model.as_str()));
    }
    Ok(query
        .order(custom_fields::id.desc())
        .limit(limit)
        .select(CustomField::as_select())
        .load(conn)?)
}

/// How many a model has.
///
/// # Errors
/// Those of the database.
pub fn count(conn: &mut PgConnection, org: Uuid, model: Model) -> Result<i64, StoreError> {
    Ok(custom_fields::table
        .filter(custom_fields::org_id.eq(org))
        .filter(custom_fields::model.eq(model.as_str()))
        .count()
        .get_result(conn)?)
}

/// The names of all but one, over all models.
///
/// # Errors
/// Those of the database.
pub fn other_names(
    conn: &mut PgConnection,
    org: Uuid,
    but: Uuid,
) -> Result<Vec<String>, StoreError> {
    Ok(custom_fields::table
        .filter(custom_fields::org_id.eq(org))
        .filter(custom_fields::id.ne(but))
        .select(custom_fields::name)
        .load(conn)?)
}

/// Sets a custom field's name, kind and options.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn update(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    (name, kind, options): (&str, Kind, &[String]),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::update(custom_fields::table)
        .filter(custom_fields::org_id.eq(org))
        .filter(custom_fields::id.eq(id))
        .set((
            custom_fields::name.eq(name),
            custom_fields::name_key.eq(fold(name)),
            custom_fields::kind.eq(kind.as_str()),
            custom_fields::options.eq(json!(options)),
            custom_fields::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Deletes a custom field. Values of it must be gone: no foreign key holds them.
///
/// # Errors
/// Those of the database.
pub fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<(), StoreError> {
    diesel::delete(custom_fields::table)
        .filter(custom_fields::org_id.eq(org))
        .filter(custom_fields::id.eq(id))
        .execute(conn)?;
    Ok(())
}
