//! add-activity: something that happened with a customer (`listener.md` 7).
//!
//! `source` and `externalId` together name it: heard of again, the fields given are written over
//! what is there, `details` member by member, and it stays with its customer. Without an
//! `externalId` it is always a new one. Nobody is made for it: who is not there is `not_found`.

use super::act::Act;
use super::customer::named_customer::{CUSTOMER_IDENTIFIERS, NamedCustomer};
use super::details::{merge_details, read_details};
use super::of_source::OfSource;
use super::permit::read_permit;
use crate::batch::change::{
    Change, Decision, Outcome, RecordName, RecordRef, Rejection, Status, Subject,
};
use crate::batch::context::Context;
use crate::batch::keys::Keys;
use crate::batch::snapshot::{Ids, Overlay};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Given, Longest, Mode};
use crate::records::activity::{Activity, ActivityKey, ActivityKind, Operator};
use crate::records::history::{Event, NamedActivity, OfActivity};
use crate::records::permit::Permit;
use crate::values::date::instant;
use crate::values::email::Email;
use crate::values::suggest::listed;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The fields that add-activity knows.
pub const ACTIVITY_FIELDS: &[&str] = &[
    "kind",
    "source",
    "externalId",
    "startedAt",
    "endedAt",
    "outcome",
    "subject",
    "body",
    "operator",
    "details",
    "contactType",
    "customerId",
    "contactId",
    "passport",
    "email",
    "emails",
    "phone",
    "phones",
    "dealId",
    "permit",
];

/// The longest `source`.
pub const LONGEST_SOURCE: Longest = Longest::Chars(64);

/// Where an activity without a `source` is from.
pub const DEFAULT_SOURCE: &str = "listener";

/// A payload of add-activity, read. What is absent stays as it is on an activity that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct AddActivity {
    at: Pointer,
    source: String,
    external_id: Option<String>,
    kind: Option<ActivityKind>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    outcome: Option<String>,
    subject: Option<String>,
    body: Option<String>,
    operator: Option<Operator>,
    details: Map<String, Value>,
    customer: Option<NamedCustomer>,
    deal_id: Option<String>,
    permit: Option<Permit>,
    of_source: Option<OfSource>,
}

impl Act for AddActivity {
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at.clone(), Mode::Add, ACTIVITY_FIELDS, diagnostics)?;
        let source = fields.text("source", LONGEST_SOURCE).set();
        let external_id = fields.text("externalId", Longest::LINE).set();
        let customer = NamedCustomer::read(&mut fields, context);
        if customer.is_none() && external_id.is_none() {
            let message = format!(
                "Whose activity is it? Name one of {}.",
                listed(CUSTOMER_IDENTIFIERS, CUSTOMER_IDENTIFIERS.len())
            );
            fields.diagnostics.fault(Code::MissingIdentifier, &at, message);
        }
        let zone = context.directory.org.time_zone;
        Some(Self {
            at,
            source: source.unwrap_or_else(|| DEFAULT_SOURCE.to_owned()),
            external_id,
            kind: fields.choice("kind").set(),
            started_at: fields.date("startedAt", |input| instant(input, zone)).set(),
            ended_at: fields.date("endedAt", |input| instant(input, zone)).set(),
            outcome: fields.text("outcome", Longest::LINE).set(),
            subject: fields.text("subject", Longest::LINE).set(),
            body: fields.text("body", Longest::TEXT).set(),
            operator: read_operator(&mut fields, context),
            details: read_details(&mut fields, "details"),
            customer,
            deal_id: fields.text("dealId", Longest::LINE).set(),
            permit: read_permit(&mut fields, context).set(),
            of_source: None,
        })
    }

    fn collect_keys(&self, keys: &mut Keys) {
        keys.activities.extend(self.key());
        keys.deal_ids.extend(self.deal_id.clone());
        if let Some(customer) = &self.customer {
            customer.collect_keys(keys, false);
        }
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
        let known = self.key().and_then(|key| overlay.activities.with_key(&key));
        let activity = match known {
            Some(known) => Some(self.changed(known, overlay, &mut diagnostics)),
            None => self.new_activity(overlay, ids, &mut diagnostics),
        };
        let Some(mut activity) = activity.filter(|_| diagnostics.faults.is_empty()) else {
            return Err(diagnostics.into());
        };
        let (status, event): (_, fn(OfActivity) -> Event) = match known {
            None => (Status::Created, Event::ActivityAdded),
            Some(known) if known.says_the_same_as(&activity) => {
                (Status::Unchanged, Event::ActivityUpdated)
            }
            Some(_) => (Status::Updated, Event::ActivityUpdated),
        };
        let mut changes = Vec::new();
        if status != Status::Unchanged {
            activity.updated_at = overlay.request.now;
            changes.extend(history(&activity, event, ids));
        }
        let record = Some(RecordRef { id: activity.id, name: RecordName::Activity });
        match known {
            None => changes.push(Change::ActivityAdded(Box::new(activity))),
            Some(known) if *known != activity => {
                changes.push(Change::ActivityChanged(Box::new(activity)));
            }
            Some(_) => {}
        }
        let outcome = Outcome { record, ..Outcome::without_record(status, diagnostics.warnings) };
        Ok(Decision { outcome, changes })
    }
}

