//! Columns that hold one word of an enum.

use beeiq_core::values::words::Word;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::Text;

/// What a column's word stands for. A word that is none of `W` cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromSqlRow)]
pub struct Stored<W>(pub W);

impl<W: Word> FromSql<Text, Pg> for Stored<W> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(std::str::from_utf8(value.as_bytes())?.parse()?))
    }
}
