//! The audit log.

use crate::auth::Actor;
use crate::clock;
use crate::domain::audit::Action;
use crate::error::StoreError;
use crate::schema::{audit_log, users};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use ipnetwork::IpNetwork;
use serde_json::Value;

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
    let Subject { resource, id, name } = subject;
    let email = users::table
        .filter(users::org_id.eq(actor.org))
        .filter(users::id.eq(actor.user))
        .select(users::email)
        .first::<String>(conn)
        .optional()?;
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::org_id.eq(actor.org),
            audit_log::id.eq(clock::new_id()),
            audit_log::at.eq(clock::now()),
            audit_log::actor_id.eq(actor.user),
            audit_log::actor_name.eq(email.unwrap_or_default()),
            audit_log::address.eq(actor.address.map(IpNetwork::from)),
            audit_log::action.eq(action.as_str()),
            audit_log::resource.eq(resource),
            audit_log::resource_id.eq(id),
            audit_log::resource_name.eq(name),
            audit_log::changes.eq(changes),
        ))
        .execute(conn)?;
    Ok(())
}
