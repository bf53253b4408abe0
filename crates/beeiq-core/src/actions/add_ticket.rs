//! add-ticket: a ticket of a customer or lead (`listener.md` 7).
//!
//! The customer is found by `customerId`, `contactId`, `passport`, e-mails and phones, in that
//! order, among leads where `contactType` is `lead`, and linked as they are. Who is not there is
//! made as in add-contact or add-lead, where the payload has a `name` and an e-mail, phone or
//! passport; else they are `not_found`. Without any identifier it is `missing_identifier`. `tag` and
//! `cusFields` are the ticket's own. Its SLA sets the due times from the time of the request on. Its
//! group's members may read it beside its owner; without a group everybody.

use super::add_note::CUSTOMER_IDENTIFIERS;
use super::channel::read_channel;
use super::cus_fields::{CusFields, read_cus_fields, resolve_cus_fields};
use super::customer::customer_type::{ContactKind, read_contact_type};
use super::customer::linked_party::{LinkedParty, NamedCode, read_code};
use super::customer::named_person::read_named_person;
use super::customer::new_customer::tags_named;
use super::customer::party::Party;
use super::customer::person::{Person, read_tags};
use crate::batch::change::{
    Change, Decision, Link, Outcome, RecordName, RecordRef, Rejection, Related, Role, Status,
    Subject,
};
use crate::batch::context::Context;
use crate::batch::customers::KnownCustomer;
use crate::batch::deals::KnownDeal;
use crate::batch::keys::Mentions;
use crate::batch::snapshot::{Ids, Workspace};
use crate::diagnostics::{Code, Findings, Pointer};
use crate::directory::Sla;
use crate::json::{Fields, Longest, Mode};
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
    customer: LinkedParty,
    deal_id: Option<String>,
    readers: Permit,
    sla: Option<SlaTimes>,
    channel: Option<Uuid>,
    tags: Vec<String>,
    cus_fields: CusFields,
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
    /// He himself first, then his company where one was linked.
    related: Vec<Related>,
}

