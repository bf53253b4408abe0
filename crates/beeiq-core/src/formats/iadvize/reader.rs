//! What it takes to read an item of iAdvize: what was looked up, by the ids that items name.

use crate::formats::pulled::{Document, Object};
use crate::records::activity::ActivityKey;
use crate::records::connection::{IadvizeSettings, Source};
use crate::values::phone::Region;

pub(super) const SOURCE: Source = Source::Iadvize;

/// The document, and how it is meant.
pub(super) struct Reader<'a> {
    pub(super) document: &'a Document,
    pub(super) settings: &'a IadvizeSettings,
    pub(super) region: Region,
}

impl<'a> Reader<'a> {
    /// What was looked up of that kind by the id in that field of an item.
    pub(super) fn looked_up(
        &self,
        item: &Object<'_>,
        field: &str,
        kind: &str,
    ) -> Option<Object<'a>> {
        self.document.looked_up(kind, &item.id(field)?)
    }
}

/// By what an activity of iAdvize is known.
pub(super) fn activity_key(kind: &str, id: &str) -> ActivityKey {
    ActivityKey { source: SOURCE.to_string(), external_id: format!("{kind}:{id}") }
}

/// By what the conversation is known that an item is about.
pub(super) fn conversation_of(item: &Object<'_>) -> Option<ActivityKey> {
    Some(activity_key("conversation", &item.id("conversation_id")?))
}
