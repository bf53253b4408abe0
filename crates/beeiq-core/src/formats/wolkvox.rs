//! Rows of a campaign of wolkvox, `campaign_3` (`connections.md` 4).

use super::Told;
use super::draft::{Draft, Heard, Part, Whose};
use super::pulled::{self, Document, Object, PulledItem, put_details, put_line};
use crate::diagnostics::{Code, Refusal};
use crate::directory::Org;
use crate::records::activity::{ActivityKey, ActivityKind};
use crate::records::connection::{Source, WolkvoxSettings};
use crate::values::date::{DateInput, InvalidDate, instant};
use crate::values::phone::{Phone, Region};
use crate::values::text::fold;
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SOURCE: Source = Source::Wolkvox;

/// What a custom field is called where an `opt` field is mapped to it.
const CUSTOM_FIELD: &str = "cusFields.";

pub(super) fn drafts(
    told: Told<'_>,
    settings: &WolkvoxSettings,
    org: &Org,
) -> Result<Vec<Draft>, Refusal> {
    let document = Document::read(told.body)?;
    let reader = Reader {
        settings,
        campaign: &document.resource,
        zone: settings.time_zone.unwrap_or(org.time_zone),
        region: org.region,
    };
    Ok(document.drafts(Part::Activity, |row| reader.read(row)))
}

pub(super) fn items_that(body: &[u8], is_so: impl Fn(&Value) -> bool) -> Option<BTreeSet<usize>> {
    let told = |row: &Value, _: &Value| {
        let id = row.get("customer_id").and_then(pulled::text_of);
        let external_id = id.as_ref().map(|id| format!("{SOURCE}:{id}"));
        json!({"item": row, "passport": id, "externalId": external_id})
    };
    pulled::items_that(body, told, is_so)
}

pub(super) fn redacted(body: &[u8], items: &BTreeSet<usize>) -> Option<Vec<u8>> {
    pulled::redacted(body, items)
}

/// What it takes to read a row.
struct Reader<'a> {
    settings: &'a WolkvoxSettings,
    campaign: &'a str,
    zone: Tz,
    region: Region,
}

