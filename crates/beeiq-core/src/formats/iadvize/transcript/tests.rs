use super::*;
use crate::formats::Part;
use crate::formats::pulled::testing::places;
use chrono_tz::Europe::Paris;
use serde_json::json;

/// The entries of every kind that the document shows, in its order.
fn sample() -> Value {
    json!([
        [5, "2016-02-16 11:24:21", "http://test.com/"],
        [2, "2016-02-16 11:24:23", "Hello", 1455618264049_u64],
        [3, "2016-02-16 11:24:31", "The chat rule has been activated."],
        [1, "2016-02-16 11:24:43", "Hello, how can I help you?", 1455618283869_u64],
        [
            2,
            "2016-02-16 11:25:26",
            "I would like to know if my order: xxx has been sent",
            1455618327321_u64
        ],
        [1, "2016-02-16 11:25:45", "I check it, thank you for your patience", 1455618346030_u64],
        [6, "2016-02-16 11:25:50", "http://img.png/"],
        [7, "2016-02-16 11:25:51", "http://img.png/"],
        [1, "2016-02-16 11:26:17", "Goodbye", 1455618377364_u64],
        [3, "2016-02-16 11:26:43", "OPERATOR_CHAT_CLOSE"],
    ])
}

const SAMPLE: &str = "\
[2016-02-16 11:24:21] Link: http://test.com/
[2016-02-16 11:24:24] Visitor: Hello
[2016-02-16 11:24:31] System: The chat rule has been activated.
[2016-02-16 11:24:43] Operator: Hello, how can I help you?
[2016-02-16 11:25:27] Visitor: I would like to know if my order: xxx has been sent
[2016-02-16 11:25:46] Operator: I check it, thank you for your patience
[2016-02-16 11:25:50] Content: http://img.png/
[2016-02-16 11:25:51] Content: http://img.png/
[2016-02-16 11:26:17] Operator: Goodbye
[2016-02-16 11:26:43] System: OPERATOR_CHAT_CLOSE";

fn body(history: &Value) -> String {
    Transcript::read(history, Paris).fitted().0
}

#[test]
fn every_kind_of_entry_is_a_line_with_who_and_when() {
    let transcript = Transcript::read(&sample(), Paris);
    assert_eq!(transcript.fitted(), (SAMPLE.to_owned(), 0));
    assert_eq!(transcript.last, "2016-02-16T10:26:43Z".parse().ok());
}

/// The milliseconds say exactly when it was, whatever the zone of the website.
#[test]
fn the_milliseconds_of_an_entry_come_before_its_time() {
    for (entry, line) in [
        (json!([1, "2016-02-16 11:24:43", "x", 1455618283869_u64]), "[2016-02-16 11:24:43]"),
        (json!([1, "2016-02-16 09:00:00", "x", "1455618283869"]), "[2016-02-16 11:24:43]"),
        (json!([1, null, "x", 1455618283869_u64]), "[2016-02-16 11:24:43]"),
        (json!([1, "2016-02-16 09:00:00", "x", "soon"]), "[2016-02-16 09:00:00]"),
        (json!([1, "2016-02-16 09:00:00", "x", null]), "[2016-02-16 09:00:00]"),
        (json!([1, "2016-02-16 09:00:00", "x", u64::MAX]), "[2016-02-16 09:00:00]"),
        (json!([1, "this morning", "x"]), "[this morning]"),
    ] {
        assert_eq!(body(&json!([entry])), format!("{line} Operator: x"), "{entry}");
    }
}

#[test]
fn an_entry_of_another_kind_or_shape_is_other() {
    for (entry, line) in [
        (json!([4, "2016-02-16 09:00:00", "x"]), "[2016-02-16 09:00:00] Other: x"),
        (json!(["1", "2016-02-16 09:00:00", "x"]), "[2016-02-16 09:00:00] Operator: x"),
        (json!([null, null, "x"]), "Other: x"),
        (json!("x"), "Other: x"),
        (json!({"a": 1}), "Other: {\"a\":1}"),
        (json!([6, null, {"url": "http://x/"}]), "Content: {\"url\":\"http://x/\"}"),
        (json!([2, null, "one\r\n\r\ntwo \u{0}\nthree"]), "Visitor: one two three"),
        (json!([2, null, " "]), ""),
        (json!([]), ""),
        (json!(null), ""),
    ] {
        assert_eq!(body(&json!([entry])), line, "{entry}");
    }
}

#[test]
fn a_history_may_be_an_array_or_a_text_that_holds_one_or_plain_text() {
    let array = sample();
    let braces = array.to_string().replacen('[', "{", 1);
    let printed = format!("{}}}`", braces.strip_suffix(']').unwrap());
    for (history, shown) in [
        (json!(array), SAMPLE),
        (json!(array.to_string()), SAMPLE),
        (json!(format!(" \n{array}\n")), SAMPLE),
        // As the document prints it.
        (json!(printed), SAMPLE),
        (json!("11:24 Ann: Hello\r\n11:25 Bob: Hi"), "11:24 Ann: Hello\n11:25 Bob: Hi"),
        (json!("[sic] Hello"), "[sic] Hello"),
        (json!("[\"Hello\"]"), "[\"Hello\"]"),
        (json!("{Hello}"), "{Hello}"),
        (json!("[".repeat(100_000)), &"[".repeat(LARGEST - CLOSING)),
        (json!(""), ""),
        (json!(null), ""),
        (json!([]), ""),
    ] {
        let body = body(&history);
        let head = body.split('…').next().unwrap();
        assert_eq!(head, shown, "{history:.60}");
    }
}

#[test]
fn a_transcript_is_cut_at_a_line_and_says_so() {
    let entries = |count: usize| -> Value {
        (0..count).map(|_| json!([1, "2016-02-16 11:24:43", "x".repeat(973)])).collect()
    };
    let line = "[2016-02-16 11:24:43] Operator: ".len() + 973;
    let fits = (LARGEST + 1) / (line + 1);
    for (count, left_out) in [(fits, 0), (fits + 1, 1), (fits + 100, 100)] {
        let (body, out) = Transcript::read(&entries(count), Paris).fitted();
        assert!(body.len() <= LARGEST && out == left_out, "{count}: {} {out}", body.len());
        let closing = body.lines().last().unwrap();
        assert_eq!(closing.contains(&format!("left out or cut: {left_out}]")), left_out > 0);
        assert!(body.lines().all(|it| it.len() == line || it == closing), "no line is cut");
    }
    let mut draft = Draft::new(0, &Pointer::root(), Part::Activity);
    let from = Pointer::root().member("history");
    Transcript::read(&entries(200), Paris).put(&mut draft, &from);
    assert_eq!(places(&draft.diagnostics.warnings), [("too_long", "/history")]);
}

#[test]
fn a_line_that_is_too_long_alone_is_cut_between_its_characters() {
    let long = json!([[1, null, "é".repeat(LARGEST)], [2, null, "Hello"]]);
    let (body, left_out) = Transcript::read(&long, Paris).fitted();
    assert_eq!((body.lines().count(), left_out), (2, 2));
    assert!(body.len() <= LARGEST && body.starts_with("Operator: éé") && body.contains("é…\n["));
}
