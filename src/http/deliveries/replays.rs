//! Running deliveries again (`listener.md` 9, `api.md` 4), one or many.

use super::filters::{self, FILTERS, ListParameters};
use super::parse_id;
use crate::app::App;
use crate::http::body;
use crate::http::extract::Admin;
use crate::http::openapi::listener::AnyAnswer;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument};
use crate::http::page::{Page, Query};
use crate::ingest::{Only, Reply};
use crate::problem::Problem;
use crate::store::delivery_log;
use actix_web::http::header;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let id = parse_id(&id)?;
    let Replay { only } = body::json(payload).await?;
    let Reply { body, .. } = app.pipeline.replay(actor.org, id, only, actor.address).await?;
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
    payload: body::Body,
) -> Result<Json<Page<Replayed>>, Problem> {
    let query = Query::of_list(&request, &FILTERS)?;
    let (paging, filters) = (query.paging()?, filters::read(&query)?);
    let Replay { only } = body::json(payload).await?;
    let org = actor.org;
    let rows = app
        .read(org, move |conn| {
            let failed = only == Only::Failed;
            delivery_log::replayable(conn, org, &filters, failed, paging.before(), paging.rows())
        })
        .await?;
    let Page { data, page } = paging.page(rows, |id| *id);
    let asked = data.len();
    let ends = app.pipeline.replay_all(org, data, only, actor.address).await?;
    let replayed: Vec<Replayed> = ends.into_iter().map(replayed).collect();
    if replayed.len() < asked {
        return Ok(Json(paging.cut_short(replayed, |one| one.id)));
    }
    Ok(Json(Page { data: replayed, page }))
}

fn replayed((id, end): (Uuid, Result<Reply, Problem>)) -> Replayed {
    let (http_status, answer) = match end {
        Ok(Reply { status, body, .. }) => (status, serde_json::from_str(&body)),
        Err(problem) => {
            let body = problem.body(problem.request_id.unwrap_or(id));
            (problem.code.status(), serde_json::to_value(body))
        }
    };
    Replayed { id, http_status, answer: answer.unwrap_or_default() }
}
