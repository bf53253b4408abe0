//! `/api/v1/custom-fields` (`api.md` 4, `listener.md` 6).
//!
//! Records keep values by the field's id, so a field may be renamed and options may be added or
//! removed at any time: values that there are stay as they are. Its model never changes, and its
//! kind only while no record has a value.

use super::resource::{ByName, Change, Entry, Refusal, Resource, Settings, in_use, room, unused};
use crate::access::Actor;
use crate::http::page::{Query, invalid};
use crate::service::validity;
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use crate::store::settings::rows::Rows;
use crate::store::settings::usage::Referred;
use crate::store::settings::vocabulary::{self, NewCustomField};
use crate::store::settings::{custom_fields, listeners};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::values::custom_field::{Kind, Model};
use beeiq_core::values::template::{Markup, MessageTemplate};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// The most fields of a model.
const MOST: i64 = 500;
/// The most options of a field.
const MOST_OPTIONS: usize = 1000;

/// What of a custom field can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomFieldSettings {
    /// Which records have it. It cannot be changed.
    model: Model,
    /// Unique in the model, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What its values are. It can be changed while no record has a value.
    kind: Kind,
    /// What `select`, `radio`, `checkbox` and `inline_checkbox` choose from, and no other kind. A
    /// record keeps the value of an option that is removed.
    #[serde(default, deserialize_with = "validity::all_cleaned")]
    #[validate(custom(function = "distinct_options"))]
    #[schema(max_items = 1000)]
    options: Vec<String>,
}

fn distinct_options(options: &[String]) -> Result<(), ValidationError> {
    if options.len() > MOST_OPTIONS {
        let message = format!("A field has at most {MOST_OPTIONS} options.");
        return Err(validity::broken(Code::TooLong, message));
    }
    let mut seen = HashSet::new();
    for (index, option) in options.iter().enumerate() {
        if let Err(error) = validity::name(option) {
            let message = error.message.unwrap_or_default();
            return Err(validity::broken_entry(Code::InvalidValue, index, message));
        }
        if option.contains('|') {
            let message = "An option has no | in it, which separates several in payloads.";
            return Err(validity::broken_entry(Code::InvalidValue, index, message));
        }
        if !seen.insert(fold(option)) {
            let message = format!("\"{option}\" is there twice; an option is one in any case.");
            return Err(validity::broken_entry(Code::InvalidValue, index, message));
        }
    }
    Ok(())
}

impl Settings for CustomFieldSettings {
    const NAME: &'static str = "CustomField";
    const WHAT: &'static str = "custom field";

    fn key(&self) -> &str {
        &self.name
    }
}

impl CustomFieldSettings {
    /// Whether the kind and the options fit together.
    fn check(&self) -> Result<(), Problem> {
        let kind = self.kind.as_str();
        let (code, message) = match (self.kind.has_options(), self.options.is_empty()) {
            (true, true) => (
                Code::Required,
                format!("A field of the kind {kind} needs options to choose from."),
            ),
            (false, false) => {
                (Code::InvalidValue, format!("A field of the kind {kind} has no options."))
            }
            _ => return Ok(()),
        };
        Err(Problem::fields(vec![Fault::new(code, "/options", message)]))
    }
}

/// A custom field.
pub type CustomField = Entry<CustomFieldSettings>;
/// What changes of one.
pub type CustomFieldChange = Change<CustomFieldSettings>;

/// Which fields a list has.
#[derive(Default)]
struct Filter {
    name: ByName,
    model: Option<Model>,
}

/// The resource.
#[derive(Clone)]
struct CustomFields;

