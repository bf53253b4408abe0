//! `/api/v1/sessions` and `/api/v1/me` (`api.md` 3).

use crate::app::App;
use crate::auth::{Actor, Role, Session, sessions as signing_in};
use crate::error::Problem;
use crate::http::body;
use crate::http::openapi::{BodyProblems, ProblemDocument, SignedInProblems};
use crate::store::users::Profile;
use crate::store::{orgs, sessions, users};
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The org's slug.
    #[schema(example = "acme")]
    org: String,
    /// The user's e-mail.
    #[schema(example = "ann@example.com")]
    email: String,
    /// His password.
    #[schema(format = Password)]
    password: String,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedSession {
    /// What to send as `Authorization: Bearer …`; shown this once.
    token: String,
    /// When it ends.
    expires_at: DateTime<Utc>,
    /// Who has signed in.
    user: User,
}

/// A user as he sees himself.
#[derive(Serialize, ToSchema)]
pub struct User {
    id: Uuid,
    email: String,
    name: String,
    role: Role,
    /// The names of his groups.
    groups: Vec<String>,
}

impl From<Profile> for User {
    fn from(profile: Profile) -> Self {
        let Profile { id, email, name, role, groups } = profile;
        Self { id, email, name, role, groups }
    }
}

/// The signed-in user and his org.
#[derive(Serialize, ToSchema)]
pub struct Me {
    user: User,
    org: Org,
}

/// An org as its users see it.
#[derive(Serialize, ToSchema)]
pub struct Org {
    id: Uuid,
    /// What its users sign in with.
    slug: String,
    name: String,
}

/// Signs in.
#[utoipa::path(
    post, path = "/api/v1/sessions", tag = "Sign-in", operation_id = "signIn", security(()),
    request_body = NewSession,
    responses(
        (status = 201, body = CreatedSession),
        BodyProblems,
        (status = 401, body = ProblemDocument, content_type = "application/problem+json",
         description = "Wrong org, e-mail or password"),
        (status = 429, body = ProblemDocument, content_type = "application/problem+json",
         description = "Too many failures in a row",
         headers(("Retry-After" = u64, description = "Seconds to wait"))),
        (status = 503, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn create(app: web::Data<App>, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let NewSession { org, email, password } = body::json_of_anybody(payload).await?;
    let signing_in::SignedIn { token, expires_at, user } =
        signing_in::sign_in(&app, &org, &email, password).await?;
    Ok(HttpResponse::Created().json(CreatedSession { token, expires_at, user: user.into() }))
}

/// Signs out: ends the session of the token that the request carries.
#[utoipa::path(
    delete, path = "/api/v1/sessions/current", tag = "Sign-in", operation_id = "signOut",
    responses((status = 204), SignedInProblems),
)]
pub async fn delete(app: web::Data<App>, session: Session) -> Result<HttpResponse, Problem> {
    let Session { id, actor } = session;
    app.db.in_org(actor.org, move |conn| sessions::delete(conn, actor.org, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "Sign-in", operation_id = "me",
    responses((status = 200, body = Me), SignedInProblems),
)]
pub async fn me(app: web::Data<App>, actor: Actor) -> Result<web::Json<Me>, Problem> {
    let gone = || Problem::not_found("user");
    let (org, profile) = app
        .db
        .in_org(actor.org, move |conn| {
            let org = orgs::with_id(conn, actor.org)?.ok_or_else(gone)?;
            let profile = users::profile(conn, actor.org, actor.user)?.ok_or_else(gone)?;
            Ok::<_, Problem>((org, profile))
        })
        .await?;
    let orgs::OrgRow { id, public_id: _, slug, name } = org;
    Ok(web::Json(Me { user: profile.into(), org: Org { id, slug, name } }))
}
