//! A delivery with its answer.

use crate::schema::deliveries;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use ipnetwork::IpNetwork;
use serde_json::Value;
use uuid::Uuid;

/// A row of `deliveries`.
#[derive(Debug, Insertable)]
// With `DEFAULT` for what is missing, the statement would be planned anew each time.
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are described in the database")]
pub struct Delivery<'a> {
    pub org_id: Uuid,
    pub id: Uuid,
    pub listener_id: Uuid,
    pub received_at: DateTime<Utc>,
    pub caller: IpNetwork,
    pub query: &'a str,
    pub headers: &'a Value,
    pub body: &'a [u8],
    pub body_complete: bool,
    pub sender_user: Option<&'a str>,
    pub dry_run: bool,
    pub status: &'a str,
    pub http_status: Option<i16>,
    pub answer: Option<&'a str>,
    pub duration_ms: Option<i32>,
    pub repeats: Option<Uuid>,
    pub respond_async: bool,
    pub replay_of: Option<Uuid>,
    pub unresolved: Option<i32>,
}

/// Keeps it.
///
/// # Errors
/// Those of the database.
pub fn insert_delivery(conn: &mut PgConnection, delivery: &Delivery<'_>) -> QueryResult<()> {
    diesel::insert_into(deliveries::table).values(delivery).execute(conn)?;
    Ok(())
}
