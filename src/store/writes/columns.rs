//! Rows turned into columns, which `unnest` turns into rows again: one statement for any number.

pub(in crate::store) use crate::store::json::Json;
use crate::store::statement::{Statement, statement};
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Array, HasSqlType, Nullable, Text, Uuid as SqlUuid};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::io::Write;
use uuid::Uuid;

/// Rows of an org that are to be written, column by column.
pub(in crate::store) struct Rows<'a> {
    /// The values: `$1` is the org, `$2` the first column.
    values: Statement<'a>,
    /// The name of each, and what is written of it: an expression in which the row is `new`.
    columns: Vec<(&'static str, Cow<'static, str>)>,
}

impl<'a> Rows<'a> {
    /// Rows without a column.
    pub(in crate::store) fn of(org: Uuid) -> Self {
        Self { values: statement("").bind::<SqlUuid, _>(org), columns: Vec::new() }
    }

    /// A column that is written as it is, of the SQL type `ST`.
    pub(in crate::store) fn column<ST, T>(self, name: &'static str, values: Vec<T>) -> Self
    where
        ST: Send + 'static,
        Pg: HasSqlType<Array<ST>>,
        Vec<T>: ToSql<Array<ST>, Pg> + Send + 'a,
    {
        self.column_as(name, format!("new.{name}"), values)
    }

    /// A column of which something else is written.
    pub(in crate::store) fn column_as<ST, T>(
        mut self,
        name: &'static str,
        expression: impl Into<Cow<'static, str>>,
        values: Vec<T>,
    ) -> Self
    where
        ST: Send + 'static,
        Pg: HasSqlType<Array<ST>>,
        Vec<T>: ToSql<Array<ST>, Pg> + Send + 'a,
    {
        self.columns.push((name, expression.into()));
        self.values = self.values.bind::<Array<ST>, _>(values);
        self
    }

    /// A column of JSON arrays; most are empty.
    pub(in crate::store) fn json_list<T: Serialize + Debug + Send + 'a>(
        self,
        name: &'static str,
        values: Vec<Option<Json<T>>>,
    ) -> Self {
        self.json(name, "[]", values)
    }

    /// A column of JSON objects; most are empty.
    pub(in crate::store) fn json_object<T: Serialize + Debug + Send + 'a>(
        self,
        name: &'static str,
        values: Vec<Option<Json<T>>>,
    ) -> Self {
        self.json(name, "{}", values)
    }

    /// A column of JSON, where it is not `or_else`.
    pub(in crate::store) fn json<T: Serialize + Debug + Send + 'a>(
        self,
        name: &'static str,
        or_else: &str,
        values: Vec<Option<Json<T>>>,
    ) -> Self {
        let expression = format!("coalesce(new.{name}::jsonb, '{or_else}')");
        self.column_as::<Nullable<Text>, _>(name, expression, values)
    }

    /// A column of the lexemes that a search looks at, a line each.
    pub(in crate::store) fn lexemes(self, name: &'static str, values: Vec<String>) -> Self {
        let expression = format!("array_to_tsvector(string_to_array(new.{name}, E'\\n'))");
        self.column_as::<Text, _>(name, expression, values)
    }

    /// A column of lists of ids. A row of `unnest` holds no list, so they travel as texts.
    pub(in crate::store) fn id_lists(self, name: &'static str, values: Vec<&'a [Uuid]>) -> Self {
        let texts = values.into_iter().map(|ids| (!ids.is_empty()).then_some(UuidArray(ids)));
        let expression = format!("coalesce(new.{name}::uuid[], '{{}}')");
        self.column_as::<Nullable<Text>, _>(name, expression, texts.collect())
    }

    /// Inserts them.
    pub(in crate::store) fn insert(self, table: &str) -> Statement<'a> {
        self.insert_or(table, "")
    }

    /// Inserts them, with what is to be done where they cannot be.
    pub(in crate::store) fn insert_or(self, table: &str, on_conflict: &str) -> Statement<'a> {
        let mut text = format!("INSERT INTO {table} (org_id");
        for (name, _) in &self.columns {
            text.extend([", ", name]);
        }
        text.push_str(") SELECT $1");
        for (_, expression) in &self.columns {
            text.extend([", ", expression]);
        }
        text.extend([" FROM ", &self.unnested(), on_conflict]);
        self.values.reworded(text)
    }

    /// Writes them over the rows of the same `id`, but for the columns of `fixed`.
    pub(in crate::store) fn update(self, table: &str, fixed: &[&str]) -> Statement<'a> {
        let mut text = format!("UPDATE {table} SET ");
        let changing =
            self.columns.iter().filter(|(name, _)| *name != "id" && !fixed.contains(name));
        for (place, (name, expression)) in changing.enumerate() {
            text.extend([if place == 0 { "" } else { ", " }, name, " = ", expression]);
        }
        text.extend([" FROM ", &self.unnested()]);
        text.extend([" WHERE ", table, ".org_id = $1 AND ", table, ".id = new.id"]);
        self.values.reworded(text)
    }

    /// The rows as a table. Several `unnest` of one `SELECT` advance together, and cost a quarter of
    /// `unnest` with several arrays, which keeps each column of each row before it goes on.
    fn unnested(&self) -> String {
        let mut text = String::from("(SELECT ");
        for (place, (name, _)) in self.columns.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            // Writing to a string does not fail.
            let _ = write!(text, "{separator}unnest(${}) AS {name}", place + 2);
        }
        text.push_str(") AS new");
        text
    }
}