impl AddTicket {
    /// Reads the action's `data`, which stands at `at`.
    pub fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at.clone(), Mode::Add, TICKET_FIELDS, findings)?;
        let body = fields.text("body", Longest::TEXT).set();
        if body.is_none() {
            fields.require("body", false);
        }
        let cus_fields = read_cus_fields(&mut fields).and_then(|values| {
            Some(resolve_cus_fields(&values, Model::Ticket, context, fields.findings))
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
        })
    }

    /// What has to be known before it can be decided.
    pub fn mention(&self, mentions: &mut Mentions) {
        self.customer.mention(mentions);
        mentions.deal_ids.extend(self.deal_id.clone());
        mentions.tags.extend(self.tags.iter().map(|tag| fold(tag)));
        mentions.may_number(Counter::Ticket);
    }

    /// Decides it. `findings` are those of reading it.
    ///
    /// # Errors
    /// Every fault; `not_found` where there is no such customer and they cannot be made.
    pub fn decide(
        &self,
        workspace: &Workspace<'_>,
        ids: &mut dyn Ids,
        mut findings: Findings,
    ) -> Result<Decision, Rejection> {
        let known = self.customer.search(workspace, &mut findings).cloned();
        // Who was not named at all is told of already.
        let named = !findings.faults.iter().any(|fault| fault.code == Code::MissingIdentifier);
        if known.is_none() && named && !self.can_make_customer() {
            let message = "Nobody has this contactId, passport, e-mail or phone; to make the \
                           customer a `name` and an e-mail, phone or passport are needed.";
            findings.fault(Code::NotFound, &self.at, message);
        }
        let deal = self.find_deal(workspace, &mut findings);
        if !findings.faults.is_empty() {
            return Err(findings.into());
        }
        let mut changes = Vec::new();
        let Customer { known: customer, related } = match known {
            Some(known) => {
                Customer { related: vec![related_customer(&known, Link::Linked)], known }
            }
            None => self.make_customer(workspace, ids, &mut findings, &mut changes),
        };
        let tags = tags_named(&self.tags, workspace, ids, &mut changes);
        let ticket = self.ticket(customer.id, deal.map(|deal| deal.id), tags, workspace, ids);
        let record = RecordRef { id: ticket.id, name: RecordName::Ticket(ticket.code) };
        let named = Coded { id: ticket.id, code: ticket.code.to_string() };
        let added = Event::TicketAdded(OfTicket { ticket: named });
        let lines = [
            (Some(Subject::Ticket(ticket.id)), Event::created(Maker::Listener)),
            (Some(Subject::Customer(customer.id)), added.clone()),
            (deal.map(|deal| Subject::Deal(deal.id)), added),
        ];
        changes.push(Change::TicketAdded(Box::new(ticket)));
        for (subject, event) in lines {
            changes.extend(subject.map(|subject| Change::history(ids.id(), subject, event)));
        }
        let outcome = Outcome {
            status: Status::Created,
            record,
            matched_by: None,
            related,
            warnings: findings.warnings,
        };
        Ok(Decision { outcome, changes })
    }

    /// Whether there is what a customer who is not there needs to be made.
    fn can_make_customer(&self) -> bool {
        let Person { name, passport, emails, phones, .. } = &self.customer.party.person;
        name.as_set().is_some()
            && (passport.as_set().is_some()
                || emails.as_set().is_some()
                || phones.as_set().is_some())
    }

    fn make_customer(
        &self,
        workspace: &Workspace<'_>,
        ids: &mut dyn Ids,
        findings: &mut Findings,
        changes: &mut Vec<Change>,
    ) -> Customer {
        let made = self.customer.party.create(None, workspace, ids, findings);
        let known = KnownCustomer::of(&made.customer);
        let (made, company) = made.into_changes();
        changes.extend(made);
        let mut related = vec![related_customer(&known, Link::Created)];
        related.extend(company);
        Customer { known, related }
    }

    fn find_deal<'w>(
        &self,
        workspace: &'w Workspace<'_>,
        findings: &mut Findings,
    ) -> Option<&'w KnownDeal> {
        let deal_id = self.deal_id.as_deref()?;
        let deal = workspace.deals.with_deal_id(deal_id);
        if deal.is_none() {
            let shown: String = deal_id.chars().take(64).collect();
            let message = format!("There is no deal with the dealId \"{shown}\".");
            findings.fault(Code::UnknownDeal, self.at.member("dealId"), message);
        }
        deal
    }

    fn ticket(
        &self,
        customer: Uuid,
        deal: Option<Uuid>,
        tags: Vec<Uuid>,
        workspace: &Workspace<'_>,
        ids: &mut dyn Ids,
    ) -> Ticket {
        let request = &workspace.request;
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

/// The customer: what identifies him, and what he is made from where nobody has it.
fn read_customer(fields: &mut Fields<'_, '_>, context: Context<'_>) -> LinkedParty {
    if !CUSTOMER_IDENTIFIERS.iter().any(|name| fields.has(name)) {
        let at = fields.at().clone();
        let message = format!(
            "Whose ticket is it? Name one of {}.",
            listed(CUSTOMER_IDENTIFIERS, CUSTOMER_IDENTIFIERS.len())
        );
        fields.findings.fault(Code::MissingIdentifier, &at, message);
    }
    let contact_kind = read_contact_type(fields).set().unwrap_or(ContactKind::Customer);
    let code = read_code(fields, contact_kind);
    let person = Person {
        name: fields.text("name", Longest::LINE),
        lastname: fields.text("lastname", Longest::LINE),
        ..read_named_person(fields, context)
    };
    let kind = kind_to_make(contact_kind, code.as_ref());
    LinkedParty { code, party: Party::of_person(fields.at().clone(), kind, person) }
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
            fields.findings,
            Code::UnknownGroup,
            &at,
            "group",
            &name,
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
            fields.findings,
            Code::UnknownSla,
            &at,
            "SLA",
            &name,
            slas.iter().map(|sla| sla.name.as_str()),
        );
        return None;
    };
    Some(SlaTimes { id: *id, first_response: *first_response, resolution: *resolution })
}

#[cfg(test)]
mod tests;
