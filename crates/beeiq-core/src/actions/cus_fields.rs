//! Reading `cusFields` (`listener.md` 6).

use crate::batch::context::Context;
use crate::diagnostics::{Code, Pointer};
use crate::json::{Fields, Given, Longest};
use crate::values::custom_field::Model;
use crate::values::text::clean;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a payload says of custom fields: field id → its value, or that it is to be cleared.
pub type CusFields = BTreeMap<Uuid, Given<String>>;

/// An entry as it was sent: its name is looked up when the kind of record is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// Where the entry is.
    pub at: Pointer,
    /// The custom field's name.
    pub name: String,
    /// Its value.
    pub value: Given<String>,
}

/// The entries `{name, value}`.
pub fn read_cus_fields(fields: &mut Fields<'_, '_>) -> Given<Vec<NamedValue>> {
    let form = "[{\"name\": \"…\", \"value\": \"…\"}]";
    fields.list("cusFields", form).and_then(|entries| {
        let mut values = Vec::new();
        for (at, value) in entries {
            let Some(mut entry) = fields.entry(at.clone(), value, &["name", "value"]) else {
                continue;
            };
            let name = entry.text("name", Longest::LINE).set();
            entry.require("name", name.is_some());
            let value = match entry.value("value") {
                Given::Set(Value::Bool(flag)) => Given::Set(flag.to_string()),
                Given::Set(Value::Array(options)) => joined(options),
                _ => entry.text("value", Longest::TEXT),
            };
            if let Some(name) = name {
                values.push(NamedValue { at, name, value });
            }
        }
        (!values.is_empty()).then_some(values)
    })
}

/// The options of a checkbox, sent as an array, in the form that the documents give them: `a|b`.
fn joined(options: &[Value]) -> Given<String> {
    let texts: Vec<String> =
        options.iter().filter_map(Value::as_str).map(clean).filter(|t| !t.is_empty()).collect();
    if texts.is_empty() { Given::Absent } else { Given::Set(texts.join("|")) }
}

/// Looks the names up among the custom fields of `model` and checks the values. A field named twice
/// takes the last value.
pub fn resolve_cus_fields(
    values: &[NamedValue],
    model: Model,
    context: Context<'_>,
    diagnostics: &mut crate::diagnostics::Diagnostics,
) -> CusFields {
    let mut resolved = CusFields::new();
    for NamedValue { at, name, value } in values {
        let Some(field) = context.directory.custom_fields.named(model, name) else {
            let names = context.directory.custom_fields.of(model);
            context.references().unknown(
                diagnostics,
                Code::UnknownCustomField,
                &at.member("name"),
                &format!("custom field of a {}", model.as_str()),
                name,
                names.into_iter().flat_map(|names| names.iter().map(|field| field.name.as_str())),
            );
            continue;
        };
        let value = match value {
            Given::Absent => continue,
            Given::Clear => Given::Clear,
            Given::Set(text) => match field.kind.check(text, &field.options) {
                Ok(value) => Given::Set(value),
                Err(error) => {
                    let at = at.member("value");
                    let message = format!("\"{}\": {error}", field.name);
                    diagnostics.fault(Code::InvalidCustomValue, &at, message);
                    continue;
                }
            },
        };
        resolved.insert(field.id, value);
    }
    resolved
}
