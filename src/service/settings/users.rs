//! Users and their passwords (`api.md` 3, 4). An admin does everything but what concerns owners.

use super::members::groups_of;
use super::{
    Changing, Edit, Entry, ListFilter, Parameters, Resource, Settings, Subject, UnfitFilter,
    Written, found, room,
};
use crate::access::{Role, throttle};
use crate::problem::{Problem, Result};
use crate::service::validity;
use crate::store::access::sessions;
use crate::store::error::StoreError;
use crate::store::orgs::{self, OrgRow};
use crate::store::pool::Conn;
use crate::store::settings::references::Referred;
use crate::store::settings::users::{self, User, UserFilter, UserValues};
use crate::store::settings::{Rows, groups};
use crate::store::word::Stored;
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::Action;
use beeiq_core::values::email::Email;
use beeiq_core::values::text::clean;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

const MOST: i64 = 10_000;

/// What of a user can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserSettings {
    /// What they sign in with, and senders name them by: unique in the org.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "email_address"))]
    #[schema(format = Email)]
    pub email: String,
    /// Their name.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// What they may do. Only an owner makes owners.
    #[serde(default = "member")]
    pub role: Role,
    /// Whether they may sign in and send. An end of it ends their sessions.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub active: bool,
    /// The names of the groups that they are in.
    #[serde(default, deserialize_with = "validity::all_cleaned")]
    #[validate(length(max = 1000, message = "A user is in at most 1000 groups."))]
    #[schema(max_items = 1000)]
    pub groups: Vec<String>,
}

pub(crate) const fn yes() -> bool {
    true
}

pub(crate) const fn member() -> Role {
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
}

impl UserSettings {
    fn address(&self) -> Result<Email> {
        Email::parse(&self.email).map_err(|error| {
            Problem::fields(vec![Fault::new(Code::InvalidEmail, "/email", error.to_string())])
        })
    }

    fn values<'a>(&'a self, email: &'a Email) -> UserValues<'a> {
        let Self { email: _, name, role, active, groups: _ } = self;
        UserValues {
            email: email.value(),
            email_key: email.key(),
            name,
            role: role.as_str(),
            active: *active,
        }
    }

    fn is_active_owner(&self) -> bool {
        self.active && self.role == Role::Owner
    }
}

impl ListFilter for UserFilter {
    const PARAMETERS: &'static [&'static str] = &["email", "name", "role", "active"];

    fn of(parameters: Parameters<'_>) -> Result<Self, UnfitFilter> {
        let email = parameters("email").map(|email| Email::parse(&email)).transpose();
        let email = email.map_err(|_| UnfitFilter("email", "is not an e-mail address."))?;
        let role = parameters("role").map(|role| role.parse()).transpose();
        let active = parameters("active").map(|active| active.parse()).transpose();
        Ok(Self {
            email_key: email.map(|email| email.key().to_owned()),
            name: parameters("name").map(|name| clean(&name)),
            role: role.map_err(|_| UnfitFilter("role", "is one of owner, admin and member."))?,
            active: active.map_err(|_| UnfitFilter("active", "is true or false."))?,
        })
    }
}

#[derive(Clone, Default)]
pub struct Users {
    /// Of who is to be added; none: they cannot sign in.
    pub password_hash: Option<String>,
}

impl Resource for Users {
    type Settings = UserSettings;
    type Extra = ();
    type Filter = UserFilter;

    fn path(&self) -> &'static str {
        "users"
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &UserFilter,
    ) -> Result<Vec<Entry<UserSettings>>> {
        users::list(conn, org, rows, filter)?.into_iter().map(entry).collect()
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &UserSettings) -> Written {
        not_above(edit.role(), &[settings.role])?;
        room(users::count(edit.conn, edit.org)?, MOST, "user")?;
        let email = settings.address()?;
        let memberships = groups_of(edit.conn, edit.org, &settings.groups)?;
        users::create(edit.conn, edit.org, id, &settings.values(&email), edit.now)?;
        if let Some(hash) = &self.password_hash {
            users::set_password(edit.conn, edit.org, email.key(), hash, edit.now)?;
        }
        Ok(groups::set_of_user(edit.conn, edit.org, id, &memberships)?)
    }

    /// Who owns records or is named anywhere can be deactivated instead.
    fn delete(&self, edit: &mut Edit<'_>, present: &Entry<UserSettings>) -> Written {
        not_above(edit.role(), &[present.settings.role])?;
        if present.settings.is_active_owner() {
            not_the_last(edit, present.id)?;
        }
        edit.unused(Referred::User, "user", present.id)?;
        Ok(users::delete(edit.conn, edit.org, present.id)?)
    }
}

