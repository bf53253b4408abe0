//! The audit log.

use crate::auth::{Actor, Who};
use crate::clock;
use crate::domain::audit::Action;
use crate::error::StoreError;
use crate::schema::{audit_log, users};
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

fn email(conn: &mut PgConnection, org: Uuid, user: Uuid) -> Result<String, StoreError> {
    let email = users::table
        .filter(users::org_id.eq(org))
        .filter(users::id.eq(user))
        .select(users::email)
        .first(conn)
        .optional()?;
    Ok(email.unwrap_or_default())
}
