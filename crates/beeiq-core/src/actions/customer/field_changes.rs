//! What a history line of an update tells: each changed field's old and new value, in the
//! listener's words (`listener.md` 3).

use super::changes::Changes;
use super::display_names::{self, differing_cus_fields, named};
use super::person::tell_changes;
use crate::batch::{Change, Overlay};
use crate::records::customer::{Customer, CustomerKind};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The names that ids have at the time.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// What the batch knows.
    pub overlay: &'a Overlay<'a>,
    /// What the action itself has made.
    pub new: &'a [Change],
}

impl Names<'_> {
    fn tag(&self, tag: Uuid) -> String {
        let made = self.new.iter().find_map(|change| {
            let Change::TagCreated(new) = change else { return None };
            (new.id == tag).then_some(new.name.as_str())
        });
        named(tag, made.or_else(|| self.overlay.tag_name(tag)))
    }

    /// A company goes by its code: its name may be hidden from who reads the line.
    fn company(&self, company: Uuid) -> String {
        let made = self.new.iter().find_map(|change| {
            let Change::CustomerCreated(new) = change else { return None };
            (new.id == company).then_some(new.code)
        });
        let code = made.or_else(|| self.overlay.customers.get(company).map(|company| company.code));
        code.map_or_else(|| company.to_string(), |code| code.to_string())
    }
}

/// Field → `{"old": …, "new": …}`, of the fields that differ. Of a list with more than
/// a hundred entries only those that differ are told.
pub fn field_changes(old: &Customer, new: &Customer, names: &Names<'_>) -> Map<String, Value> {
    let company_field = match new.code.kind {
        CustomerKind::Contact | CustomerKind::Account => "companyContact",
        CustomerKind::Lead => "companyLead",
    };
    let directory = names.overlay.request.context.directory;
    let mut changes = Changes(Map::new());
    tell_changes(&mut changes, old, new);
    changes.list("tag", &old.tags, &new.tags, |tag| json!(names.tag(*tag)));
    changes.field("permit", &old.permit, &new.permit, |it| display_names::permit(directory, it));
    changes.field(company_field, &old.company, &new.company, |company| {
        json!(company.map(|company| names.company(company)))
    });
    if let Some((old, new)) =
        differing_cus_fields(directory, new.code.kind.model(), &old.cus_fields, &new.cus_fields)
    {
        changes.tell("cusFields", &old, &new);
    }
    changes.0
}
