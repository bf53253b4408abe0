//! What was said in a conversation of iAdvize: a line an entry (`connections.md` 3, "conversation").

use crate::diagnostics::{Code, Pointer};
use crate::formats::draft::Draft;
use crate::formats::pulled::text_of;
use crate::json;
use crate::values::date::{DateInput, instant};
use crate::values::text::clean;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

/// The most bytes that the body of an activity holds.
const LARGEST: usize = 64 * 1024;

/// Room for the line that says that the rest was left out.
const CLOSING: usize = 128;

/// Deeper than the entries of a history.
const DEEPEST: usize = 8;

/// A history: its lines, and when the last of it was, where that is told.
pub(super) struct Transcript {
    lines: Vec<String>,
    pub(super) last: Option<DateTime<Utc>>,
}

impl Transcript {
    /// Reads a history: an array of entries, a text that holds one, or plain text. Times without a
    /// zone are in `zone`, and all are shown in it.
    pub(super) fn read(history: &Value, zone: Tz) -> Self {
        let text = match history {
            Value::Array(entries) => return Self::of_entries(entries, zone),
            other => text_of(other).unwrap_or_default(),
        };
        if let Some(entries) = entries_in(&text) {
            return Self::of_entries(&entries, zone);
        }
        Self { lines: text.lines().map(str::to_owned).collect(), last: None }
    }

    fn of_entries(entries: &[Value], zone: Tz) -> Self {
        let entries: Vec<Entry> = entries.iter().map(|entry| Entry::read(entry, zone)).collect();
        Self {
            last: entries.iter().filter_map(|entry| entry.at).max(),
            lines: entries.into_iter().filter_map(Entry::line).collect(),
        }
    }

    /// Puts as much of it as fits into the body of an activity.
    pub(super) fn put(&self, draft: &mut Draft, from: &Pointer) {
        let (body, left_out) = self.fitted();
        if left_out > 0 {
            let kib = LARGEST / 1024;
            let message = format!(
                "The transcript is longer than the {kib} KiB that are kept. Lines left out or cut: \
                 {left_out}."
            );
            draft.diagnostics.warn(Code::TooLong, from, message);
        }
        if !body.is_empty() {
            draft.data.put("body", body, from);
        }
    }

    /// The lines that fit, and how many do not.
    fn fitted(&self) -> (String, usize) {
        let whole = clean(&self.lines.join("\n"));
        if whole.len() <= LARGEST {
            return (whole, 0);
        }
        let most = LARGEST - CLOSING;
        let mut body = String::with_capacity(LARGEST);
        let mut lines = whole.lines();
        let mut left_out = 0;
        for line in lines.by_ref() {
            if body.len() + line.len() < most {
                body.extend([line, "\n"]);
            } else {
                // A line that would not fit alone is cut itself, so that something of it is kept.
                if body.is_empty() {
                    body.extend([
                        line.get(..line.floor_char_boundary(most)).unwrap_or_default(),
                        "…\n",
                    ]);
                }
                left_out = 1;
                break;
            }
        }
        left_out += lines.count();
        body.push_str(&format!(
            "[The transcript is longer than what is kept. Lines left out or cut: {left_out}]"
        ));
        (body, left_out)
    }
}

/// One entry of a history: `[kind, time, text, epoch milliseconds]`.
struct Entry {
    who: &'static str,
    at: Option<DateTime<Utc>>,
    /// When it was, as it is shown.
    time: Option<String>,
    text: Option<String>,
}

impl Entry {
    fn read(entry: &Value, zone: Tz) -> Self {
        let Value::Array(parts) = entry else {
            return Self { who: "Other", at: None, time: None, text: shown(entry) };
        };
        let part = |index: usize| parts.get(index).and_then(text_of);
        let written = part(1);
        let precise = part(3).and_then(|text| text.parse().ok());
        let precise = precise.and_then(|millis| instant(DateInput::Millis(millis), zone).ok());
        let at = precise.or_else(|| instant(DateInput::Text(written.as_deref()?), zone).ok());
        let local = at.map(|at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string());
        Self {
            who: who(part(0).as_deref()),
            at,
            time: local.or(written),
            text: parts.get(2).and_then(shown),
        }
    }

    fn line(self) -> Option<String> {
        let (who, text) = (self.who, self.text?);
        // A line an entry, whatever stands in it.
        let text = text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty());
        let text = text.collect::<Vec<_>>().join(" ");
        Some(match self.time {
            Some(time) => format!("[{time}] {who}: {text}"),
            None => format!("{who}: {text}"),
        })
    }
}

/// Who speaks in an entry of that kind.
fn who(kind: Option<&str>) -> &'static str {
    match kind {
        Some("1") => "Operator",
        Some("2") => "Visitor",
        Some("3") => "System",
        Some("5") => "Link",
        Some("6" | "7") => "Content",
        Some(_) | None => "Other",
    }
}

/// What stands in an entry: a text, or something richer as it is.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Array(_) | Value::Object(_) => Some(value.to_string().replace("\\u0000", "")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text_of(value),
    }
}

/// The entries that a text holds: an array of them, also as the documents show it, in braces.
fn entries_in(text: &str) -> Option<Vec<Value>> {
    if !text.starts_with(['[', '{']) {
        return None;
    }
    let listed = |text: &str| match json::parse(text.as_bytes(), DEEPEST) {
        Ok(Value::Array(entries)) if entries.iter().all(Value::is_array) => Some(entries),
        Ok(_) | Err(_) => None,
    };
    listed(text).or_else(|| {
        let inner = text.strip_prefix('{')?.trim_end_matches('`').trim_end().strip_suffix('}')?;
        listed(&format!("[{inner}]"))
    })
}

#[cfg(test)]
mod tests;
