//! The statements that tables of settings have in common.

use crate::store::error::StoreError;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
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

/// Makes `count` and `delete` of a table. Deleting is a `StoreError::Reference` where something
/// refers to the row.
macro_rules! statements {
    ($vis:vis $table:ident: $($which:ident),+) => {
        $(statements!(@$which $vis $table);)+
    };
    (@count $vis:vis $table:ident) => {
        $vis fn count(
            conn: &mut diesel::pg::PgConnection,
            org: uuid::Uuid,
        ) -> Result<i64, crate::store::error::StoreError> {
            use diesel::prelude::*;
            Ok($table::table.filter($table::org_id.eq(org)).count().get_result(conn)?)
        }
    };
    (@delete $vis:vis $table:ident) => {
        $vis fn delete(
            conn: &mut diesel::pg::PgConnection,
            org: uuid::Uuid,
            id: uuid::Uuid,
        ) -> Result<(), crate::store::error::StoreError> {
            use diesel::prelude::*;
            diesel::delete($table::table)
                .filter($table::org_id.eq(org))
                .filter($table::id.eq(id))
                .execute(conn)?;
            Ok(())
        }
    };
}

pub(crate) use statements;

/// A table whose rows have a name, unique in any case. `Self` are the columns that can be set.
pub(crate) trait NamedTable: Sized {
    fn list(
        conn: &mut PgConnection,
        org: Uuid,
        rows: Rows,
        name_key: Option<&str>,
    ) -> Result<Vec<Row<Self>>, StoreError>;
    fn count(conn: &mut PgConnection, org: Uuid) -> Result<i64, StoreError>;
    fn create(
        &self,
        conn: &mut PgConnection,
        org: Uuid,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    fn update(
        &self,
        conn: &mut PgConnection,
        org: Uuid,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError>;
    fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<(), StoreError>;
}

/// Makes a [`NamedTable`] of the columns that can be set. Diesel's types differ from table to table,
/// hence no generic code.
macro_rules! named_table {
    ($table:ident: $values:ident $(, $updated_at:ident)?) => {
        impl NamedTable for $values {
            fn list(
                conn: &mut PgConnection,
                org: Uuid,
                rows: Rows,
                name_key: Option<&str>,
            ) -> Result<Vec<Row<Self>>, StoreError> {
                let mut query = newest!($table::table.filter($table::org_id.eq(org)), $table, rows);
                if let Some(key) = name_key {
                    query = query.filter($table::name_key.eq(key));
                }
                let columns = ($table::id, Self::as_select(), $table::created_at);
                Ok(query.select(columns).load(conn)?)
            }

            fn create(&self, conn: &mut PgConnection, org: Uuid, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
                diesel::insert_into($table::table)
                    .values((
                        $table::org_id.eq(org),
                        $table::id.eq(id),
                        self,
                        $table::name_key.eq(fold(&self.name)),
                        $table::created_at.eq(now),
                        $($table::$updated_at.eq(now),)?
                    ))
                    .execute(conn)?;
                Ok(())
            }

            fn update(&self, conn: &mut PgConnection, org: Uuid, id: Uuid, _now: DateTime<Utc>) -> Result<(), StoreError> {
                diesel::update($table::table)
                    .filter($table::org_id.eq(org))
                    .filter($table::id.eq(id))
                    .set((
                        self,
                        $table::name_key.eq(fold(&self.name)),
                        $($table::$updated_at.eq(_now),)?
                    ))
                    .execute(conn)?;
                Ok(())
            }

            statements!($table: count, delete);
        }
    };
}
pub(crate) use named_table;
