//! Rows turned into columns, which `unnest` turns into rows again: one statement for any number.

use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use serde::Serialize;
use std::fmt::Debug;
use std::io::Write;
use uuid::Uuid;

/// A column: the same part of each row.
pub(super) fn each<'a, R, T>(rows: &'a [R], part: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(part).collect()
}

/// A part that is kept as JSON. It becomes text only on its way to the database.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize + Debug> ToSql<Text, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

/// A row of `unnest` holds no array, so this one travels as text.
#[derive(Debug)]
pub(super) struct UuidArray<'a>(pub(super) &'a [Uuid]);

impl ToSql<Text, Pg> for UuidArray<'_> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(b"{")?;
        for (place, id) in self.0.iter().enumerate() {
            write!(out, "{}{id}", if place == 0 { "" } else { "," })?;
        }
        out.write_all(b"}")?;
        Ok(IsNull::No)
    }
}
