//! The example org: users of every role, and every name that the documents' examples mention.

use crate::access::Role;
use crate::access::passwords::NewPassword;
use crate::app::App;
use crate::problem::Problem;
use crate::service::orgs::{NewOrg, create_org};
use crate::service::settings::custom_fields::{CustomFieldSettings, CustomFields};
use crate::service::settings::groups::{GroupSettings, Groups};
use crate::service::settings::listeners::{ListenerSettings, Listeners};
use crate::service::settings::names::{Names, SlaSettings};
use crate::service::settings::picklists::{Picklist, PicklistEntrySettings};
use crate::service::settings::users::{UserSettings, Users};
use crate::service::settings::{Edit, create};
use crate::store::orgs::{self, OrgRow};
use crate::store::pool::in_org;
use anyhow::Context;
use beeiq_core::values::custom_field::{Kind, Model};
use beeiq_core::values::email::Email;
use beeiq_core::values::slug::Slug;
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

const ENTRIES: &[(Picklist, &str)] = &[
    (Picklist::CATEGORIES, "UI Design"),
    (Picklist::PACKAGES, "Goi A"),
    (Picklist::SOURCES, "Demo form"),
];

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
    pub(super) org: OrgRow,
    pub(super) listener_url: String,
}

/// Makes the example org, unless it is there; finds its listener.
pub(super) fn seed(app: &App, password: &NewPassword) -> anyhow::Result<Seeded> {
    let known = app.db.run_here(|conn| orgs::with_slug(conn, SLUG))?;
    let org = match known {
        Some(org) => org,
        None => make(app, password)?,
    };
    let listeners = Listeners::new(&app.key, &app.public_url);
    let found = app.db.run_here(|conn| in_org(conn, org.id, |conn| listeners.oldest(conn, org.id)));
    let listener_url = match found {
        Ok(Some(url)) => url,
        Ok(None) => make_listener(app, &listeners, org.id)?,
        Err(problem) => return Err(problem).context("the demo's listener"),
    };
    Ok(Seeded { org, listener_url })
}

fn make(app: &App, password: &NewPassword) -> anyhow::Result<OrgRow> {
    let slug = Slug::parse(SLUG)?;
    let owner = Email::parse(OWNER)?;
    let sms_credits = app.sms_trial_credits;
    let new = NewOrg { slug: &slug, name: "Demo", owner: &owner, password, sms_credits };
    let org = create_org(&app.db, &new)?;
    let users = Users { password_hash: Some(password.hash()?) };
    app.db.run_here(|conn| {
        in_org(conn, org.id, |conn| {
            let edit = &mut Edit::of_operator(conn, org.id);
            create(edit, &users, &user(ADMIN, Role::Admin))?;
            for email in MEMBERS {
                create(edit, &users, &user(email, Role::Member))?;
            }
            let members: Vec<String> =
                [ADMIN].iter().chain(MEMBERS).map(|email| (*email).to_owned()).collect();
            for name in GROUPS {
                let (name, members) = ((*name).to_owned(), members.clone());
                create(edit, &Groups, &GroupSettings { name, members })?;
            }
            for (list, name) in ENTRIES {
                let entry = PicklistEntrySettings { name: (*name).to_owned(), position: None };
                create(edit, list, &entry)?;
            }
            for &(models, name, kind, options) in FIELDS {
                for &model in models {
                    let options = options.iter().map(|option| (*option).to_owned()).collect();
                    let name = name.to_owned();
                    let field = CustomFieldSettings { model, name, kind, options };
                    create(edit, &CustomFields, &field)?;
                }
            }
            let sla = SlaSettings {
                name: "custom".to_owned(),
                first_response_minutes: 60,
                resolution_minutes: 24 * 60,
            };
            create(edit, &Names::default(), &sla)?;
            Ok::<_, Problem>(())
        })
    })?;
    Ok(org)
}

fn user(email: &str, role: Role) -> UserSettings {
    let name = email.split('@').next().unwrap_or(email).to_owned();
    UserSettings { email: email.to_owned(), name, role, active: true, groups: Vec::new() }
}

/// A listener with defaults and welcome messages.
fn make_listener(app: &App, listeners: &Listeners, org: Uuid) -> anyhow::Result<String> {
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
        in_org(conn, org, |conn| create(&mut Edit::of_operator(conn, org), listeners, &settings))
    });
    Ok(made.context("the demo's listener")?.url()?.to_owned())
}
