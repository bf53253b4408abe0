//! `/api/v1/users` (`api.md` 3, 4).

use super::operations::handlers;
use super::resource::{Change, add};
use crate::access::{Role, Session};
use crate::app::App;
use crate::http::body;
use crate::http::caller::address_or_peer;
use crate::http::openapi::SignedInProblems;
use crate::problem::Problem;
use crate::service::passwords;
use crate::service::settings::Entry;
use crate::service::settings::users::{self, UserSettings, Users, member, yes};
use crate::service::validity::check;
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::values::text::clean;
use serde::Deserialize;
use utoipa::ToSchema;

pub type OrgUser = Entry<UserSettings>;
pub type OrgUserChange = Change<UserSettings>;

/// A user to be added.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUser {
    /// What they sign in with, and senders name them by: unique in the org.
    #[schema(format = Email)]
    email: String,
    /// Their name; absent: their e-mail.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// What they may do. Only an owner makes owners.
    #[serde(default = "member")]
    role: Role,
    /// Whether they may sign in and send.
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// The names of the groups that they are in.
    #[serde(default)]
    #[schema(max_items = 1000)]
    groups: Vec<String>,
    /// Their password; absent: they cannot sign in until they are given one.
    #[schema(format = Password, min_length = 10, max_length = 128)]
    password: Option<String>,
}

/// A password to be set.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = PasswordChange)]
pub struct Password {
    /// The password.
    #[schema(format = Password, min_length = 10, max_length = 128)]
    password: String,
    /// The present one: needed for one's own.
    #[schema(format = Password)]
    current_password: Option<String>,
}

handlers! {
    resource(app): Users::default(), paths: ("/api/v1/users", "/api/v1/users/{id}"),
    tag: "Users", one: "a user", several: "users", named: ("User", "Users"), entry: OrgUser,
    operations: [list, read, change(OrgUserChange), delete] and [create, set_password],
    filters: [
        ("email" = Option<String>, Query, description = "With this e-mail"),
        ("name" = Option<String>, Query, description = "Of this name, in any case"),
        ("role" = Option<Role>, Query, description = "Of this role"),
        ("active" = Option<bool>, Query, description = "Active ones, or the others"),
    ],
    conflict: ". `last_owner`: the org would be without an active owner"
}

/// Adds a user. Only who has signed in may, and only an owner adds owners.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "Users", operation_id = "createUser",
    request_body(content = NewUser, example = json!({
        "email": "linh.tran@example.com", "name": "Linh Tran", "role": "member",
        "password": "correct horse battery staple"
    })),
    responses(
        (status = 201, body = OrgUser, headers(
            ("Location" = String, description = "Where it is read"),
            ("ETag" = String, description = "For If-Match"),
        )),
        AdminProblems,
        BodyProblems,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`name_taken`, or `limit_reached`"),
    ),
)]
pub async fn create(
    app: web::Data<App>,
    session: Session,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let actor = session.actor;
    actor.must_be_admin()?;
    let NewUser { email, name, role, active, groups, password } = body::small_json(payload).await?;
    users::not_above(actor.role, &[role])?;
    let email = clean(&email);
    let name = name.map_or_else(|| email.clone(), |name| clean(&name));
    let groups = groups.iter().map(|name| clean(name)).collect();
    let settings = UserSettings { email, name, role, active, groups };
    check(&settings)?;
    let password_hash = match password {
        Some(password) => {
            let about = (settings.email.as_str(), settings.name.as_str());
            Some(passwords::hashed_for_new(&app.access, actor.org, password, about).await?)
        }
        None => None,
    };
    add(Users { password_hash }, &app, actor, settings).await
}

/// Gives a user another password, and ends their sessions but the one that does it. Only who has
/// signed in may: users for themselves, giving their present password too; otherwise admins, and only
/// an owner for owners.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/password", tag = "Users", operation_id = "setPassword",
    params(("id" = String, Path)),
    request_body(content = Password,
                 example = json!({"password": "correct horse battery staple",
                                  "currentPassword": "the one until now"})),
    responses(
        (status = 204),
        SignedInProblems,
        BodyProblems,
        (status = 403, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, body = ProblemDocument, content_type = "application/problem+json",
         description = "`too_many_attempts`: too many wrong present passwords",
         headers(("Retry-After" = u64, description = "Seconds to wait"))),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn set_password(
    app: web::Data<App>,
    request: HttpRequest,
    session: Session,
    id: web::Path<String>,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    let user = id.into_inner();
    passwords::may_set(&session.actor, &user)?;
    let Password { password, current_password: current } = body::small_json(payload).await?;
    let address = address_or_peer(&request, &app.trusted_proxies);
    let wanted = passwords::Wanted { user, password, current, address };
    passwords::set(&app.access, session, wanted).await?;
    Ok(HttpResponse::NoContent().finish())
}
