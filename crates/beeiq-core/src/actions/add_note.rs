//! add-note: a note on a customer or a deal (`listener.md` 7).
//!
//! The customer is found by `customerId`, `contactId`, `passport`, e-mails and phones, in that
//! order, among leads where `contactType` is `lead`; a deal by `dealId`, then `name`. Nothing is
//! created for a note: who is not there is `not_found`, an unknown `customerId` included. `tag` is
//! added to the customer's tags. The note's text stands in no history.

use super::act::Act;
use super::channel::read_channel_or_source;
use super::customer::lists::read_tags;
use super::customer::named_customer::{CUSTOMER_IDENTIFIERS, NamedCustomer};
use super::customer::new_customer::tags_named;
use super::permit::read_permit;
use crate::batch::{
    Change, Context, Decision, Ids, Keys, KnownDeal, Outcome, Overlay, RecordName, RecordRef,
    Rejection, Status, Subject,
};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Longest, Mode};
use crate::records::history::{Event, NoteAdded, NoteId};
use crate::records::note::{Note, NoteTarget};
use crate::records::permit::Permit;
use crate::values::suggest::listed;
use crate::values::text::fold;
use crate::words;
use serde_json::Value;
use uuid::Uuid;

/// The fields that add-note knows.
pub const NOTE_FIELDS: &[&str] = &[
    "body",
    "model",
    "contactType",
    "customerId",
    "contactId",
    "passport",
    "email",
    "emails",
    "phone",
    "phones",
    "tag",
    "channel",
    "permit",
    "dealId",
    "name",
];

/// A payload of add-note, read.
#[derive(Clone, Debug, PartialEq)]
pub struct AddNote {
    at: Pointer,
    body: String,
    channel: Option<Uuid>,
    permit: Permit,
    target: Target,
}

/// What the note is to be on.
#[derive(Clone, Debug, PartialEq)]
enum Target {
    Customer { named: Option<NamedCustomer>, tags: Vec<String> },
    Deal { deal_id: Option<String>, name: Option<String> },
}

words! {
    /// What `model` says.
    pub enum Model {
        Contact => "contact",
        Deal => "deal",
    }
}

impl Act for AddNote {
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at.clone(), Mode::Add, NOTE_FIELDS, diagnostics)?;
        let body = fields.text("body", Longest::TEXT).set();
        if body.is_none() {
            fields.require("body", false);
        }
        let target = Target::read(&mut fields, context);
        let channel = read_channel_or_source(&mut fields, context);
        let permit = read_permit(&mut fields, context).set().unwrap_or_default();
        Some(Self { at, body: body.unwrap_or_default(), channel, permit, target })
    }

    fn collect_keys(&self, keys: &mut Keys) {
        self.target.collect_keys(keys);
    }

    fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        mut diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        let found = self.target.find(&self.at, overlay, &mut diagnostics);
        let Some(found) = found.filter(|_| diagnostics.faults.is_empty()) else {
            return Err(diagnostics.into());
        };
        let request = &overlay.request;
        let note = Note {
            id: ids.id(),
            body: self.body.clone(),
            target: found,
            channel: self.channel,
            permit: self.permit.clone(),
            owner: request.sender.id,
            created_at: request.now,
        };
        let outcome = Outcome {
            status: Status::Created,
            record: Some(RecordRef { id: note.id, name: RecordName::Note }),
            matched_by: None,
            related: Vec::new(),
            warnings: diagnostics.warnings,
        };
        let mut changes = Vec::new();
        let tags = self.target.add_tags(found, overlay, ids, &mut changes);
        let tags_added = tags.into_iter().map(str::to_owned).collect();
        let event = Event::NoteAdded(NoteAdded { note: NoteId { id: note.id }, tags_added });
        changes.push(Change::NoteAdded(Box::new(note)));
        let subject = match found {
            NoteTarget::Customer(id) => Subject::Customer(id),
            NoteTarget::Deal(id) => Subject::Deal(id),
        };
        changes.push(Change::history(ids.id(), subject, event));
        Ok(Decision { outcome, changes })
    }
}

