//! What add-contact and add-lead have in common: a new record, or a line in the history of the one
//! that is there already (`listener.md` 3).

use super::customer_data::CustomerData;
use crate::batch::{
    Change, Decision, Ids, KnownCustomer, Outcome, Overlay, RecordRef, Rejection, Related, Role,
    Status, Subject,
};
use crate::diagnostics::Diagnostics;
use crate::records::history::{DuplicateSkipped, Event, Matched};
use crate::records::identity::{Identity, IdentityKind};

/// Decides whether the customer is new, and makes it, or skips it as a duplicate.
pub fn decide_new_or_duplicate(
    data: &CustomerData,
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
    mut diagnostics: Diagnostics,
) -> Result<Decision, Rejection> {
    let company = data.search_company(overlay, &mut diagnostics);
    if !diagnostics.faults.is_empty() {
        return Err(diagnostics.into());
    }
    let matches = data.matches(overlay);
    if let Some((first, existing)) = matches.first() {
        return Ok(skip_duplicate(first.kind, existing, &matches, diagnostics, ids));
    }
    let made = data.create(company, overlay, ids, &mut diagnostics);
    let record = RecordRef::of_customer(made.customer.id, made.customer.code);
    let (changes, related) = made.into_changes();
    let outcome = Outcome {
        status: Status::Created,
        record: Some(record),
        matched_by: None,
        related,
        warnings: diagnostics.warnings,
    };
    Ok(Decision { outcome, changes })
}

/// Nothing is added or changed; the existing record gets one line that says what matched.
fn skip_duplicate(
    matched_by: IdentityKind,
    existing: &KnownCustomer,
    matches: &[(Identity, &KnownCustomer)],
    diagnostics: Diagnostics,
    ids: &mut dyn Ids,
) -> Decision {
    let matched = matches
        .iter()
        .filter(|(_, holder)| holder.id == existing.id)
        .map(|(identity, _)| Matched { field: identity.kind, value: identity.value.clone() })
        .collect();
    let event = Event::DuplicateSkipped(DuplicateSkipped { matched });
    let mut related: Vec<Related> = Vec::new();
    for (_, holder) in matches.iter().filter(|(_, holder)| holder.id != existing.id) {
        let candidate = Related { role: Role::Candidate, record: holder.record() };
        if !related.contains(&candidate) {
            related.push(candidate);
        }
    }
    let line = Change::history(ids.id(), Subject::Customer(existing.id), event);
    let outcome = Outcome {
        status: Status::Duplicate,
        record: Some(existing.record()),
        matched_by: Some(matched_by),
        related,
        warnings: diagnostics.warnings,
    };
    Decision { outcome, changes: vec![line] }
}
