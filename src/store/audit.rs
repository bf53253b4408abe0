//! The audit log.

use super::schema::{audit_log, users};
use crate::access::{Actor, Who};
use crate::clock;
use crate::store::error::StoreError;
use crate::store::settings::rows::Rows;
use beeiq_core::records::audit::Action;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use ipnetwork::IpNetwork;
use serde_json::Value;
use uuid::Uuid;

/// The setting that a line is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The last part of the resource's path, such as `listeners` or `email`.
    pub resource: &'a str,
    /// Its id in the path; empty where there is one of it.
    pub id: &'a str,
    /// Its name when it happened.
    pub name: &'a str,
}

/// Writes a line, in the transaction of the change that it tells of.
///
/// # Errors
/// Those of the database.
pub fn record(
    conn: &mut PgConnection,
    actor: &Actor,
    action: Action,
    subject: Subject<'_>,
    changes: &Value,
) -> Result<(), StoreError> {
    let Subject { resource, id, name: subject_name } = subject;
    let (user, key, name) = match &actor.who {
        Who::User(id) => (Some(*id), None, email(conn, actor.org, *id)?),
        Who::ApiKey { id, name } => (None, Some(*id), name.clone()),
    };
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::org_id.eq(actor.org),
            audit_log::id.eq(clock::new_id()),
            audit_log::at.eq(clock::now()),
            audit_log::actor_id.eq(user),
            audit_log::api_key_id.eq(key),
            audit_log::actor_name.eq(name),
            audit_log::address.eq(actor.address.map(IpNetwork::from)),
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
pub struct Line {
    /// Its id.
    pub id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The API key by which it was done, where it was one.
    pub api_key_id: Option<Uuid>,
    /// The user's e-mail, or the name of the API key.
    pub actor_name: String,
    /// From where.
    pub address: Option<IpNetwork>,
    /// What was done.
    pub action: String,
    /// The last part of the resource's path.
    pub resource: String,
    /// Its id in the path; empty where there is one of it.
    pub resource_id: String,
    /// Its name when it happened.
    pub resource_name: String,
    /// Field → {from, to}.
    pub changes: Value,
}

/// Which lines are asked for: those that are all of what is given.
#[derive(Debug, Default)]
pub struct LineFilter {
    /// About this resource.
    pub resource: Option<String>,
    /// About the one with this id.
    pub resource_id: Option<String>,
    /// By the user of this e-mail, or the API key of this name.
    pub actor: Option<String>,
    /// Then or later.
    pub from: Option<DateTime<Utc>>,
    /// Then or earlier.
    pub to: Option<DateTime<Utc>>,
}

/// Lines, newest first.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    rows: Rows,
    filter: &LineFilter,
) -> Result<Vec<Line>, StoreError> {
    let Rows { id, before, limit } = rows;
    let LineFilter { resource, resource_id, actor, from, to } = filter;
    let mut query = audit_log::table.filter(audit_log::org_id.eq(org)).into_boxed();
    if let Some(id) = id {
        query = query.filter(audit_log::id.eq(id));
    }
    if let Some(before) = before {
        query = query.filter(audit_log::id.lt(before));
    }
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
    Ok(query.order(audit_log::id.desc()).limit(limit).select(Line::as_select()).load(conn)?)
}

fn email(conn: &mut PgConnection, org: Uuid, user: Uuid) -> Result<String, StoreError> {
    let email = users::table
        .filter(users::org_id.eq(org))
        .filter(users::id.eq(user))
        .select(users::email)
        .first(conn)
        .optional()?;
    Ok(email.unwrap_or_default())
}
