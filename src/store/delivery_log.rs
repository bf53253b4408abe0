//! Kept deliveries as admins look at them (`api.md` 4).

use super::deliveries::KEY_IN_USE;
use super::schema::{customers, deals, deliveries, history, listeners, tickets};
use super::text_search::containing;
use crate::store::error::StoreError;
use beeiq_core::records::customer::CustomerCode;
use beeiq_core::records::ticket::TicketCode;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::Integer;
use ipnetwork::IpNetwork;
use serde_json::Value;
use uuid::Uuid;

/// What a list is narrowed to; all that are given hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilters {
    /// Of that listener.
    pub listener: Option<Uuid>,
    /// Of that status (`listener.md` 9).
    pub status: Option<String>,
    /// Received then or later.
    pub from: Option<DateTime<Utc>>,
    /// Received then or earlier.
    pub to: Option<DateTime<Utc>>,
    /// What is looked for.
    pub q: Option<Sought>,
}

/// What deliveries are looked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// The `requestId`.
    Request(Uuid),
    /// A contact, account or lead that it touched.
    Customer(CustomerCode),
    /// A ticket that it touched.
    Ticket(TicketCode),
    /// Part of the sender's e-mail, or a deal's `dealId`.
    Text(String),
}

/// A delivery in a list.
#[derive(Clone, Debug, Queryable)]
pub struct Entry {
    /// Its id, the `requestId`.
    pub id: Uuid,
    /// Its listener, with its name unless that has been deleted.
    pub listener: (Uuid, Option<String>),
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// From where.
    pub caller: IpNetwork,
    /// Its query.
    pub query: String,
    /// The `senderUser`, where the envelope was right.
    pub sender_user: Option<String>,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// Its status (`listener.md` 9).
    pub status: String,
    /// The HTTP status of its answer.
    pub http_status: Option<i16>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i32>,
    /// Whether it was taken for later.
    pub respond_async: bool,
    /// The delivery whose answer it was given again.
    pub repeats: Option<Uuid>,
    /// The delivery whose actions it ran again.
    pub replay_of: Option<Uuid>,
    /// How many of its actions have not been applied yet.
    pub unresolved: Option<i32>,
    /// The length of its body, in bytes.
    pub body_bytes: i32,
}

/// All that is kept of a delivery.
#[derive(Clone, Debug)]
pub struct Whole {
    /// What a list shows of it.
    pub entry: Entry,
    /// Its headers, without those that carry secrets.
    pub headers: Value,
    /// Its body.
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub body_complete: bool,
    /// Its answer.
    pub answer: Option<String>,
    /// The deliveries that ran its actions again, oldest first.
    pub replays: Vec<Uuid>,
}

type Rows<'a> = deliveries::BoxedQuery<'a, Pg>;

/// A page of deliveries, newest first; `before` is the last id of the page before.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    filters: &DeliveryFilters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let mut rows = narrowed(org, filters);
    if let Some(before) = before {
        rows = rows.filter(deliveries::id.lt(before));
    }
    entries(conn, org, rows.order(deliveries::id.desc()).limit(limit))
}

/// A page of what can be run again, oldest first, as it was sent; `after` is the last id of the page
/// before. With `failed` only what has actions that were not applied yet. Those of a request that came
/// while the first one of its `Idempotency-Key` was running are the first one's.
///
/// # Errors
/// Those of the database.
pub fn replayable(
    conn: &mut PgConnection,
    org: Uuid,
    filters: &DeliveryFilters,
    failed: bool,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let mut rows = narrowed(org, filters)
        .filter(deliveries::replay_of.is_null())
        .filter(deliveries::repeats.is_null())
        .filter(deliveries::status.ne("pending"))
        .filter(deliveries::http_status.is_distinct_from(KEY_IN_USE))
        .filter(deliveries::body_complete)
        .filter(deliveries::dry_run.eq(false));
    if failed {
        rows = rows.filter(deliveries::unresolved.gt(0).or(deliveries::status.eq("rejected")));
    }
    if let Some(after) = after {
        rows = rows.filter(deliveries::id.gt(after));
    }
    Ok(rows.order(deliveries::id).limit(limit).select(deliveries::id).load(conn)?)
}

