//! add-deal: a new deal, or a change of the one that the org has (`listener.md` 7, "add-deal").
//!
//! A `dealId` that a deal has means that deal, another one a new deal with that id. Without a
//! `dealId` the name decides: one deal of that name is changed, several are ambiguous, and where
//! there is none a deal is made with the next number as its id. The customers that the payload
//! names are linked as they are, and those who are nobody yet are made, unless the deal has a fault.
//! In a change what is absent or empty stays, and `null` clears.

use super::act::Act;
use super::customer::linked_customer::{Linked, LinkedCustomer};
use super::deal::changes::{Names, field_changes};
use super::deal::fields::{DEAL_FIELDS, DealFields, Stage, stage_names};
use super::deal::heard::{DealOfSource, activities_linked, gaps_filled, linked, new_stage};
use super::of_source::OfSource;
use crate::batch::{
    Change, Context, Decision, Ids, Keys, KnownDeal, Link, Outcome, Overlay, Rejection, Related,
    Role, Status, Subject,
};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Given, Mode};
use crate::records::counter::Counter;
use crate::records::deal::{Deal, DealOwners};
use crate::records::history::{Event, Maker, NamedDeal, OfDeal, Updated};
use crate::values::text::fold;
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A payload of add-deal, read.
#[derive(Clone, Debug, PartialEq)]
pub struct AddDeal {
    at: Pointer,
    fields: DealFields,
    of_source: Option<DealOfSource>,
}

/// Which deal is meant.
enum Target<'w> {
    /// This one.
    Existing(&'w Deal),
    /// One that has to be made.
    New,
}

/// The customers of the payload, found or made.
struct Links {
    deal_with: Option<Linked>,
    /// Each once.
    contacts: Vec<Linked>,
}

impl Act for AddDeal {
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at.clone(), Mode::Update, DEAL_FIELDS, diagnostics)?;
        let fields = DealFields::read(&mut fields, context);
        Some(Self { at, fields, of_source: None })
    }

    fn collect_keys(&self, keys: &mut Keys) {
        if let Some(deal_id) = &self.fields.deal_id {
            keys.deal_ids.insert(deal_id.clone());
            keys.for_update.deal_ids.insert(deal_id.clone());
        } else if let Some(name) = &self.fields.name {
            keys.deal_names.insert(fold(name));
            keys.for_update.deal_names.insert(fold(name));
            keys.may_number(Counter::Deal);
        }
        self.collect_customer_keys(keys);
        if let Some(heard) = &self.of_source {
            heard.of_source.collect_keys(keys);
        }
    }

    fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        mut diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        let of_source = self.of_source.as_ref().map(|it| &it.of_source);
        if let Some(erased) = of_source.and_then(|it| it.erased(&self.at, overlay, &diagnostics)) {
            return Ok(erased);
        }
        let target = self.target(overlay, &mut diagnostics);
        let first_stage = match target {
            Some(Target::New) => self.requirements(overlay, &mut diagnostics),
            Some(Target::Existing(_)) | None => None,
        };
        let mut keys = Keys::default();
        self.collect_customer_keys(&mut keys);
        let (mut fork, mut changes) = (overlay.fork(&keys), Vec::new());
        let mut links = self.link(&mut fork, ids, &mut diagnostics, &mut changes);
        if let Some(of_source) = of_source {
            links.deal_with = linked(of_source, &self.at, overlay, &mut diagnostics);
        }
        let Some(target) = target.filter(|_| diagnostics.faults.is_empty()) else {
            return Err(diagnostics.into());
        };
        let (status, record) = match (target, first_stage, &links.deal_with) {
            (Target::Existing(deal), ..) => {
                self.change(deal, &links, Names { overlay, fork: &fork }, ids, &mut changes)
            }
            (Target::New, Some(stage), Some(deal_with)) => {
                let deal = self.new_deal(stage, deal_with, &links, overlay, ids);
                self.create(deal, ids, &mut changes)
            }
            // What is missing has been told.
            (Target::New, ..) => return Err(diagnostics.into()),
        };
        if let Some(of_source) = of_source {
            changes.extend(activities_linked(of_source, record.id, overlay, ids));
        }
        let outcome = Outcome {
            status,
            record: Some(record.record()),
            matched_by: None,
            related: links.related(),
            warnings: diagnostics.warnings,
        };
        Ok(Decision { outcome, changes })
    }
}

impl AddDeal {
    /// The deal as a source tells of it; `stage` is the name of that in which a new one starts where
    /// it has none of its own.
    pub fn heard(
        mut self,
        of_source: OfSource,
        stage: Option<&str>,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let stage = new_stage(stage, &self.at, context, diagnostics);
        self.of_source = Some(DealOfSource { of_source, stage });
        self
    }

