//! A contact as a source tells of them: found by the id that the source has for them, else by what
//! identifies them, and then filled in, changed or left (`connections.md` 1, `onMatch`).

use super::customer_data::CustomerData;
use super::customer_update::CustomerUpdate;
use crate::actions::of_source::OfSource;
use crate::batch::{
    Change, Claim, Decision, Ids, Keys, KnownCustomer, Outcome, Overlay, RecordRef, Rejection,
    Status, company_name_identity,
};
use crate::diagnostics::{Code, Diagnostics};
use crate::json::Given;
use crate::records::connection::OnMatch;
use crate::values::text::fold;
use uuid::Uuid;

/// What has to be known before it can be decided.
pub fn collect_keys(data: &CustomerData, of_source: &OfSource, keys: &mut Keys) {
    of_source.collect_keys(keys);
    let (own, external) = (data.identities(), of_source.external_ids().cloned());
    keys.for_update.identities.extend(own.into_iter().chain(external));
    // Whom an update means may be an account, which holds its name.
    if of_source.on_match == OnMatch::Update
        && let Some(name) = data.person.name.as_set()
    {
        keys.identities.insert(company_name_identity(&fold(name)));
    }
}

/// Makes them, or does with who is there what the connection says.
pub fn decide_heard(
    data: &CustomerData,
    of_source: &OfSource,
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
    mut diagnostics: Diagnostics,
) -> Result<Decision, Rejection> {
    if let Some(erased) = of_source.erased(&data.at, overlay, &diagnostics) {
        return Ok(erased);
    }
    let by_identifiers = || data.matches(overlay).first().map(|(_, holder)| *holder);
    let mut decision = match of_source.find(overlay).or_else(by_identifiers) {
        Some(known) => match_known(data, of_source, known, overlay, ids, diagnostics),
        None => {
            if data.person.name.as_set().is_none() && of_source.placeholder.is_none() {
                let message = "A new contact needs a `name`, and the source tells none.";
                diagnostics.fault(Code::Required, &data.at, message);
                return Err(diagnostics.into());
            }
            create(data, of_source, overlay, ids, diagnostics)
        }
    };
    if let Some(customer) = decision.outcome.record.as_ref().map(|record| record.id) {
        decision.changes.extend(claims(of_source, customer, overlay));
    }
    Ok(decision)
}

/// The source's own ids, where nobody has them.
fn claims(of_source: &OfSource, customer: Uuid, overlay: &Overlay<'_>) -> Vec<Change> {
    let free = of_source.external_ids().filter(|id| overlay.customers.holder(id).is_none());
    free.map(|id| {
        Change::IdentityClaimed(Claim { identity: id.clone(), customer, exclusive: true })
    })
    .collect()
}

fn match_known(
    data: &CustomerData,
    of_source: &OfSource,
    known: &KnownCustomer,
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
    diagnostics: Diagnostics,
) -> Decision {
    let only_gaps = match of_source.on_match {
        OnMatch::Fill => true,
        OnMatch::Update => of_source.is_old(&overlay.activities),
        OnMatch::Skip => return unchanged(known, diagnostics),
    };
    // Who is known by one of their activities alone has not been locked.
    let Some(record) = overlay.customers.record(known.id) else {
        return unchanged(known, diagnostics);
    };
    CustomerUpdate::told(data, record.code.kind, only_gaps).change_told(
        data,
        record,
        overlay,
        ids,
        diagnostics,
    )
}

fn unchanged(known: &KnownCustomer, diagnostics: Diagnostics) -> Decision {
    let record = Some(known.record());
    let outcome =
        Outcome { record, ..Outcome::without_record(Status::Unchanged, diagnostics.warnings) };
    Decision { outcome, changes: Vec::new() }
}

fn create(
    data: &CustomerData,
    of_source: &OfSource,
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
    mut diagnostics: Diagnostics,
) -> Decision {
    let mut named = data.clone();
    if let (None, Some(placeholder)) = (named.person.name.as_set(), &of_source.placeholder) {
        named.person.name = Given::Set(placeholder.clone());
    }
    let made = named.create(None, overlay, ids, &mut diagnostics);
    let record = RecordRef::of_customer(made.customer.id, made.customer.code);
    let (changes, related) = made.into_changes();
    let outcome = Outcome {
        record: Some(record),
        related,
        ..Outcome::without_record(Status::Created, diagnostics.warnings)
    };
    Decision { outcome, changes }
}
