//! What ids are called at the time, as history lines tell it (`listener.md` 3, 7).

use crate::directory::{Directory, Named};
use crate::records::permit::Permit;
use crate::values::custom_field::Model;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Something by its name, and where it has none any more by its id.
pub fn named(id: Uuid, name: Option<&str>) -> String {
    name.map_or_else(|| id.to_string(), str::to_owned)
}

/// The name of something that the org has set up.
pub fn name_of<T: Named>(id: Uuid, known: Option<&T>) -> String {
    named(id, known.map(Named::name))
}

/// A user by their e-mail.
pub fn user(directory: &Directory, id: Uuid) -> String {
    named(id, directory.users.with_id(id).map(|user| user.email.as_str()))
}

/// A permit in the words of a payload.
pub fn permit(directory: &Directory, permit: &Permit) -> Value {
    let group = permit.group().map(|id| name_of(id, directory.groups.with_id(id)));
    let users: Vec<String> = permit.users().iter().map(|id| user(directory, *id)).collect();
    json!({"status": permit.status(), "group": group, "users": users})
}

/// The custom fields that differ, name → value: as they were, and as they are. `None` where none
/// does.
pub fn differing_cus_fields(
    directory: &Directory,
    model: Model,
    old: &BTreeMap<Uuid, String>,
    new: &BTreeMap<Uuid, String>,
) -> Option<(Value, Value)> {
    let differing: BTreeSet<&Uuid> =
        old.keys().chain(new.keys()).filter(|field| old.get(field) != new.get(field)).collect();
    if differing.is_empty() {
        return None;
    }
    let known = directory.custom_fields.of(model);
    let name = |id: Uuid| name_of(id, known.and_then(|known| known.with_id(id)));
    let told = |values: &BTreeMap<Uuid, String>| -> Value {
        differing.iter().map(|id| (name(**id), json!(values.get(id)))).collect::<Map<_, _>>().into()
    };
    Some((told(old), told(new)))
}
