//! send-sms: one SMS to each of some numbers (`listener.md` 7).
//!
//! `content` goes to each distinct number once, in E.164. A number that cannot be one, or that no
//! SMS can reach, is a warning of its own and the others are queued; where none is left the action
//! has failed. Without an SMS account of the org's own a message costs a trial credit a segment,
//! taken when it is queued; where the credits do not suffice for all, none is queued. The customer
//! and the lead that hold a number get a line in their history.

use super::act::Act;
use crate::batch::{
    Change, Context, Decision, Ids, Keys, Message, Outcome, Overlay, RecordName, RecordRef,
    Rejection, Related, Role, Status, Subject,
};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::{Fields, Longest, Mode};
use crate::records::history::{Event, Queued};
use crate::records::identity::{Identity, IdentityKind, World};
use crate::records::message::{Content, Wording};
use crate::values::phone::Phone;
use crate::values::sms::segments;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;
use uuid::Uuid;

/// The fields that send-sms knows.
pub const SMS_FIELDS: &[&str] = &["content", "phones"];

/// How many numbers one action may have.
const MOST_NUMBERS: usize = 5_000;

/// What carriers and providers put together at most: ten segments and more arrive unreliably
/// already. The documents set no limit.
pub const LONGEST_CONTENT: Longest = Longest::Chars(1600);

/// A payload of send-sms, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendSms {
    at: Pointer,
    /// Its text, once for all numbers.
    wording: Arc<Wording>,
    /// Distinct numbers in E.164, in the order of the payload.
    numbers: Vec<String>,
}

impl Act for SendSms {
    fn read(
        data: &Value,
        at: Pointer,
        context: Context<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::open(data, at.clone(), Mode::Add, SMS_FIELDS, diagnostics)?;
        let content = fields.text("content", LONGEST_CONTENT).set();
        if content.is_none() {
            fields.require("content", false);
        }
        let numbers = read_numbers(&mut fields, context);
        let wording = Arc::new(Wording::new(Content::Sms { text: content? }));
        Some(Self { at, wording, numbers: numbers? })
    }

    fn recipients(&self) -> usize {
        self.numbers.len()
    }

    fn collect_keys(&self, keys: &mut Keys) {
        keys.sms = true;
        for number in &self.numbers {
            keys.identities.extend(
                [World::Customer, World::Lead]
                    .map(|world| Identity::new(world, IdentityKind::Phone, number)),
            );
        }
    }

    fn decide(
        &self,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
        mut diagnostics: Diagnostics,
    ) -> Result<Decision, Rejection> {
        let each = segments(self.wording.content.text().unwrap_or_default()).count;
        let count = i64::try_from(self.numbers.len()).unwrap_or(i64::MAX);
        let cost = i64::from(each).saturating_mul(count);
        if let Some(credits) = overlay.too_few_sms_credits(cost) {
            let message = format!(
                "{count} messages of {each} segments each take {cost} SMS credits and the org has \
                 {credits} left; none was queued. Set an SMS account up, or send fewer."
            );
            diagnostics.fault(Code::SmsCreditsExhausted, &self.at, message);
        }
        if !diagnostics.faults.is_empty() {
            return Err(diagnostics.into());
        }
        let mut changes = Vec::new();
        let mut records = Vec::new();
        for number in &self.numbers {
            let id = ids.id();
            records.push(RecordRef { id, name: RecordName::Sms });
            changes.extend(self.queue(id, number, each, overlay, ids));
        }
        // Reading leaves no action without a number.
        let Some(first) = records.first().cloned() else {
            return Err(diagnostics.into());
        };
        let outcome = Outcome {
            status: Status::Queued,
            record: Some(first),
            matched_by: None,
            related: records
                .into_iter()
                .map(|record| Related { role: Role::Message, record })
                .collect(),
            warnings: diagnostics.warnings,
        };
        Ok(Decision { outcome, changes })
    }
}

impl SendSms {
    /// A message, and the lines in the history of those who hold its number.
    fn queue(
        &self,
        id: Uuid,
        number: &str,
        segments: u32,
        overlay: &Overlay<'_>,
        ids: &mut dyn Ids,
    ) -> Vec<Change> {
        let holder = |world| {
            let identity = Identity::new(world, IdentityKind::Phone, number);
            overlay.customers.holder(&identity).map(|holder| holder.id)
        };
        let (customer, lead) = (holder(World::Customer), holder(World::Lead));
        let message = Message {
            id,
            customer,
            lead,
            recipient: number.to_owned(),
            wording: Arc::clone(&self.wording),
            merge: None,
            segments: Some(segments),
        };
        let event = Event::SmsQueued(Queued {
            message_id: id,
            to: number.to_owned(),
            captured: overlay.request.staging,
            segments: Some(segments),
        });
        let mut changes = vec![Change::MessageQueued(Box::new(message))];
        changes.extend(
            [customer, lead]
                .into_iter()
                .flatten()
                .map(|holder| Change::history(ids.id(), Subject::Customer(holder), event.clone())),
        );
        changes
    }
}

/// The numbers that an SMS can reach, each once. What is wrong with one is a warning; where none
/// is left, what is wrong with each is a fault.
fn read_numbers(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Option<Vec<String>> {
    let entries = fields.list("phones", "[\"0905000001\"]").set();
    if entries.is_none() {
        fields.require("phones", false);
    }
    let entries = entries?;
    if entries.len() > MOST_NUMBERS {
        let message = format!(
            "There are {} numbers in `phones`; the limit is {MOST_NUMBERS}. Send them in several \
             actions.",
            entries.len()
        );
        fields.fault("phones", Code::TooLong, message);
        return None;
    }
    let (mut numbers, mut seen, mut bad) = (Vec::new(), HashSet::new(), Diagnostics::default());
    for (at, value) in entries {
        match read_number(value, context) {
            Ok(number) if seen.insert(number.clone()) => numbers.push(number),
            Ok(_) => {}
            Err(message) => bad.fault(Code::InvalidPhone, &at, message),
        }
    }
    if numbers.is_empty() {
        fields.diagnostics.faults.append(&mut bad.faults);
        return None;
    }
    fields.diagnostics.warnings.append(&mut bad.faults);
    Some(numbers)
}

/// The number in E.164, or why no SMS can reach it.
fn read_number(value: &Value, context: Context<'_>) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err("A phone number has to be a text: \"0905000001\".".to_owned()),
    };
    let why = match Phone::parse(&text, context.directory.org.region) {
        Ok(phone) => match phone.e164() {
            Some(number) if phone.can_receive_sms() => return Ok(number.to_owned()),
            Some(_) => "it is no mobile number".to_owned(),
            None => "it is no valid number".to_owned(),
        },
        Err(error) => error.to_string(),
    };
    let shown: String = text.chars().take(64).collect();
    Err(format!("No SMS can be sent to \"{shown}\": {why}."))
}

#[cfg(test)]
mod tests;
