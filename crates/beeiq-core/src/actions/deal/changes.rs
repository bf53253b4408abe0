//! What the history of a deal tells of a change: each field's old and new value, in the listener's
//! words (`listener.md` 7, "add-deal").

use crate::actions::customer::display_names::{self, differing_cus_fields, name_of};
use crate::batch::Overlay;
use crate::records::deal::Deal;
use crate::values::custom_field::Model;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Where the names and codes of ids come from.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// What the batch knows.
    pub overlay: &'a Overlay<'a>,
    /// What the action itself has made.
    pub fork: &'a Overlay<'a>,
}

impl Names<'_> {
    /// A customer goes by the code: the name may be hidden from who reads the line.
    fn customer(&self, id: Uuid) -> String {
        let known = self.fork.customers.get(id).or_else(|| self.overlay.customers.get(id));
        known.map_or_else(|| id.to_string(), |customer| customer.code.to_string())
    }
}

/// Field → `{"old": …, "new": …}`, of the fields that differ.
pub fn field_changes(old: &Deal, new: &Deal, names: Names<'_>) -> Map<String, Value> {
    let change = |old: Value, new: Value| json!({"old": old, "new": new});
    let mut changes: Map<String, Value> = described(old, names)
        .into_iter()
        .zip(described(new, names))
        .filter(|((_, old), (_, new))| old != new)
        .map(|((field, old), (_, new))| (field.to_owned(), change(old, new)))
        .collect();
    let directory = names.overlay.request.context.directory;
    if let Some((old, new)) =
        differing_cus_fields(directory, Model::Deal, &old.cus_fields, &new.cus_fields)
    {
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
    let directory = names.overlay.request.context.directory;
    let category = category.map(|id| name_of(id, directory.deal_categories.with_id(id)));
    let package = package.map(|id| name_of(id, directory.deal_packages.with_id(id)));
    let users: Vec<String> =
        owners.users.iter().map(|id| display_names::user(directory, *id)).collect();
    let groups: Vec<String> =
        owners.groups.iter().map(|id| name_of(*id, directory.groups.with_id(*id))).collect();
    let contacts: Vec<String> = contacts.iter().map(|id| names.customer(*id)).collect();
    vec![
        ("name", json!(own_name)),
        ("value", json!(value.map(|value| value.normalize().to_string()))),
        ("currency", json!(currency)),
        ("description", json!(description)),
        ("stage", json!(name_of(*stage, directory.deal_stages.with_id(*stage)))),
        ("category", json!(category)),
        ("package", json!(package)),
        ("closeDate", json!(close_date)),
        ("owner_opportunity", json!({"users": users, "groups": groups})),
        ("permit", display_names::permit(directory, permit)),
        ("dealWith", json!(deal_with.map(|id| names.customer(id)))),
        ("contacts", json!(contacts)),
    ]
}
