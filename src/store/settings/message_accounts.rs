//! The accounts that orgs send e-mail and SMS through.

use crate::secrets::Place;
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{message_accounts, org_settings};
use beeiq_core::records::message::Channel;
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = message_accounts)]
pub(crate) struct AccountRow {
    /// What is set, a mask for each secret.
    pub(crate) settings: Value,
    /// The secrets, sealed for [`secrets_place`].
    pub(crate) secrets_sealed: Vec<u8>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// What the secrets of an org's account are sealed for.
pub(crate) fn secrets_place(org: Uuid, channel: Channel) -> Place {
    let before = format!("{org}:message_accounts:{}", channel.as_str());
    Place::new("message_accounts", "secrets_sealed", org, channel.as_str(), before)
}

pub(crate) fn find(conn: &mut Conn, org: Uuid, channel: Channel) -> Result<Option<AccountRow>> {
    let found = message_accounts::table
        .filter(message_accounts::org_id.eq(org))
        .filter(message_accounts::channel.eq(channel.as_str()))
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?;
    Ok(found)
}

pub(crate) fn is_set(conn: &mut Conn, org: Uuid, channel: Channel) -> Result<bool> {
    let of_org = message_accounts::table
        .filter(message_accounts::org_id.eq(org))
        .filter(message_accounts::channel.eq(channel.as_str()));
    Ok(diesel::select(exists(of_org)).get_result(conn)?)
}

/// Makes the account, or sets all of it.
pub(crate) fn put(
    conn: &mut Conn,
    org: Uuid,
    channel: Channel,
    settings: &Value,
    secrets_sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<()> {
    let values = (
        message_accounts::settings.eq(settings),
        message_accounts::secrets_sealed.eq(secrets_sealed),
        message_accounts::updated_at.eq(now),
    );
    diesel::insert_into(message_accounts::table)
        .values((
            message_accounts::org_id.eq(org),
            message_accounts::channel.eq(channel.as_str()),
            message_accounts::created_at.eq(now),
            values,
        ))
        .on_conflict((message_accounts::org_id, message_accounts::channel))
        .do_update()
        .set(values)
        .execute(conn)?;
    Ok(())
}

pub(crate) fn delete(conn: &mut Conn, org: Uuid, channel: Channel) -> Result<bool> {
    let deleted = diesel::delete(message_accounts::table)
        .filter(message_accounts::org_id.eq(org))
        .filter(message_accounts::channel.eq(channel.as_str()))
        .execute(conn)?;
    Ok(deleted == 1)
}

/// The trial SMS credits that the org has left.
pub(crate) fn trial_credits(conn: &mut Conn, org: Uuid) -> Result<i64> {
    Ok(org_settings::table
        .filter(org_settings::org_id.eq(org))
        .select(org_settings::sms_credits)
        .first(conn)?)
}

/// Takes trial SMS credits. False: there are not so many.
pub(crate) fn take_trial_credits(conn: &mut Conn, org: Uuid, credits: i64) -> Result<bool> {
    let taken = diesel::update(org_settings::table)
        .filter(org_settings::org_id.eq(org))
        .filter(org_settings::sms_credits.ge(credits))
        .set(org_settings::sms_credits.eq(org_settings::sms_credits - credits))
        .execute(conn)?;
    Ok(taken == 1)
}
