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
use crate::store::delivery_log::{self, Delivery, Whole};
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use filters::{FILTERS, ListParameters};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

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
        .read(actor.org, move |conn| {
            delivery_log::list(conn, actor.org, &filters, paging.before(), paging.rows())
        })
        .await?;
    Ok(Json(paging.page(rows, |row| row.id)))
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
    let found = app.read(actor.org, move |conn| delivery_log::find(conn, actor.org, id));
    let Whole { delivery, headers, body, body_complete, answer, replays } =
        found.await?.ok_or_else(unknown)?;
    let (body, body_encoding) = match String::from_utf8(body) {
        Ok(text) => (text, "utf-8"),
        Err(bytes) => (BASE64_STANDARD.encode(bytes.as_bytes()), "base64"),
    };
    let answer = answer.and_then(|answer| serde_json::from_str(&answer).ok());
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

fn parse_id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::not_found("delivery")
}
