//! Whatever the parser accepts can be written: no body makes the database refuse (`docs/architecture.md`).

use crate::support::{ANN, Instance};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// How many bodies of how many actions are tried.
const BODIES: usize = 600;
const ACTIONS: usize = 8;

/// A JSON scalar, as text: what people send, and what nobody should.
fn scalar() -> impl Strategy<Value = String> {
    let quoted = |text: String| serde_json::to_string(&text).unwrap();
    prop_oneof![
        4 => any::<String>().prop_map(quoted),
        2 => "\\PC{0,40}".prop_map(quoted),
        1 => "[\u{0}-\u{1f}\u{7f}-\u{a0}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{feff}İıßǅ\u{1f600}]{0,12}".prop_map(quoted),
        1 => (250_usize..260).prop_map(move |n| quoted("İ".repeat(n))),
        1 => Just(format!("\"{}\"", "ŉ".repeat(255))),
        1 => Just(format!("\"{}\"", "\u{1f600}".repeat(255))),
        1 => Just(format!("\"{}\"", "x".repeat(70_000))),
        1 => prop::sample::select(vec![
            r#""\u0000""#, r#""a\u0000b""#, r#""\ud83d\ude00""#, r#""\ud800""#, r#""\udc00x""#,
            "1e400", "-1e-400", "99999999999999999999999999999999", "-0", "0.1", "9007199254740993",
            "true", "null", "[]", "{}", "[[[]]]", "\"\"",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "1993-01-01", "0000-00-00", "9999-12-31T23:59:59.999999999Z", "-271821-04-20", "Fri Jan 01 1993 00:00:00 GMT+0700 (ICT)",
            "a@b.co", "A@B.CO", "\"q\"@b.co", "a@ß.de", "0905000001", "+84905000001", "01234567890", "911", "0", "VN", "Vietnam",
            "Work", "PID-1", "CID-9223372036854775807", "1", "2", "Dog|Cat", "Ann, Bob,ann", "2019-07-08T00:00:00+07:00",
        ]).prop_map(|text| format!("\"{text}\"")),
    ]
}

fn object(names: &'static [&'static str], value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop::collection::vec((prop::sample::select(names), value), 0..5)
        .prop_map(|members| {
            let members: Vec<String> =
                members.into_iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            format!("{{{}}}", members.join(", "))
        })
        .boxed()
}

fn list(entry: BoxedStrategy<String>) -> BoxedStrategy<String> {
    prop::collection::vec(entry, 0..4)
        .prop_map(|entries| format!("[{}]", entries.join(", ")))
        .boxed()
}

/// The value of a field: of the right shape mostly.
fn field_value() -> BoxedStrategy<String> {
    let typed = object(&["type", "value", "protocol", "name"], scalar().boxed());
    let address = object(&["type", "street", "city", "state", "zip", "country"], scalar().boxed());
    let permit = object(
        &["status", "group", "users"],
        prop_oneof![scalar(), list(scalar().boxed())].boxed(),
    );
    prop_oneof![
        6 => scalar(),
        4 => list(typed),
        2 => list(address),
        1 => list(scalar().boxed()),
        1 => permit,
        1 => object(&["name", "emails", "phones", "customerId"], prop_oneof![
            scalar(), list(object(&["type", "value"], scalar().boxed()))
        ].boxed()),
    ]
    .boxed()
}

/// A note, a deal, a ticket or an SMS: what it needs is there, so that the rest of it gets as far as
/// the database.
fn about_a_customer() -> impl Strategy<Value = String> {
    const FIELDS: &[&str] = &[
        "dealId",
        "value",
        "currency",
        "description",
        "category",
        "package",
        "closeDate",
        "owner_opportunity",
        "permit",
        "cusFields",
        "contacts",
        "title",
        "groupName",
        "slaName",
        "channel",
        "tag",
        "phone",
        "contactType",
        "model",
    ];
    let needed = prop_oneof![
        (scalar(), scalar()).prop_map(|(name, with)| (
            "add-deal",
            format!(
                "\"name\": {name}, \"stage\": \"New\", \"dealWith\": {{\"name\": {with}, \"emails\": [{{\"value\": \"a@b.co\"}}]}}"
            )
        )),
        (scalar(), scalar()).prop_map(|(body, name)| (
            "add-ticket",
            format!("\"body\": {body}, \"name\": {name}, \"email\": \"a@b.co\"")
        )),
        scalar().prop_map(|body| ("add-note", format!("\"body\": {body}, \"email\": \"a@b.co\""))),
        scalar().prop_map(|text| (
            "send-sms",
            format!("\"content\": {text}, \"phones\": [\"0905000001\"]")
        )),
    ];
    (needed, object(FIELDS, field_value())).prop_map(|((kind, needed), rest)| {
        let data = rest.replacen('{', &format!("{{{needed}, "), 1).replace(", }", "}");
        format!("{{\"actionType\": \"{kind}\", \"data\": {data}}}")
    })
}

fn body() -> impl Strategy<Value = String> {
    const FIELDS: &[&str] = &[
        "lastname",
        "title",
        "passport",
        "gender",
        "bgInfo",
        "dateOfBirth",
        "emails",
        "phones",
        "addresses",
        "websites",
        "im",
        "tag",
        "cusFields",
        "permit",
        "companyContact",
        "companyLead",
        "contactId",
        "customerId",
        "contactType",
        "odd\\u0000name",
    ];
    let data = (scalar(), object(FIELDS, field_value())).prop_map(|(name, rest)| {
        rest.replacen('{', &format!("{{\"name\": {name}, "), 1).replace(", }", "}")
    });
    let action = (
        prop::sample::select(vec!["add-contact", "add-lead", "update-contact", "update-lead"]),
        data,
    )
        .prop_map(|(kind, data)| format!("{{\"actionType\": \"{kind}\", \"data\": {data}}}"));
    prop::collection::vec(prop_oneof![2 => action, 3 => about_a_customer()], 1..ACTIONS).prop_map(
        |actions| format!("{{\"senderUser\": \"{ANN}\", \"data\": [{}]}}", actions.join(", ")),
    )
}

/// The cases are the same each time; a new kind of trouble is to be added above.
#[actix_web::test]
async fn no_body_that_the_parser_accepts_is_refused_by_the_database() {
    let instance = Instance::start().await;
    instance.db_execute("UPDATE org_settings SET sms_credits = 100000");
    let listener = instance.acme().listener().await;
    let mut runner = TestRunner::deterministic();
    let strategy = body();
    let (mut applied, mut rejected) = (0, 0);
    for _ in 0..BODIES {
        let body = strategy.new_tree(&mut runner).unwrap().current();
        let reply = listener.post_bytes("", body.clone().into_bytes(), &[]).await;
        match reply.status {
            200 | 207 => applied += 1,
            400 | 422 => rejected += 1,
            status => panic!("{status} for {body}: {:#}", reply.body),
        }
        let internal = reply.body.to_string().contains("internal_error");
        assert!(!internal, "the database refused {body}: {:#}", reply.body);
    }
    // Both ways have to be tried, or the test says little.
    assert!(
        applied > BODIES / 10 && rejected > BODIES / 10,
        "{applied} applied, {rejected} rejected"
    );
    for (table, least) in
        [("customers", 50), ("deals", 5), ("tickets", 5), ("notes", 5), ("outbox", 5)]
    {
        let rows = instance.db_count(table);
        assert!(rows > least, "{rows} {table}");
    }
}
