//! The example org: users of every role, and every name that the documents' examples mention.

use crate::access::Role;
use crate::access::passwords::NewPassword;
use crate::app::App;
use crate::clock;
use crate::http::settings::listeners::{self, ListenerSettings};
use crate::problem::Problem;
use crate::service::orgs::{NewOrg, create_org};
use crate::store::pool::{Conn, in_org};
use crate::store::users::{self, NewUser};
use crate::store::vocabulary::{self, NewCustomField};
use crate::store::{directory, orgs};
use anyhow::Context;
use beeiq_core::values::custom_field::{Kind, Model};
use beeiq_core::values::email::Email;
use beeiq_core::values::slug::Slug;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

/// What people sign in with.
pub(super) const SLUG: &str = "demo";
/// The example org's admin.
pub(super) const ADMIN: &str = "admin@demo.example";
const OWNER: &str = "owner@demo.example";
/// The sender of the example that the demo prints.
pub(super) const SENDER: &str = "huy.nguyenviet@htklabs.com";

const MEMBERS: &[&str] = &[
    SENDER,
    "huy.nguyen@htklabs.com",
    "luyt.ngo@htklabs.com",
    "viethuy110@gmail.com",
    "nhanvien1@beeiq.co",
    "nhanvien2@beeiq.co",
    "youremail@here.com",
    "member@demo.example",
];

const GROUPS: &[&str] =
    &["Nhóm Test", "Nhom test", "Nhom 1", "Nhom 2", "Nhom A", "Nhom B", "Phong Kinh Doanh"];

const ENTRIES: &[(&str, &str)] =
    &[("deal_category", "UI Design"), ("deal_package", "Goi A"), ("source", "Demo form")];

const PEOPLE: &[Model] = &[Model::Contact, Model::Account, Model::Lead];

/// The custom fields of the documents' examples, and one of each kind.
const FIELDS: &[(&[Model], &str, Kind, &[&str])] = &[
    (PEOPLE, "Referred By", Kind::Text, &[]),
    (PEOPLE, "name_01", Kind::Text, &[]),
    (PEOPLE, "name_02", Kind::Text, &[]),
    (PEOPLE, "Remarks", Kind::Textarea, &[]),
    (PEOPLE, "Loyalty points", Kind::Number, &[]),
    (PEOPLE, "Ngày bạn nhập học?", Kind::Date, &[]),
    (PEOPLE, "Segment", Kind::Select, &["Retail", "Wholesale", "Online"]),
    (PEOPLE, "Newsletter", Kind::Radio, &["Yes", "No"]),
    (PEOPLE, "What animal do you like?", Kind::Checkbox, &["Dog", "Cat"]),
    (PEOPLE, "Bạn thích con gì?", Kind::InlineCheckbox, &["Chó", "Mèo"]),
    (&[Model::Deal], "Campaign", Kind::Text, &[]),
    (&[Model::Deal], "Probability", Kind::Number, &[]),
    (&[Model::Ticket], "Product", Kind::Select, &["Web", "App", "Other"]),
];

pub(super) struct Seeded {
    pub(super) org: Uuid,
    pub(super) listener_url: String,
}

/// Makes the example org, unless it is there; finds its listener.
pub(super) fn seed(app: &App, password: &NewPassword) -> anyhow::Result<Seeded> {
    let known = app.db.run_here(|conn| orgs::with_slug(conn, SLUG))?;
    let org = match known {
        Some(org) => org.id,
        None => make(app, password)?,
    };
    let found = app.db.run_here(|conn| in_org(conn, org, |conn| listeners::oldest(app, conn, org)));
    let listener_url = match found {
        Ok(Some(url)) => url,
        Ok(None) => make_listener(app, org)?,
        Err(problem) => return Err(problem).context("the demo's listener"),
    };
    Ok(Seeded { org, listener_url })
}

fn make(app: &App, password: &NewPassword) -> anyhow::Result<Uuid> {
    let slug = Slug::parse(SLUG)?;
    let owner = Email::parse(OWNER)?;
    let sms_credits = app.sms_trial_credits;
    let new = NewOrg { slug: &slug, name: "Demo", owner: &owner, password, sms_credits };
    let org = create_org(&app.db, &new)?.id;
    let (now, hash) = (clock::now(), password.hash()?);
    app.db.run_here(|conn| {
        in_org(conn, org, |conn| {
            let mut members = vec![make_user(conn, org, ADMIN, Role::Admin, &hash, now)?];
            for email in MEMBERS {
                members.push(make_user(conn, org, email, Role::Member, &hash, now)?);
            }
            for name in GROUPS {
                vocabulary::create_group(conn, org, clock::new_id(), name, &members, now)?;
            }
            for (list, name) in ENTRIES {
                vocabulary::add_entry(conn, org, clock::new_id(), list, name, now)?;
            }
            for &(models, name, kind, options) in FIELDS {
                for &model in models {
                    let field = NewCustomField { model, name, kind, options };
                    vocabulary::create_custom_field(conn, org, clock::new_id(), field, now)?;
                }
            }
            vocabulary::create_sla(conn, org, clock::new_id(), "custom", (60, 24 * 60), now)?;
            directory::bump(conn, org)?;
            Ok::<_, Problem>(())
        })
    })?;
    Ok(org)
}

fn make_user(
    conn: &mut Conn,
    org: Uuid,
    email: &str,
    role: Role,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    let parsed = Email::parse(email).map_err(|error| {
        Problem::new(beeiq_core::diagnostics::Code::InvalidEmail, error.to_string())
    })?;
    let id = clock::new_id();
    let name = email.split('@').next().unwrap_or(email);
    let user = NewUser { id, email: &parsed, name, role, password_hash: Some(hash) };
    users::create(conn, org, &user, now)?;
    Ok(id)
}

/// A listener with defaults and welcome messages.
fn make_listener(app: &App, org: Uuid) -> anyhow::Result<String> {
    let settings: ListenerSettings = serde_json::from_value(json!({
        "name": "Demo form",
        "defaultTag": "webhook",
        "contactSource": "Demo form",
        "leadSource": "Demo form",
        "welcomeEmail": {
            "enabled": true,
            "subject": "Welcome to {{ org.name }}, {{ name }}",
            "body": include_str!("../../../templates/welcome.html"),
            "text": include_str!("../../../templates/welcome.txt"),
        },
        "welcomeSms": {
            "enabled": true,
            "content": "{{ org.name }}: welcome {{ name }}! Your customer code is {{ code }}.",
        },
    }))?;
    let made = app.db.run_here(|conn| {
        in_org(conn, org, |conn| listeners::make(app, conn, org, settings, clock::now()))
    });
    Ok(made.context("the demo's listener")?.url)
}
