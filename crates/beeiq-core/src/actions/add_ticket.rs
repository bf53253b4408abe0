//! add-ticket: a ticket of a customer or lead (`listener.md` 7).
//!
//! The customer is found by `customerId`, `contactId`, `passport`, e-mails and phones, in that
//! order, among leads where `contactType` is `lead`, and linked as they are. Who is not there is
//! made as in add-contact or add-lead, where the payload has a `name` and an e-mail, phone or
//! passport; else they are `not_found`. Without any identifier it is `missing_identifier`. `tag` and
//! `cusFields` are the ticket's own. Its SLA sets the due times from the time of the request on. Its
//! group's members may read it beside its owner; without a group everybody.

use super::act::Act;
use super::channel::read_channel;
use super::cus_fields::{CusFields, read_cus_fields, resolve_cus_fields};
use super::customer::customer_data::CustomerData;
use super::customer::customer_type::{ContactKind, read_contact_type};
use super::customer::linked_customer::{LinkedCustomer, NamedCode, read_code};
use super::customer::lists::read_tags;
use super::customer::named_customer::CUSTOMER_IDENTIFIERS;
use super::customer::named_person::read_named_person;
use super::customer::new_customer::tags_named;
use super::customer::person::Person;
use super::of_source::OfSource;
use crate::batch::{
    Change, Context, Decision, Ids, Keys, KnownCustomer, KnownDeal, Link, Outcome, Overlay,
    RecordName, RecordRef, Rejection, Related, Role, Status, Subject,
};
use crate::diagnostics::{Code, Diagnostics, Pointer, UnknownName};
use crate::directory::Sla;
use crate::json::{Fields, Longest, Mode};
use crate::records::activity::Activity;
use crate::records::counter::Counter;
use crate::records::customer::CustomerKind;
use crate::records::history::{Coded, Event, Maker, OfTicket};
use crate::records::permit::Permit;
use crate::records::ticket::{Ticket, TicketCode, TicketSla};
use crate::values::custom_field::Model;
use crate::values::suggest::listed;
use crate::values::text::fold;
use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

/// The fields that add-ticket knows.
pub const TICKET_FIELDS: &[&str] = &[
    "body",
    "title",
    "contactType",
    "customerId",
    "contactId",
    "passport",
    "email",
    "emails",
    "phone",
    "phones",
    "name",
    "lastname",
    "dealId",
    "groupName",
    "slaName",
    "channel",
    "tag",
    "cusFields",
];

/// A payload of add-ticket, read.
#[derive(Clone, Debug, PartialEq)]
pub struct AddTicket {
    at: Pointer,
    title: Option<String>,
    body: String,
    customer: LinkedCustomer,
    deal_id: Option<String>,
    readers: Permit,
    sla: Option<SlaTimes>,
    channel: Option<Uuid>,
    tags: Vec<String>,
    cus_fields: CusFields,
    /// Where a source asks for it; it opens one for an activity.
    of_source: Option<OfSource>,
}

/// An SLA of the org.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SlaTimes {
    id: Uuid,
    first_response: TimeDelta,
    resolution: TimeDelta,
}

/// The ticket's customer, found or made.
struct Customer {
    known: KnownCustomer,
    /// They themselves first, then their company where one was linked.
    related: Vec<Related>,
}

