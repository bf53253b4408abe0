//! Items of iAdvize with what was looked up for them (`connections.md` 3), a file each resource.

mod callmeeting;
mod conversation;
mod reader;
mod satisfaction;
mod times;
mod transaction;
mod transcript;
mod visitor;

use super::Told;
use super::draft::{Draft, Part};
use super::pulled::{self, Document};
use crate::diagnostics::{Code, Refusal};
use crate::records::connection::{IadvizeResource, IadvizeSettings};
use crate::values::phone::Region;
use crate::values::words::UnknownWord;
use reader::{Reader, SOURCE};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

/// The actions of a document. Numbers without a country are of `region`.
pub(super) fn drafts(
    told: Told<'_>,
    settings: &IadvizeSettings,
    region: Region,
) -> Result<Vec<Draft>, Refusal> {
    let document = Document::read(told.body)?;
    let resource: IadvizeResource = document.resource.parse().map_err(|error: UnknownWord| {
        Refusal::new(Code::InvalidEnvelope, format!("`resource` is wrong: {error}."))
    })?;
    let reader = Reader { document: &document, settings, region };
    let (part, read): (_, fn(&Reader<'_>, &pulled::PulledItem<'_>) -> Vec<Draft>) = match resource {
        IadvizeResource::Conversations => (Part::Activity, conversation::drafts),
        IadvizeResource::Transactions => (Part::Deal, transaction::drafts),
        IadvizeResource::Satisfactions => (Part::Activity, satisfaction::drafts),
        IadvizeResource::Callmeetings => (Part::Activity, callmeeting::drafts),
    };
    let mut drafts = document.drafts(part, |item| read(&reader, item));
    // Who is named again with nothing new to tell is told of once.
    let mut told = HashSet::new();
    let is_news = |draft: &Draft| match draft.part {
        Part::Contact => {
            told.insert((format!("{:?}", draft.heard.whose), json!(draft.data.fields)))
        }
        Part::Deal | Part::Activity | Part::Ticket => true,
    };
    drafts.retain(is_news);
    Ok(drafts)
}

pub(super) fn items_that(body: &[u8], is_so: impl Fn(&Value) -> bool) -> Option<BTreeSet<usize>> {
    let told = |item: &Value, visitor: &Value| {
        let uid = item.get("visitor_uid").and_then(pulled::text_of);
        let external_id = uid.map(|uid| format!("{SOURCE}:{uid}"));
        let contact_id = visitor.get("external_id");
        json!({"item": item, "visitor": visitor, "contactId": contact_id, "externalId": external_id})
    };
    pulled::items_that(body, told, is_so)
}

pub(super) fn redacted(body: &[u8], items: &BTreeSet<usize>) -> Option<Vec<u8>> {
    pulled::redacted(body, items)
}

#[cfg(test)]
mod tests;
