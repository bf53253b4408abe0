//! Conversations of iAdvize (`connections.md` 3).

use super::reader::{Reader, SOURCE, activity_key};
use super::times::{self, Needed};
use super::transcript::Transcript;
use super::visitor::of_visitor;
use crate::diagnostics::Code;
use crate::formats::draft::{Draft, Part};
use crate::formats::pulled::{Object, PulledItem, line, put_line, text_of};
use crate::records::activity::ActivityKind;
use serde_json::Value;

/// The visitor with the tags of the conversation, and the conversation itself.
pub(super) fn drafts(reader: &Reader<'_>, item: &PulledItem<'_>) -> Vec<Draft> {
    let told = &item.told;
    let Some(id) = told.text("id") else {
        return vec![item.failed(
            Part::Activity,
            Code::Required,
            "id",
            "A conversation has an `id`.",
        )];
    };
    let Some(uid) = told.id("visitor_uid") else {
        let message = "The conversation names no visitor.";
        return vec![item.failed(Part::Activity, Code::NoCustomer, "visitor_uid", message)];
    };
    let mut contact = of_visitor(reader, item, &uid);
    put_tags(&mut contact, reader, told);
    let mut activity = item.draft(Part::Activity);
    activity.heard.whose.clone_from(&contact.heard.whose);
    activity.heard.activities = vec![activity_key("conversation", &id)];
    put_conversation(&mut activity, reader, told, &id);
    contact.heard.as_of = activity.heard.as_of;
    contact.heard.activities.clone_from(&activity.heard.activities);
    vec![contact, activity]
}

fn put_conversation(activity: &mut Draft, reader: &Reader<'_>, told: &Object<'_>, id: &str) {
    let data = &mut activity.data;
    data.put("kind", kind(told).as_str(), &told.place("channel"));
    data.put("source", SOURCE.as_str(), &told.at);
    data.put("externalId", activity_key("conversation", id).external_id, &told.place("id"));
    let outcome = if told.says("operator_answer") { "answered" } else { "missed" };
    data.put("outcome", outcome, &told.place("operator_answer"));
    let zone = times::zone(reader, told);
    let start = times::put(activity, "startedAt", (told, "created_at"), zone, Needed::Yes);
    let mut end = times::put(activity, "endedAt", (told, "closed_at"), zone, Needed::No);
    if end.zip(start).is_some_and(|(end, start)| end < start) {
        activity.data.fields.remove("endedAt");
        let message = "`closed_at` was left out: it is before `created_at`.";
        activity.diagnostics.warn(Code::OutOfRange, told.place("closed_at"), message);
        end = None;
    }
    if let Some(operator) = reader.looked_up(told, "operator_id", "operator")
        && let Some(who) = operator.text("email").or_else(|| operator.text("name"))
    {
        put_line(activity, "operator", &who, &told.place("operator_id"));
    }
    let skill = reader.looked_up(told, "skill_id", "skill");
    if let Some(name) = skill.and_then(|skill| skill.text("name")) {
        put_line(activity, "subject", &name, &told.place("skill_id"));
    }
    let transcript = told.value("history").map(|history| Transcript::read(history, zone));
    if let Some(transcript) = &transcript {
        transcript.put(activity, &told.place("history"));
    }
    let last = transcript.and_then(|transcript| transcript.last);
    activity.heard.as_of = [start, end, last].into_iter().flatten().max();
}

fn kind(told: &Object<'_>) -> ActivityKind {
    match told.text("channel").unwrap_or_default().to_ascii_lowercase().as_str() {
        "chat" => ActivityKind::Chat,
        "call" => ActivityKind::Call,
        "video" => ActivityKind::Video,
        _ => ActivityKind::Other,
    }
}

/// The names of the tags of a conversation are the contact's tags.
fn put_tags(contact: &mut Draft, reader: &Reader<'_>, told: &Object<'_>) {
    let at = told.place("tag_list");
    let ids: Vec<String> = match told.value("tag_list") {
        Some(Value::Array(ids)) => ids.iter().filter_map(text_of).collect(),
        Some(other) => {
            let text = text_of(other).unwrap_or_default();
            text.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
        }
        None => Vec::new(),
    };
    let mut names = Vec::new();
    for id in ids {
        let tag = reader.document.looked_up("tag", &id).and_then(|tag| tag.text("name"));
        if let Some(name) = tag {
            // Tags are listed with commas between them, so that none can stand in one.
            let name = name.split(',').map(str::trim).collect::<Vec<_>>().join(" ");
            names.push(line(name.trim(), &at, &mut contact.diagnostics));
        } else {
            let shown: String = id.chars().take(64).collect();
            let message =
                format!("The tag {shown} was left out: iAdvize does not list it any more.");
            contact.diagnostics.warn(Code::IgnoredField, &at, message);
        }
    }
    if !names.is_empty() {
        contact.data.put("tag", names.join(", "), &at);
    }
}
