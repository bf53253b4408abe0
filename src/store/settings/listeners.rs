//! Listeners: the URLs that other systems post to.

use crate::store::error::StoreError;
use crate::store::schema::{custom_fields, listener_tokens, listeners, picklist_entries, tags};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Cidr, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use ipnetwork::IpNetwork;
use serde_json::Value;
use uuid::Uuid;

/// A listener as it is kept, with the names that it refers to.
#[derive(Debug, QueryableByName)]
pub struct ListenerRow {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Whether it takes anything.
    #[diesel(sql_type = Bool)]
    pub enabled: bool,
    /// `sync` or `async`.
    #[diesel(sql_type = Text)]
    pub mode: String,
    /// The networks that callers must be in.
    #[diesel(sql_type = Array<Cidr>)]
    pub allowed_ips: Vec<IpNetwork>,
    /// The name of its tag.
    #[diesel(sql_type = Nullable<Text>)]
    pub default_tag: Option<String>,
    /// The name of its contacts' source.
    #[diesel(sql_type = Nullable<Text>)]
    pub contact_source: Option<String>,
    /// The name of its leads' source.
    #[diesel(sql_type = Nullable<Text>)]
    pub lead_source: Option<String>,
    /// The templates of its welcome e-mail.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub welcome_email: Option<Value>,
    /// The template of its welcome SMS.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub welcome_sms: Option<Value>,
    /// `reject` or `skip`.
    #[diesel(sql_type = Text)]
    pub unknown_references: String,
    /// Requests a second; set together with the burst.
    #[diesel(sql_type = Nullable<Integer>)]
    pub rate_per_second: Option<i32>,
    /// Requests at once.
    #[diesel(sql_type = Nullable<Integer>)]
    pub rate_burst: Option<i32>,
    /// When it was made.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// Its present token, sealed for [`token_place`].
    #[diesel(sql_type = Binary)]
    pub token_sealed: Vec<u8>,
    /// When the newest delivery came.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_delivery_at: Option<DateTime<Utc>>,
}

/// What of a listener can be set.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = listeners, treat_none_as_null = true)]
pub struct ListenerValues {
    /// Its name.
    pub name: String,
    /// The name in the form in which it is compared.
    pub name_key: String,
    /// Whether it takes anything.
    pub enabled: bool,
    /// `sync` or `async`.
    pub mode: String,
    /// The networks that callers must be in, without host bits.
    pub allowed_ips: Vec<IpNetwork>,
    /// The tag of what it creates.
    pub default_tag_id: Option<Uuid>,
    /// The source of contacts and accounts that it creates.
    pub contact_source_id: Option<Uuid>,
    /// The source of leads that it creates.
    pub lead_source_id: Option<Uuid>,
    /// The templates of its welcome e-mail.
    pub welcome_email: Option<Value>,
    /// The template of its welcome SMS.
    pub welcome_sms: Option<Value>,
    /// `reject` or `skip`.
    pub unknown_references: String,
    /// Requests a second; set together with the burst.
    pub rate_per_second: Option<i32>,
    /// Requests at once.
    pub rate_burst: Option<i32>,
}

/// A token as it is kept.
#[derive(Debug)]
pub struct NewToken {
    /// Its id.
    pub id: Uuid,
    /// Its keyed hash.
    pub hash: [u8; 32],
    /// Itself, sealed for [`token_place`].
    pub sealed: Vec<u8>,
}

/// The place that an org's listener tokens are sealed for.
#[must_use]
pub fn token_place(org: Uuid) -> String {
    format!("{org}:listener_tokens:token")
}

const SELECT: &str = "
    SELECT l.id, l.name, l.enabled, l.mode, l.allowed_ips, tag.name AS default_tag,
           contact_source.name AS contact_source, lead_source.name AS lead_source,
           l.welcome_email, l.welcome_sms, l.unknown_references, l.rate_per_second, l.rate_burst,
           l.created_at, token.token_sealed, newest.received_at AS last_delivery_at
    FROM listeners l
    JOIN listener_tokens token
      ON token.org_id = l.org_id AND token.listener_id = l.id AND token.expires_at IS NULL
    LEFT JOIN tags tag ON tag.org_id = l.org_id AND tag.id = l.default_tag_id
    LEFT JOIN picklist_entries contact_source
      ON contact_source.org_id = l.org_id AND contact_source.id = l.contact_source_id
    LEFT JOIN picklist_entries lead_source
      ON lead_source.org_id = l.org_id AND lead_source.id = l.lead_source_id
    LEFT JOIN LATERAL (
        SELECT received_at FROM deliveries d
        WHERE d.org_id = l.org_id AND d.listener_id = l.id ORDER BY d.id DESC LIMIT 1
    ) newest ON true
    WHERE l.org_id = $1";

/// So many listeners, newest first, those older than `before`.
///
/// # Errors
/// Those of the database.
pub fn list(
    conn: &mut PgConnection,
    org: Uuid,
    before: Option<Uuid>,
    rows: i64,
) -> Result<Vec<ListenerRow>, StoreError> {
    let query = format!("{SELECT} AND ($2 IS NULL OR l.id < $2) ORDER BY l.id DESC LIMIT $3");
    let found = diesel::sql_query(query)
        .bind::<SqlUuid, _>(org)
        .bind::<Nullable<SqlUuid>, _>(before)
        .bind::<BigInt, _>(rows)
        .load(conn)?;
    Ok(found)
}

/// One listener.
///
/// # Errors
/// Those of the database.
pub fn find(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
) -> Result<Option<ListenerRow>, StoreError> {
    let found = diesel::sql_query(format!("{SELECT} AND l.id = $2"))
        .bind::<SqlUuid, _>(org)
        .bind::<SqlUuid, _>(id)
        .get_result(conn)
        .optional()?;
    Ok(found)
}

