//! Events of Oktium: calls, orders and appointments (`connections.md` 2).

mod customer;
mod order;

use super::Told;
use super::beeiq::malformed;
use super::draft::{DEEPEST, Draft, Heard, Part};
use super::pulled::{Object, put_details, put_line};
use crate::diagnostics::{Code, Pointer, Refusal};
use crate::json;
use crate::records::activity::{ActivityKey, ActivityKind};
use crate::records::connection::{OktiumSettings, Source};
use crate::values::date::{DateInput, instant};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use customer::Customer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const SOURCE: Source = Source::Oktium;

/// The times of an event: the greatest of them says how new it is.
const TIMES: [&str; 8] = [
    "createdAt",
    "confirmedAt",
    "paidAt",
    "readyAt",
    "shippedAt",
    "incoming",
    "accepted",
    "ending",
];

pub(super) fn drafts(told: Told<'_>, settings: &OktiumSettings) -> Result<Vec<Draft>, Refusal> {
    let body = json::parse(told.body, DEEPEST).map_err(|error| malformed(&error))?;
    let Value::Object(fields) = &body else {
        let detail = "The body is no event of Oktium, which is a JSON object.";
        return Err(Refusal::new(Code::InvalidEnvelope, detail));
    };
    let event = Event { told, fields: Object { fields, at: Pointer::root() }, settings };
    Ok(event.drafts())
}

pub(super) fn items_that(body: &[u8], is_so: impl Fn(&Value) -> bool) -> Option<BTreeSet<usize>> {
    let body = json::parse(body, DEEPEST).ok()?;
    let fields = Object { fields: body.as_object()?, at: Pointer::root() };
    let id = customer::id(&fields).map(|(id, _)| format!("{SOURCE}:{id}"));
    let is_so = is_so(&json!({"event": body, "externalId": id}));
    Some(is_so.then_some(0).into_iter().collect())
}

pub(super) fn redacted(body: &[u8], items: &BTreeSet<usize>) -> Option<Vec<u8>> {
    json::parse(body, DEEPEST).ok()?.as_object()?;
    Some(if items.is_empty() { body.to_vec() } else { b"{}".to_vec() })
}

/// An event, and how it is meant.
struct Event<'a> {
    told: Told<'a>,
    fields: Object<'a>,
    settings: &'a OktiumSettings,
}

#[derive(Clone, Copy)]
enum Kind {
    Call,
    Order,
    Appointment,
}

