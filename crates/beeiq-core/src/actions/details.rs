//! `details`: an object of the sender's own members, bounded (`listener.md` 7, "add-activity").

use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::Fields;
use serde_json::{Map, Value};

/// The most bytes that they take as JSON.
const LARGEST: usize = 16 * 1024;

/// The deepest nesting; the object itself is the first level.
const DEEPEST: usize = 8;

/// Reads the field `name`; a member that is `null` is to be taken away.
pub fn read_details(fields: &mut Fields<'_, '_>, name: &str) -> Map<String, Value> {
    let at = fields.place(name);
    let Some(Value::Object(details)) = fields.raw(name) else {
        if fields.has(name) {
            let message =
                format!("`{name}` has to be an object, such as {{\"queue\": \"sales\"}}.");
            fields.fault(name, Code::WrongType, message);
        }
        return Map::new();
    };
    for (member, value) in details {
        let at = at.member(member);
        if member.contains('\0') {
            nul_character(&at, fields.diagnostics);
        }
        check(value, &at, 2, fields.diagnostics);
    }
    check_size(details, &at, fields.diagnostics);
    details.clone()
}

/// `given` written over `known`, member by member; the fault that all of it is too much stands `at`.
pub fn merge_details(
    known: &Map<String, Value>,
    given: &Map<String, Value>,
    at: &Pointer,
    diagnostics: &mut Diagnostics,
) -> Map<String, Value> {
    let mut merged = known.clone();
    for (member, value) in given {
        if value.is_null() {
            merged.remove(member);
        } else {
            merged.insert(member.clone(), value.clone());
        }
    }
    if !known.is_empty() {
        check_size(&merged, at, diagnostics);
    }
    merged
}

fn check(value: &Value, at: &Pointer, level: usize, diagnostics: &mut Diagnostics) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) if text.contains('\0') => nul_character(at, diagnostics),
        Value::String(_) => {}
        Value::Array(_) | Value::Object(_) if level > DEEPEST => {
            let message = format!("`details` are nested more than {DEEPEST} levels deep here.");
            diagnostics.fault(Code::OutOfRange, at, message);
        }
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                check(entry, &at.index(index), level + 1, diagnostics);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let at = at.member(name);
                if name.contains('\0') {
                    nul_character(&at, diagnostics);
                }
                check(member, &at, level + 1, diagnostics);
            }
        }
    }
}

fn nul_character(at: &Pointer, diagnostics: &mut Diagnostics) {
    diagnostics.fault(Code::NulCharacter, at, "Here is the character U+0000; remove it.");
}

fn check_size(details: &Map<String, Value>, at: &Pointer, diagnostics: &mut Diagnostics) {
    let bytes = serde_json::to_vec(details).map_or(usize::MAX, |json| json.len());
    if bytes > LARGEST {
        let kib = LARGEST / 1024;
        let message = format!("`details` take {bytes} bytes as JSON; they hold {kib} KiB.");
        diagnostics.fault(Code::TooLong, at, message);
    }
}
