//! Listeners: the URLs that other systems post to.

use super::{Rows, statements};
use crate::secrets::Place;
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::schema::{listener_tokens, listeners, picklist_entries, tags};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Binary, Cidr, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A listener as it is kept, with the names that it refers to.
#[derive(Debug, QueryableByName)]
#[diesel(table_name = listeners)]
pub(crate) struct ListenerRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) mode: String,
    /// The networks that callers must be in.
    #[diesel(sql_type = Array<Cidr>)]
    pub(crate) allowed_ips: Vec<IpNetwork>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) default_tag: Option<String>,
    /// The name of its contacts' source.
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) contact_source: Option<String>,
    /// The name of its leads' source.
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) lead_source: Option<String>,
    pub(crate) welcome_email: Option<Value>,
    pub(crate) welcome_sms: Option<Value>,
    pub(crate) unknown_references: String,
    /// Requests a second; set together with the burst.
    pub(crate) rate_per_second: Option<i32>,
    pub(crate) rate_burst: Option<i32>,
    pub(crate) created_at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    pub(crate) token_id: Uuid,
    /// Its present token, sealed for [`token_place`].
    #[diesel(sql_type = Binary)]
    pub(crate) token_sealed: Vec<u8>,
    /// When the newest delivery came.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) last_delivery_at: Option<DateTime<Utc>>,
}

/// The templates of a welcome e-mail.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WelcomeEmail {
    /// Whether it is sent.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) enabled: bool,
    /// The subject.
    pub(crate) subject: String,
    /// The HTML part.
    pub(crate) body: String,
    /// The text part; absent: made from the HTML part.
    pub(crate) text: Option<String>,
}

/// The template of a welcome SMS.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WelcomeSms {
    /// Whether it is sent.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(crate) enabled: bool,
    /// The text.
    pub(crate) content: String,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = listeners, treat_none_as_null = true)]
pub(crate) struct ListenerValues {
    pub(crate) name: String,
    /// The name in the form in which it is compared.
    pub(crate) name_key: String,
    pub(crate) enabled: bool,
    pub(crate) mode: String,
    /// The networks that callers must be in, without host bits.
    pub(crate) allowed_ips: Vec<IpNetwork>,
    pub(crate) default_tag_id: Option<Uuid>,
    /// The source of contacts and accounts that it creates.
    pub(crate) contact_source_id: Option<Uuid>,
    /// The source of leads that it creates.
    pub(crate) lead_source_id: Option<Uuid>,
    pub(crate) welcome_email: Option<Value>,
    pub(crate) welcome_sms: Option<Value>,
    pub(crate) unknown_references: String,
    /// Requests a second; set together with the burst.
    pub(crate) rate_per_second: Option<i32>,
    pub(crate) rate_burst: Option<i32>,
}

#[derive(Debug)]
pub(crate) struct NewToken {
    pub(crate) id: Uuid,
    pub(crate) hash: [u8; 32],
    pub(crate) sealed: Vec<u8>,
}

/// What a listener's token is sealed for.
pub(crate) fn token_place(org: Uuid, token: Uuid) -> Place {
    let before = format!("{org}:listener_tokens:token");
    Place::new("listener_tokens", "token_sealed", org, &token.to_string(), before)
}

// What a listener delivered stays when it is deleted; its tokens go.
statements!(
    pub(crate) listeners: count, create(ListenerValues; updated_at),
    update(ListenerValues; updated_at), delete
);

const SELECT: &str = "
    SELECT l.id, l.name, l.enabled, l.mode, l.allowed_ips, tag.name AS default_tag,
           contact_source.name AS contact_source, lead_source.name AS lead_source,
           l.welcome_email, l.welcome_sms, l.unknown_references, l.rate_per_second, l.rate_burst,
           l.created_at, token.id AS token_id, token.token_sealed, newest.received_at AS last_delivery_at
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

pub(crate) fn list(conn: &mut Conn, org: Uuid, rows: Rows) -> Result<Vec<ListenerRow>> {
    let Rows { id, before, limit } = rows;
    let query = format!(
        "{SELECT} AND ($2 IS NULL OR l.id = $2) AND ($3 IS NULL OR l.id < $3)
         ORDER BY l.id DESC LIMIT $4"
    );
    let found = diesel::sql_query(query)
        .bind::<SqlUuid, _>(org)
        .bind::<Nullable<SqlUuid>, _>(id)
        .bind::<Nullable<SqlUuid>, _>(before)
        .bind::<BigInt, _>(limit)
        .load(conn)?;
    Ok(found)
}

/// Gives a listener a new token. Its earlier ones work until `end`, or until an earlier end that
/// they had; those whose end has passed are dropped.
pub(crate) fn rotate(
    conn: &mut Conn,
    org: Uuid,
    id: Uuid,
    token: &NewToken,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
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

/// A listener's name with its welcome e-mail and SMS.
pub(crate) type Messages = (String, Option<Value>, Option<Value>);

/// The welcome messages of all listeners.
pub(crate) fn messages(conn: &mut Conn, org: Uuid) -> Result<Vec<Messages>> {
    Ok(listeners::table
        .filter(listeners::org_id.eq(org))
        .order(listeners::name_key)
        .select((listeners::name, listeners::welcome_email, listeners::welcome_sms))
        .load(conn)?)
}

/// How many bytes the welcome messages of all listeners have, about.
pub(crate) fn templates_bytes(conn: &mut Conn, org: Uuid) -> Result<i64> {
    let sum = sql::<BigInt>(
        "coalesce(sum(coalesce(octet_length(welcome_email::text), 0) \
             + coalesce(octet_length(welcome_sms::text), 0)), 0)::bigint",
    );
    Ok(listeners::table.filter(listeners::org_id.eq(org)).select(sum).first(conn)?)
}

/// The org's sources, ids and names in order. They cannot be deleted before the transaction ends.
pub(crate) fn sources(conn: &mut Conn, org: Uuid) -> Result<Vec<(Uuid, String)>> {
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
pub(crate) fn tag(
    conn: &mut Conn,
    org: Uuid,
    name: &str,
    new_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Uuid> {
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

pub(crate) fn add_token(
    conn: &mut Conn,
    org: Uuid,
    listener: Uuid,
    token: &NewToken,
    now: DateTime<Utc>,
) -> Result<()> {
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