    fn collect_customer_keys(&self, keys: &mut Keys) {
        let contacts = self.fields.contacts.as_set().into_iter().flatten();
        for customer in self.fields.deal_with.iter().chain(contacts) {
            customer.collect_keys(keys);
        }
    }

    /// The deal that is meant; `None` where that is not clear.
    fn target<'w>(
        &self,
        overlay: &'w Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Target<'w>> {
        let deals = &overlay.deals;
        let known = if let Some(deal_id) = &self.fields.deal_id {
            deals.with_deal_id(deal_id)
        } else {
            let name = self.fields.name.as_deref()?;
            let mut named = deals.named(&fold(name));
            let known = named.next();
            if named.next().is_some() {
                let message =
                    format!("Several deals are called \"{name}\"; say which by its `dealId`.");
                diagnostics.fault(Code::Ambiguous, self.at.member("name"), message);
                return None;
            }
            known
        };
        let record = known.and_then(|known| deals.record(known.id));
        Some(record.map_or(Target::New, Target::Existing))
    }

    /// What only a new deal needs: the stage that it starts in, and a customer.
    fn requirements(&self, overlay: &Overlay<'_>, diagnostics: &mut Diagnostics) -> Option<Uuid> {
        let context = overlay.request.context;
        let stage = match self.fields.stage {
            Stage::Named(stage) => Some(stage),
            Stage::Skipped => context.directory.deal_stages.iter().next().map(|stage| stage.id),
            Stage::Absent => self.of_source.as_ref().and_then(|heard| heard.stage),
        };
        let mut missing = |field: &str, message: String| {
            let at = self.at.member(field);
            if !diagnostics.faults.iter().any(|fault| fault.pointer == at.as_str()) {
                diagnostics.fault(Code::Required, at, message);
            }
        };
        if stage.is_none() {
            let names = stage_names(context);
            missing("stage", format!("A new deal needs a `stage`; the org has {names}."));
        }
        if self.fields.deal_with.is_none() && self.of_source.is_none() {
            let message = "A new deal needs `dealWith`, the customer that it is with.";
            missing("dealWith", message.to_owned());
        }
        stage
    }

    /// Finds or makes the customers, one after the other, so that two who are the same are one.
    fn link(
        &self,
        fork: &mut Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: &mut Diagnostics,
        changes: &mut Vec<Change>,
    ) -> Links {
        let mut link = |customer: &LinkedCustomer| customer.link(fork, ids, diagnostics, changes);
        let deal_with = self.fields.deal_with.as_ref().and_then(&mut link);
        let mut seen = BTreeSet::new();
        let contacts = self
            .fields
            .contacts
            .as_set()
            .into_iter()
            .flatten()
            .filter_map(link)
            .filter(|contact| seen.insert(contact.customer.id))
            .collect();
        Links { deal_with, contacts }
    }

    fn new_deal(
        &self,
        stage: Uuid,
        deal_with: &Linked,
        links: &Links,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
    ) -> Deal {
        let request = &overlay.request;
        let DealFields {
            deal_id,
            name,
            value,
            currency,
            description,
            stage: _,
            category,
            package,
            close_date,
            owners,
            permit,
            cus_fields,
            deal_with: _,
            contacts: _,
        } = &self.fields;
        Deal {
            id: ids.id(),
            deal_id: deal_id.clone().unwrap_or_else(|| ids.deal_id()),
            name: name.clone().unwrap_or_default(),
            value: value.as_set().copied(),
            currency: currency
                .as_set()
                .unwrap_or(&request.context.directory.org.default_currency)
                .clone(),
            description: description.as_set().cloned(),
            stage,
            category: category.as_set().copied(),
            package: package.as_set().copied(),
            close_date: close_date.as_set().copied(),
            owners: owners.as_set().cloned().unwrap_or(DealOwners::user(request.sender.id)),
            cus_fields: cus_fields
                .as_set()
                .into_iter()
                .flatten()
                .filter_map(|(field, value)| Some((*field, value.as_set()?.clone())))
                .collect(),
            permit: permit.as_set().cloned().unwrap_or_default(),
            deal_with: Some(deal_with.customer.id),
            contacts: links.contact_ids().collect(),
            created_at: request.now,
            updated_at: request.now,
        }
    }

    /// The changes that bring it about.
    fn create(
        &self,
        deal: Deal,
        ids: &mut dyn Ids,
        changes: &mut Vec<Change>,
    ) -> (Status, KnownDeal) {
        let known = KnownDeal::of(&deal);
        let customers = customers_of(&deal);
        let by_name = self.fields.deal_id.is_none();
        changes.push(Change::DealCreated { deal: Box::new(deal), by_name });
        let created = Event::created(Maker::Listener);
        changes.push(Change::history(ids.id(), Subject::Deal(known.id), created));
        for customer in customers {
            let event = Event::DealAdded(named(&known));
            changes.push(Change::history(ids.id(), Subject::Customer(customer), event));
        }
        (Status::Created, known)
    }

