//! What the formats of pulled documents are tested with.

use crate::actions::testing::TestOrg;
use crate::batch::{Decision, Rejection};
use crate::diagnostics::Fault;
use crate::formats::{Draft, Format, Headers, Limits, Part, Told};
use crate::records::connection::{OnMatch, SourceSettings};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// A document as it is kept.
pub(crate) fn document(resource: &str, items: &[Value], lookups: &Value) -> Vec<u8> {
    let document = json!({"resource": resource, "items": items, "lookups": lookups});
    document.to_string().into_bytes()
}

/// A body that came with nothing else.
pub(crate) fn told(body: &[u8]) -> Told<'_> {
    static NONE: Headers = Headers::none();
    Told { body, headers: &NONE, at: DateTime::<Utc>::UNIX_EPOCH }
}

/// The data of the first draft of that part.
pub(crate) fn data(drafts: &[Draft], part: Part) -> Value {
    draft(drafts, part).data.fields.clone().into()
}

/// The first draft of that part.
pub(crate) fn draft(drafts: &[Draft], part: Part) -> &Draft {
    let found = drafts.iter().find(|draft| draft.part == part);
    found.unwrap_or_else(|| panic!("there is no {part:?} in {drafts:#?}"))
}

/// Faults or warnings by code and place.
pub(crate) fn places(told: &[Fault]) -> Vec<(&str, &str)> {
    told.iter().map(|it| (it.code.as_str(), it.pointer.as_str())).collect()
}

/// What becomes of a body in an org that has nobody yet.
pub(crate) fn decided(settings: SourceSettings, body: &[u8]) -> Vec<Result<Decision, Rejection>> {
    let format = Format::from(settings.source());
    let org = TestOrg::new().connected(settings, OnMatch::Fill);
    let limits = Limits { actions: 1, depth: 1 };
    let envelope = format.read(told(body), limits, org.context()).expect("it is a document");
    org.decide_items(&envelope.items)
}

/// The faults of every action, by code and place.
pub(crate) fn faults(decided: &[Result<Decision, Rejection>]) -> Vec<(&str, &str)> {
    let faults = decided.iter().filter_map(|it| it.as_ref().err());
    faults.flat_map(|rejection| places(&rejection.faults)).collect()
}
