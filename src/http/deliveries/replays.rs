//! Running deliveries again (`listener.md` 9, `api.md` 4), one or many.

use super::filters::{self, FILTERS, ListParameters};
use super::{parse_id, unknown};
use crate::access::Actor;
use crate::app::App;
use crate::clock;
use crate::http::body;
use crate::http::extract::Admin;
use crate::http::listener::broken;
use crate::http::openapi::listener::AnyAnswer;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument};
use crate::http::page::{Page, Query};
use crate::ingest::{Only, Reply};
use crate::problem::Problem;
use crate::store::{deliveries, delivery_log};
use crate::telemetry::request;
use actix_web::http::header;
use actix_web::web::{Data, Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use beeiq_core::diagnostics::Code;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::Instrument;
use utoipa::ToSchema;
use uuid::Uuid;

/// What is to be run again.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// `failed`: what has not been applied yet. `all`: everything, but for what made records
    /// that are still there.
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

crate::http::routes::routes![run, run_many];

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
         description = "`still_pending`. `not_replayable`: nothing is kept to run, or another delivery \
                        of its `Idempotency-Key` has been applied. `idempotency_key_in_use`: one is \
                        being applied"),
        (status = 503, body = ProblemDocument, content_type = "application/problem+json",
         description = "`overloaded`: there is no room for it now. `unavailable`: the database is \
                        away. Nothing was applied"),
    ),
)]
pub async fn run(
    app: Data<App>,
    Admin(actor): Admin,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    let Replay { only } = body::json(payload).await?;
    let Reply { body, .. } = run_again(&app, &actor, id, only).await?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/json")).body(body))
}

/// Runs actions of many deliveries again, oldest first, a page at a time: those that the filters
/// leave, without dry runs, and without what was refused because another request of the same
/// `Idempotency-Key` was being applied. With `nextCursor` the next page is run. Where there is no room
/// for more now, the page ends early.
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
        (status = 503, body = ProblemDocument, content_type = "application/problem+json",
         description = "`overloaded`: there is no room for it now. `unavailable`: the database is \
                        away. Nothing was applied"),
    ),
)]
pub async fn run_many(
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
    let mut replayed: Vec<Replayed> = Vec::new();
    for id in data {
        let (http_status, answer) = match run_again(&app, &actor, id, only).await {
            Ok(Reply { status, body, .. }) => (status, serde_json::from_str(&body)),
            Err(problem) if problem.code == Code::Overloaded => {
                if replayed.is_empty() {
                    return Err(problem);
                }
                return Ok(Json(paging.cut_short(replayed, |one| one.id)));
            }
            Err(problem) => {
                let status = actix_web::ResponseError::status_code(&problem).as_u16();
                (status, serde_json::to_value(problem.body(problem.request_id.unwrap_or(id))))
            }
        };
        replayed.push(Replayed { id, http_status, answer: answer.unwrap_or_default() });
    }
    Ok(Json(Page { data: replayed, page }))
}

/// Runs actions of a delivery again in the room that there is for it, as its sender's request was.
async fn run_again(app: &Data<App>, actor: &Actor, id: Uuid, only: Only) -> Result<Reply, Problem> {
    let (org, caller) = (actor.org, actor.address);
    let mut holding = app.capacity.hold(org)?;
    let bytes = app.db.in_org(org, move |conn| deliveries::root_bytes(conn, org, id)).await?;
    let bytes = usize::try_from(bytes.ok_or_else(unknown)?).unwrap_or_default();
    // What was taken under larger limits has the room of the largest.
    holding.grow(bytes.min(app.limits.max_body_bytes))?;
    let deepest = usize::try_from(app.limits.max_nesting).unwrap_or(usize::MAX);
    let replayable = app.pipeline.replayable(org, id, deepest).await?;
    let most = app.capacity_settings.working_bytes_of_one();
    holding.work(replayable.working_bytes().min(most)).await?;
    let its = app.clone();
    // A task of its own, as in `http::listener`: who goes away does not end the work.
    let work = async move {
        let answer = its.pipeline.replay(org, replayable, only, caller).await;
        drop(holding);
        answer
    };
    let work = request::within(request::current().unwrap_or_else(clock::new_id), work);
    actix_web::rt::spawn(work.in_current_span()).await.map_err(|_| broken())?
}
