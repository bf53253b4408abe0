//! What a schema says of the names that payloads may have.

use super::parts::{cus_fields, line, name_of};
use crate::batch::Context;
use crate::directory::{Directory, Entry, Named, Names};
use crate::values::custom_field::{Kind, Model};
use serde_json::Value;

/// The names that an org has, or that are not known.
#[derive(Clone, Copy)]
pub(super) struct Org<'a>(pub(super) Option<Context<'a>>);

impl<'a> Org<'a> {
    /// One of the org's names; any, where they are not known or others are dropped with a warning.
    pub(super) fn one_of<T: Named + 'a>(
        self,
        names: impl FnOnce(&'a Directory) -> &'a Names<T>,
    ) -> Value {
        match self.0 {
            Some(context) => {
                let names: Vec<&str> = names(context.directory).all_names().collect();
                name_of(&names, context.references().skip)
            }
            None => line(),
        }
    }

    pub(super) fn entry(self, names: impl FnOnce(&'a Directory) -> &'a Names<Entry>) -> Value {
        self.one_of(names)
    }

    pub(super) fn channel_or_source(self) -> Value {
        match self.0 {
            Some(context) => {
                let Directory { channels, sources, .. } = context.directory;
                let names: Vec<&str> = channels.all_names().chain(sources.all_names()).collect();
                name_of(&names, context.references().skip)
            }
            None => line(),
        }
    }

    pub(super) fn currency(self) -> Value {
        match self.0 {
            Some(context) => {
                let codes: Vec<&str> =
                    context.directory.currencies.iter().map(String::as_str).collect();
                // An unknown one is refused, whatever the listener skips.
                name_of(&codes, false)
            }
            None => line(),
        }
    }

    /// The custom fields of records of any of these models.
    pub(super) fn cus_fields(self, models: &[Model]) -> Value {
        let Some(context) = self.0 else { return cus_fields(None, false) };
        let fields: Vec<(&str, Kind, &[String])> = models
            .iter()
            .filter_map(|model| context.directory.custom_fields.of(*model))
            .flat_map(Names::iter)
            .map(|field| (field.name.as_str(), field.kind, field.options.as_slice()))
            .collect();
        cus_fields(Some(&fields), context.references().skip)
    }
}
