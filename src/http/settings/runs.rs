//! `/api/v1/connections/{id}/run`, `…/runs` and `…/test` (`connections.md` 1). Owner and admins only.

use crate::app::App;
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, ProblemDocument, QueryProblem};
use crate::http::page::{Page, Query};
use crate::problem::Problem;
use crate::service::pulls::{self, TestReport};
use crate::store::pulling::{self, Run};
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::records::connection::RunStatus;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

crate::http::routes::routes![run, runs, test];

/// The run that was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunRequested {
    /// Its id, by which it is found among the runs.
    run_id: Uuid,
}

/// A run of a connection: each time that it was asked for everything.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConnectionRun)]
pub struct RunBody {
    /// Its id.
    id: Uuid,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it ended; null while it is under way.
    ended_at: Option<DateTime<Utc>>,
    /// `running`, `succeeded`, `partial` or `failed`.
    #[schema(value_type = String, example = "succeeded")]
    status: RunStatus,
    /// How many requests the other system got.
    requests: i32,
    /// How many items came.
    items: i32,
    /// How many actions made of them created something.
    created: i32,
    /// How many changed something.
    updated: i32,
    /// How many changed nothing.
    unchanged: i32,
    /// How many failed; the deliveries tell why.
    failed: i32,
    /// Code and message of what went wrong; null where nothing did.
    #[schema(value_type = Option<Object>)]
    error: Option<Value>,
    /// What became of each resource or campaign: `resource`, `status`, `from`, `to`, `items`, `error`.
    #[schema(value_type = Vec<Object>)]
    resources: Value,
}

impl From<Run> for RunBody {
    fn from(run: Run) -> Self {
        let Run {
            id,
            started_at,
            ended_at,
            status,
            requests,
            items,
            created,
            updated,
            unchanged,
            failed,
            error,
            resources,
        } = run;
        let status = status.0;
        Self {
            id,
            started_at,
            ended_at,
            status,
            requests,
            items,
            created,
            updated,
            unchanged,
            failed,
            error,
            resources,
        }
    }
}

/// Has a connection asked at once, also where it waits after a failure.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/run", tag = "Connections", operation_id = "runConnection",
    params(("id" = Uuid, Path)),
    responses(
        (status = 202, description = "It begins soon", body = RunRequested),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`already_running`, or `not_active`: it is disabled or paused"),
        (status = 422, body = ProblemDocument, content_type = "application/problem+json",
         description = "`not_pull`: it tells by itself what happens"),
    ),
)]
pub async fn run(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (org, connection) = (actor.org, named(&id)?);
    let request = move |conn: &mut _| pulls::request_run(conn, org, connection);
    let run_id = app.write(org, request).await?;
    app.pulls.wake();
    Ok(HttpResponse::Accepted().json(RunRequested { run_id }))
}

/// The last runs of a connection, newest first.
#[utoipa::path(
    get, path = "/api/v1/connections/{id}/runs", tag = "Connections",
    operation_id = "listConnectionRuns",
    params(
        ("id" = Uuid, Path),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 100, description = "How many; 20 when absent"),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before"),
    ),
    responses(
        (status = 200, body = Page<RunBody>),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
        QueryProblem,
    ),
)]
pub async fn runs(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
    request: HttpRequest,
) -> Result<web::Json<Page<RunBody>>, Problem> {
    let (org, connection) = (actor.org, named(&id)?);
    let paging = Query::of_list(&request, &[])?.paging()?;
    let (before, rows) = (paging.before(), paging.rows());
    let list = move |conn: &mut _| {
        if !pulling::exists(conn, org, connection)? {
            return Err(Problem::not_found("connection"));
        }
        Ok(pulling::page(conn, org, connection, before, rows)?)
    };
    let runs = app.read(org, list).await?;
    Ok(web::Json(paging.page(runs, |run| run.id).map(RunBody::from)))
}

/// Tries a connection with the least that can be asked: whether the credentials are taken.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/test", tag = "Connections",
    operation_id = "testConnection",
    params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = TestReport),
        AdminProblems,
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn test(
    app: web::Data<App>,
    Admin(actor): Admin,
    id: web::Path<String>,
) -> Result<web::Json<TestReport>, Problem> {
    Ok(web::Json(pulls::test(&app.pull_parts, actor.org, named(&id)?).await?))
}

fn named(id: &str) -> Result<Uuid, Problem> {
    id.parse().map_err(|_| Problem::not_found("connection"))
}