impl Event<'_> {
    fn drafts(&self) -> Vec<Draft> {
        let failed = |code, message| {
            vec![self.draft(Part::Activity).failed(code, &Pointer::root(), message)]
        };
        if self.fields.fields.is_empty() {
            let message =
                "Nothing is left of the event: what it told was taken out with its customer.";
            return failed(Code::Required, message);
        }
        let Some(kind) = self.kind() else {
            let message = "This is no call, order or appointment: `X-Oktium-Event-Key` names none, \
                           and the body has no `orderNo`, `startDate` or `incoming`.";
            return failed(Code::UnknownEvent, message);
        };
        let Some(customer) = Customer::of(&self.fields) else {
            let message = "Neither a customer nor a phone number says whose this is.";
            return failed(Code::NoCustomer, message);
        };
        let heard = |word: &str| Heard {
            whose: customer.whose.clone(),
            placeholder: Some(SOURCE.placeholder(&customer.called)),
            as_of: TIMES.iter().filter_map(|time| self.time(time)).max(),
            activities: vec![key(word, &self.id())],
            new_deal_stage: self.settings.default_stage.clone(),
        };
        let (word, told) = match kind {
            Kind::Call => ("call", vec![self.call()]),
            Kind::Order => ("order", self.order()),
            Kind::Appointment => ("appointment", vec![self.appointment()]),
        };
        let mut drafts = vec![customer.draft(self.draft(Part::Contact))];
        drafts.extend(told);
        for draft in &mut drafts {
            let mut own = heard(word);
            own.activities.append(&mut draft.heard.activities);
            draft.heard = own;
        }
        drafts
    }

    /// What its key says, which may name a call and an order in one; else what it has in it.
    fn kind(&self) -> Option<Kind> {
        let key = self.told.headers.get("x-oktium-event-key").unwrap_or_default();
        let key = key.to_ascii_lowercase();
        let named =
            [("order", Kind::Order), ("appointment", Kind::Appointment), ("call", Kind::Call)];
        let has =
            [("orderNo", Kind::Order), ("startDate", Kind::Appointment), ("incoming", Kind::Call)];
        named
            .iter()
            .find(|(word, _)| key.contains(word))
            .or_else(|| has.iter().find(|(field, _)| self.fields.text(field).is_some()))
            .map(|(_, kind)| *kind)
    }

    /// Its id, else a hash of its body.
    fn id(&self) -> String {
        self.fields.text("_id").unwrap_or_else(|| {
            let digest = Sha256::digest(self.told.body);
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        })
    }

    fn draft(&self, part: Part) -> Draft {
        Draft::new(0, &self.fields.at, part)
    }

    fn time(&self, field: &str) -> Option<DateTime<Utc>> {
        instant(DateInput::Text(&self.fields.text(field)?), Tz::UTC).ok()
    }

    /// An activity of that kind, with these of the event's fields in its details.
    fn activity(&self, kind: ActivityKind, details: &[(&'static str, &'static str)]) -> Draft {
        let mut draft = self.draft(Part::Activity);
        draft.data.put("kind", kind.as_str(), &self.fields.at);
        let branch = self.told.headers.get("x-oktium-branch-id").map(|id| json!(id));
        let branch = branch.filter(|_| self.fields.value("branchId").is_none());
        let members = details.iter().filter_map(|(field, name)| {
            Some((*name, self.fields.value(field).filter(|it| !it.is_null())?.clone()))
        });
        put_details(
            &mut draft,
            members.chain(branch.map(|branch| ("branchId", branch))),
            &self.fields.at,
        );
        draft
    }

    /// Puts a time as it is written.
    fn put_time(&self, draft: &mut Draft, name: &str, field: &str) {
        if let Some(time) = self.fields.text(field) {
            draft.data.put(name, time, &self.fields.place(field));
        }
    }

    fn put_line(&self, draft: &mut Draft, name: &str, field: &str) {
        if let Some(text) = self.fields.text(field) {
            put_line(draft, name, &text, &self.fields.place(field));
        }
    }

    fn call(&self) -> Draft {
        let details = [
            ("accepted", "acceptedAt"),
            ("branchId", "branchId"),
            ("sellerId", "sellerId"),
            ("finishedBy", "finishedBy"),
            ("totalSpending", "totalSpending"),
        ];
        let mut call = self.activity(ActivityKind::Call, &details);
        self.put_time(&mut call, "startedAt", "incoming");
        let times = self.time("incoming").zip(self.time("ending"));
        if times.is_none_or(|(start, end)| start <= end) {
            self.put_time(&mut call, "endedAt", "ending");
        }
        let accepted = self.fields.text("accepted").is_some();
        let outcome = if accepted { "answered" } else { "missed" };
        call.data.put("outcome", outcome, &self.fields.place("accepted"));
        self.put_line(&mut call, "subject", "shopName");
        call
    }

    fn appointment(&self) -> Draft {
        let details = [
            ("businessLink", "businessLink"),
            ("branchId", "branchId"),
            ("sellerId", "sellerId"),
            ("address", "address"),
            ("sellerPhone", "sellerPhone"),
        ];
        let mut appointment = self.activity(ActivityKind::Appointment, &details);
        self.put_time(&mut appointment, "startedAt", "startDate");
        self.put_time(&mut appointment, "endedAt", "endDate");
        appointment.data.put("subject", "Appointment", &self.fields.at);
        appointment
    }
}

/// By what an activity of Oktium is known.
fn key(word: &str, id: &str) -> ActivityKey {
    ActivityKey { source: SOURCE.to_string(), external_id: format!("{word}:{id}") }
}

#[cfg(test)]
mod tests;
