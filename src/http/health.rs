//! Whether the process lives, and whether it can work (`api.md` 1).

use super::openapi::Unavailable;
use crate::app::App;
use crate::problem::Problem;
use crate::store::pool::ping;
use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

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
pub(crate) async fn readyz(app: web::Data<App>) -> Result<web::Json<Health>, Problem> {
    app.db.run(ping).await?;
    Ok(web::Json(Health { status: "ok" }))
}
