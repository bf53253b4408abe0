//! The statements that tables of settings have in common.

use crate::store::error::Result;
use crate::store::pool::Conn;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// One row, or a page of them, newest first: ids are time-ordered.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    pub(crate) id: Option<Uuid>,
    pub(crate) before: Option<Uuid>,
    pub(crate) limit: i64,
}

impl Rows {
    pub(crate) const fn one(id: Uuid) -> Self {
        Self { id: Some(id), before: None, limit: 1 }
    }

    pub(crate) const fn page(before: Option<Uuid>, limit: i64) -> Self {
        Self { id: None, before, limit }
    }

    pub(crate) const fn all() -> Self {
        Self::page(None, i64::MAX)
    }
}

/// What can be set, between what the server sets.
#[derive(Debug, Queryable)]
pub struct Row<V> {
    pub(crate) id: Uuid,
    pub(crate) values: V,
    pub(crate) created_at: DateTime<Utc>,
}

/// Limits a query of a table to the [`Rows`] that are asked for.
macro_rules! newest {
    ($query:expr, $table:ident, $rows:expr) => {{
        let Rows { id, before, limit } = $rows;
        let mut query = $query.into_boxed();
        if let Some(id) = id {
            query = query.filter($table::id.eq(id));
        }
        if let Some(before) = before {
            query = query.filter($table::id.lt(before));
        }
        query.order($table::id.desc()).limit(limit)
    }};
}
pub(crate) use newest;

/// Makes statements of a table: `count`, `delete`, `create` and `update`. The last two write a struct
/// of the columns that can be set, and of `name_key` and `updated_at` those that are named with it.
/// Deleting is a `StoreError::Reference` where something refers to the row. Diesel's types differ from
/// table to table, hence no generic code.
macro_rules! statements {
    ($vis:vis $table:ident: $($which:ident $(($values:ty $(; $($also:ident),+)?))?),+) => {
        $(statements!(@$which $vis $table $($values $(; $($also),+)?)?);)+
    };
    (@count $vis:vis $table:ident) => {
        $vis fn count(conn: &mut crate::store::pool::Conn, org: uuid::Uuid) -> crate::store::error::Result<i64> {
            use diesel::prelude::*;
            Ok($table::table.filter($table::org_id.eq(org)).count().get_result(conn)?)
        }
    };
    (@delete $vis:vis $table:ident) => {
        $vis fn delete(
            conn: &mut crate::store::pool::Conn,
            org: uuid::Uuid,
            id: uuid::Uuid,
        ) -> crate::store::error::Result<()> {
            use diesel::prelude::*;
            diesel::delete($table::table)
                .filter($table::org_id.eq(org))
                .filter($table::id.eq(id))
                .execute(conn)?;
            Ok(())
        }
    };
    (@create $vis:vis $table:ident $values:ty $(; $($also:ident),+)?) => {
        $vis fn create(
            conn: &mut crate::store::pool::Conn,
            org: uuid::Uuid,
            id: uuid::Uuid,
            values: &$values,
            now: chrono::DateTime<chrono::Utc>,
        ) -> crate::store::error::Result<()> {
            use diesel::prelude::*;
            diesel::insert_into($table::table)
                .values((
                    $table::org_id.eq(org),
                    $table::id.eq(id),
                    values,
                    $table::created_at.eq(now),
                    $($(statements!(@set $also $table values now),)+)?
                ))
                .execute(conn)?;
            Ok(())
        }
    };
    (@update $vis:vis $table:ident $values:ty $(; $($also:ident),+)?) => {
        $vis fn update(
            conn: &mut crate::store::pool::Conn,
            org: uuid::Uuid,
            id: uuid::Uuid,
            values: &$values,
            now: chrono::DateTime<chrono::Utc>,
        ) -> crate::store::error::Result<()> {
            use diesel::prelude::*;
            let _unless_kept = now;
            diesel::update($table::table)
                .filter($table::org_id.eq(org))
                .filter($table::id.eq(id))
                .set((values, $($(statements!(@set $also $table values now),)+)?))
                .execute(conn)?;
            Ok(())
        }
    };
    (@set name_key $table:ident $values:ident $now:ident) => {
        $table::name_key.eq(beeiq_core::values::text::fold(&$values.name))
    };
    (@set updated_at $table:ident $values:ident $now:ident) => {
        $table::updated_at.eq($now)
    };
}
pub(crate) use statements;

/// A table whose rows have a name, unique in any case. `Self` are the columns that can be set.
pub(crate) trait NamedTable: Sized {
    fn list(
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        name_key: Option<&str>,
    ) -> Result<Vec<Row<Self>>>;
    fn count(conn: &mut Conn, org: Uuid) -> Result<i64>;
    fn create(
        conn: &mut Conn,
        org: Uuid,
        id: Uuid,
        values: &Self,
        now: DateTime<Utc>,
    ) -> Result<()>;
    fn update(
        conn: &mut Conn,
        org: Uuid,
        id: Uuid,
        values: &Self,
        now: DateTime<Utc>,
    ) -> Result<()>;
    fn delete(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<()>;
}

/// Makes a [`NamedTable`] of the columns that can be set.
macro_rules! named_table {
    ($table:ident: $values:ident $(, $updated_at:ident)?) => {
        impl NamedTable for $values {
            fn list(conn: &mut Conn, org: Uuid, rows: Rows, name_key: Option<&str>) -> Result<Vec<Row<Self>>> {
                let mut query = newest!($table::table.filter($table::org_id.eq(org)), $table, rows);
                if let Some(key) = name_key {
                    query = query.filter($table::name_key.eq(key));
                }
                let columns = ($table::id, Self::as_select(), $table::created_at);
                Ok(query.select(columns).load(conn)?)
            }

            statements!($table: count, create(Self; name_key $(, $updated_at)?),
                update(Self; name_key $(, $updated_at)?), delete);
        }
    };
}
pub(crate) use named_table;
