//! `/api/v1/settings` (`api.md` 4): the org itself, one document.

use crate::app::App;
use crate::http::body;
use crate::http::etag::{self, IfMatch};
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument};
use crate::problem::Problem;
use crate::service::orgs::{self, OrgSettings};
use crate::service::settings::{Edit, json};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::ToSchema;

/// What changes of an org (RFC 7396).
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "a patch is read as JSON; here for its description")]
pub struct OrgSettingsChange {
    /// Its name.
    name: Option<String>,
    /// What its people sign in with.
    slug: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
    /// ISO 3166-1 alpha-2.
    default_region: Option<String>,
    /// ISO 4217, one of the org's currencies.
    default_currency: Option<String>,
}

crate::http::routes::routes![read, change];

/// Reads what is set of the org.
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "Org", operation_id = "readSettings",
    responses(
        (status = 200, body = OrgSettings, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
    ),
)]
pub async fn read(app: web::Data<App>, Admin(actor): Admin) -> Result<HttpResponse, Problem> {
    let present = app.read(actor.org, move |conn| orgs::read(conn, actor.org)).await?;
    Ok(shown(&present))
}

/// Changes the org: a merge patch (RFC 7396). Only an owner changes the slug.
#[utoipa::path(
    patch, path = "/api/v1/settings", tag = "Org", operation_id = "changeSettings",
    params(("If-Match" = Option<String>, Header, description = "Refuse where its ETag is another")),
    request_body(content = OrgSettingsChange, content_type = "application/merge-patch+json",
                 example = json!({"name": "Example Ltd", "timeZone": "Asia/Bangkok"})),
    responses(
        (status = 200, body = OrgSettings, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
        BodyProblems,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`slug_taken`"),
        (status = 412, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn change(
    app: web::Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let if_match = IfMatch::of(&request);
    let patch = body::value(payload).await?;
    let changed = app
        .write(actor.org, move |conn| {
            orgs::change(&mut Edit::of(conn, &actor), |present| {
                if_match.check(&etag::of(present))?;
                body::from_value(body::merged(json(present)?, patch)?)
            })
        })
        .await?;
    Ok(shown(&changed))
}

fn shown(settings: &OrgSettings) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, etag::of(settings))).json(settings)
}
