//! Whether the process lives, and whether it can work (`api.md` 1).

use super::middleware::RequestId;
use super::openapi::Unavailable;
use crate::app::App;
use crate::problem::Problem;
use crate::store::pool::row_security_binds;
use crate::telemetry::request::{self, Request};
use actix_web::web;
use beeiq_core::diagnostics::Code;
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

/// That requests can be served.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Readiness {
    #[schema(example = "ok")]
    status: &'static str,
    /// Whether the database itself keeps orgs apart; false where the operator allowed that it does not.
    row_security: bool,
}

/// The database answers, and keeps orgs apart.
#[utoipa::path(
    get, path = "/readyz", tag = "Operation", operation_id = "readyz", security(()),
    responses(
        (status = 200, body = Readiness),
        Unavailable,
    ),
)]
pub(crate) async fn readyz(
    app: web::Data<App>,
    RequestId(id): RequestId,
) -> Result<web::Json<Readiness>, Problem> {
    let ask = app.db.run(row_security_binds);
    let row_security = request::within(Request::new(id, DEADLINE), ask).await?;
    if !row_security && !app.without_row_security {
        let detail =
            "Row security does not bind the database's role; the log of a start says more.";
        return Err(Problem::new(Code::Unavailable, detail));
    }
    Ok(web::Json(Readiness { status: "ok", row_security }))
}