    /// The changes that the payload makes of `deal`, if any.
    fn change(
        &self,
        deal: &Deal,
        links: &Links,
        names: Names<'_>,
        ids: &mut dyn Ids,
        changes: &mut Vec<Change>,
    ) -> (Status, KnownDeal) {
        let mut revised = self.revised(deal, links, names.overlay);
        let activities = &names.overlay.activities;
        if self.of_source.as_ref().is_some_and(|heard| heard.of_source.is_old(activities)) {
            revised = gaps_filled(deal, revised);
        }
        let known = KnownDeal::of(&revised);
        if revised == *deal {
            return (Status::Unchanged, known);
        }
        revised.updated_at = names.overlay.request.now;
        let changed = field_changes(deal, &revised, names);
        let event = Event::Updated(Updated { changes: changed });
        let (before, now) = (customers_of(deal), customers_of(&revised));
        let deal_with = revised.deal_with;
        changes.push(Change::DealChanged(Box::new(revised)));
        changes.push(Change::history(ids.id(), Subject::Deal(known.id), event));
        for customer in now {
            let event = if !before.contains(&customer) {
                Event::DealAdded(named(&known))
            } else if deal_with == Some(customer) {
                Event::DealUpdated(named(&known))
            } else {
                continue;
            };
            changes.push(Change::history(ids.id(), Subject::Customer(customer), event));
        }
        (Status::Updated, known)
    }

    /// The deal as the payload wants it.
    fn revised(&self, deal: &Deal, links: &Links, overlay: &Overlay<'_>) -> Deal {
        let request = &overlay.request;
        let mut revised = deal.clone();
        let DealFields {
            deal_id: _,
            name,
            value,
            currency,
            description,
            stage,
            category,
            package,
            close_date,
            owners,
            permit,
            cus_fields,
            deal_with: _,
            contacts,
        } = &self.fields;
        revised.name.clone_from(name.as_ref().unwrap_or(&deal.name));
        revise_optional(&mut revised.value, value);
        let default_currency = &request.context.directory.org.default_currency;
        revise(&mut revised.currency, currency, || default_currency.clone());
        revise_optional(&mut revised.description, description);
        if let Stage::Named(stage) = *stage {
            revised.stage = stage;
        }
        revise_optional(&mut revised.category, category);
        revise_optional(&mut revised.package, package);
        revise_optional(&mut revised.close_date, close_date);
        revise(&mut revised.owners, owners, || DealOwners::user(request.sender.id));
        revise(&mut revised.permit, permit, Default::default);
        if *cus_fields == Given::Clear {
            revised.cus_fields.clear();
        }
        for (field, value) in cus_fields.as_set().into_iter().flatten() {
            match value {
                Given::Set(value) => revised.cus_fields.insert(*field, value.clone()),
                Given::Clear => revised.cus_fields.remove(field),
                Given::Absent => None,
            };
        }
        if *contacts == Given::Clear {
            revised.contacts.clear();
        }
        revised.contacts.extend(links.contact_ids());
        if let Some(linked) = &links.deal_with {
            revised.deal_with = Some(linked.customer.id);
        }
        revised
    }
}

impl Links {
    fn contact_ids(&self) -> impl Iterator<Item = Uuid> {
        self.contacts.iter().map(|contact| contact.customer.id)
    }

    /// The customers as answers name them, each followed by the company that was made with them.
    fn related(&self) -> Vec<Related> {
        let deal_with =
            self.deal_with.iter().map(|linked| (linked, Role::DealWith as fn(Link) -> Role));
        let contacts =
            self.contacts.iter().map(|linked| (linked, Role::Contact as fn(Link) -> Role));
        deal_with
            .chain(contacts)
            .flat_map(|(linked, role)| {
                let own = Related { role: role(linked.link), record: linked.customer.record() };
                std::iter::once(own).chain(linked.related.iter().cloned())
            })
            .collect()
    }
}

/// What was given, or where it is cleared the default.
fn revise<T: Clone>(field: &mut T, given: &Given<T>, default: impl FnOnce() -> T) {
    match given {
        Given::Absent => {}
        Given::Clear => *field = default(),
        Given::Set(value) => field.clone_from(value),
    }
}

fn revise_optional<T: Clone>(field: &mut Option<T>, given: &Given<T>) {
    match given {
        Given::Absent => {}
        Given::Clear => *field = None,
        Given::Set(value) => *field = Some(value.clone()),
    }
}

/// Everybody whom the deal belongs to.
fn customers_of(deal: &Deal) -> BTreeSet<Uuid> {
    deal.contacts.iter().copied().chain(deal.deal_with).collect()
}

/// The deal, as a customer's history names it.
fn named(deal: &KnownDeal) -> OfDeal {
    OfDeal { deal: NamedDeal { id: deal.id, deal_id: deal.deal_id.clone() } }
}

#[cfg(test)]
mod tests;