impl Target {
    fn read(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Self {
        match fields.choice::<Model>("model").set().unwrap_or(Model::Contact) {
            Model::Contact => Self::read_customer(fields, context),
            Model::Deal => Self::read_deal(fields),
        }
    }

    fn read_customer(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Self {
        for name in ["dealId", "name"] {
            fields.ignore(name, "it is for a note on a deal, whose `model` is `deal`.");
        }
        let named = NamedCustomer::read(fields, context);
        if named.is_none() {
            let at = fields.at().clone();
            let message = format!(
                "Whom is the note on? Name one of {}.",
                listed(CUSTOMER_IDENTIFIERS, CUSTOMER_IDENTIFIERS.len())
            );
            fields.diagnostics.fault(Code::MissingIdentifier, &at, message);
        }
        Self::Customer { named, tags: read_tags(fields).set().unwrap_or_default() }
    }

    fn read_deal(fields: &mut Fields<'_, '_>) -> Self {
        for name in CUSTOMER_IDENTIFIERS {
            fields.ignore(name, "a note on a deal goes by `dealId` or `name`.");
        }
        fields.ignore("contactType", "a note on a deal goes by `dealId` or `name`.");
        fields.ignore("tag", "only a customer gets a note's tags.");
        let deal_id = fields.text("dealId", Longest::LINE).set();
        let name = fields.text("name", Longest::LINE).set();
        if deal_id.is_none() && name.is_none() {
            let at = fields.at().clone();
            let message = "Which deal is the note on? Name its `dealId` or its `name`.";
            fields.diagnostics.fault(Code::MissingIdentifier, &at, message);
        }
        Self::Deal { deal_id, name }
    }

    fn collect_keys(&self, keys: &mut Keys) {
        match self {
            Self::Customer { named, tags } => {
                keys.tags.extend(tags.iter().map(|tag| fold(tag)));
                if let Some(named) = named {
                    named.collect_keys(keys, !tags.is_empty());
                }
            }
            Self::Deal { deal_id, name } => {
                keys.deal_ids.extend(deal_id.clone());
                keys.deal_names.extend(name.as_deref().map(fold));
            }
        }
    }

    /// What the note is on; a fault where it is not there.
    fn find(
        &self,
        at: &Pointer,
        overlay: &Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<NoteTarget> {
        match self {
            Self::Customer { named, tags: _ } => {
                let found = named.as_ref()?.find("a note on", at, overlay, diagnostics);
                found.map(|customer| NoteTarget::Customer(customer.id))
            }
            Self::Deal { deal_id, name } => {
                let found =
                    find_deal(deal_id.as_deref(), name.as_deref(), at, overlay, diagnostics);
                found.map(|deal| NoteTarget::Deal(deal.id))
            }
        }
    }

    /// Adds the tags that the customer does not have yet, and gives their names.
    fn add_tags(
        &self,
        target: NoteTarget,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        changes: &mut Vec<Change>,
    ) -> Vec<&str> {
        let Self::Customer { named: _, tags } = self else {
            return Vec::new();
        };
        let Some(record) = target.customer().and_then(|id| overlay.customers.record(id)) else {
            return Vec::new();
        };
        let mut tagged = record.clone();
        let mut added = Vec::new();
        for (name, tag) in tags.iter().zip(tags_named(tags, overlay, ids, changes)) {
            if !tagged.tags.contains(&tag) {
                tagged.tags.push(tag);
                added.push(name.as_str());
            }
        }
        if !added.is_empty() {
            tagged.updated_at = overlay.request.now;
            changes.push(Change::CustomerChanged(Box::new(tagged)));
        }
        added
    }
}

/// The deal of that `dealId`, else the one of that name; a fault where there is none, or several.
fn find_deal<'w>(
    deal_id: Option<&str>,
    name: Option<&str>,
    at: &Pointer,
    overlay: &'w Overlay<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<&'w KnownDeal> {
    if let Some(deal_id) = deal_id {
        let known = overlay.deals.with_deal_id(deal_id);
        if known.is_some() {
            return known;
        }
        let shown: String = deal_id.chars().take(64).collect();
        let message = format!("There is no deal with the dealId \"{shown}\".");
        if name.is_none() {
            diagnostics.fault(Code::NotFound, at.member("dealId"), message);
            return None;
        }
        let message = format!("{message} It was searched by its name.");
        diagnostics.warn(Code::UnknownDeal, at.member("dealId"), message);
    }
    let name_key = fold(name?);
    let mut deals = overlay.deals.named(&name_key);
    let found = deals.next();
    if found.is_none() {
        let message = "There is no deal of this name.";
        diagnostics.fault(Code::NotFound, at.member("name"), message);
    } else if deals.next().is_some() {
        let message = "Several deals have this name; name the one meant by its `dealId`.";
        diagnostics.fault(Code::Ambiguous, at.member("name"), message);
        return None;
    }
    found
}

#[cfg(test)]
mod tests;
