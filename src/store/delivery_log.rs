//! Kept deliveries as admins look at them (`api.md` 4).

use super::deliveries::KEY_IN_USE;
use super::schema::{connections, customers, deals, deliveries, history, listeners, tickets};
use super::text_search::containing;
use crate::store::error::Result;
use crate::store::pool::Conn;
use beeiq_core::records::customer::CustomerCode;
use beeiq_core::records::delivery::DeliveryStatus;
use beeiq_core::records::ticket::TicketCode;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use ipnetwork::IpNetwork;
use serde::{Serialize, Serializer};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a list is narrowed to; all that are given hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeliveryFilters {
    pub(crate) listener: Option<Uuid>,
    pub(crate) connection: Option<Uuid>,
    pub(crate) status: Option<DeliveryStatus>,
    /// Received then or later.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Received then or earlier.
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) q: Option<Sought>,
}

/// What deliveries are looked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    /// The `requestId`.
    Request(Uuid),
    /// A contact, account or lead that it touched.
    Customer(CustomerCode),
    /// A ticket that it touched.
    Ticket(TicketCode),
    /// Part of the sender's e-mail, or a deal's `dealId`.
    Text(String),
}

/// A delivery, as a list shows it.
#[derive(Debug, Queryable, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its id: the `requestId` that it was answered with.
    pub(crate) id: Uuid,
    /// The listener that took it.
    listener: DeliveryListener,
    /// The connection through which it came, with the listener whose defaults applied.
    connection: Option<OfConnection>,
    /// When it came.
    received_at: DateTime<Utc>,
    /// The address that it came from.
    #[serde(serialize_with = "address")]
    #[schema(value_type = String, example = "203.0.113.7")]
    caller: IpNetwork,
    /// The query of its URL.
    #[schema(example = "dryRun=true")]
    query: String,
    /// The `senderUser`, where the envelope was right.
    sender_user: Option<String>,
    /// Whether it was a dry run.
    dry_run: bool,
    /// `pending`, `succeeded`, `partial`, `failed` or `rejected`.
    #[diesel(deserialize_as = String)]
    #[schema(value_type = String, example = "partial")]
    status: DeliveryStatus,
    /// The HTTP status of its answer; null while it is pending.
    http_status: Option<i16>,
    /// How long it took, in milliseconds.
    duration_ms: Option<i32>,
    /// Whether it was taken for later and answered 202.
    respond_async: bool,
    /// The delivery of the same `Idempotency-Key` whose answer it was given again.
    repeats: Option<Uuid>,
    /// The delivery whose actions it ran again.
    replay_of: Option<Uuid>,
    /// How many of its actions have not been applied yet, by it or by a replay; null where none
    /// were read.
    unresolved: Option<i32>,
    /// The length of its body, in bytes.
    body_bytes: i32,
}

/// The connection through which something came.
#[derive(Clone, Debug, Queryable, Serialize, ToSchema)]
pub struct OfConnection {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// `oktium`, `iadvize` or `wolkvox`.
    pub(crate) kind: String,
}

/// The listener of a delivery.
#[derive(Debug, Queryable, Serialize, ToSchema)]
pub struct DeliveryListener {
    /// Its id.
    id: Uuid,
    /// Its name; null where it has been deleted.
    name: Option<String>,
}

/// All that is kept of a delivery.
pub(crate) struct Whole {
    pub(crate) delivery: Delivery,
    pub(crate) headers: Value,
    pub(crate) body: Vec<u8>,
    pub(crate) body_complete: bool,
    pub(crate) answer: Option<String>,
    /// The deliveries that ran its actions again, oldest first.
    pub(crate) replays: Vec<Uuid>,
}

fn address<S: Serializer>(caller: &IpNetwork, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&caller.ip())
}

type Rows<'a> = deliveries::BoxedQuery<'a, Pg>;

/// A page of deliveries, newest first; `before` is the last id of the page before.
pub(crate) fn list(
    conn: &mut Conn,
    org: Uuid,
    filters: &DeliveryFilters,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Delivery>> {
    let mut rows = narrowed(org, filters);
    if let Some(before) = before {
        rows = rows.filter(deliveries::id.lt(before));
    }
    entries(conn, org, rows.order(deliveries::id.desc()).limit(limit))
}

/// A page of what can be run again, oldest first, as it was sent; `after` is the last id of the page
/// before. With `failed` only what has actions that were not applied yet. Those of a request that came
/// while the first one of its `Idempotency-Key` was running are the first one's.
pub(crate) fn replayable(
    conn: &mut Conn,
    org: Uuid,
    filters: &DeliveryFilters,
    failed: bool,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>> {
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

pub(crate) fn find(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<Option<Whole>> {
    let of = deliveries::table.filter(deliveries::org_id.eq(org));
    let Some(delivery) = entries(conn, org, of.filter(deliveries::id.eq(id)).into_boxed())?.pop()
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
    Ok(Some(Whole { delivery, headers, body, body_complete, answer, replays }))
}

fn narrowed<'a>(org: Uuid, filters: &DeliveryFilters) -> Rows<'a> {
    let DeliveryFilters { listener, connection, status, from, to, q } = filters.clone();
    let mut rows = deliveries::table.filter(deliveries::org_id.eq(org)).into_boxed();
    if let Some(listener) = listener {
        rows = rows.filter(deliveries::listener_id.eq(listener));
    }
    if let Some(connection) = connection {
        rows = rows.filter(deliveries::connection_id.eq(connection));
    }
    if let Some(status) = status {
        rows = rows.filter(deliveries::status.eq(status.as_str()));
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
fn entries(conn: &mut Conn, org: Uuid, rows: Rows<'_>) -> Result<Vec<Delivery>> {
    let name = listeners::table
        .filter(listeners::org_id.eq(org))
        .filter(listeners::id.eq(deliveries::listener_id))
        .select(listeners::name)
        .single_value();
    let its_connection =
        connections::org_id.eq(org).and(connections::id.nullable().eq(deliveries::connection_id));
    Ok(rows
        .left_join(connections::table.on(its_connection))
        .select((
            deliveries::id,
            (deliveries::listener_id, name),
            (connections::id, connections::name, connections::kind).nullable(),
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
