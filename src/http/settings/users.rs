//! `/api/v1/users` (`api.md` 3, 4). An admin does everything but what concerns owners.

use super::members::groups_of;
use super::resource::{self, Change, Entry, Refusal, Resource, Settings, add, found, room, unused};
use super::validity;
use crate::access::passwords::NewPassword;
use crate::access::{Actor, Role, throttle};
use crate::app::App;
use crate::clock;
use crate::http::body;
use crate::http::extract::Admin;
use crate::http::openapi::{
    AdminProblems, BodyProblems, NotFound, ProblemDocument, QueryProblem, SignedInProblems, Stale,
};
use crate::http::page::{Page, Query, invalid};
use crate::problem::Problem;
use crate::store::audit::{self, Subject};
use crate::store::pool::Conn;
use crate::store::rows::Rows;
use crate::store::usage::Referred;
use crate::store::users::{self, NewUser as NewUserRow, UserFilter, UserRow, UserValues};
use crate::store::{directory, groups, orgs, sessions};
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::Action;
use beeiq_core::values::email::Email;
use beeiq_core::values::text::clean;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// The most users.
const MOST: i64 = 10_000;

/// What of a user can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserSettings {
    /// What he signs in with, and senders name him by: unique in the org.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "email_address"))]
    #[schema(format = Email)]
    email: String,
    /// His name.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What he may do. Only an owner makes owners.
    #[serde(default = "member")]
    role: Role,
    /// Whether he may sign in and send. An end of it ends his sessions.
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// The names of the groups that he is in.
    #[serde(default, deserialize_with = "validity::all_cleaned")]
    #[validate(length(max = 1000, message = "A user is in at most 1000 groups."))]
    #[schema(max_items = 1000)]
    groups: Vec<String>,
}

/// A user to be added.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewUser {
    /// What he signs in with, and senders name him by: unique in the org.
    #[schema(format = Email)]
    email: String,
    /// His name; absent: his e-mail.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    /// What he may do. Only an owner makes owners.
    #[serde(default = "member")]
    role: Role,
    /// Whether he may sign in and send.
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// The names of the groups that he is in.
    #[serde(default)]
    #[schema(max_items = 1000)]
    groups: Vec<String>,
    /// His password; absent: he cannot sign in until he is given one.
    #[schema(format = Password, min_length = 10, max_length = 128)]
    password: Option<String>,
}

/// A password to be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordChange)]
pub struct Password {
    /// The password.
    #[schema(format = Password, min_length = 10, max_length = 128)]
    password: String,
}

const fn yes() -> bool {
    true
}

const fn member() -> Role {
    Role::Member
}

fn email_address(email: &str) -> Result<(), ValidationError> {
    match Email::parse(email) {
        Ok(_) => Ok(()),
        Err(error) => Err(validity::broken(Code::InvalidEmail, format!("This is {error}."))),
    }
}

impl Settings for UserSettings {
    const NAME: &'static str = "OrgUser";
    const WHAT: &'static str = "user";

    fn key(&self) -> &str {
        &self.email
    }

    fn key_pointer() -> &'static str {
        "/email"
    }
}

impl UserSettings {
    fn address(&self) -> Result<Email, Problem> {
        Email::parse(&self.email).map_err(|error| {
            Problem::fields(vec![Fault::new(Code::InvalidEmail, "/email", error.to_string())])
        })
    }

    fn is_active_owner(&self) -> bool {
        self.active && self.role == Role::Owner
    }
}

/// A user.
pub type OrgUser = Entry<UserSettings>;
/// What changes of one.
pub type OrgUserChange = Change<UserSettings>;

/// The resource.
#[derive(Clone, Default)]
struct Users {
    /// Of who is to be added.
    password_hash: Option<String>,
}

impl Resource for Users {
    type Settings = UserSettings;
    type Filter = UserFilter;
    const FILTERS: &'static [&'static str] = &["email", "name", "role", "active"];

    fn path(&self) -> &'static str {
        "users"
    }

    fn filter(query: &Query) -> Result<UserFilter, Problem> {
        let email = query.get("email").map(Email::parse).transpose();
        let email = email.map_err(|_| invalid("email", "is not an e-mail address."))?;
        let role = query.get("role").map(Role::of_column).transpose();
        let active = query.get("active").map(str::parse).transpose();
        Ok(UserFilter {
            email_key: email.map(|email| email.key().to_owned()),
            name: query.get("name").map(clean),
            role: role.map_err(|_| invalid("role", "is one of owner, admin and member."))?,
            active: active.map_err(|_| invalid("active", "is true or false."))?,
        })
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &UserFilter,
    ) -> Result<Vec<OrgUser>, Problem> {
        users::list(conn, org, rows, filter)?.into_iter().map(entry).collect()
    }

    fn create(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        id: Uuid,
        settings: &UserSettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        not_above(actor, &[settings.role])?;
        room(users::count(conn, actor.org)?, MOST, "user")?;
        let (email, memberships) =
            (settings.address()?, groups_of(conn, actor.org, &settings.groups)?);
        let password_hash = self.password_hash.as_deref();
        let UserSettings { email: _, name, role, active, groups: _ } = settings;
        let user = NewUserRow { id, email: &email, name, role: *role, password_hash };
        users::create(conn, actor.org, &user, now)?;
        if !active {
            let values = UserValues { email: &email, name, role: *role, active: false };
            users::update(conn, actor.org, id, &values, now)?;
        }
        Ok(groups::set_of_user(conn, actor.org, id, &memberships)?)
    }

    fn change(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &OrgUser,
        settings: &UserSettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let before = &present.settings;
        not_above(actor, &[before.role, settings.role])?;
        if before.is_active_owner() && !settings.is_active_owner() {
            not_the_last(conn, actor.org, present.id)?;
        }
        let (email, memberships) =
            (settings.address()?, groups_of(conn, actor.org, &settings.groups)?);
        let UserSettings { email: _, name, role, active, groups: _ } = settings;
        let values = UserValues { email: &email, name, role: *role, active: *active };
        users::update(conn, actor.org, present.id, &values, now)?;
        groups::set_of_user(conn, actor.org, present.id, &memberships)?;
        if !active {
            sessions::delete_of_user(conn, actor.org, present.id)?;
        }
        Ok(())
    }

    /// Who owns records or is named anywhere can be deactivated instead.
    fn delete(&self, conn: &mut Conn, actor: &Actor, present: &OrgUser) -> Result<(), Refusal> {
        not_above(actor, &[present.settings.role])?;
        if present.settings.is_active_owner() {
            not_the_last(conn, actor.org, present.id)?;
        }
        unused(conn, actor.org, Referred::User, "user", present.id)?;
        Ok(users::delete(conn, actor.org, present.id)?)
    }
}

