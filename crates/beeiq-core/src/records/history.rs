//! What a line of a record's history says, in a sentence.

use serde_json::Value;

/// One English sentence about a history line, from its kind and what it keeps (`api.md` 5). Details
/// that are missing or of another shape make the sentence shorter; a kind not known here is named.
#[must_use]
pub fn summary(kind: &str, details: &Value) -> String {
    match kind {
        "created" => created(details),
        "duplicate_skipped" => duplicate_skipped(details),
        "updated" => updated(details),
        "note_added" => "A note was added.".to_owned(),
        "deal_added" => format!("{} was added.", named("A deal", "Deal", details, "/deal/dealId")),
        "deal_updated" => {
            format!("{} was updated.", named("A deal", "Deal", details, "/deal/dealId"))
        }
        "ticket_added" => {
            format!("{} was added.", named("A ticket", "Ticket", details, "/ticket/code"))
        }
        "sms_queued" => queued("An SMS", details),
        "sms_sent" => format!("An SMS{} was sent.", recipient(details)),
        "sms_failed" => failed("An SMS", details),
        "email_queued" => queued("An e-mail", details),
        "email_sent" => format!("An e-mail{} was sent.", recipient(details)),
        "email_failed" => failed("An e-mail", details),
        "company_linked" => company_linked(details),
        other => format!("{}.", capitalised(&other.replace('_', " "))),
    }
}

fn created(details: &Value) -> String {
    let how = match text(details, "/by") {
        Some("listener") => " by a listener",
        Some("company") => " as the company of another record",
        _ => "",
    };
    let company =
        text(details, "/company").map(|code| format!(", with company {code}")).unwrap_or_default();
    format!("Created{how}{company}.")
}

fn duplicate_skipped(details: &Value) -> String {
    let matched: Vec<String> = details
        .pointer("/matched")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let field = text(entry, "/field")?;
            let value = text(entry, "/value").map(|value| format!(" {value}")).unwrap_or_default();
            Some(format!("{field}{value}"))
        })
        .collect();
    if matched.is_empty() {
        return "A duplicate was skipped.".to_owned();
    }
    format!("A duplicate was skipped: the same {}.", matched.join(", "))
}

fn updated(details: &Value) -> String {
    let fields: Vec<&str> = details
        .pointer("/changes")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|changes| changes.keys().map(String::as_str))
        .collect();
    if fields.is_empty() {
        "Updated.".to_owned()
    } else {
        format!("Updated: {}.", fields.join(", "))
    }
}

fn company_linked(details: &Value) -> String {
    let company = named("a company", "company", details, "/company/code");
    match details.pointer("/created").and_then(Value::as_bool) {
        Some(true) => format!("Linked to {company}, newly created."),
        _ => format!("Linked to {company}."),
    }
}

fn queued(what: &str, details: &Value) -> String {
    let to = recipient(details);
    let segments = match details.pointer("/segments").and_then(Value::as_u64) {
        Some(1) => " (1 segment)".to_owned(),
        Some(count) => format!(" ({count} segments)"),
        None => String::new(),
    };
    match details.pointer("/captured").and_then(Value::as_bool) {
        Some(true) => format!("{what}{to} was captured, not sent{segments}: this is staging."),
        _ => format!("{what}{to} was queued{segments}."),
    }
}

fn failed(what: &str, details: &Value) -> String {
    let to = recipient(details);
    match text(details, "/reason") {
        Some(reason) => {
            let reason = capitalised(reason.trim_end_matches('.'));
            format!("{what}{to} could not be sent. {reason}.")
        }
        None => format!("{what}{to} could not be sent."),
    }
}

fn recipient(details: &Value) -> String {
    text(details, "/to").map(|to| format!(" to {to}")).unwrap_or_default()
}

/// `name` with the code at `pointer`, or `unnamed` where there is none.
fn named(unnamed: &str, name: &str, details: &Value, pointer: &str) -> String {
    text(details, pointer).map_or_else(|| unnamed.to_owned(), |code| format!("{name} {code}"))
}

