//! Whether the process lives, and whether it can work (`api.md` 1).

use super::middleware::RequestId;
use super::openapi::Unavailable;
use crate::app::App;
use crate::problem::Problem;
use crate::store::pool::ping;
use crate::telemetry::request::{self, Request};
use actix_web::web;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// Who asks whether the process can work does not wait for long.
const DEADLINE: Duration = Duration::from_secs(2);

/// That all is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

crate::http::routes::routes![healthz, readyz];

/// The process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "Operation", operation_id = "healthz", security(()),
    responses((status = 200, body = Health)),
)]
pub(crate) async fn healthz() -> web::Json<Health> {
    web::Json(Health { status: "ok" })
}

/// The database answers.
#[utoipa::path(
    get, path = "/readyz", tag = "Operation", operation_id = "readyz", security(()),
    responses(
        (status = 200, body = Health),
        Unavailable,
    ),
)]
pub(crate) async fn readyz(
    app: web::Data<App>,
    RequestId(id): RequestId,
) -> Result<web::Json<Health>, Problem> {
    request::within(Request::new(id, DEADLINE), app.db.run(ping)).await?;
    Ok(web::Json(Health { status: "ok" }))
}
