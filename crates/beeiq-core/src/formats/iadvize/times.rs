//! Times of iAdvize, which have no zone: they are the website's (`connections.md` 3).

use super::reader::Reader;
use crate::diagnostics::Code;
use crate::formats::draft::Draft;
use crate::formats::pulled::Object;
use crate::values::date::{DateInput, instant};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

/// The time zone of the item's website; UTC where it is not known.
pub(super) fn zone(reader: &Reader<'_>, item: &Object<'_>) -> Tz {
    let website = reader.looked_up(item, "website_id", "website");
    let zone = website.and_then(|website| website.text("timezone")?.parse().ok());
    zone.unwrap_or(Tz::UTC)
}

/// Whether an action can be without a time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    Yes,
    No,
}

/// Puts the time that stands in the field `from` of an item. What is none is a fault where the action
/// needs it, and else only odd.
pub(super) fn put(
    draft: &mut Draft,
    field: &str,
    (item, from): (&Object<'_>, &str),
    zone: Tz,
    needed: Needed,
) -> Option<DateTime<Utc>> {
    let (text, at) = (written(item, from)?, item.place(from));
    let read = instant(DateInput::Text(&text), zone);
    match read {
        Ok(time) => draft.data.put(field, told(time), &at),
        Err(error) if needed == Needed::Yes => {
            draft.diagnostics.fault(Code::InvalidDate, &at, format!("`{from}` is {error}."));
        }
        Err(error) => {
            let message = format!("`{from}` was left out: it is {error}.");
            draft.diagnostics.warn(Code::InvalidDate, &at, message);
        }
    }
    read.ok()
}

/// A time as it stands; a database's zero is none.
fn written(item: &Object<'_>, field: &str) -> Option<String> {
    item.text(field).filter(|text| !text.starts_with("0000-00-00"))
}

/// An instant as the data of an action has it.
fn told(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Part;
    use crate::formats::pulled::testing::{document, places};
    use crate::formats::pulled::{Document, pointer_to};
    use crate::records::connection::IadvizeSettings;
    use crate::values::phone::Region;
    use serde_json::{Value, json};

    fn with_reader<T>(item: &Value, read: impl FnOnce(&Reader<'_>, &Object<'_>) -> T) -> T {
        let websites =
            json!({"1": {"timezone": "Europe/Paris"}, "2": {"timezone": "Mars"}, "3": {}});
        let body = document("x", std::slice::from_ref(item), &json!({ "website": websites }));
        let document = Document::read(&body).unwrap();
        let settings = IadvizeSettings::default();
        let region = Region::parse("VN").unwrap();
        let reader = Reader { document: &document, settings: &settings, region };
        let item = Object { fields: item.as_object().unwrap(), at: pointer_to(0) };
        read(&reader, &item)
    }

    #[test]
    fn a_time_is_in_the_zone_of_its_website_or_else_in_utc() {
        for (website, text, utc) in [
            (json!(1), "2016-02-16 11:24:43", Some("2016-02-16T10:24:43Z")),
            (json!("1"), "2016-07-16 11:24:43", Some("2016-07-16T09:24:43Z")),
            (json!(2), "2016-02-16 11:24:43", Some("2016-02-16T11:24:43Z")),
            (json!(3), "2016-02-16 11:24:43", Some("2016-02-16T11:24:43Z")),
            (json!(4), "2016-02-16 11:24:43", Some("2016-02-16T11:24:43Z")),
            (json!(null), "2016-02-16", Some("2016-02-16T00:00:00Z")),
            (json!(1), "2016-02-16T11:24:43+07:00", Some("2016-02-16T04:24:43Z")),
            // The hour that does not exist, and the one that comes twice.
            (json!(1), "2026-03-29 02:30:00", Some("2026-03-29T01:00:00Z")),
            (json!(1), "2026-10-25 02:30:00", Some("2026-10-25T00:30:00Z")),
            (json!(1), "0000-00-00 00:00:00", None),
            (json!(1), "", None),
        ] {
            let item = json!({"website_id": website, "created_at": text});
            with_reader(&item, |reader, item| {
                let mut draft = Draft::new(0, &item.at, Part::Activity);
                let (zone, from) = (zone(reader, item), (item, "created_at"));
                let read = put(&mut draft, "startedAt", from, zone, Needed::Yes);
                let data = draft.data.fields.get("startedAt").and_then(Value::as_str);
                assert_eq!((data, read.map(told).as_deref()), (utc, utc), "{website} {text}");
                assert_eq!(draft.diagnostics.faults, [], "{text}");
            });
        }
    }

    #[test]
    fn what_is_no_time_is_a_fault_only_where_it_is_needed() {
        with_reader(&json!({"closed_at": "soon"}), |_, item| {
            let mut draft = Draft::new(0, &item.at, Part::Activity);
            for (needed, faults, warnings) in [(Needed::No, 0, 1), (Needed::Yes, 1, 1)] {
                let from = (item, "closed_at");
                assert_eq!(put(&mut draft, "endedAt", from, Tz::UTC, needed), None);
                let told = &draft.diagnostics;
                assert_eq!((told.faults.len(), told.warnings.len()), (faults, warnings));
            }
            let expected = [("invalid_date", "/items/0/closed_at")];
            assert_eq!(places(&draft.diagnostics.faults), expected);
        });
    }
}