impl AddActivity {
    /// The activity as a source tells of it: whose it is, and how new that is.
    pub fn heard(mut self, of_source: OfSource) -> Self {
        if let Some(ActivityKey { source, external_id }) = of_source.activities.first().cloned() {
            (self.source, self.external_id) = (source, Some(external_id));
        }
        self.of_source = Some(of_source);
        self
    }

    fn key(&self) -> Option<ActivityKey> {
        let external_id = self.external_id.clone()?;
        Some(ActivityKey { source: self.source.clone(), external_id })
    }

    /// The activity that comes of it where there is none yet.
    fn new_activity(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        diagnostics: &mut Diagnostics,
    ) -> Option<Activity> {
        let customer = self.find_customer(overlay, diagnostics);
        require("kind", self.kind.is_some(), &self.at, diagnostics);
        require("startedAt", self.started_at.is_some(), &self.at, diagnostics);
        let deal = self.find_deal(overlay, diagnostics);
        let request = &overlay.request;
        let activity = Activity {
            id: ids.id(),
            kind: self.kind?,
            source: self.source.clone(),
            external_id: self.external_id.clone(),
            started_at: self.started_at?,
            ended_at: self.ended_at,
            outcome: self.outcome.clone(),
            subject: self.subject.clone(),
            body: self.body.clone(),
            operator: self.operator.clone(),
            details: self.merged_details(&Map::new(), diagnostics),
            customer: customer?,
            deal,
            permit: self.permit.clone().unwrap_or_default(),
            as_of: self.as_of(),
            owner: request.sender.id,
            created_at: request.now,
            updated_at: request.now,
        };
        self.check_times(&activity, diagnostics);
        Some(activity)
    }

