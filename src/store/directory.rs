//! The org's names as one value, and its version.

use super::schema::{
    custom_fields, groups, listener_tokens, listeners, org_settings, orgs, picklist_entries, slas,
    users,
};
use crate::store::error::{Result, StoreError};
use crate::store::pool::Conn;
use crate::store::settings::{connections, currencies, listeners as kept, message_accounts};
use crate::store::word::Stored;
use beeiq_core::directory::{
    CustomField, CustomFields, Directory, Entry, Group, Listener, Names, Org, RateLimit, Sla, User,
    Users, WelcomeEmail, WelcomeSms,
};
use beeiq_core::records::message::{Channel, Content, Wording};
use beeiq_core::records::token::Token;
use beeiq_core::values::custom_field::{Kind, Model};
use beeiq_core::values::phone::Region;
use beeiq_core::values::template::{Markup, MessageTemplate};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::Text;
use ipnetwork::IpNetwork;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Counts the directory's version up: part of every transaction that changes a setting, so that
/// every process reads the directory anew. Transactions of one org that change settings wait for
/// each other here.
pub(crate) fn bump(conn: &mut Conn, org: Uuid) -> Result<()> {
    diesel::update(org_settings::table.filter(org_settings::org_id.eq(org)))
        .set(org_settings::directory_version.eq(org_settings::directory_version + 1))
        .execute(conn)?;
    Ok(())
}

/// The statement that has a transaction, which applies a delivery, finish before any setting is
/// changed or deleted. Deliveries do not wait for each other here.
pub(crate) fn joining_deliveries(org: Uuid) -> String {
    format!("SELECT pg_advisory_xact_lock_shared(hashtextextended('{org}:directory', 0))")
}

/// Waits until the deliveries that are being applied are through, and holds others back until this
/// transaction ends: what refers to a setting does not change meanwhile. To be called before
/// [`bump`].
pub(crate) fn hold_deliveries(conn: &mut Conn, org: Uuid) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>(format!("{org}:directory"))
        .execute(conn)?;
    Ok(())
}

/// Which version is the current one.
pub(crate) fn version(conn: &mut Conn, org: Uuid) -> Result<i64> {
    Ok(org_settings::table
        .filter(org_settings::org_id.eq(org))
        .select(org_settings::directory_version)
        .first(conn)?)
}

/// Reads the whole directory. The version is read first, so that what changes while the rest is
/// read makes the result out of date rather than wrong.
pub(crate) fn load(conn: &mut Conn, org: Uuid) -> Result<Directory> {
    let version = version(conn, org)?;
    let custom_fields = CustomFields::new(load_custom_fields(conn, org)?);
    let field_names = custom_fields.all_names();
    Ok(Directory {
        version,
        org: load_org(conn, org)?,
        users: Users::new(load_users(conn, org)?),
        groups: Names::new(load_groups(conn, org)?),
        sources: Names::new(load_entries(conn, org, "source")?),
        channels: Names::new(load_entries(conn, org, "channel")?),
        slas: Names::new(load_slas(conn, org)?),
        deal_stages: Names::new(load_entries(conn, org, "deal_stage")?),
        deal_categories: Names::new(load_entries(conn, org, "deal_category")?),
        deal_packages: Names::new(load_entries(conn, org, "deal_package")?),
        currencies: currencies::codes(conn, org)?,
        listeners: load_listeners(conn, org, &field_names)?,
        connections: connections::load(conn, org)?,
        has_sms_account: message_accounts::is_set(conn, org, Channel::Sms)?,
        custom_fields,
    })
}

fn load_org(conn: &mut Conn, org: Uuid) -> Result<Org> {
    let (public_id, slug, name, zone, region, default_currency): (
        String,
        String,
        String,
        String,
        String,
        String,
    ) = orgs::table
        .inner_join(org_settings::table.on(org_settings::org_id.eq(orgs::id)))
        .filter(orgs::id.eq(org))
        .filter(org_settings::org_id.eq(org))
        .select((
            orgs::public_id,
            orgs::slug,
            orgs::name,
            org_settings::time_zone,
            org_settings::default_region,
            org_settings::default_currency,
        ))
        .first(conn)?;
    Ok(Org {
        id: org,
        public_id,
        slug,
        name,
        time_zone: zone.parse::<Tz>().map_err(|error| StoreError::unreadable(&error))?,
        region: Region::parse(&region).map_err(|error| StoreError::unreadable(&error))?,
        default_currency,
    })
}

fn load_users(conn: &mut Conn, org: Uuid) -> QueryResult<Vec<User>> {
    let rows: Vec<(Uuid, String, String, String, bool)> = users::table
        .filter(users::org_id.eq(org))
        .select((users::id, users::email, users::email_key, users::name, users::active))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, email, email_key, name, active)| User { id, email, email_key, name, active })
        .collect())
}

fn load_groups(conn: &mut Conn, org: Uuid) -> QueryResult<Vec<Group>> {
    let rows: Vec<(Uuid, String)> = groups::table
        .filter(groups::org_id.eq(org))
        .order(groups::name_key)
        .select((groups::id, groups::name))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, name)| Group { id, name }).collect())
}

fn load_entries(conn: &mut Conn, org: Uuid, list: &str) -> QueryResult<Vec<Entry>> {
    let rows: Vec<(Uuid, String)> = picklist_entries::table
        .filter(picklist_entries::org_id.eq(org))
        .filter(picklist_entries::list.eq(list))
        .order((picklist_entries::position, picklist_entries::name_key))
        .select((picklist_entries::id, picklist_entries::name))
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, name)| Entry { id, name }).collect())
}

