//! What a history line of an update tells: each changed field's old and new value, in the
//! listener's words (`listener.md` 3).

use super::change::Change;
use super::workspace::Workspace;
use crate::domain::customer::{Customer, CustomerKind};
use crate::domain::permit::Permit;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The names that ids have at the time.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// What the batch knows.
    pub workspace: &'a Workspace<'a>,
    /// What the action itself has made.
    pub new: &'a [Change],
}

impl Names<'_> {
    fn tag(&self, tag: Uuid) -> String {
        let made = self.new.iter().find_map(|change| match change {
            Change::TagCreated(new) if new.id == tag => Some(new.name.as_str()),
            _ => None,
        });
        named(tag, made.or_else(|| self.workspace.tag_name(tag)))
    }

    /// A company goes by its code: its name may be hidden from who reads the line.
    fn company(&self, company: Uuid) -> String {
        let made = self.new.iter().find_map(|change| match change {
            Change::CustomerCreated(new) if new.id == company => Some(new.code),
            _ => None,
        });
        let code =
            made.or_else(|| self.workspace.customers.get(company).map(|company| company.code));
        code.map_or_else(|| company.to_string(), |code| code.to_string())
    }

    fn permit(&self, permit: &Permit) -> Value {
        let directory = self.workspace.request.context.directory;
        let group = permit
            .group()
            .map(|id| named(id, directory.groups.with_id(id).map(|group| group.name.as_str())));
        let users: Vec<String> = permit
            .users()
            .iter()
            .map(|id| named(*id, directory.users.with_id(*id).map(|user| user.email.as_str())))
            .collect();
        json!({"status": permit.status(), "group": group, "users": users})
    }

    fn cus_fields(&self, of: &Customer, fields: &BTreeSet<Uuid>) -> Value {
        let known = self.workspace.request.context.directory.custom_fields.of(of.code.kind.model());
        let name = |id: Uuid| {
            named(id, known.and_then(|known| known.with_id(id)).map(|field| field.name.as_str()))
        };
        fields
            .iter()
            .map(|id| (name(*id), json!(of.cus_fields.get(id))))
            .collect::<Map<_, _>>()
            .into()
    }
}

/// Something by its name, and where it has none any more by its id.
fn named(id: Uuid, name: Option<&str>) -> String {
    name.map_or_else(|| id.to_string(), str::to_owned)
}

/// Field → `{"old": …, "new": …}`, of the fields that differ.
#[must_use]
pub fn field_changes(old: &Customer, new: &Customer, names: &Names<'_>) -> Map<String, Value> {
    let change = |old: Value, new: Value| json!({"old": old, "new": new});
    let mut changes: Map<String, Value> = described(old, names)
        .into_iter()
        .zip(described(new, names))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| (field.to_owned(), change(old, new)))
        .collect();
    let differing: BTreeSet<Uuid> = old
        .cus_fields
        .keys()
        .chain(new.cus_fields.keys())
        .filter(|field| old.cus_fields.get(field) != new.cus_fields.get(field))
        .copied()
        .collect();
    if !differing.is_empty() {
        let (old, new) = (names.cus_fields(old, &differing), names.cus_fields(new, &differing));
        changes.insert("cusFields".to_owned(), change(old, new));
    }
    changes
}

/// The fields that updates change, but for the custom ones.
fn described(customer: &Customer, names: &Names<'_>) -> Vec<(&'static str, Value)> {
    let Customer {
        id: _,
        code,
        contact_id,
        name,
        lastname,
        title,
        passport,
        gender,
        bg_info,
        date_of_birth,
        emails,
        phones,
        addresses,
        websites,
        im,
        cus_fields: _,
        permit,
        company,
        source: _,
        owner: _,
        tags,
        created_at: _,
        updated_at: _,
    } = customer;
    let company_field = match code.kind {
        CustomerKind::Contact | CustomerKind::Account => "companyContact",
        CustomerKind::Lead => "companyLead",
    };
    let tags: Vec<String> = tags.iter().map(|tag| names.tag(*tag)).collect();
    vec![
        ("name", json!(name)),
        ("lastname", json!(lastname)),
        ("title", json!(title)),
        ("passport", json!(passport)),
        ("contactId", json!(contact_id)),
        ("gender", json!(gender)),
        ("bgInfo", json!(bg_info)),
        ("dateOfBirth", json!(date_of_birth)),
        ("emails", json!(emails)),
        ("phones", json!(phones)),
        ("addresses", json!(addresses)),
        ("websites", json!(websites)),
        ("im", json!(im)),
        ("tag", json!(tags)),
        ("permit", names.permit(permit)),
        (company_field, json!(company.map(|company| names.company(company)))),
    ]
}