/// Records as columns, in one pass: each column's name, the method of [`Rows`] that adds it, and what
/// of a record stands in it. The pattern names every field of the record, so that none is forgotten.
macro_rules! rows {
    ($org:expr, $records:expr, $pattern:pat => {
        $($name:ident: $column:ident $(($sql:ty))? = $value:expr,)+
    }) => {{
        #[expect(non_camel_case_types, reason = "the type of a column goes by its name")]
        struct Columns<$($name),+> { $($name: Vec<$name>),+ }
        let records = $records;
        let mut columns = Columns { $($name: Vec::with_capacity(records.len())),+ };
        for $pattern in records {
            $(columns.$name.push($value);)+
        }
        Rows::of($org)$(.$column$(::<$sql, _>)?(stringify!($name), columns.$name))+
    }};
}
pub(in crate::store) use rows;

/// A column: the same part of each row.
pub(in crate::store) fn each<'a, R, T>(rows: &'a [R], part: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(part).collect()
}

/// A list, where it is not empty: most are.
pub(in crate::store) fn list<T>(items: &[T]) -> Option<Json<&[T]>> {
    (!items.is_empty()).then_some(Json(items))
}

/// An object, where it is not empty.
pub(in crate::store) fn object<K, V>(members: &BTreeMap<K, V>) -> Option<Json<&BTreeMap<K, V>>> {
    (!members.is_empty()).then_some(Json(members))
}

#[derive(Debug)]
struct UuidArray<'a>(&'a [Uuid]);

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

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::sql_types::{BigInt, Integer};

    fn rows() -> Rows<'static> {
        Rows::of(Uuid::nil())
            .column::<Integer, _>("id", vec![1, 2])
            .column_as::<BigInt, _>("n", "new.n + 1", vec![3_i64, 4])
            .json("tags", "[]", vec![list(&["a"]), None])
    }

    fn text(statement: &Statement<'_>) -> String {
        let whole = diesel::debug_query::<Pg, _>(statement).to_string();
        whole.split(" -- binds: ").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn rows_are_inserted_from_a_column_each() {
        assert_eq!(
            text(&rows().insert_or("things", " ON CONFLICT DO NOTHING")),
            "INSERT INTO things (org_id, id, n, tags) \
             SELECT $1, new.id, new.n + 1, coalesce(new.tags::jsonb, '[]') \
             FROM (SELECT unnest($2) AS id, unnest($3) AS n, unnest($4) AS tags) AS new \
             ON CONFLICT DO NOTHING"
        );
    }

    #[test]
    fn rows_are_updated_by_their_ids_but_for_what_is_fixed() {
        assert_eq!(
            text(&rows().update("things", &["tags"])),
            "UPDATE things SET n = new.n + 1 \
             FROM (SELECT unnest($1) AS id, unnest($2) AS n, unnest($3) AS tags) AS new \
             WHERE things.org_id = $4 AND things.id = new.id"
        );
    }
}
