//! `/api/v1/settings` (`api.md` 4): the org itself. One document; only an owner changes the slug.

use super::resource::json;
use super::validity;
use crate::access::Role;
use crate::app::App;
use crate::clock;
use crate::http::body;
use crate::http::etag::{self, IfMatch};
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument};
use crate::problem::Problem;
use crate::store::audit::{self, Subject};
use crate::store::error::StoreError;
use crate::store::orgs::{self, OrgValues};
use crate::store::pool::Conn;
use crate::store::{currencies, directory};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::audit::{Action, changes};
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

/// What changes of an org (RFC 7396).
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "a patch is read as JSON; here for its description")]
pub struct OrgSettingsChange {
    /// Its name.
    name: Option<String>,
    /// What its people sign in with.
    slug: Option<String>,
    /// IANA name.
    time_zone: Option<String>,
    /// ISO 3166-1 alpha-2.
    default_region: Option<String>,
    /// ISO 4217, one of the org's currencies.
    default_currency: Option<String>,
}

impl From<OrgValues> for OrgSettings {
    fn from(values: OrgValues) -> Self {
        let OrgValues { name, slug, time_zone, default_region, default_currency } = values;
        Self { name, slug, time_zone, default_region, default_currency }
    }
}

impl OrgSettings {
    /// What is to be kept, in its normal form.
    fn checked(self, currencies: &[String]) -> Result<OrgValues, Problem> {
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

crate::http::routes::routes![read, change];

/// Reads what is set of the org.
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "Org", operation_id = "readSettings",
    responses(
        (status = 200, body = OrgSettings, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
    ),
)]
pub async fn read(app: web::Data<App>, Admin(actor): Admin) -> Result<HttpResponse, Problem> {
    let present = app.db.in_org(actor.org, move |conn| present(conn, actor.org)).await?;
    Ok(shown(&present))
}

/// Changes the org: a merge patch (RFC 7396). Only an owner changes the slug.
#[utoipa::path(
    patch, path = "/api/v1/settings", tag = "Org", operation_id = "changeSettings",
    params(("If-Match" = Option<String>, Header, description = "Refuse where its ETag is another")),
    request_body(content = OrgSettingsChange, content_type = "application/merge-patch+json",
                 example = json!({"name": "Example Ltd", "timeZone": "Asia/Bangkok"})),
    responses(
        (status = 200, body = OrgSettings, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
        BodyProblems,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`slug_taken`"),
        (status = 412, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn change(
    app: web::Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let (org, now, if_match) = (actor.org, clock::now(), IfMatch::of(&request));
    let patch = body::value(payload).await?;
    let changed = app
        .db
        .in_org(org, move |conn| {
            directory::hold_deliveries(conn, org)?;
            directory::bump(conn, org)?;
            let before = present(conn, org)?;
            if_match.check(&etag::of(&before))?;
            let wanted: OrgSettings = body::from_value(body::merged(json(&before)?, patch)?)?;
            let values = wanted.checked(&currencies::codes(conn, org)?)?;
            if values.slug != before.slug && actor.role != Role::Owner {
                let detail = "Only an owner changes the slug, by which everybody signs in.";
                return Err(Problem::new(Code::Forbidden, detail));
            }
            orgs::update(conn, org, &values, now)
                .map_err(|error| slug_taken(error, &values.slug))?;
            let after = OrgSettings::from(values);
            if json(&before)? != json(&after)? {
                let subject = Subject { resource: "settings", id: "", name: &after.name };
                let changes = changes(&json(&before)?, &json(&after)?);
                audit::record(conn, &actor, Action::Changed, subject, &changes)?;
            }
            Ok(after)
        })
        .await?;
    Ok(shown(&changed))
}

fn present(conn: &mut Conn, org: Uuid) -> Result<OrgSettings, Problem> {
    Ok(orgs::values(conn, org)?.into())
}

fn shown(settings: &OrgSettings) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, etag::of(settings))).json(settings)
}

fn slug_taken(error: StoreError, slug: &str) -> Problem {
    match error {
        StoreError::Taken => {
            let message = format!("Another org has the slug \"{slug}\".");
            let fault = Fault::new(Code::SlugTaken, "/slug", message.clone());
            Problem::new(Code::SlugTaken, message).with_errors(vec![fault])
        }
        other => other.into(),
    }
}
