//! A deal as a source tells of it (`connections.md` 1, 2).

use super::fields::stage_names;
use crate::actions::add_activity::history;
use crate::actions::customer::linked_customer::Linked;
use crate::actions::of_source::OfSource;
use crate::batch::{Change, Context, Ids, Link, Overlay};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::records::activity::Activity;
use crate::records::deal::Deal;
use crate::records::history::Event;
use uuid::Uuid;

/// What a source knows of a deal beyond its fields.
#[derive(Clone, Debug, PartialEq)]
pub struct DealOfSource {
    pub of_source: OfSource,
    /// The stage of a new one that has none of its own.
    pub stage: Option<Uuid>,
}

/// The stage in which a new deal starts that has none of its own: that of this name, or the org's
/// first.
pub fn new_stage(
    name: Option<&str>,
    at: &Pointer,
    context: Context<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Uuid> {
    let stages = &context.directory.deal_stages;
    let Some(name) = name else { return stages.iter().next().map(|stage| stage.id) };
    let named = stages.named(name).map(|stage| stage.id);
    if named.is_none() {
        let message = format!(
            "The connection puts new deals into the stage \"{name}\", which the org does not have; it \
             has {}.",
            stage_names(context)
        );
        diagnostics.fault(Code::UnknownStage, at.member("stage"), message);
    }
    named
}

/// The deal that is there, with what it lacks taken from an older telling.
pub fn gaps_filled(deal: &Deal, older: Deal) -> Deal {
    Deal {
        value: deal.value.or(older.value),
        description: deal.description.clone().or(older.description),
        category: deal.category.or(older.category),
        package: deal.package.or(older.package),
        close_date: deal.close_date.or(older.close_date),
        deal_with: deal.deal_with.or(older.deal_with),
        ..deal.clone()
    }
}

/// The customer of whom a source tells.
pub fn linked(
    of_source: &OfSource,
    at: &Pointer,
    overlay: &Overlay<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Linked> {
    let customer = of_source.find_or_tell(at, overlay, diagnostics)?.clone();
    Some(Linked { customer, link: Link::Linked, related: Vec::new() })
}

/// The activities that a deal is about get it, where they have none.
pub fn activities_linked(
    of_source: &OfSource,
    deal: Uuid,
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
) -> Vec<Change> {
    let known = of_source.activities.iter().filter_map(|key| overlay.activities.with_key(key));
    known
        .filter(|activity| activity.deal.is_none())
        .flat_map(|activity| {
            let updated_at = overlay.request.now;
            let activity = Activity { deal: Some(deal), updated_at, ..activity.clone() };
            let mut changes = history(&activity, Event::ActivityUpdated, ids);
            changes.push(Change::ActivityChanged(Box::new(activity)));
            changes
        })
        .collect()
}