fn text<'a>(details: &'a Value, pointer: &str) -> Option<&'a str> {
    details.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn capitalised(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KINDS: [&str; 14] = [
        "created",
        "duplicate_skipped",
        "updated",
        "note_added",
        "deal_added",
        "deal_updated",
        "ticket_added",
        "sms_queued",
        "sms_sent",
        "sms_failed",
        "email_queued",
        "email_sent",
        "email_failed",
        "company_linked",
    ];

    fn check(cases: &[(&str, Value, &str)]) {
        for (kind, details, expected) in cases {
            assert_eq!(summary(kind, details), *expected, "{kind} {details}");
        }
    }

    #[test]
    fn a_line_says_what_its_details_hold() {
        let cases = [
            ("created", json!({"by": "listener"}), "Created by a listener."),
            (
                "created",
                json!({"by": "listener", "company": "CID-1"}),
                "Created by a listener, with company CID-1.",
            ),
            (
                "duplicate_skipped",
                json!({"matched": [{"field": "email", "value": "a@b.co"}, {"field": "phone", "value": "+84905000001"}]}),
                "A duplicate was skipped: the same email a@b.co, phone +84905000001.",
            ),
            (
                "duplicate_skipped",
                json!({"matched": [{"field": "passport"}]}),
                "A duplicate was skipped: the same passport.",
            ),
            ("deal_added", json!({"deal": {"dealId": "192"}}), "Deal 192 was added."),
            (
                "updated",
                json!({"changes": {"emails": {"old": [], "new": []}, "name": {"old": "a", "new": "b"}}}),
                "Updated: emails, name.",
            ),
            ("updated", json!({"changes": {}}), "Updated."),
            ("ticket_added", json!({"ticket": {"code": "TID-3"}}), "Ticket TID-3 was added."),
            (
                "company_linked",
                json!({"company": {"id": "x", "code": "CID-1"}, "created": true}),
                "Linked to company CID-1, newly created.",
            ),
            (
                "company_linked",
                json!({"company": {"id": "x", "code": "CID-1"}, "created": false}),
                "Linked to company CID-1.",
            ),
        ];
        check(&cases);
    }

    #[test]
    fn a_line_says_what_became_of_a_message() {
        let cases = [
            (
                "sms_queued",
                json!({"messageId": "m", "to": "+84905000001", "captured": false, "segments": 2}),
                "An SMS to +84905000001 was queued (2 segments).",
            ),
            (
                "sms_queued",
                json!({"to": "+84905000001", "captured": true, "segments": 1}),
                "An SMS to +84905000001 was captured, not sent (1 segment): this is staging.",
            ),
            (
                "sms_failed",
                json!({"reason": "no credits are left."}),
                "An SMS could not be sent. No credits are left.",
            ),
            (
                "email_queued",
                json!({"messageId": "m", "to": "a@b.co", "captured": false}),
                "An e-mail to a@b.co was queued.",
            ),
            ("email_sent", json!({"to": "a@b.co"}), "An e-mail to a@b.co was sent."),
        ];
        check(&cases);
    }

    #[test]
    fn a_line_without_usable_details_is_still_one_whole_sentence() {
        let wrong = [
            json!(null),
            json!({}),
            json!([]),
            json!({"matched": 1, "company": 2, "by": [], "to": {}, "reason": "", "segments": "x"}),
            json!({"matched": [], "deal": "x", "ticket": null, "captured": "yes"}),
        ];
        for kind in KINDS {
            for details in &wrong {
                let sentence = summary(kind, details);
                assert!(sentence.ends_with('.'), "{kind} {details}: {sentence}");
                assert!(!sentence.contains("  ") && !sentence.contains(" ."), "{kind}: {sentence}");
                assert!(sentence.starts_with(char::is_uppercase), "{kind}: {sentence}");
            }
        }
    }

    #[test]
    fn a_kind_not_known_yet_is_named() {
        assert_eq!(summary("call_missed", &json!({})), "Call missed.");
    }
}