impl Act for AddTicket {
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at.clone(), Mode::Add, TICKET_FIELDS, diagnostics)?;
        let body = fields.text("body", Longest::TEXT).set();
        if body.is_none() {
            fields.require("body", false);
        }
        let cus_fields = read_cus_fields(&mut fields).and_then(|values| {
            Some(resolve_cus_fields(&values, Model::Ticket, context, fields.diagnostics))
        });
        Some(Self {
            at,
            title: fields.text("title", Longest::LINE).set(),
            body: body.unwrap_or_default(),
            customer: read_customer(&mut fields, context),
            deal_id: fields.text("dealId", Longest::LINE).set(),
            readers: read_group(&mut fields, context),
            sla: read_sla(&mut fields, context),
            channel: read_channel(&mut fields, context),
            tags: read_tags(&mut fields).set().unwrap_or_default(),
            cus_fields: cus_fields.set().unwrap_or_default(),
            of_source: None,
        })
    }

    fn collect_keys(&self, keys: &mut Keys) {
        self.customer.collect_keys(keys);
        keys.deal_ids.extend(self.deal_id.clone());
        keys.tags.extend(self.tags.iter().map(|tag| fold(tag)));
        keys.may_number(Counter::Ticket);
        if let Some(of_source) = &self.of_source {
            of_source.collect_keys(keys);
        }
    }

    fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        mut diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        let of_source = self.of_source.as_ref();
        if let Some(erased) = of_source.and_then(|it| it.erased(&self.at, overlay, &diagnostics)) {
            return Ok(erased);
        }
        if of_source.is_some_and(|it| activity_of(it, overlay).is_some_and(has_ticket)) {
            let outcome = Outcome::without_record(Status::Unchanged, diagnostics.warnings);
            return Ok(Decision { outcome, changes: Vec::new() });
        }
        let known = match of_source {
            Some(of_source) => of_source.find(overlay),
            None => self.customer.search(overlay, &mut diagnostics),
        };
        let known = known.cloned();
        // Who was not named at all is told of already.
        let named = !diagnostics.faults.iter().any(|fault| fault.code == Code::MissingIdentifier);
        if known.is_none() && named && !self.can_make_customer() {
            let message = "Nobody has this contactId, passport, e-mail or phone; to make the \
                           customer a `name` and an e-mail, phone or passport are needed.";
            diagnostics.fault(Code::NotFound, &self.at, message);
        }
        let deal = self.find_deal(overlay, &mut diagnostics);
        if !diagnostics.faults.is_empty() {
            return Err(diagnostics.into());
        }
        let mut changes = Vec::new();
        let Customer { known: customer, related } = match known {
            Some(known) => {
                Customer { related: vec![related_customer(&known, Link::Linked)], known }
            }
            None => self.make_customer(overlay, ids, &mut diagnostics, &mut changes),
        };
        let tags = tags_named(&self.tags, overlay, ids, &mut changes);
        let ticket = self.ticket(customer.id, deal.map(|deal| deal.id), tags, overlay, ids);
        let record = RecordRef { id: ticket.id, name: RecordName::Ticket(ticket.code) };
        let named = Coded { id: ticket.id, code: ticket.code.to_string() };
        let added = Event::TicketAdded(OfTicket { ticket: named });
        let lines = [
            (Some(Subject::Ticket(ticket.id)), Event::created(Maker::Listener)),
            (Some(Subject::Customer(customer.id)), added.clone()),
            (deal.map(|deal| Subject::Deal(deal.id)), added),
        ];
        if let Some(activity) = of_source.and_then(|it| activity_of(it, overlay)) {
            let mut activity = activity.clone();
            activity.details.insert(TICKET.to_owned(), ticket.code.to_string().into());
            changes.push(Change::ActivityChanged(Box::new(activity)));
        }
        changes.push(Change::TicketAdded(Box::new(ticket)));
        for (subject, event) in lines {
            changes.extend(subject.map(|subject| Change::history(ids.id(), subject, event)));
        }
        let outcome = Outcome {
            status: Status::Created,
            record: Some(record),
            matched_by: None,
            related,
            warnings: diagnostics.warnings,
        };
        Ok(Decision { outcome, changes })
    }
}

/// The member of an activity's details that names the ticket that was opened for it.
const TICKET: &str = "ticket";

fn activity_of<'w>(of_source: &OfSource, overlay: &'w Overlay<'_>) -> Option<&'w Activity> {
    overlay.activities.with_key(of_source.activities.first()?)
}

fn has_ticket(activity: &Activity) -> bool {
    activity.details.contains_key(TICKET)
}

impl AddTicket {
    /// The ticket as a source asks for it, which knows whose it is; it is opened once.
    pub fn heard(mut self, of_source: OfSource) -> Self {
        self.of_source = Some(of_source);
        self
    }

    /// Whether there is what a customer who is not there needs to be made.
    fn can_make_customer(&self) -> bool {
        let Person { name, passport, emails, phones, .. } = &self.customer.data.person;
        name.as_set().is_some()
            && (passport.as_set().is_some()
                || emails.as_set().is_some()
                || phones.as_set().is_some())
    }

    fn make_customer(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: &mut Diagnostics,
        changes: &mut Vec<Change>,
    ) -> Customer {
        let made = self.customer.data.create(None, overlay, ids, diagnostics);
        let known = KnownCustomer::of(&made.customer);
        let (made, company) = made.into_changes();
        changes.extend(made);
        let mut related = vec![related_customer(&known, Link::Created)];
        related.extend(company);
        Customer { known, related }
    }

