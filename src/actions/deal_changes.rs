//! What the history of a deal tells of a change: each field's old and new value, in the listener's
//! words (`listener.md` 7, "add-deal").

use super::workspace::Workspace;
use crate::directory::Named;
use crate::domain::custom_field::Model;
use crate::domain::deal::Deal;
use crate::domain::permit::Permit;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Where the names and codes of ids come from.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// What the batch knows.
    pub workspace: &'a Workspace<'a>,
    /// What the action itself has made.
    pub scratch: &'a Workspace<'a>,
}

impl Names<'_> {
    /// A customer goes by the code: the name may be hidden from who reads the line.
    fn customer(&self, id: Uuid) -> String {
        let known = self.scratch.customers.get(id).or_else(|| self.workspace.customers.get(id));
        known.map_or_else(|| id.to_string(), |customer| customer.code.to_string())
    }

    fn user(&self, id: Uuid) -> String {
        let user = self.workspace.request.context.directory.users.with_id(id);
        user.map_or_else(|| id.to_string(), |user| user.email.clone())
    }

    fn group(&self, id: Uuid) -> String {
        name(id, self.workspace.request.context.directory.groups.with_id(id))
    }

    fn permit(&self, permit: &Permit) -> Value {
        let users: Vec<String> = permit.users().iter().map(|id| self.user(*id)).collect();
        let group = permit.group().map(|id| self.group(id));
        json!({"status": permit.status(), "group": group, "users": users})
    }

    fn cus_fields(&self, of: &Deal, fields: &BTreeSet<Uuid>) -> Value {
        let known = self.workspace.request.context.directory.custom_fields.of(Model::Deal);
        let name = |id: Uuid| name(id, known.and_then(|known| known.with_id(id)));
        let values = fields.iter().map(|id| (name(*id), json!(of.cus_fields.get(id))));
        values.collect::<Map<_, _>>().into()
    }
}

/// Something by its name, and where it has none any more by its id.
fn name<T: Named>(id: Uuid, named: Option<&T>) -> String {
    named.map_or_else(|| id.to_string(), |named| named.name().to_owned())
}

/// Field → `{"old": …, "new": …}`, of the fields that differ.
#[must_use]
pub fn field_changes(old: &Deal, new: &Deal, names: Names<'_>) -> Map<String, Value> {
    let change = |old: Value, new: Value| json!({"old": old, "new": new});
    let mut changes: Map<String, Value> = described(old, names)
        .into_iter()
        .zip(described(new, names))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| (field.to_owned(), change(old, new)))
        .collect();
    let fields = old.cus_fields.keys().chain(new.cus_fields.keys());
    let differing: BTreeSet<Uuid> =
        fields.filter(|id| old.cus_fields.get(id) != new.cus_fields.get(id)).copied().collect();
    if !differing.is_empty() {
        let (old, new) = (names.cus_fields(old, &differing), names.cus_fields(new, &differing));
        changes.insert("cusFields".to_owned(), change(old, new));
    }
    changes
}

/// All fields but the custom ones.
fn described(deal: &Deal, names: Names<'_>) -> Vec<(&'static str, Value)> {
    let Deal {
        id: _,
        deal_id: _,
        name: own_name,
        value,
        currency,
        description,
        stage,
        category,
        package,
        close_date,
        owners,
        cus_fields: _,
        permit,
        deal_with,
        contacts,
        created_at: _,
        updated_at: _,
    } = deal;
    let directory = names.workspace.request.context.directory;
    let category = category.map(|id| name(id, directory.deal_categories.with_id(id)));
    let package = package.map(|id| name(id, directory.deal_packages.with_id(id)));
    let users: Vec<String> = owners.users.iter().map(|id| names.user(*id)).collect();
    let groups: Vec<String> = owners.groups.iter().map(|id| names.group(*id)).collect();
    let contacts: Vec<String> = contacts.iter().map(|id| names.customer(*id)).collect();
    vec![
        ("name", json!(own_name)),
        ("value", json!(value.map(|value| value.normalize().to_string()))),
        ("currency", json!(currency)),
        ("description", json!(description)),
        ("stage", json!(name(*stage, directory.deal_stages.with_id(*stage)))),
        ("category", json!(category)),
        ("package", json!(package)),
        ("closeDate", json!(close_date)),
        ("owner_opportunity", json!({"users": users, "groups": groups})),
        ("permit", names.permit(permit)),
        ("dealWith", json!(deal_with.map(|id| names.customer(id)))),
        ("contacts", json!(contacts)),
    ]
}