/// Has other changes of the listener wait for this transaction. False: there is no such listener.
///
/// # Errors
/// Those of the database.
pub fn lock(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<bool, StoreError> {
    let found = listeners::table
        .filter(listeners::org_id.eq(org))
        .filter(listeners::id.eq(id))
        .select(listeners::id)
        .for_no_key_update()
        .first::<Uuid>(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Adds a listener with its first token.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn create(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    values: &ListenerValues,
    token: &NewToken,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::insert_into(listeners::table)
        .values((
            listeners::org_id.eq(org),
            listeners::id.eq(id),
            values,
            listeners::created_at.eq(now),
            listeners::updated_at.eq(now),
        ))
        .execute(conn)?;
    add_token(conn, org, id, token, now)
}

/// Sets all that can be set of a listener.
///
/// # Errors
/// [`StoreError::Taken`] where the name is.
pub fn update(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    values: &ListenerValues,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    diesel::update(listeners::table)
        .filter(listeners::org_id.eq(org))
        .filter(listeners::id.eq(id))
        .set((values, listeners::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Gives a listener a new token. Its earlier ones work until `end`, or until an earlier end that
/// they had; those whose end has passed are dropped.
///
/// # Errors
/// Those of the database.
pub fn rotate(
    conn: &mut PgConnection,
    org: Uuid,
    id: Uuid,
    token: &NewToken,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let tokens = listener_tokens::table
        .filter(listener_tokens::org_id.eq(org))
        .filter(listener_tokens::listener_id.eq(id));
    diesel::update(tokens)
        .filter(listener_tokens::expires_at.is_null().or(listener_tokens::expires_at.gt(end)))
        .set(listener_tokens::expires_at.eq(end))
        .execute(conn)?;
    diesel::delete(tokens).filter(listener_tokens::expires_at.le(now)).execute(conn)?;
    add_token(conn, org, id, token, now)
}

/// Deletes a listener with its tokens; what it delivered stays. False: there is no such listener.
///
/// # Errors
/// Those of the database.
pub fn delete(conn: &mut PgConnection, org: Uuid, id: Uuid) -> Result<bool, StoreError> {
    let deleted = diesel::delete(listeners::table)
        .filter(listeners::org_id.eq(org))
        .filter(listeners::id.eq(id))
        .execute(conn)?;
    Ok(deleted == 1)
}

/// The names of the org's custom fields, which its templates may use.
///
/// # Errors
/// Those of the database.
pub fn custom_field_names(conn: &mut PgConnection, org: Uuid) -> Result<Vec<String>, StoreError> {
    let names = custom_fields::table
        .filter(custom_fields::org_id.eq(org))
        .order((custom_fields::name_key, custom_fields::model))
        .select(custom_fields::name)
        .load(conn)?;
    Ok(names)
}

/// How many there are.
///
/// # Errors
/// Those of the database.
pub fn count(conn: &mut PgConnection, org: Uuid) -> Result<i64, StoreError> {
    Ok(listeners::table.filter(listeners::org_id.eq(org)).count().get_result(conn)?)
}

/// A listener's name with its welcome e-mail and SMS.
pub type Messages = (String, Option<Value>, Option<Value>);

/// The welcome messages of all listeners.
///
/// # Errors
/// Those of the database.
pub fn messages(conn: &mut PgConnection, org: Uuid) -> Result<Vec<Messages>, StoreError> {
    Ok(listeners::table
        .filter(listeners::org_id.eq(org))
        .order(listeners::name_key)
        .select((listeners::name, listeners::welcome_email, listeners::welcome_sms))
        .load(conn)?)
}

/// The org's sources, ids and names in order. They cannot be deleted before the transaction ends.
///
/// # Errors
/// Those of the database.
pub fn sources(conn: &mut PgConnection, org: Uuid) -> Result<Vec<(Uuid, String)>, StoreError> {
    let sources = picklist_entries::table
        .filter(picklist_entries::org_id.eq(org))
        .filter(picklist_entries::list.eq("source"))
        .order((picklist_entries::position, picklist_entries::name_key))
        .select((picklist_entries::id, picklist_entries::name))
        .for_key_share()
        .load(conn)?;
    Ok(sources)
}

/// The tag of that name in any case, made with `new_id` where it is new.
///
/// # Errors
/// Those of the database.
pub fn tag(
    conn: &mut PgConnection,
    org: Uuid,
    name: &str,
    new_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Uuid, StoreError> {
    let key = fold(name);
    diesel::insert_into(tags::table)
        .values((
            tags::org_id.eq(org),
            tags::id.eq(new_id),
            tags::name.eq(name),
            tags::name_key.eq(&key),
            tags::created_at.eq(now),
        ))
        .on_conflict((tags::org_id, tags::name_key))
        .do_nothing()
        .execute(conn)?;
    let id = tags::table
        .filter(tags::org_id.eq(org))
        .filter(tags::name_key.eq(&key))
        .select(tags::id)
        .first(conn)?;
    Ok(id)
}

fn add_token(
    conn: &mut PgConnection,
    org: Uuid,
    listener: Uuid,
    token: &NewToken,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let NewToken { id, hash, sealed } = token;
    diesel::insert_into(listener_tokens::table)
        .values((
            listener_tokens::org_id.eq(org),
            listener_tokens::id.eq(id),
            listener_tokens::listener_id.eq(listener),
            listener_tokens::token_hash.eq(hash.as_slice()),
            listener_tokens::token_sealed.eq(sealed),
            listener_tokens::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