impl Resource for CustomFields {
    type Settings = CustomFieldSettings;
    type Filter = Filter;
    const FILTERS: &'static [&'static str] = &["name", "model"];

    fn path(&self) -> &'static str {
        "custom-fields"
    }

    fn filter(query: &Query) -> Result<Filter, Problem> {
        let model = query.get("model").map(str::parse).transpose();
        let model = model
            .map_err(|_| invalid("model", "is one of contact, account, lead, deal and ticket."))?;
        Ok(Filter { name: ByName::of(query), model })
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &Filter,
    ) -> Result<Vec<CustomField>, Problem> {
        let found = custom_fields::list(conn, org, rows, filter.name.key(), filter.model)?;
        found.into_iter().map(entry).collect()
    }

    fn create(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        id: Uuid,
        settings: &CustomFieldSettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        settings.check()?;
        let CustomFieldSettings { model, name, kind, options } = settings;
        room(custom_fields::count(conn, actor.org, *model)?, MOST, "custom field of a model")?;
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let field = NewCustomField { model: *model, name, kind: *kind, options: &options };
        Ok(vocabulary::create_custom_field(conn, actor.org, id, field, now)?)
    }

    fn change(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &CustomField,
        settings: &CustomFieldSettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        settings.check()?;
        let CustomFieldSettings { model, name, kind, options } = settings;
        let before = &present.settings;
        if *model != before.model {
            let message = "A field stays with its model; make another for the other model.";
            let fault = Fault::new(Code::InvalidValue, "/model", message);
            return Err(Problem::fields(vec![fault]).into());
        }
        if *kind != before.kind {
            unused(conn, actor.org, Referred::CustomField, "kind of field", present.id)?;
        }
        if fold(name) != fold(&before.name) {
            no_template_names(conn, actor.org, present)?;
        }
        let values = (name.as_str(), *kind, options.as_slice());
        Ok(custom_fields::update(conn, actor.org, present.id, values, now)?)
    }

    fn delete(&self, conn: &mut Conn, actor: &Actor, present: &CustomField) -> Result<(), Refusal> {
        unused(conn, actor.org, Referred::CustomField, "custom field", present.id)?;
        no_template_names(conn, actor.org, present)?;
        Ok(custom_fields::delete(conn, actor.org, present.id)?)
    }
}

fn entry(row: custom_fields::CustomField) -> Result<CustomField, Problem> {
    let custom_fields::CustomField { id, model, name, kind, options, created_at } = row;
    let settings = CustomFieldSettings {
        model: model.parse().map_err(|error| StoreError::unreadable(&error))?,
        name,
        kind: kind.parse().map_err(|error| StoreError::unreadable(&error))?,
        options: serde_json::from_value(options).map_err(|error| StoreError::unreadable(&error))?,
    };
    Ok(Entry { id, settings, created_at })
}

/// A template that names the field would send nothing any more without it.
fn no_template_names(conn: &mut Conn, org: Uuid, field: &CustomField) -> Result<(), Problem> {
    let mut names = custom_fields::other_names(conn, org, field.id)?;
    let without = names.clone();
    names.push(field.settings.name.clone());
    for (listener, email, sms) in listeners::messages(conn, org)? {
        let messages = [email, sms].into_iter().flatten();
        let mut texts = messages.flat_map(|message| match message {
            Value::Object(parts) => parts.into_iter().map(|(_, part)| part).collect(),
            _ => Vec::new(),
        });
        let breaks = |text: &str| {
            let compiles =
                |names: &[String]| MessageTemplate::compile(text, Markup::Html, names).is_ok();
            compiles(&names) && !compiles(&without)
        };
        if texts.any(|text| text.as_str().is_some_and(breaks)) {
            let by = format!("the welcome messages of the listener \"{listener}\"");
            return Err(in_use("custom field", &by, "Take it out of them first."));
        }
    }
    Ok(())
}

super::operations::handlers! {
    resource: CustomFields, paths: ("/api/v1/custom-fields", "/api/v1/custom-fields/{id}"),
    tag: "Custom fields", one: "custom field", several: "custom fields",
    named: ("CustomField", "CustomFields"),
    entry: CustomField, settings: CustomFieldSettings, change: CustomFieldChange,
    filters: [
        ("name" = Option<String>, Query, description = "Of this name, in any case"),
        ("model" = Option<Model>, Query, description = "Of this model"),
    ]
}
