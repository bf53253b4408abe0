//! Orgs: making one with its first user, and what of one can be set.

use super::settings::users::{UserSettings, Users};
use super::settings::{self, Edit, Subject, json, taken};
use super::validity;
use crate::access::passwords::NewPassword;
use crate::access::{Role, secrets};
use crate::clock;
use crate::problem::{Problem, Result};
use crate::store::directory;
use crate::store::orgs::{self, OrgRow, OrgValues};
use crate::store::pool::{Conn, Db, in_org};
use crate::store::settings::currencies;
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{Action, changes};
use beeiq_core::values::email::Email;
use beeiq_core::values::phone::Region;
use beeiq_core::values::slug::Slug;
use beeiq_core::values::suggest;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// How many currencies a message lists.
const LISTED: usize = 20;

/// An org to be made.
pub struct NewOrg<'a> {
    pub slug: &'a Slug,
    pub name: &'a str,
    /// Its first user.
    pub owner: &'a Email,
    pub password: &'a NewPassword,
    /// Trial SMS segments.
    pub sms_credits: i64,
}

/// Makes an org with the names that a new one starts with, and its owner. Hashes a password: not
/// for an async thread.
pub fn create_org(db: &Db, new: &NewOrg<'_>) -> anyhow::Result<OrgRow> {
    let NewOrg { slug, name, owner, password, sms_credits } = new;
    let users = Users { password_hash: Some(password.hash()?) };
    let org = OrgRow {
        id: clock::new_id(),
        public_id: secrets::new_public_id(),
        slug: slug.as_str().to_owned(),
        name: (*name).to_owned(),
    };
    let owner = UserSettings {
        email: owner.value().to_owned(),
        name: owner.value().to_owned(),
        role: Role::Owner,
        active: true,
        groups: Vec::new(),
    };
    db.run_here(|conn| {
        in_org(conn, org.id, |conn| {
            orgs::create(conn, &org, *sms_credits, clock::now(), clock::new_id)
                .map_err(|error| taken(error, "org", &org.slug))?;
            settings::create(&mut Edit::of_operator(conn, org.id), &users, &owner)
        })
    })
    .map_err(|problem: Problem| {
        if problem.code == Code::SlugTaken {
            return anyhow::anyhow!("there is an org \"{}\" already", org.slug);
        }
        problem.into()
    })?;
    Ok(org)
}

/// What of an org can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrgSettings {
    /// Its name.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What its people sign in with; unique in the instance, and an owner's to change.
    #[schema(min_length = 2, max_length = 63, example = "acme")]
    slug: String,
    /// IANA name; epoch milliseconds and plain dates of payloads are read in it.
    #[schema(example = "Asia/Ho_Chi_Minh")]
    time_zone: String,
    /// ISO 3166-1 alpha-2; phone numbers without a country code are read in it. Numbers that are
    /// kept stay as they were read.
    #[schema(min_length = 2, max_length = 2, example = "VN")]
    default_region: String,
    /// ISO 4217, one of the org's currencies: that of deals that name none.
    #[schema(min_length = 3, max_length = 3, example = "VND")]
    default_currency: String,
}

impl From<OrgValues> for OrgSettings {
    fn from(values: OrgValues) -> Self {
        let OrgValues { name, slug, time_zone, default_region, default_currency } = values;
        Self { name, slug, time_zone, default_region, default_currency }
    }
}

pub(crate) fn read(conn: &mut Conn, org: Uuid) -> Result<OrgSettings> {
    Ok(orgs::values(conn, org)?.into())
}

/// Changes an org into what `wanted` makes of it. Only an owner changes the slug.
pub(crate) fn change(
    edit: &mut Edit<'_>,
    wanted: impl FnOnce(&OrgSettings) -> Result<OrgSettings>,
) -> Result<OrgSettings> {
    directory::hold_deliveries(edit.conn, edit.org)?;
    directory::bump(edit.conn, edit.org)?;
    let before = read(edit.conn, edit.org)?;
    let values = wanted(&before)?.checked(&currencies::codes(edit.conn, edit.org)?)?;
    if values.slug != before.slug && !edit.is_owner() {
        let detail = "Only an owner changes the slug, by which everybody signs in.";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    orgs::update(edit.conn, edit.org, &values, edit.now)
        .map_err(|error| taken(error, "org", &values.slug))?;
    let after = OrgSettings::from(values);
    let (old, new) = (json(&before)?, json(&after)?);
    if old != new {
        let subject = Subject { resource: "settings", id: "", name: &after.name };
        edit.log(Action::Changed, subject, &changes(&old, &new))?;
    }
    Ok(after)
}

impl OrgSettings {
    /// What is to be kept, in its normal form.
    fn checked(self, currencies: &[String]) -> Result<OrgValues> {
        validity::check(&self)?;
        let Self { name, slug, time_zone, default_region, default_currency } = self;
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, code, message: String| {
            faults.push(Fault::new(code, pointer, message));
        };
        let parsed_slug = Slug::parse(&slug);
        if let Err(error) = &parsed_slug {
            fault("/slug", Code::InvalidValue, format!("This is none: {error}."));
        }
        let zone = time_zone.trim().parse::<Tz>().ok();
        if zone.is_none() {
            let message = "It must be the IANA name of a time zone, such as Asia/Ho_Chi_Minh.";
            fault("/timeZone", Code::InvalidValue, message.to_owned());
        }
        let region = Region::parse(default_region.trim());
        if let Err(error) = &region {
            fault("/defaultRegion", Code::InvalidValue, format!("This is {error}."));
        }
        let currency = default_currency.trim().to_uppercase();
        if !currencies.contains(&currency) {
            let there_are = suggest::listed(currencies, LISTED);
            let message = format!(
                "The org has no currency \"{currency}\"; it has {there_are}. Add it to \
                 /api/v1/currencies first."
            );
            fault("/defaultCurrency", Code::UnknownCurrency, message);
        }
        match (parsed_slug, zone, region) {
            (Ok(slug), Some(zone), Ok(region)) if faults.is_empty() => Ok(OrgValues {
                name,
                slug: slug.as_str().to_owned(),
                time_zone: zone.name().to_owned(),
                default_region: region.code(),
                default_currency: currency,
            }),
            _ => Err(Problem::fields(faults)),
        }
    }
}
