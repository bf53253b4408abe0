//! SQL of ours as a prepared statement.
//!
//! What `diesel::sql_query` sends is parsed and planned by Postgres each time, which for the
//! statements of a small batch takes longer than running them. A [`Statement`] is written and bound
//! in the same way, and each connection prepares it once.

use crate::store::pool::Conn;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use std::borrow::Cow;
use std::marker::PhantomData;

/// A statement with the values of its `$1`, `$2` …
pub(super) struct Statement<'a> {
    beside: Vec<Statement<'a>>,
    text: Cow<'static, str>,
    binds: Vec<Box<dyn QueryFragment<Pg> + Send + 'a>>,
}

/// The statement of that text, in which a `$` stands before the number of a value alone. There must
/// be few such texts: each connection keeps all that it has sent.
pub(super) fn statement<'a>(text: impl Into<Cow<'static, str>>) -> Statement<'a> {
    Statement { beside: Vec::new(), text: text.into(), binds: Vec::new() }
}

impl<'a> Statement<'a> {
    /// The same values with another text.
    pub(super) fn reworded(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.text = text.into();
        self
    }

    /// Binds the next value, as the SQL type `ST`.
    pub(super) fn bind<ST, T>(mut self, value: T) -> Self
    where
        Pg: HasSqlType<ST>,
        ST: Send + 'a,
        T: ToSql<ST, Pg> + Send + 'a,
    {
        self.binds.push(Box::new(Bind { value, sql_type: PhantomData::<ST> }));
        self
    }

    /// Lets others run in the same round trip, after this one. None of them sees what another
    /// wrote; foreign keys are looked at after all of them.
    pub(super) fn with(mut self, others: Vec<Statement<'a>>) -> Self {
        self.beside.extend(others);
        self
    }
}

/// Runs all of them in one round trip.
pub(super) fn run(conn: &mut Conn, mut statements: Vec<Statement<'_>>) -> QueryResult<()> {
    if let Some(last) = statements.pop() {
        last.with(statements).execute(conn)?;
    }
    Ok(())
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for (place, other) in self.beside.iter().enumerate() {
            out.push_sql(&format!("{} with_{place} AS (", if place == 0 { "WITH" } else { "," }));
            other.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        out.push_sql(if self.beside.is_empty() { "" } else { " " });
        let mut parts = self.text.split('$');
        out.push_sql(parts.next().unwrap_or_default());
        for part in parts {
            let rest = part.trim_start_matches(|it: char| it.is_ascii_digit());
            let number = part.strip_suffix(rest).and_then(|digits| digits.parse::<usize>().ok());
            let bind = number.and_then(|number| self.binds.get(number.checked_sub(1)?));
            let missing = || Error::QueryBuilderError("a `$` without its value".into());
            bind.ok_or_else(missing)?.walk_ast(out.reborrow())?;
            out.push_sql(rest);
        }
        Ok(())
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();

    // The connection finds it by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<Conn> for Statement<'_> {}

struct Bind<ST, T> {
    value: T,
    sql_type: PhantomData<ST>,
}

impl<ST, T> QueryFragment<Pg> for Bind<ST, T>
where
    Pg: HasSqlType<ST>,
    T: ToSql<ST, Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<ST, T>(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::sql_types::{Array, Integer, Text};

    /// A value may be named several times and in any order; Postgres gets each where it is named.
    #[test]
    fn values_stand_where_their_numbers_are() {
        let query = statement("SELECT $2, unnest($1), $2 FROM t")
            .bind::<Array<Integer>, _>(vec![1, 2])
            .bind::<Text, _>("two");
        assert_eq!(
            diesel::debug_query::<Pg, _>(&query).to_string(),
            r#"SELECT $1, unnest($2), $3 FROM t -- binds: ["two", [1, 2], "two"]"#
        );
    }

    #[test]
    fn statements_beside_another_number_their_values_on() {
        let insert = |table: &str, n| {
            statement(format!("INSERT INTO {table} VALUES ($1)")).bind::<Integer, _>(n)
        };
        let all = insert("c", 3).with(vec![insert("a", 1), insert("b", 2)]);
        assert_eq!(
            diesel::debug_query::<Pg, _>(&all).to_string(),
            "WITH with_0 AS (INSERT INTO a VALUES ($1)), with_1 AS (INSERT INTO b VALUES ($2)) \
             INSERT INTO c VALUES ($3) -- binds: [1, 2, 3]"
        );
    }
}
