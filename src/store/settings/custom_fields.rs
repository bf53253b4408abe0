//! Custom fields as they are set up. Records keep values by a field's id, which no foreign key
//! holds: values must be gone before a field is deleted.

use super::{Row, Rows, newest, statements};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::custom_fields;
use beeiq_core::values::custom_field::Model;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::Value;
use uuid::Uuid;

#[derive(AsChangeset, Insertable, Queryable, Selectable)]
pub(crate) struct CustomField {
    pub(crate) model: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    /// Array of text: what a choice chooses from.
    pub(crate) options: Value,
}

statements!(
    pub(crate) custom_fields: create(CustomField; name_key, updated_at),
    update(CustomField; name_key, updated_at), delete
);

pub(crate) fn list(
    conn: &mut Conn,
    org: Uuid,
    rows: Rows,
    name_key: Option<&str>,
    model: Option<Model>,
) -> Result<Vec<Row<CustomField>>> {
    let of_org = custom_fields::table.filter(custom_fields::org_id.eq(org));
    let mut query = newest!(of_org, custom_fields, rows);
    if let Some(key) = name_key {
        query = query.filter(custom_fields::name_key.eq(key));
    }
    if let Some(model) = model {
        query = query.filter(custom_fields::model.eq(model.as_str()));
    }
    let columns = (custom_fields::id, CustomField::as_select(), custom_fields::created_at);
    Ok(query.select(columns).load(conn)?)
}

/// How many a model has.
pub(crate) fn count(conn: &mut Conn, org: Uuid, model: Model) -> Result<i64> {
    Ok(custom_fields::table
        .filter(custom_fields::org_id.eq(org))
        .filter(custom_fields::model.eq(model.as_str()))
        .count()
        .get_result(conn)?)
}

/// How many bytes the options of all fields have, about.
pub(crate) fn options_bytes(conn: &mut Conn, org: Uuid) -> Result<i64> {
    let sum = sql::<BigInt>("coalesce(sum(octet_length(options::text)), 0)::bigint");
    Ok(custom_fields::table.filter(custom_fields::org_id.eq(org)).select(sum).first(conn)?)
}

/// The names of all but one, over all models.
pub(crate) fn other_names(conn: &mut Conn, org: Uuid, but: Uuid) -> Result<Vec<String>> {
    Ok(custom_fields::table
        .filter(custom_fields::org_id.eq(org))
        .filter(custom_fields::id.ne(but))
        .select(custom_fields::name)
        .load(conn)?)
}

/// All names, which templates may use.
pub(crate) fn names(conn: &mut Conn, org: Uuid) -> Result<Vec<String>> {
    Ok(custom_fields::table
        .filter(custom_fields::org_id.eq(org))
        .order((custom_fields::name_key, custom_fields::model))
        .select(custom_fields::name)
        .load(conn)?)
}
