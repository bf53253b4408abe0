//! `/api/v1/deliveries` (`api.md` 4): what came in, what became of it, and running it again. Owner and
//! admins only.

mod filters;

use super::page::{Page, Query};
use crate::app::App;
use crate::auth::Admin;
use crate::error::Problem;
use crate::http::body;
use crate::http::openapi::listener::AnyAnswer;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument, QueryProblem};
use crate::listener::{Only, Reply};
use crate::store::delivery_log::{self, Entry, Whole};
use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use filters::{FILTERS, ListParameters};
use serde::{Deserialize, Serialize};
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

/// What is to be run again.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// `failed`: what has not been applied yet. `all`: everything, but for notes, tickets and
    /// messages that are there already.
    only: Only,
}

/// What became of a delivery that was run again with others.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// The delivery.
    id: Uuid,
    /// The HTTP status that the answer has on its own.
    #[schema(example = 200)]
    http_status: u16,
    /// The answer, or the problem.
    #[schema(value_type = AnyAnswer)]
    answer: Value,
}

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

/// Runs actions of a delivery again, and answers as the listener would. What has been applied is not
/// applied twice, however often this is asked for: where nothing is left to run, the answer has no
/// results.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/replay", tag = "Deliveries", operation_id = "replayDelivery",
    params(("id" = Uuid, Path, description = "The `requestId`")),
    request_body = Replay,
    responses(
        (status = 200, description = "The listener's answer, also where actions failed", body = AnyAnswer),
        AdminProblems,
        BodyProblems,
        (status = 413, body = ProblemDocument, content_type = "application/problem+json",
         description = "`body_too_large` or `too_complex`: it is over a limit. `body_too_large`, \
                        `too_complex`, `too_many_actions` or `too_deep`: the delivery is"),
        (status = 422, body = ProblemDocument, content_type = "application/problem+json",
         description = "`invalid_fields`: faults in fields. `invalid_envelope`, `unknown_sender` or \
                        `invalid_query`: the delivery has one that is still wrong"),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`still_pending`, or `not_replayable`: nothing is kept to run"),
    ),
)]
pub async fn replay(
    app: Data<App>,
    Admin(actor): Admin,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    let Replay { only } = body::json(payload).await?;
    let Reply { body, .. } = app.pipeline.replay(actor.org, id, only, actor.address).await?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(body))
}

/// Runs actions of many deliveries again, oldest first, a page at a time: those that the filters
/// leave, without dry runs. With `nextCursor` the next page is run.
#[utoipa::path(
    post, path = "/api/v1/deliveries/replay", tag = "Deliveries", operation_id = "replayDeliveries",
    params(ListParameters),
    request_body = Replay,
    responses(
        (status = 200, description = "What became of each", body = Page<Replayed>),
        AdminProblems,
        BodyProblems,
        (status = 422, body = ProblemDocument, content_type = "application/problem+json",
         description = "`invalid_fields`: faults in fields. `invalid_query`: a parameter is wrong"),
    ),
)]
pub async fn replay_many(
    app: Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
    payload: Payload,
) -> Result<Json<Page<Replayed>>, Problem> {
    let query = Query::of_list(&request, &FILTERS)?;
    let (paging, filters) = (query.paging()?, filters::read(&query)?);
    let Replay { only } = body::json(payload).await?;
    let org = actor.org;
    let rows = app
        .db
        .in_org(org, move |conn| {
            let failed = only == Only::Failed;
            delivery_log::replayable(conn, org, &filters, failed, paging.before(), paging.rows())
        })
        .await?;
    let Page { data, page } = paging.page(rows, |id| *id);
    let mut replayed = Vec::new();
    for id in data {
        let (http_status, answer) = match app.pipeline.replay(org, id, only, actor.address).await {
            Ok(Reply { status, body, .. }) => (status, serde_json::from_str(&body)),
            Err(problem) => {
                let status = actix_web::ResponseError::status_code(&problem).as_u16();
                (status, serde_json::to_value(problem.body(problem.request_id.unwrap_or(id))))
            }
        };
        replayed.push(Replayed { id, http_status, answer: answer.unwrap_or_default() });
    }
    Ok(Json(Page { data: replayed, page }))
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
