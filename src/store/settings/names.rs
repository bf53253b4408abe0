//! Tables of names that records refer to: the columns that can be set.

use super::statements::{NamedTable, Row, Rows, named_table, newest, statements};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{slas, tags};
use diesel::prelude::*;
use uuid::Uuid;

/// A tag as it is set up; payloads make them in `writes::tags`.
#[derive(AsChangeset, Insertable, Queryable, Selectable)]
pub(crate) struct Tag {
    pub(crate) name: String,
}

named_table!(tags: Tag);

/// A service level. The due times of tickets that there are stay when one changes.
#[derive(AsChangeset, Insertable, Queryable, Selectable)]
pub(crate) struct Sla {
    pub(crate) name: String,
    pub(crate) first_response_minutes: i32,
    pub(crate) resolution_minutes: i32,
}

named_table!(slas: Sla, updated_at);