impl Reader<'_> {
    fn read(&self, item: &PulledItem<'_>) -> Vec<Draft> {
        let row = &item.told;
        let Some(id) = self.external_id(row) else {
            let message = "Neither `customer_id` nor a phone number says who was called.";
            return vec![item.failed(Part::Activity, Code::NoCustomer, "telephone", message)];
        };
        let (written, date) = self.date(row);
        let key = ActivityKey { source: SOURCE.to_string(), external_id: self.call_id(row, &id) };
        let heard = Heard {
            placeholder: Some(SOURCE.placeholder(&id)),
            whose: vec![Whose::External(id)],
            as_of: date,
            activities: vec![key],
            new_deal_stage: None,
        };
        let mut call = item.draft(Part::Activity);
        call.heard = heard.clone();
        self.put_call(&mut call, row);
        if let Some(date) = date {
            let date = date.to_rfc3339_opts(SecondsFormat::Secs, true);
            call.data.put("startedAt", date, &row.place("date"));
        } else if written.is_some() {
            let message = "Not a date and time such as 2026-01-31 08:00:00 or 20260131080000.";
            call = call.failed(Code::InvalidDate, &row.place("date"), message);
        }
        vec![self.contact(item, heard), call]
    }

    /// By what wolkvox knows the customer: its id, else the number that was called.
    fn external_id(&self, row: &Object<'_>) -> Option<String> {
        row.text("customer_id").or_else(|| {
            let phone = Phone::parse(&row.text("telephone")?, self.region).ok()?;
            Some(format!("tel:{}", phone.e164()?))
        })
    }

    /// By what the call is known: its id, else what makes it one.
    fn call_id(&self, row: &Object<'_>, customer: &str) -> String {
        row.text("conn_id").unwrap_or_else(|| {
            let whom = row.text("telephone").unwrap_or_else(|| customer.to_owned());
            format!("{}:{whom}:{}", self.campaign(row), row.text("date").unwrap_or_default())
        })
    }

    fn campaign(&self, row: &Object<'_>) -> String {
        row.text("campaign_id").unwrap_or_else(|| self.campaign.to_owned())
    }

    /// When the call was, as it is written, and what that means.
    fn date(&self, row: &Object<'_>) -> (Option<String>, Option<DateTime<Utc>>) {
        let written = row.text("date");
        let date = written.as_deref().and_then(|text| read_date(text, self.zone).ok());
        (written, date)
    }

    fn contact(&self, item: &PulledItem<'_>, heard: Heard) -> Draft {
        let row = &item.told;
        let mut contact = item.draft(Part::Contact);
        contact.heard = heard;
        let first = row.text("customer_name").map(|name| (name, "customer_name"));
        let last = row.text("customer_last_name").map(|name| (name, "customer_last_name"));
        let (name, lastname) = if first.is_some() { (first, last) } else { (last, None) };
        for (field, name) in [("name", name), ("lastname", lastname)] {
            if let Some((name, from)) = name {
                put_line(&mut contact, field, &name, &row.place(from));
            }
        }
        if let Some(phone) = row.text("telephone") {
            contact.data.push("phones", json!({ "value": phone }), &row.place("telephone"));
        }
        if let Some(passport) = row.text("customer_id").filter(|_| self.is_passport(row)) {
            contact.data.put("passport", passport, &row.place("customer_id"));
        }
        for (opt, field) in &self.settings.fields {
            if let Some(text) = row.text(opt) {
                put_mapped(&mut contact, field, text, row, opt);
            }
        }
        if let Some(tag) = row.text("result").and_then(|result| self.tag_of(&result)) {
            contact.data.put("tag", tag, &row.place("result"));
        }
        contact
    }

    fn is_passport(&self, row: &Object<'_>) -> bool {
        row.text("id_type").is_some_and(|id_type| {
            let types = &self.settings.document_types;
            types.iter().any(|listed| fold(listed) == fold(&id_type))
        })
    }

    fn tag_of(&self, result: &str) -> Option<&str> {
        let mut tags = self.settings.result_tags.iter();
        tags.find(|(of, _)| fold(of) == fold(result)).map(|(_, tag)| tag.as_str())
    }

    fn put_call(&self, call: &mut Draft, row: &Object<'_>) {
        let at = &row.at;
        call.data.put("kind", ActivityKind::Call.as_str(), at);
        call.data.put("source", SOURCE.as_str(), at);
        if let Some(key) = call.heard.activities.first().cloned() {
            call.data.put("externalId", key.external_id, &row.place("conn_id"));
        }
        if let Some(result) = row.text("result") {
            put_line(call, "outcome", &result, &row.place("result"));
        }
        let campaign = self.campaign(row);
        put_line(call, "subject", &format!("Campaign {campaign}"), &row.place("campaign_id"));
        let id_type = row.text("id_type").map(|id_type| ("id_type", json!(id_type)));
        let is_opt = |name: &&str| is_opt(name) && !self.settings.fields.contains_key(*name);
        let opts = row.names().filter(is_opt).filter_map(|opt| Some((opt, json!(row.text(opt)?))));
        let members = [("campaign_id", json!(campaign))].into_iter().chain(id_type).chain(opts);
        put_details(call, members, at);
    }
}

/// Puts an `opt` field where the connection says that it belongs.
fn put_mapped(contact: &mut Draft, field: &str, text: String, row: &Object<'_>, opt: &str) {
    let from = &row.place(opt);
    if let Some(name) = field.strip_prefix(CUSTOM_FIELD) {
        contact.data.push("cusFields", json!({ "name": name, "value": text }), from);
        return;
    }
    match field {
        "email" => contact.data.push("emails", json!({ "value": text }), from),
        // The first that is there; of a passport the document itself comes before.
        "passport" | "bgInfo" if !contact.data.fields.contains_key(field) => {
            contact.data.put(field, text, from);
        }
        _ => {}
    }
}

/// `opt1`, `opt2` …
fn is_opt(name: &str) -> bool {
    let number = name.strip_prefix("opt");
    number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `2026-01-31 08:00:00`, `2026/01/31 08:00:00` or `20260131080000`, or with `-` before the time.
fn read_date(text: &str, zone: Tz) -> Result<DateTime<Utc>, InvalidDate> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let shape: String = text.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect();
    let known = [
        "0000-00-00 00:00:00",
        "0000/00/00 00:00:00",
        "00000000000000",
        "0000-00-00-00:00:00",
        "0000/00/00-00:00:00",
        "00000000-000000",
    ];
    let parts = [(0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14)];
    let [year, month, day, hour, minute, second] =
        parts.map(|(from, to)| digits.get(from..to).unwrap_or_default());
    let iso = format!("{year}-{month}-{day} {hour}:{minute}:{second}");
    if known.contains(&shape.as_str()) {
        instant(DateInput::Text(&iso), zone)
    } else {
        Err(InvalidDate)
    }
}

#[cfg(test)]
mod tests;