    /// The activity that is there, with what is given written over it.
    fn changed(
        &self,
        known: &Activity,
        overlay: &Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Activity {
        let told = match &self.of_source {
            Some(of_source) => {
                of_source.find(overlay).filter(|it| it.id != known.customer).is_some()
            }
            None => self
                .customer
                .as_ref()
                .is_some_and(|named| named.search(overlay).map(|it| it.id) != Some(known.customer)),
        };
        if told {
            let message = "The activity was heard of before, and stays with the customer it was \
                           with; the one named here was not used.";
            diagnostics.warn(Code::CustomerKept, &self.at, message);
        }
        if self.of_source.as_ref().is_some_and(|it| it.is_older_than(known)) {
            return self.gaps_filled(known, overlay, diagnostics);
        }
        let given = self.clone();
        let activity = Activity {
            kind: given.kind.unwrap_or(known.kind),
            started_at: given.started_at.unwrap_or(known.started_at),
            ended_at: given.ended_at.or(known.ended_at),
            outcome: given.outcome.or_else(|| known.outcome.clone()),
            subject: given.subject.or_else(|| known.subject.clone()),
            body: given.body.or_else(|| known.body.clone()),
            operator: given.operator.or_else(|| known.operator.clone()),
            details: self.merged_details(&known.details, diagnostics),
            deal: self.find_deal(overlay, diagnostics).or(known.deal),
            permit: given.permit.unwrap_or_else(|| known.permit.clone()),
            as_of: self.as_of().or(known.as_of),
            ..known.clone()
        };
        self.check_times(&activity, diagnostics);
        activity
    }

    /// The activity that is there, with what it lacks taken from an older telling.
    fn gaps_filled(
        &self,
        known: &Activity,
        overlay: &Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Activity {
        let older = self.clone();
        let details = merge_details(&self.details, &known.details, &self.at, diagnostics);
        Activity {
            ended_at: known.ended_at.or(older.ended_at.filter(|end| *end >= known.started_at)),
            outcome: known.outcome.clone().or(older.outcome),
            subject: known.subject.clone().or(older.subject),
            body: known.body.clone().or(older.body),
            operator: known.operator.clone().or(older.operator),
            details,
            deal: known.deal.or_else(|| self.find_deal(overlay, diagnostics)),
            ..known.clone()
        }
    }

    fn as_of(&self) -> Option<DateTime<Utc>> {
        self.of_source.as_ref()?.as_of
    }

    fn find_customer(&self, overlay: &Overlay<'_>, diagnostics: &mut Diagnostics) -> Option<Uuid> {
        if let Some(of_source) = self.of_source.as_ref().filter(|it| it.names_anybody()) {
            return of_source.find_or_tell(&self.at, overlay, diagnostics).map(|it| it.id);
        }
        let Some(named) = &self.customer else {
            if self.external_id.is_some() {
                let message = "There is no activity of this source and externalId yet; to add it \
                               name its customer.";
                diagnostics.fault(Code::NotFound, self.at.member("externalId"), message);
            }
            return None;
        };
        named.find("an activity of", &self.at, overlay, diagnostics).map(|customer| customer.id)
    }

    /// The deal to link. One that is not there keeps nothing back of what happened.
    fn find_deal(&self, overlay: &Overlay<'_>, diagnostics: &mut Diagnostics) -> Option<Uuid> {
        let deal_id = self.deal_id.as_deref()?;
        let deal = overlay.deals.with_deal_id(deal_id).map(|deal| deal.id);
        if deal.is_none() {
            let shown: String = deal_id.chars().take(64).collect();
            let message =
                format!("There is no deal with the dealId \"{shown}\"; the activity has none.");
            diagnostics.warn(Code::UnknownDeal, self.at.member("dealId"), message);
        }
        deal
    }

    fn merged_details(
        &self,
        known: &Map<String, Value>,
        diagnostics: &mut Diagnostics,
    ) -> Map<String, Value> {
        merge_details(known, &self.details, &self.at.member("details"), diagnostics)
    }

    fn check_times(&self, activity: &Activity, diagnostics: &mut Diagnostics) {
        if activity.ended_at.is_some_and(|end| end < activity.started_at) {
            let field = if self.ended_at.is_some() { "endedAt" } else { "startedAt" };
            let message = "The activity would end before it starts; mend `startedAt` or `endedAt`.";
            diagnostics.fault(Code::OutOfRange, self.at.member(field), message);
        }
    }
}

/// The lines that tell of an activity in the histories of whom and what it belongs to.
pub fn history(
    activity: &Activity,
    event: fn(OfActivity) -> Event,
    ids: &mut dyn Ids,
) -> Vec<Change> {
    let named = NamedActivity { id: activity.id, kind: activity.kind.to_string() };
    let event = event(OfActivity { activity: named });
    let deal = activity.deal.map(Subject::Deal);
    let subjects = std::iter::once(Subject::Customer(activity.customer)).chain(deal);
    subjects.map(|subject| Change::history(ids.id(), subject, event.clone())).collect()
}

/// Notes that a field is absent that a new activity needs; what is wrong with it is told already.
fn require(name: &str, present: bool, at: &Pointer, diagnostics: &mut Diagnostics) {
    let at = at.member(name);
    if !present && !diagnostics.faults.iter().any(|fault| fault.pointer == at.as_str()) {
        diagnostics.fault(Code::Required, at, format!("`{name}` is required."));
    }
}

fn read_operator(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Option<Operator> {
    let text = match fields.text("operator", Longest::LINE) {
        Given::Set(text) => text,
        Given::Absent | Given::Clear => return None,
    };
    let user = Email::parse(&text)
        .ok()
        .and_then(|email| context.directory.users.with_email(email.key()))
        .map(|user| Operator::User(user.id));
    Some(user.unwrap_or(Operator::Named(text)))
}

#[cfg(test)]
mod tests;
