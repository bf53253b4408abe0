//! The audit log.

use super::schema::{audit_log, users};
use crate::clock;
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::settings::{Rows, newest};
use crate::store::word::Stored;
use beeiq_core::records::audit::Action;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use ipnetwork::IpNetwork;
use serde_json::Value;
use std::net::IpAddr;
use uuid::Uuid;

/// The setting that a line is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The last part of the resource's path, such as `listeners` or `email`.
    pub(crate) resource: &'a str,
    /// Its id in the path; empty where there is one of it.
    pub(crate) id: &'a str,
    /// Its name when it happened.
    pub(crate) name: &'a str,
}

/// Who did it.
pub(crate) enum Author<'a> {
    User(Uuid),
    ApiKey {
        id: Uuid,
        name: &'a str,
    },
    /// Who runs the instance, by its commands.
    Operator,
    /// Somebody who has not signed in.
    Nobody,
}

/// The name of the operator as an actor: no e-mail.
pub(crate) const OPERATOR: &str = "operator";

/// A line to be written, in the transaction of the change that it tells of.
pub(crate) struct NewLine<'a> {
    pub(crate) author: Author<'a>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) action: Action,
    pub(crate) subject: Subject<'a>,
    pub(crate) changes: &'a Value,
}

pub(crate) fn record(conn: &mut Conn, org: Uuid, line: NewLine<'_>) -> Result<()> {
    let NewLine { author, address, action, subject, changes } = line;
    let Subject { resource, id, name: subject_name } = subject;
    let (user, key, name) = match author {
        Author::User(id) => (Some(id), None, email(conn, org, id)?),
        Author::ApiKey { id, name } => (None, Some(id), name.to_owned()),
        Author::Operator => (None, None, OPERATOR.to_owned()),
        Author::Nobody => (None, None, String::new()),
    };
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::org_id.eq(org),
            audit_log::id.eq(clock::new_id()),
            audit_log::at.eq(clock::now()),
            audit_log::actor_id.eq(user),
            audit_log::api_key_id.eq(key),
            audit_log::actor_name.eq(name),
            audit_log::address.eq(address.map(IpNetwork::from)),
            audit_log::action.eq(action.as_str()),
            audit_log::resource.eq(resource),
            audit_log::resource_id.eq(id),
            audit_log::resource_name.eq(subject_name),
            audit_log::changes.eq(changes),
        ))
        .execute(conn)?;
    Ok(())
}

/// A line as it is kept.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = audit_log)]
pub(crate) struct Line {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    /// The user who did it, where it was one.
    pub(crate) actor_id: Option<Uuid>,
    /// The API key by which it was done, where it was one.
    pub(crate) api_key_id: Option<Uuid>,
    /// The user's e-mail, the name of the API key, or [`OPERATOR`].
    pub(crate) actor_name: String,
    pub(crate) address: Option<IpNetwork>,
    pub(crate) action: Stored<Action>,
    /// The last part of the resource's path.
    pub(crate) resource: String,
    /// Its id in the path; empty where there is one of it.
    pub(crate) resource_id: String,
    /// Its name when it happened.
    pub(crate) resource_name: String,
    /// Field → {from, to}.
    pub(crate) changes: Value,
}

/// Which lines are asked for: those that are all of what is given.
#[derive(Debug, Default)]
pub(crate) struct LineFilter {
    /// About this resource.
    pub(crate) resource: Option<String>,
    /// About the one with this id.
    pub(crate) resource_id: Option<String>,
    /// By the user of this e-mail, or the API key of this name.
    pub(crate) actor: Option<String>,
    /// Then or later.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Then or earlier.
    pub(crate) to: Option<DateTime<Utc>>,
}

/// Lines, newest first.
pub(crate) fn list(
    conn: &mut Conn,
    org: Uuid,
    rows: Rows,
    filter: &LineFilter,
) -> Result<Vec<Line>> {
    let LineFilter { resource, resource_id, actor, from, to } = filter;
    let of_org = audit_log::table.filter(audit_log::org_id.eq(org));
    let mut query = newest!(of_org, audit_log, rows);
    if let Some(resource) = resource {
        query = query.filter(audit_log::resource.eq(resource));
    }
    if let Some(resource_id) = resource_id {
        query = query.filter(audit_log::resource_id.eq(resource_id));
    }
    if let Some(actor) = actor {
        query = query.filter(audit_log::actor_name.eq(actor));
    }
    if let Some(from) = from {
        query = query.filter(audit_log::at.ge(from));
    }
    if let Some(to) = to {
        query = query.filter(audit_log::at.le(to));
    }
    Ok(query.select(Line::as_select()).load(conn)?)
}

fn email(conn: &mut Conn, org: Uuid, user: Uuid) -> Result<String> {
    let email = users::table
        .filter(users::org_id.eq(org))
        .filter(users::id.eq(user))
        .select(users::email)
        .first(conn)
        .optional()?;
    Ok(email.unwrap_or_default())
}
