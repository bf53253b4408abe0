//! `/api/v1/sessions` and `/api/v1/me` (`api.md` 3).

use super::body;
use super::caller::address_or_peer;
use super::openapi::{BodyProblems, Forbidden, ProblemDocument, SignedInProblems, Unavailable};
use crate::access::{Actor, Role, Session, Who};
use crate::app::App;
use crate::problem::Problem;
use crate::service::sessions as signing_in;
use crate::store::error::StoreError;
use crate::store::orgs::OrgRow;
use crate::store::settings::users;
use crate::store::word::Stored;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSession {
    /// The org's slug.
    #[schema(example = "acme")]
    org: String,
    /// The user's e-mail.
    #[schema(example = "ann@example.com")]
    email: String,
    /// Their password.
    #[schema(format = Password)]
    password: String,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedSession {
    /// What to send as `Authorization: Bearer …`; shown this once.
    token: String,
    /// When it ends.
    expires_at: DateTime<Utc>,
    /// Who has signed in.
    user: User,
}

/// The signed-in user.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    id: Uuid,
    email: String,
    name: String,
    role: Role,
    /// The names of their groups.
    groups: Vec<String>,
}

impl TryFrom<users::User> for User {
    type Error = StoreError;

    fn try_from(user: users::User) -> Result<Self, StoreError> {
        let users::User { id, email, name, role: Stored(role), active: _, groups, created_at: _ } =
            user;
        Ok(Self { id, email, name, role, groups })
    }
}

/// Who is calling, and their org.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me {
    /// The signed-in user; null for an API key.
    user: Option<User>,
    /// The API key, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<OwnKey>,
    org: Org,
}

/// An API key as it sees itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnKey {
    id: Uuid,
    name: String,
    role: Role,
}

/// An org as its users see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Org {
    id: Uuid,
    /// What its users sign in with.
    slug: String,
    name: String,
}

crate::http::routes::routes![create, delete, me];

/// Signs in.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "Sign-in", operation_id = "signIn", security(()),
    request_body(content = NewSession, example = json!({
        "org": "acme", "email": "ann@example.com", "password": "correct horse battery staple"
    })),
    responses(
        (status = 201, body = CreatedSession),
        BodyProblems,
        (status = 401, body = ProblemDocument, content_type = "application/problem+json",
         description = "`unauthorized`: wrong org, e-mail or password"),
        (status = 429, body = ProblemDocument, content_type = "application/problem+json",
         description = "`too_many_attempts`: too many failures in a row, or too many sign-ins at once",
         headers(("Retry-After" = u64, description = "Seconds to wait"))),
        Unavailable,
    ),
)]
pub(crate) async fn create(
    app: web::Data<App>,
    request: HttpRequest,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let NewSession { org, email, password } = body::small_json(payload).await?;
    let address = address_or_peer(&request, &app.trusted_proxies);
    let signing_in::SignedIn { token, expires_at, user } =
        signing_in::sign_in(&app.access, &org, &email, password, address).await?;
    Ok(HttpResponse::Created().json(CreatedSession { token, expires_at, user: user.try_into()? }))
}

/// Signs out: ends the session of the token that the request carries. An API key has none (403).
#[utoipa::path(
    delete, path = "/api/v1/sessions/current", tag = "Sign-in", operation_id = "signOut",
    responses(
        (status = 204),
        SignedInProblems,
        Forbidden,
    ),
)]
pub(crate) async fn delete(app: web::Data<App>, session: Session) -> Result<HttpResponse, Problem> {
    signing_in::sign_out(&app.access, session).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who is calling: a user, or an API key.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "Sign-in", operation_id = "me",
    responses((status = 200, body = Me), SignedInProblems),
)]
pub(crate) async fn me(app: web::Data<App>, actor: Actor) -> Result<web::Json<Me>, Problem> {
    let me = app
        .read(actor.org, move |conn| {
            let (org, user) = signing_in::me(conn, &actor)?;
            let OrgRow { id, public_id: _, slug, name } = org;
            let user = user.map(User::try_from).transpose()?;
            let api_key = match actor.who {
                Who::User(_) => None,
                Who::ApiKey { id, name } => Some(OwnKey { id, name, role: actor.role }),
            };
            Ok::<_, Problem>(Me { user, api_key, org: Org { id, slug, name } })
        })
        .await?;
    Ok(web::Json(me))
}