    fn find_deal<'w>(
        &self,
        overlay: &'w Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'w KnownDeal> {
        let deal_id = self.deal_id.as_deref()?;
        let deal = overlay.deals.with_deal_id(deal_id);
        if deal.is_none() {
            let shown: String = deal_id.chars().take(64).collect();
            let message = format!("There is no deal with the dealId \"{shown}\".");
            diagnostics.fault(Code::UnknownDeal, self.at.member("dealId"), message);
        }
        deal
    }

    fn ticket(
        &self,
        customer: Uuid,
        deal: Option<Uuid>,
        tags: Vec<Uuid>,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
    ) -> Ticket {
        let request = &overlay.request;
        Ticket {
            id: ids.id(),
            code: TicketCode(ids.number(Counter::Ticket)),
            title: self.title.clone(),
            body: self.body.clone(),
            customer,
            deal,
            readers: self.readers.clone(),
            sla: self.sla.map(|sla| TicketSla {
                id: sla.id,
                first_response_due_at: request.now + sla.first_response,
                resolution_due_at: request.now + sla.resolution,
            }),
            channel: self.channel,
            tags,
            cus_fields: self
                .cus_fields
                .iter()
                .filter_map(|(field, value)| Some((*field, value.as_set()?.clone())))
                .collect(),
            owner: request.sender.id,
            created_at: request.now,
        }
    }
}

fn related_customer(customer: &KnownCustomer, link: Link) -> Related {
    Related { role: Role::Customer(link), record: customer.record() }
}

/// The customer: what identifies them, and what they are made from where nobody has it.
fn read_customer(fields: &mut Fields<'_, '_>, context: Context<'_>) -> LinkedCustomer {
    if !CUSTOMER_IDENTIFIERS.iter().any(|name| fields.has(name)) {
        let at = fields.at().clone();
        let message = format!(
            "Whose ticket is it? Name one of {}.",
            listed(CUSTOMER_IDENTIFIERS, CUSTOMER_IDENTIFIERS.len())
        );
        fields.diagnostics.fault(Code::MissingIdentifier, &at, message);
    }
    let contact_kind = read_contact_type(fields).set().unwrap_or(ContactKind::Customer);
    let code = read_code(fields, contact_kind);
    let person = Person {
        name: fields.text("name", Longest::LINE),
        lastname: fields.text("lastname", Longest::LINE),
        ..read_named_person(fields, context)
    };
    let kind = kind_to_make(contact_kind, code.as_ref());
    LinkedCustomer { code, data: CustomerData::of_person(fields.at().clone(), kind, person) }
}

/// What a customer who is not there would be made as.
fn kind_to_make(contact_kind: ContactKind, code: Option<&NamedCode>) -> CustomerKind {
    match (contact_kind, code) {
        (ContactKind::Lead, _) => CustomerKind::Lead,
        (ContactKind::Customer, Some(Ok(code))) => code.kind,
        (ContactKind::Customer, _) => CustomerKind::Contact,
    }
}

/// Who may read it: `groupName`'s members. Where the org has no such group and the listener drops
/// unknown names, the owner alone: what was meant for a group is not for everybody.
fn read_group(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Permit {
    let at = fields.place("groupName");
    let Some(name) = fields.text("groupName", Longest::LINE).set() else {
        return Permit::Everybody;
    };
    let groups = &context.directory.groups;
    let Some(group) = groups.named(&name) else {
        context.references().unknown(
            fields.diagnostics,
            &at,
            UnknownName { code: Code::UnknownGroup, what: "group", name: &name },
            groups.iter().map(|group| group.name.as_str()),
        );
        return Permit::OnlyMe;
    };
    Permit::MeAndGroup(group.id)
}

fn read_sla(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Option<SlaTimes> {
    let at = fields.place("slaName");
    let name = fields.text("slaName", Longest::LINE).set()?;
    let slas = &context.directory.slas;
    let Some(Sla { id, name: _, first_response, resolution }) = slas.named(&name) else {
        context.references().unknown(
            fields.diagnostics,
            &at,
            UnknownName { code: Code::UnknownSla, what: "SLA", name: &name },
            slas.iter().map(|sla| sla.name.as_str()),
        );
        return None;
    };
    Some(SlaTimes { id: *id, first_response: *first_response, resolution: *resolution })
}

#[cfg(test)]
mod tests;
