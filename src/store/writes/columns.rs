//! Rows turned into columns, which `unnest` turns into rows again: one statement for any number.

use serde::Serialize;
use uuid::Uuid;

/// A column: the same part of each row.
pub(super) fn each<'a, R, T>(rows: &'a [R], part: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(part).collect()
}

/// A part that is kept as JSON.
pub(super) fn json(part: &impl Serialize) -> String {
    // Texts, enums without data and maps keyed by text cannot fail to be JSON.
    serde_json::to_string(part).unwrap_or_default()
}

/// A row of `unnest` holds no array, so this one travels as text.
pub(super) fn uuid_array(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    format!("{{{}}}", ids.join(","))
}