/// All that is kept of one.
///
/// # Errors
/// Those of the database.
pub fn find(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<Option<Whole>, StoreError> {
    let of = deliveries::table.filter(deliveries::org_id.eq(org));
    let Some(entry) = entries(conn, org, of.filter(deliveries::id.eq(id)).into_boxed())?.pop()
    else {
        return Ok(None);
    };
    let (headers, body, body_complete, answer) = of
        .filter(deliveries::id.eq(id))
        .select((
            deliveries::headers,
            deliveries::body,
            deliveries::body_complete,
            deliveries::answer,
        ))
        .first(conn)?;
    let replays = of
        .filter(deliveries::replay_of.eq(id))
        .order(deliveries::id)
        .select(deliveries::id)
        .load(conn)?;
    Ok(Some(Whole { entry, headers, body, body_complete, answer, replays }))
}

fn narrowed<'a>(org: Uuid, filters: &DeliveryFilters) -> Rows<'a> {
    let DeliveryFilters { listener, status, from, to, q } = filters.clone();
    let mut rows = deliveries::table.filter(deliveries::org_id.eq(org)).into_boxed();
    if let Some(listener) = listener {
        rows = rows.filter(deliveries::listener_id.eq(listener));
    }
    if let Some(status) = status {
        rows = rows.filter(deliveries::status.eq(status));
    }
    if let Some(from) = from {
        rows = rows.filter(deliveries::received_at.ge(from));
    }
    if let Some(to) = to {
        rows = rows.filter(deliveries::received_at.le(to));
    }
    if let Some(q) = q {
        rows = sought(rows, org, q);
    }
    rows
}

/// What a record's history tells of, since each of its lines names the request.
fn sought(rows: Rows<'_>, org: Uuid, q: Sought) -> Rows<'_> {
    let lines = || history::table.filter(history::org_id.eq(org));
    match q {
        Sought::Request(id) => rows.filter(deliveries::id.eq(id)),
        Sought::Customer(CustomerCode { kind, number }) => {
            let customer = customers::table
                .filter(customers::org_id.eq(org))
                .filter(customers::kind.eq(kind.as_str()))
                .filter(customers::number.eq(number))
                .select(customers::id.nullable());
            let requests = lines()
                .filter(history::customer_id.eq_any(customer))
                .select(history::request_id.assume_not_null());
            rows.filter(deliveries::id.eq_any(requests))
        }
        Sought::Ticket(TicketCode(number)) => {
            let ticket = tickets::table
                .filter(tickets::org_id.eq(org))
                .filter(tickets::number.eq(number))
                .select(tickets::id.nullable());
            let requests = lines()
                .filter(history::ticket_id.eq_any(ticket))
                .select(history::request_id.assume_not_null());
            rows.filter(deliveries::id.eq_any(requests))
        }
        Sought::Text(text) => {
            let deal = deals::table
                .filter(deals::org_id.eq(org))
                .filter(deals::deal_id.eq(text.clone()))
                .select(deals::id.nullable());
            let requests = lines()
                .filter(history::deal_id.eq_any(deal))
                .select(history::request_id.assume_not_null());
            let by_sender = deliveries::sender_user.assume_not_null().ilike(containing(&text));
            rows.filter(by_sender.or(deliveries::id.eq_any(requests)))
        }
    }
}

/// The rows, each with its listener's name.
fn entries(conn: &mut PgConnection, org: Uuid, rows: Rows<'_>) -> Result<Vec<Entry>, StoreError> {
    let name = listeners::table
        .filter(listeners::org_id.eq(org))
        .filter(listeners::id.eq(deliveries::listener_id))
        .select(listeners::name)
        .single_value();
    Ok(rows
        .select((
            deliveries::id,
            (deliveries::listener_id, name),
            deliveries::received_at,
            deliveries::caller,
            deliveries::query,
            deliveries::sender_user,
            deliveries::dry_run,
            deliveries::status,
            deliveries::http_status,
            deliveries::duration_ms,
            deliveries::respond_async,
            deliveries::repeats,
            deliveries::replay_of,
            deliveries::unresolved,
            sql::<Integer>("octet_length(deliveries.body)"),
        ))
        .load(conn)?)
}