impl Changing for Users {
    fn change(
        &self,
        edit: &mut Edit<'_>,
        present: &Entry<UserSettings>,
        settings: &UserSettings,
    ) -> Written {
        let before = &present.settings;
        not_above(edit.role(), &[before.role, settings.role])?;
        if before.role != settings.role || !before.active && settings.active {
            by_a_person(edit)?;
        }
        if before.is_active_owner() && !settings.is_active_owner() {
            not_the_last(edit, present.id)?;
        }
        let email = settings.address()?;
        let memberships = groups_of(edit.conn, edit.org, &settings.groups)?;
        users::update(edit.conn, edit.org, present.id, &settings.values(&email), edit.now)?;
        groups::set_of_user(edit.conn, edit.org, present.id, &memberships)?;
        if !settings.active {
            sessions::delete_of_user(edit.conn, edit.org, present.id, None)?;
        }
        Ok(())
    }
}

/// Gives a user, named by their id, another password, and ends their sessions but `kept`. See
/// `service::passwords` for who may.
pub(crate) fn set_password(
    edit: &mut Edit<'_>,
    id: &str,
    hash: &str,
    kept: Option<Uuid>,
) -> Result<()> {
    // So that they are no owner by the time that it is set.
    edit.begin(super::Deliveries::Informed)?;
    let user = found(edit.conn, edit.org, &Users::default(), id)?;
    if edit.actor.and_then(|actor| actor.user()) != Some(user.id) {
        not_above(edit.role(), &[user.settings.role])?;
    }
    let email = user.settings.address()?;
    if let Some(org) = orgs::with_id(edit.conn, edit.org)? {
        replace_password(edit, &org, &email, hash, kept)?;
    }
    let subject = Subject { resource: "users", id, name: user.settings.key() };
    Ok(edit.log(Action::PasswordSet, subject, &json!({}))?)
}

/// As [`set_password`], of the user with that e-mail. False: there is none.
pub fn replace_password(
    edit: &mut Edit<'_>,
    org: &OrgRow,
    email: &Email,
    hash: &str,
    kept: Option<Uuid>,
) -> Result<bool, StoreError> {
    let user = users::set_password(edit.conn, edit.org, email.key(), hash, edit.now)?;
    if let Some(user) = user {
        sessions::delete_of_user(edit.conn, edit.org, user, kept)?;
        throttle::lift(edit.conn, &org.slug, email.key())?;
    }
    Ok(user.is_some())
}

fn entry(user: User) -> Result<Entry<UserSettings>> {
    let User { id, email, name, role: Stored(role), active, groups, created_at } = user;
    Ok(Entry::new(id, UserSettings { email, name, role, active, groups }, created_at))
}

/// Whom an API key let in would stay when it is deleted.
fn by_a_person(edit: &Edit<'_>) -> Result<()> {
    if edit.actor.is_some_and(|actor| actor.user().is_none()) {
        let detail = "An API key may not change roles or let anybody in again; sign in as a user.";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(())
}

/// Only owners touch owners.
pub(crate) fn not_above(actor: Role, roles: &[Role]) -> Result<()> {
    if actor != Role::Owner && roles.contains(&Role::Owner) {
        let detail = "Only an owner of the org may make or change owners.";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(())
}

/// Changes of an org's settings take turns, so of two owners who leave at once one stays.
fn not_the_last(edit: &mut Edit<'_>, id: Uuid) -> Result<()> {
    if users::has_other_owner(edit.conn, edit.org, id)? {
        return Ok(());
    }
    let detail = "This is the org's last active owner; make another user an owner first.";
    Err(Problem::new(Code::LastOwner, detail))
}
