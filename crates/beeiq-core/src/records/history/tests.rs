use super::*;
use serde_json::json;

const ID: &str = "019a0000-0000-7000-8000-000000000001";

fn summary(kind: &str, details: &Value) -> String {
    Kept::read(kind.to_owned(), details.clone()).summary()
}

fn check(cases: &[(&str, Value, &str)]) {
    for (kind, details, expected) in cases {
        let event = Kept::read((*kind).to_owned(), details.clone());
        assert!(matches!(event, Kept::Known(_)), "{kind} {details}");
        assert_eq!(event.summary(), *expected, "{kind} {details}");
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
        ("activity_added", json!({"activity": {"kind": "call"}}), "An activity (call) was added."),
        ("activity_updated", json!({"activity": {}}), "An activity was updated."),
        (
            "company_linked",
            json!({"company": {"id": ID, "code": "CID-1"}, "created": true}),
            "Linked to company CID-1, newly created.",
        ),
        (
            "company_linked",
            json!({"company": {"id": ID, "code": "CID-1"}, "created": false}),
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
            json!({"messageId": ID, "to": "+84905000001", "captured": false, "segments": 2}),
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
            json!({"messageId": ID, "to": "a@b.co", "captured": false}),
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
    for kind in HistoryKind::ALL.map(HistoryKind::as_str) {
        for details in &wrong {
            let sentence = summary(kind, details);
            assert!(sentence.ends_with('.'), "{kind} {details}: {sentence}");
            assert!(!sentence.contains("  ") && !sentence.contains(" ."), "{kind}: {sentence}");
            assert!(sentence.starts_with(char::is_uppercase), "{kind}: {sentence}");
        }
    }
}

#[test]
fn what_is_kept_is_shown_as_it_was_written() {
    for (kind, details) in [
        ("created", json!({"by": "company"})),
        ("duplicate_skipped", json!({"matched": [{"field": "contactId", "value": "7"}]})),
        ("updated", json!({"changes": {"tag": {"old": ["a"], "new": []}}})),
        ("note_added", json!({"note": {"id": ID}, "tagsAdded": ["vip"]})),
        ("deal_added", json!({"deal": {"id": ID, "dealId": "192"}})),
        ("ticket_added", json!({"ticket": {"id": ID, "code": "TID-1"}})),
        ("company_linked", json!({"company": {"id": ID, "code": "CID-1"}, "created": false})),
        ("sms_queued", json!({"messageId": ID, "to": "+84", "captured": true, "segments": 2})),
        ("email_queued", json!({"messageId": ID, "to": "a@b.co", "captured": false})),
        ("email_sent", json!({"messageId": ID, "to": "a@b.co"})),
        ("sms_failed", json!({"reason": "No credits."})),
        ("call_missed", json!({"from": "+84905000001"})),
    ] {
        let event = Kept::read(kind.to_owned(), details.clone());
        assert_eq!(event.kind(), kind);
        assert_eq!(serde_json::to_value(&event).unwrap(), details, "{kind}");
    }
}

#[test]
fn a_kind_not_known_yet_is_named() {
    assert_eq!(summary("call_missed", &json!({})), "Call missed.");
}
