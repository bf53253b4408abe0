//! Giving users another password (`api.md` 3, 4).

use super::sessions::{Failed, too_many};
use super::settings::Edit;
use super::settings::users::{not_above, replace_password, set_password};
use crate::access::passwords::NewPassword;
use crate::access::throttle::{Attempt, Subjects};
use crate::access::{Access, Actor, Role, Session};
use crate::clock;
use crate::problem::Problem;
use crate::store::audit::{self, Author, NewLine, Subject};
use crate::store::orgs::{self, OrgRow};
use crate::store::pool::{Conn, Db, in_org};
use crate::store::settings::users::{self, User};
use anyhow::{Context, anyhow};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::Action;
use beeiq_core::values::email::Email;
use serde_json::json;
use std::net::IpAddr;
use uuid::Uuid;

/// A password that somebody is to be given.
pub(crate) struct Wanted {
    /// The user's id, as the path has it.
    pub(crate) user: String,
    pub(crate) password: String,
    /// The present one, where it was given.
    pub(crate) current: Option<String>,
    /// Where the request comes from.
    pub(crate) address: IpAddr,
}

/// Whether the caller may give that user another password, as far as their role tells.
pub(crate) fn may_set(actor: &Actor, user: &str) -> Result<(), Problem> {
    if actor.role == Role::Member && !is_own(actor, user) {
        let detail = "A member sets their own password alone; ask an admin.";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(())
}

fn is_own(actor: &Actor, user: &str) -> bool {
    actor.user().is_some_and(|caller| user.parse() == Ok(caller))
}

/// Gives a user another password, and ends their sessions but that of the caller. Users may do so for
/// themselves, and then give the present one too: a session that was left open is not enough.
/// Otherwise admins may, and only an owner for owners.
pub(crate) async fn set(access: &Access, session: Session, wanted: Wanted) -> Result<(), Problem> {
    let Session { id: session, actor } = session;
    let Wanted { user, password, current, address } = wanted;
    may_set(&actor, &user)?;
    let own = is_own(&actor, &user);
    let (org, id) = (actor.org, user.clone());
    let (about, hash) = access.db.in_org(org, move |conn| who(conn, org, &id)).await?;
    if own {
        check_current(access, &about, current, hash, address).await?;
    } else {
        not_above(actor.role, &[about.user.role.0])?;
    }
    let hash = hashed(access, password, &about).await?;
    let kept = own.then_some(session);
    access
        .db
        .in_org(org, move |conn| set_password(&mut Edit::of(conn, &actor), &user, &hash, kept))
        .await
}

/// The hash of a password for somebody who is to be added to the org.
pub(crate) async fn hashed_for_new(
    access: &Access,
    org: Uuid,
    password: String,
    (email, name): (&str, &str),
) -> Result<String, Problem> {
    let org = access.db.in_org(org, move |conn| orgs::with_id(conn, org)).await?;
    let org = org.ok_or_else(|| Problem::not_found("org"))?;
    let words = [email, name, &org.name, &org.slug].map(str::to_owned);
    hashed_beside(access, password, words).await
}

/// Gives a user another password as the operator does. False: there is none.
pub(crate) fn recover(
    db: &Db,
    slug: &str,
    email: &Email,
    password: String,
) -> anyhow::Result<bool> {
    db.run_here(|conn| {
        let Some(org) = orgs::with_slug(conn, slug)? else { return Ok(false) };
        in_org(conn, org.id, |conn| {
            let Some((user, _)) = users::credentials(conn, org.id, email.key())? else {
                return Ok(false);
            };
            let user = users::find(conn, org.id, user)?.context("the user is gone")?;
            let words = [&user.email, &user.name, &org.name, &org.slug].map(String::as_str);
            let password = NewPassword::parse(password, "", &words);
            let hash = password.map_err(|fault| anyhow!(fault.message))?.hash()?;
            replace_password(&mut Edit::of_operator(conn, org.id), &org, email, &hash, None)?;
            let id = user.id.to_string();
            let subject = Subject { resource: "users", id: &id, name: &user.email };
            let (author, action, changes) = (Author::Operator, Action::PasswordSet, &json!({}));
            audit::record(
                conn,
                org.id,
                NewLine { author, address: None, action, subject, changes },
            )?;
            Ok(true)
        })
    })
}

/// Whose password it is to be.
struct About {
    org: OrgRow,
    user: User,
}

fn who(conn: &mut Conn, org: Uuid, id: &str) -> Result<(About, Option<String>), Problem> {
    let unknown = || Problem::not_found("user");
    let id = id.parse().map_err(|_| unknown())?;
    let user = users::find(conn, org, id)?.ok_or_else(unknown)?;
    let hash = users::password_hash(conn, org, id)?;
    let org = orgs::with_id(conn, org)?.ok_or_else(unknown)?;
    Ok((About { org, user }, hash))
}

/// A wrong one counts as a sign-in that failed.
async fn check_current(
    access: &Access,
    about: &About,
    current: Option<String>,
    hash: Option<String>,
    address: IpAddr,
) -> Result<(), Problem> {
    let fault = |code, message: &str| {
        Problem::fields(vec![Fault::new(code, "/currentPassword", message.to_owned())])
    };
    let missing = "To change your own password give the present one, too.";
    let current = current.ok_or_else(|| fault(Code::Required, missing))?;
    let About { org, user } = about;
    let (now, key) = (clock::now(), Email::parse(&user.email).map(|email| email.key().to_owned()));
    let subjects = Subjects::new(&org.slug, &key.unwrap_or_default(), address, now);
    let last = match access.db.run(move |conn| subjects.count(conn, now)).await? {
        Attempt::Allowed { after: _, last } => last,
        Attempt::Blocked(wait) => return Err(too_many(wait)),
    };
    if access.passwords.verify(current, hash).await? {
        return Ok(access.db.run(move |conn| subjects.succeeded(conn, now)).await?);
    }
    let failed = Failed { org: org.id, user: user.id, address, last };
    failed.record(access.db.clone()).await;
    Err(fault(Code::InvalidValue, "This is not your present password."))
}

async fn hashed(access: &Access, password: String, about: &About) -> Result<String, Problem> {
    let About { org, user } = about;
    let words = [&user.email, &user.name, &org.name, &org.slug].map(String::clone);
    hashed_beside(access, password, words).await
}

async fn hashed_beside(
    access: &Access,
    password: String,
    words: [String; 4],
) -> Result<String, Problem> {
    let checked = tokio::task::spawn_blocking(move || {
        NewPassword::parse(password, "/password", &words.each_ref().map(String::as_str))
    });
    let password = checked.await.map_err(|error| {
        tracing::error!(%error, "a password could not be checked");
        Problem::new(Code::Internal, "The password could not be checked; this has been logged.")
    })?;
    access.passwords.hash(password.map_err(|fault| Problem::fields(vec![fault]))?).await
}