fn entry(row: UserRow) -> Result<OrgUser, Problem> {
    let UserRow { id, email, name, role, active, groups, created_at } = row;
    let role = Role::of_column(&role)?;
    Ok(Entry { id, settings: UserSettings { email, name, role, active, groups }, created_at })
}

/// Only owners touch owners.
fn not_above(actor: &Actor, roles: &[Role]) -> Result<(), Problem> {
    if actor.role != Role::Owner && roles.contains(&Role::Owner) {
        let detail = "Only an owner of the org may make or change owners.";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(())
}

/// Changes of an org's settings take turns, so of two owners who leave at once one stays.
fn not_the_last(conn: &mut Conn, org: Uuid, id: Uuid) -> Result<(), Problem> {
    if users::has_other_owner(conn, org, id)? {
        return Ok(());
    }
    let detail = "This is the org's last active owner; make another user an owner first.";
    Err(Problem::new(Code::LastOwner, detail))
}

crate::http::routes::routes![list, create, read, change, delete, set_password];

super::operations::handlers! {
    @but_create resource: Users::default(), paths: ("/api/v1/users", "/api/v1/users/{id}"),
    tag: "Users", one: "user", several: "users", named: ("User", "Users"),
    entry: OrgUser, change: OrgUserChange,
    filters: [
        ("email" = Option<String>, Query, description = "With this e-mail"),
        ("name" = Option<String>, Query, description = "Of this name, in any case"),
        ("role" = Option<Role>, Query, description = "Of this role"),
        ("active" = Option<bool>, Query, description = "Active ones, or the others"),
    ],
    conflict: ". `last_owner`: the org would be without an active owner"
}

/// Adds a user. Only an owner adds owners.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "Users", operation_id = "createUser",
    request_body(content = NewUser, example = json!({
        "email": "linh.tran@example.com", "name": "Linh Tran", "role": "member",
        "password": "correct horse battery staple"
    })),
    responses(
        (status = 201, body = OrgUser, headers(
            ("Location" = String, description = "Where he is read"),
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
    Admin(actor): Admin,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let NewUser { email, name, role, active, groups, password } = body::json(payload).await?;
    not_above(&actor, &[role])?;
    let email = clean(&email);
    let name = name.map_or_else(|| email.clone(), |name| clean(&name));
    let groups = groups.iter().map(|name| clean(name)).collect();
    let settings = UserSettings { email, name, role, active, groups };
    validity::check(&settings)?;
    let password_hash = match password {
        Some(password) => Some(hashed(&app, password).await?),
        None => None,
    };
    add(Users { password_hash }, &app, actor, settings).await
}

/// Gives a user another password, and ends his sessions. A user may do so for himself; otherwise
/// admins may, and only an owner for owners.
#[utoipa::path(
    post, path = "/api/v1/users/{id}/password", tag = "Users", operation_id = "setPassword",
    params(("id" = String, Path)),
    request_body(content = Password,
                 example = json!({"password": "correct horse battery staple"})),
    responses(
        (status = 204),
        SignedInProblems,
        BodyProblems,
        (status = 403, body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn set_password(
    app: web::Data<App>,
    actor: Actor,
    id: web::Path<String>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (org, id, now) = (actor.org, id.into_inner(), clock::now());
    let himself = actor.user().is_some_and(|user| id.parse() == Ok(user));
    if actor.role == Role::Member && !himself {
        let detail = "A member sets his own password alone; ask an admin.";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let Password { password } = body::json(payload).await?;
    let hash = hashed(&app, password).await?;
    app.db
        .in_org(org, move |conn| {
            // So that he is no owner by the time that it is set.
            directory::bump(conn, org)?;
            let user = found(&Users::default(), conn, org, &id)?;
            if !himself {
                not_above(&actor, &[user.settings.role])?;
            }
            users::set_password(conn, org, user.settings.address()?.key(), &hash, now)?;
            sessions::delete_of_user(conn, org, user.id)?;
            if let Some(org) = orgs::with_id(conn, org)? {
                throttle::lift(conn, &org.slug, user.settings.address()?.key(), now)?;
            }
            let subject = Subject { resource: "users", id: &id, name: user.settings.key() };
            audit::record(conn, &actor, Action::PasswordSet, subject, &json!({}))?;
            Ok::<_, Problem>(())
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn hashed(app: &App, password: String) -> Result<String, Problem> {
    let password =
        NewPassword::parse(password, "/password").map_err(|fault| Problem::fields(vec![fault]))?;
    app.access.passwords.hash(password).await
}
