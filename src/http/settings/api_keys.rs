//! `/api/v1/api-keys` (`api.md` 3): how programs call the management API. Owner and admins only.

use super::operations::handlers;
use crate::access::Session;
use crate::app::App;
use crate::http::body;
use crate::problem::Problem;
use crate::service::settings::Edit;
use crate::service::settings::api_keys::{self, ApiKey, ApiKeySettings, ApiKeys};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// An API key that has been made.
#[derive(Serialize, ToSchema)]
struct CreatedKey {
    /// What to send as `Authorization: Bearer …`; shown this once.
    key: String,
    /// What is shown of it later.
    #[serde(flatten)]
    shown: ApiKey,
}

handlers! {
    resource(app): ApiKeys::default(), paths: ("/api/v1/api-keys", "/api/v1/api-keys/{id}"),
    tag: "API keys", one: "an API key", several: "API keys", named: ("ApiKey", "ApiKeys"),
    entry: ApiKey, operations: [list, read, delete] and [create], filters: []
}

/// Makes an API key, which is shown this once. Only who has signed in may: a key that leaks must
/// not outlive its end in another. An admin's cannot be an owner's.
#[utoipa::path(
    post, path = "/api/v1/api-keys", tag = "API keys", operation_id = "createApiKey",
    request_body(content = ApiKeySettings, example = json!({
        "name": "Nightly report", "role": "member", "expiresAt": "2099-01-01T00:00:00Z"
    })),
    responses(
        (status = 201, body = CreatedKey,
         headers(("Location" = String, description = "Where it is read"))),
        AdminProblems,
        BodyProblems,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`name_taken`"),
    ),
)]
pub async fn create(
    app: web::Data<App>,
    session: Session,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let actor = session.actor;
    actor.must_be_admin()?;
    let wanted: ApiKeySettings = body::json(payload).await?;
    let inner = app.clone();
    let (key, shown) = app
        .write(actor.org, move |conn| {
            api_keys::make(&mut Edit::of(conn, &actor), &inner.key, &wanted)
        })
        .await?;
    let location = format!("{}/api/v1/api-keys/{}", app.public_url, shown.id);
    let created = CreatedKey { key, shown };
    Ok(HttpResponse::Created().insert_header((header::LOCATION, location)).json(created))
}