fn load_slas(conn: &mut Conn, org: Uuid) -> QueryResult<Vec<Sla>> {
    let rows: Vec<(Uuid, String, i32, i32)> = slas::table
        .filter(slas::org_id.eq(org))
        .order(slas::name_key)
        .select((slas::id, slas::name, slas::first_response_minutes, slas::resolution_minutes))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, name, first_response, resolution)| Sla {
            id,
            name,
            first_response: TimeDelta::minutes(first_response.into()),
            resolution: TimeDelta::minutes(resolution.into()),
        })
        .collect())
}

fn load_custom_fields(conn: &mut Conn, org: Uuid) -> Result<Vec<CustomField>> {
    type Row = (Uuid, Stored<Model>, String, Stored<Kind>, serde_json::Value);
    let rows: Vec<Row> = custom_fields::table
        .filter(custom_fields::org_id.eq(org))
        .order((custom_fields::created_at, custom_fields::id))
        .select((
            custom_fields::id,
            custom_fields::model,
            custom_fields::name,
            custom_fields::kind,
            custom_fields::options,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, Stored(model), name, Stored(kind), options)| {
            Ok(CustomField {
                id,
                name,
                model,
                kind,
                options: serde_json::from_value(options)
                    .map_err(|error| StoreError::unreadable(&error))?,
            })
        })
        .collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = listeners)]
struct ListenerRow {
    id: Uuid,
    name: String,
    enabled: bool,
    mode: String,
    allowed_ips: Vec<Option<IpNetwork>>,
    default_tag_id: Option<Uuid>,
    contact_source_id: Option<Uuid>,
    lead_source_id: Option<Uuid>,
    welcome_email: Option<serde_json::Value>,
    welcome_sms: Option<serde_json::Value>,
    unknown_references: String,
    rate_per_second: Option<i32>,
    rate_burst: Option<i32>,
}

fn load_listeners(conn: &mut Conn, org: Uuid, field_names: &[String]) -> Result<Vec<Listener>> {
    let mut tokens = load_tokens(conn, org)?;
    let rows: Vec<ListenerRow> = listeners::table
        .filter(listeners::org_id.eq(org))
        .select(ListenerRow::as_select())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let tokens = tokens.remove(&row.id).unwrap_or_default();
            listener(row, tokens, field_names)
        })
        .collect())
}

fn load_tokens(conn: &mut Conn, org: Uuid) -> QueryResult<HashMap<Uuid, Vec<Token>>> {
    let rows: Vec<(Uuid, Vec<u8>, Option<DateTime<Utc>>)> = listener_tokens::table
        .filter(listener_tokens::org_id.eq(org))
        .select((
            listener_tokens::listener_id,
            listener_tokens::token_hash,
            listener_tokens::expires_at,
        ))
        .load(conn)?;
    let mut tokens: HashMap<Uuid, Vec<Token>> = HashMap::new();
    for (listener, hash, expires_at) in rows {
        tokens.entry(listener).or_default().push(Token { hash, expires_at });
    }
    Ok(tokens)
}

fn listener(row: ListenerRow, tokens: Vec<Token>, field_names: &[String]) -> Listener {
    let ListenerRow {
        id,
        name,
        enabled,
        mode,
        allowed_ips,
        default_tag_id,
        contact_source_id,
        lead_source_id,
        welcome_email,
        welcome_sms,
        unknown_references,
        rate_per_second,
        rate_burst,
    } = row;
    Listener {
        id,
        enabled,
        respond_async: mode == "async",
        allowed_ips: allowed_ips.into_iter().flatten().collect(),
        tokens,
        default_tag: default_tag_id,
        contact_source: contact_source_id,
        lead_source: lead_source_id,
        welcome_email: welcome_email.and_then(|value| email_templates(&name, value, field_names)),
        welcome_sms: welcome_sms.and_then(|value| sms_template(&name, value, field_names)),
        skip_unknown_references: unknown_references == "skip",
        rate_limit: rate_per_second
            .zip(rate_burst)
            .and_then(|(rate, burst)| Some((u32::try_from(rate).ok()?, u32::try_from(burst).ok()?)))
            .map(|(per_second, burst)| RateLimit { per_second, burst }),
        name,
    }
}

/// Templates are checked when they are saved; one that no longer compiles (a custom field that it
/// names was deleted since) sends nothing, and the log says so.
fn compiled(
    listener: &str,
    source: &str,
    markup: Markup,
    field_names: &[String],
) -> Option<MessageTemplate> {
    MessageTemplate::compile(source, markup, field_names)
        .inspect_err(|error| tracing::warn!(listener, %error, "a saved template is not usable"))
        .ok()
}

fn email_templates(
    listener: &str,
    value: serde_json::Value,
    field_names: &[String],
) -> Option<WelcomeEmail> {
    let kept::WelcomeEmail { enabled, subject, body, text } = serde_json::from_value(value).ok()?;
    if !enabled {
        return None;
    }
    let compiled_text = match &text {
        Some(text) => Some(compiled(listener, text, Markup::Text, field_names)?),
        None => None,
    };
    Some(WelcomeEmail {
        subject: compiled(listener, &subject, Markup::Line, field_names)?,
        html: compiled(listener, &body, Markup::Html, field_names)?,
        text: compiled_text,
        wording: Arc::new(Wording::new(Content::Email { subject, html: body, text })),
    })
}

fn sms_template(
    listener: &str,
    value: serde_json::Value,
    field_names: &[String],
) -> Option<WelcomeSms> {
    let kept::WelcomeSms { enabled, content: text } = serde_json::from_value(value).ok()?;
    if !enabled {
        return None;
    }
    Some(WelcomeSms {
        text: compiled(listener, &text, Markup::Text, field_names)?,
        wording: Arc::new(Wording::new(Content::Sms { text })),
    })
}
