//! `/api/v1/deliveries` (`api.md` 4): what came in, what became of it, and running it again. Owner and
//! admins only.

mod filters;
pub mod replays;

use super::openapi::listener::AnyAnswer;
use super::openapi::{AdminProblems, ProblemDocument, QueryProblem};
use super::page::{Page, Query};
use crate::app::App;
use crate::http::extract::Admin;
use crate::problem::Problem;
use crate::store::delivery_log::{self, Entry, Whole};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use filters::{FILTERS, ListParameters};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A delivery, as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its id: the `requestId` that it was answered with.
    id: Uuid,
    /// The listener that took it.
    listener: DeliveryListener,
    /// When it came.
    received_at: DateTime<Utc>,
    /// The address that it came from.
    #[schema(example = "203.0.113.7")]
    caller: String,
    /// The query of its URL.
    #[schema(example = "dryRun=true")]
    query: String,
    /// The `senderUser`, where the envelope was right.
    sender_user: Option<String>,
    /// Whether it was a dry run.
    dry_run: bool,
    /// `pending`, `succeeded`, `partial`, `failed` or `rejected`.
    #[schema(example = "partial")]
    status: String,
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

/// The listener of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryListener {
    /// Its id.
    id: Uuid,
    /// Its name; null where it has been deleted.
    name: Option<String>,
}

/// A delivery with all that is kept of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    delivery: Delivery,
    /// Its headers, without those that carry secrets.
    #[schema(value_type = HashMap<String, String>)]
    headers: Value,
    /// Its body as it came; empty where it was erased.
    body: String,
    /// `utf-8`, or `base64` where the body is no text.
    #[schema(example = "utf-8")]
    body_encoding: &'static str,
    /// Whether the body was read to its end.
    body_complete: bool,
    /// What it was answered; null while it is pending.
    #[schema(value_type = Option<AnyAnswer>)]
    answer: Option<Value>,
    /// The deliveries that ran its actions again, oldest first.
    replays: Vec<Uuid>,
}

crate::http::routes::routes![list, read];

/// The org's deliveries, newest first.
#[utoipa::path(
    get, path = "/api/v1/deliveries", tag = "Deliveries", operation_id = "listDeliveries",
    params(ListParameters),
    responses((status = 200, body = Page<Delivery>), AdminProblems, QueryProblem),
)]
pub async fn list(
    app: Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
) -> Result<Json<Page<Delivery>>, Problem> {
    let query = Query::of_list(&request, &FILTERS)?;
    let (paging, filters) = (query.paging()?, filters::read(&query)?);
    let rows = app
        .db
        .in_org(actor.org, move |conn| {
            delivery_log::list(conn, actor.org, &filters, paging.before(), paging.rows())
        })
        .await?;
    Ok(Json(paging.page(rows, |row| row.id).map(shown)))
}

/// One delivery, with its body and its answer.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}", tag = "Deliveries", operation_id = "readDelivery",
    params(("id" = Uuid, Path, description = "The `requestId`")),
    responses(
        (status = 200, body = DeliveryDetail),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn read(
    app: Data<App>,
    Admin(actor): Admin,
    id: Path<String>,
) -> Result<Json<DeliveryDetail>, Problem> {
    let id = parse_id(&id)?;
    let found = app.db.in_org(actor.org, move |conn| delivery_log::find(conn, actor.org, id));
    let Whole { entry, headers, body, body_complete, answer, replays } =
        found.await?.ok_or_else(unknown)?;
    let (body, body_encoding) = match String::from_utf8(body) {
        Ok(text) => (text, "utf-8"),
        Err(bytes) => (BASE64_STANDARD.encode(bytes.as_bytes()), "base64"),
    };
    let answer = answer.and_then(|answer| serde_json::from_str(&answer).ok());
    let delivery = shown(entry);
    Ok(Json(DeliveryDetail {
        delivery,
        headers,
        body,
        body_encoding,
        body_complete,
        answer,
        replays,
    }))
}

fn shown(entry: Entry) -> Delivery {
    let Entry {
        id,
        listener: (listener, name),
        received_at,
        caller,
        query,
        sender_user,
        dry_run,
        status,
        http_status,
        duration_ms,
        respond_async,
        repeats,
        replay_of,
        unresolved,
        body_bytes,
    } = entry;
    Delivery {
        id,
        listener: DeliveryListener { id: listener, name },
        received_at,
        caller: caller.ip().to_string(),
        query,
        sender_user,
        dry_run,
        status,
        http_status,
        duration_ms,
        respond_async,
        repeats,
        replay_of,
        unresolved,
        body_bytes,
    }
}

fn parse_id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::not_found("delivery")
}
