//! What visitors thought of conversations, in iAdvize (`connections.md` 3).

use super::reader::{Reader, SOURCE, conversation_of};
use crate::diagnostics::Code;
use crate::formats::draft::{Draft, Part};
use crate::formats::pulled::{PulledItem, fit_json, put_details};
use serde_json::{Map, Value};

/// The most bytes that a comment takes as JSON: beside the rest of the details.
const LARGEST_COMMENT: usize = 8 * 1024;

/// The conversation gets what was thought of it. When that was says nothing of how new the rest of
/// the conversation is.
pub(super) fn drafts(_: &Reader<'_>, item: &PulledItem<'_>) -> Vec<Draft> {
    let told = &item.told;
    let Some(conversation) = conversation_of(told) else {
        let message = "The satisfaction names no conversation.";
        return vec![item.failed(Part::Activity, Code::Required, "conversation_id", message)];
    };
    let mut activity = item.draft(Part::Activity);
    activity.data.put("source", SOURCE.as_str(), &told.at);
    let external_id = conversation.external_id.clone();
    activity.data.put("externalId", external_id, &told.place("conversation_id"));
    activity.heard.activities = vec![conversation];
    let mut satisfaction = Map::new();
    for (name, from) in [
        ("welcome", &["note_welcome"][..]),
        ("resolution", &["note_resolution"]),
        // As the service spells it, and as it may one day.
        ("delay", &["node_delay", "note_delay"]),
    ] {
        let note =
            from.iter().find_map(|from| told.value(from).filter(|_| told.text(from).is_some()));
        if let Some(note) = note {
            satisfaction.insert(name.to_owned(), note.clone());
        }
    }
    if let Some(comment) = told.text("comment") {
        let at = told.place("comment");
        let comment = fit_json(&comment, LARGEST_COMMENT, &at, &mut activity.diagnostics);
        satisfaction.insert("comment".to_owned(), comment.into());
    }
    if !satisfaction.is_empty() {
        put_details(&mut activity, [("satisfaction", Value::Object(satisfaction))], &told.at);
    }
    vec![activity]
}
