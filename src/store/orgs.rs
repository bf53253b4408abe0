//! Organisations, and what a new one has.

use super::schema::{org_counters, org_currencies, org_settings, orgs, picklist_entries, slas};
use crate::store::error::Result;
use crate::store::pool::Conn;
use crate::store::pool::{naming_org, over_queues};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

/// An org, as far as sign-in and tokens need it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = orgs)]
pub struct OrgRow {
    pub id: Uuid,
    /// What its tokens start with.
    pub public_id: String,
    pub slug: String,
    pub name: String,
}

/// The org that people sign in to under that slug, in any case.
pub fn with_slug(conn: &mut Conn, slug: &str) -> Result<Option<OrgRow>> {
    let slug = fold(slug);
    naming_org(conn, &slug, |conn| {
        let named = orgs::table.filter(orgs::slug.eq(&slug));
        Ok(named.select(OrgRow::as_select()).first(conn).optional()?)
    })
}

/// The org whose tokens start with that.
pub fn with_public_id(conn: &mut Conn, id: &str) -> Result<Option<OrgRow>> {
    naming_org(conn, id, |conn| {
        let named = orgs::table.filter(orgs::public_id.eq(id));
        Ok(named.select(OrgRow::as_select()).first(conn).optional()?)
    })
}

/// The ids of the next orgs after that one, in their order.
pub fn ids_after(conn: &mut Conn, after: Uuid, limit: i64) -> Result<Vec<Uuid>> {
    over_queues(conn, |conn| {
        let next = orgs::table.filter(orgs::id.gt(after)).order(orgs::id).limit(limit);
        Ok(next.select(orgs::id).load(conn)?)
    })
}

pub(crate) fn with_id(conn: &mut Conn, id: Uuid) -> Result<Option<OrgRow>> {
    let found =
        orgs::table.filter(orgs::id.eq(id)).select(OrgRow::as_select()).first(conn).optional()?;
    Ok(found)
}

/// Adds an org with its settings, counters, and the names that a new one starts with (`api.md` 4).
pub(crate) fn create(
    conn: &mut Conn,
    org: &OrgRow,
    sms_credits: i64,
    now: DateTime<Utc>,
    new_id: impl FnMut() -> Uuid,
) -> Result<()> {
    let OrgRow { id, public_id, slug, name } = org;
    let id = *id;
    diesel::insert_into(orgs::table)
        .values((
            orgs::id.eq(id),
            orgs::public_id.eq(public_id),
            orgs::slug.eq(slug),
            orgs::name.eq(name),
            orgs::created_at.eq(now),
            orgs::updated_at.eq(now),
        ))
        .execute(conn)?;
    diesel::insert_into(org_settings::table)
        .values((
            org_settings::org_id.eq(id),
            org_settings::time_zone.eq("Asia/Ho_Chi_Minh"),
            org_settings::default_region.eq("VN"),
            org_settings::default_currency.eq("VND"),
            org_settings::sms_credits.eq(sms_credits),
        ))
        .execute(conn)?;
    let counters = ["contact", "account", "lead", "deal", "ticket"];
    diesel::insert_into(org_counters::table)
        .values(counters.map(|name| {
            (
                org_counters::org_id.eq(id),
                org_counters::name.eq(name),
                org_counters::next_value.eq(1_i64),
            )
        }))
        .execute(conn)?;
    create_names(conn, id, now, new_id)
}

/// What of an org can be set (`api.md` 4).
#[derive(Clone, Debug, Queryable)]
pub(crate) struct OrgValues {
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) time_zone: String,
    pub(crate) default_region: String,
    /// ISO 4217, one of its currencies.
    pub(crate) default_currency: String,
}

/// What is set of an org.
pub(crate) fn values(conn: &mut Conn, org: Uuid) -> Result<OrgValues> {
    Ok(orgs::table
        .inner_join(org_settings::table.on(org_settings::org_id.eq(orgs::id)))
        .filter(orgs::id.eq(org))
        .filter(org_settings::org_id.eq(org))
        .select((
            orgs::name,
            orgs::slug,
            org_settings::time_zone,
            org_settings::default_region,
            org_settings::default_currency,
        ))
        .first(conn)?)
}

pub(crate) fn update(
    conn: &mut Conn,
    org: Uuid,
    values: &OrgValues,
    now: DateTime<Utc>,
) -> Result<()> {
    let OrgValues { name, slug, time_zone, default_region, default_currency } = values;
    diesel::update(orgs::table.filter(orgs::id.eq(org)))
        .set((orgs::name.eq(name), orgs::slug.eq(slug), orgs::updated_at.eq(now)))
        .execute(conn)?;
    diesel::update(org_settings::table.filter(org_settings::org_id.eq(org)))
        .set((
            org_settings::time_zone.eq(time_zone),
            org_settings::default_region.eq(default_region),
            org_settings::default_currency.eq(default_currency),
        ))
        .execute(conn)?;
    Ok(())
}

/// The lists that a new org chooses from. The channels are those of `listener.md` 7.
const PICKLISTS: [(&str, &[&str]); 5] = [
    ("source", &["Website", "Facebook", "Zalo", "Phone", "Email", "Referral", "Event", "Other"]),
    (
        "channel",
        &[
            "Email",
            "Phone",
            "Web",
            "Contact Form",
            "Kite Call",
            "Kite Chat",
            "Kite Viber",
            "Kite Facebook",
            "Kite Skype",
        ],
    ),
    ("deal_stage", &["New", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]),
    ("deal_category", &["New Business", "Renewal", "Upsell"]),
    ("deal_package", &["Basic", "Standard", "Premium"]),
];

fn create_names(
    conn: &mut Conn,
    org: Uuid,
    now: DateTime<Utc>,
    mut new_id: impl FnMut() -> Uuid,
) -> Result<()> {
    let entries: Vec<_> = PICKLISTS
        .iter()
        .flat_map(|(list, names)| (0_i32..).zip(*names).map(move |(i, name)| (list, i, name)))
        .map(|(list, position, name)| {
            (
                picklist_entries::org_id.eq(org),
                picklist_entries::id.eq(new_id()),
                picklist_entries::list.eq(list),
                picklist_entries::name.eq(name),
                picklist_entries::name_key.eq(fold(name)),
                picklist_entries::position.eq(position),
                picklist_entries::created_at.eq(now),
                picklist_entries::updated_at.eq(now),
            )
        })
        .collect();
    diesel::insert_into(picklist_entries::table).values(entries).execute(conn)?;
    let currencies = ["VND", "USD"];
    diesel::insert_into(org_currencies::table)
        .values(currencies.map(|code| {
            (
                org_currencies::org_id.eq(org),
                org_currencies::code.eq(code),
                org_currencies::id.eq(new_id()),
                org_currencies::created_at.eq(now),
            )
        }))
        .execute(conn)?;
    let (day, hour) = (24 * 60, 60);
    diesel::insert_into(slas::table)
        .values((
            slas::org_id.eq(org),
            slas::id.eq(new_id()),
            slas::name.eq("Standard"),
            slas::name_key.eq(fold("Standard")),
            slas::first_response_minutes.eq(4 * hour),
            slas::resolution_minutes.eq(2 * day),
            slas::created_at.eq(now),
            slas::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
