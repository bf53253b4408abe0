use super::*;

/// A transaction with every field that the document lists.
fn transaction() -> Value {
    json!({
        "id": 12, "external_id": "ORDER-9", "visitor_uid": "u1", "visitor_email": "ann@work.com",
        "amount": serde_json::from_str::<Value>("1234.50").unwrap(), "website_id": 1, "operator_id": 7,
        "created_at": "2016-02-16 11:30:00", "conversation_id": 666,
    })
}

fn satisfaction() -> Value {
    json!({
        "id": 5, "note_welcome": 100, "note_resolution": 75.5, "node_delay": 50, "comment": "Fine",
        "created_at": "2016-02-16 11:31:00", "website_id": 1, "operator_id": 7, "conversation_id": 666,
    })
}

fn callmeeting() -> Value {
    json!({
        "id": 31, "phone_number": "0614037735", "visitor_uid": "u1", "status": "pending",
        "start_at": "2016-02-17 09:00:00", "website_id": 1, "targeting_rule_id": "107", "skill_id": "9",
    })
}

fn whose(drafts: &[Draft], part: Part) -> &[Whose] {
    &draft(drafts, part).heard.whose
}

#[test]
fn a_transaction_is_a_deal_with_the_amount_as_it_is_written() {
    let stage = Some("Won".to_owned());
    let settings = IadvizeSettings { stage: stage.clone(), ..IadvizeSettings::default() };
    let drafts = read_with(&settings, "transactions", &[transaction()]);
    let deal = data(&drafts, Part::Deal);
    assert_eq!(
        deal.to_string(),
        json!({
            "dealId": "iadvize:ORDER-9", "name": "Transaction ORDER-9", "currency": "USD",
            "value": serde_json::from_str::<Value>("1234.50").unwrap(),
            "closeDate": "2016-02-16T10:30:00Z",
        })
        .to_string()
    );
    let heard = Heard {
        whose: vec![Whose::OfActivity(key("conversation:666")), external("u1")],
        activities: vec![key("conversation:666")],
        new_deal_stage: stage,
        ..Heard::default()
    };
    assert_eq!(draft(&drafts, Part::Deal).heard, heard);
    let contact = data(&drafts, Part::Contact);
    assert_eq!(contact["emails"], json!([{"value": "ann@x.com"}, {"value": "ann@work.com"}]));
    assert_eq!(whose(&drafts, Part::Contact), [external("u1")]);
}

#[test]
fn a_transaction_as_it_is_documented_is_applied_without_a_fault() {
    let decided = decide("transactions", &[transaction()]);
    assert_eq!(faults(&decided), []);
    assert_eq!(statuses(&decided), [Status::Created, Status::Created]);
    let deal = decided[1].as_ref().unwrap().changes.iter().find_map(|change| match change {
        Change::DealCreated { deal, .. } => Some(deal),
        _ => None,
    });
    let deal = deal.unwrap();
    assert_eq!(deal.value.unwrap().to_string(), "1234.5");
    assert_eq!((deal.currency.as_str(), deal.deal_id.as_str()), ("USD", "iadvize:ORDER-9"));
}

#[test]
fn a_transaction_is_of_the_conversation_or_the_visitor_or_who_has_the_email() {
    let conversation = || Whose::OfActivity(key("conversation:666"));
    let email = || Whose::Email("ann@work.com".to_owned());
    let none = json!({"visitor_uid": "", "visitor_email": null, "conversation_id": 0});
    for (given, whose_deal, contact) in [
        (json!({"conversation_id": 666}), vec![conversation()], None),
        (json!({"visitor_uid": "u2"}), vec![external("u2")], Some(vec![external("u2")])),
        (json!({"visitor_email": "ann@work.com"}), vec![email()], Some(vec![email()])),
        (
            json!({"conversation_id": 666, "visitor_email": "ann@work.com"}),
            vec![conversation(), email()],
            Some(vec![conversation(), email()]),
        ),
        (json!({"conversation_id": 666, "visitor_email": "nonsense"}), vec![conversation()], None),
    ] {
        let drafts = read("transactions", with(with(transaction(), &none), &given));
        assert_eq!(whose(&drafts, Part::Deal), whose_deal, "{given}");
        let told = drafts.iter().find(|draft| draft.part == Part::Contact);
        assert_eq!(told.map(|it| it.heard.whose.clone()), contact, "{given}");
    }
    for (given, code, place) in [
        (json!({}), "no_customer", "/items/0"),
        (json!({"visitor_email": "nonsense"}), "invalid_email", "/items/0/visitor_email"),
    ] {
        let drafts = read("transactions", with(with(transaction(), &none), &given));
        assert_eq!(failure(&drafts), (code, place), "{given}");
        assert_eq!(drafts[0].part, Part::Deal);
    }
}

#[test]
fn who_has_the_email_of_a_transaction_is_made_where_nobody_has_it() {
    let item = with(transaction(), &json!({"visitor_uid": null, "conversation_id": null}));
    let again = with(item.clone(), &json!({"id": 13, "external_id": null}));
    let drafts =
        read_with(&IadvizeSettings::default(), "transactions", &[item.clone(), again.clone()]);
    assert_eq!(parts(&drafts), [(0, Part::Contact), (0, Part::Deal), (1, Part::Deal)]);
    assert_eq!(data(&drafts, Part::Contact), json!({"emails": [{"value": "ann@work.com"}]}));
    let placeholder = draft(&drafts, Part::Contact).heard.placeholder.as_deref();
    assert_eq!(placeholder, Some("iAdvize customer ann@work.com"));
    assert_eq!(drafts[2].data.fields["dealId"], "iadvize:13");
    let decided = decide("transactions", &[item, again]);
    assert_eq!(statuses(&decided), [Status::Created; 3]);
}

#[test]
fn a_deal_that_cannot_be_made_fails_alone() {
    for (changes, code, place) in [
        (json!({"website_id": 2}), "unknown_currency", "/items/0/website_id"),
        (json!({"website_id": 99}), "unknown_currency", "/items/0/website_id"),
        (json!({"amount": -1}), "out_of_range", "/items/0/amount"),
        (json!({"amount": "much"}), "invalid_value", "/items/0/amount"),
    ] {
        let decided = decide("transactions", &[with(transaction(), &changes)]);
        assert!(decided[0].is_ok(), "the contact stands, {changes}");
        assert_eq!(faults(&decided), [(code, place)], "{changes}");
    }
    let unknown = json!({"visitor_uid": null, "visitor_email": null});
    let decided = decide("transactions", &[with(transaction(), &unknown)]);
    assert_eq!(faults(&decided), [("not_found", "/items/0")]);
    let unnamed = with(transaction(), &json!({"id": null, "external_id": null}));
    assert_eq!(failure(&read("transactions", unnamed)), ("required", "/items/0/id"));
    let free = json!({"amount": null, "website_id": 2, "created_at": "soon"});
    let drafts = read("transactions", with(transaction(), &free));
    let deal = draft(&drafts, Part::Deal);
    assert_eq!(places(&deal.diagnostics.faults), []);
    assert_eq!(places(&deal.diagnostics.warnings), [("invalid_date", "/items/0/created_at")]);
}

#[test]
fn a_satisfaction_is_a_detail_of_its_conversation() {
    let drafts = read("satisfactions", satisfaction());
    assert_eq!(parts(&drafts), [(0, Part::Activity)]);
    let expected = json!({"welcome": 100, "resolution": 75.5, "delay": 50, "comment": "Fine"});
    assert_eq!(
        data(&drafts, Part::Activity),
        json!({
            "source": "iadvize", "externalId": "conversation:666",
            "details": {"satisfaction": expected},
        })
    );
    let activities = vec![key("conversation:666")];
    assert_eq!(drafts[0].heard, Heard { activities, ..Heard::default() });
    for (changes, delay) in [
        (json!({"node_delay": null, "note_delay": 25}), json!(25)),
        (json!({"node_delay": "30.10"}), json!("30.10")),
        (json!({"node_delay": 0}), json!(0)),
        (json!({"node_delay": null}), json!(null)),
    ] {
        let drafts = read("satisfactions", with(satisfaction(), &changes));
        assert_eq!(data(&drafts, Part::Activity)["details"]["satisfaction"]["delay"], delay);
    }
}

#[test]
fn a_satisfaction_of_a_conversation_that_is_not_known_is_not_found() {
    let decided = decide("satisfactions", &[satisfaction()]);
    assert_eq!(faults(&decided)[0], ("not_found", "/items/0/conversation_id"));
    let drafts = read("satisfactions", with(satisfaction(), &json!({"conversation_id": 0})));
    assert_eq!(failure(&drafts), ("required", "/items/0/conversation_id"));
}

#[test]
fn a_comment_that_is_too_long_is_cut() {
    let long = with(satisfaction(), &json!({"comment": "\u{1}\"é".repeat(10_000)}));
    let drafts = read("satisfactions", long);
    let details = &drafts[0].data.fields["details"];
    assert!(details.to_string().len() < 9 * 1024);
    assert!(details["satisfaction"]["comment"].as_str().unwrap().ends_with('…'));
    assert_eq!(places(&drafts[0].diagnostics.warnings), [("too_long", "/items/0/comment")]);
}

#[test]
fn a_call_meeting_is_a_callback_of_its_visitor() {
    let drafts = read("callmeetings", callmeeting());
    assert_eq!(parts(&drafts), [(0, Part::Contact), (0, Part::Activity)]);
    assert_eq!(
        data(&drafts, Part::Activity),
        json!({
            "kind": "callback", "source": "iadvize", "externalId": "callmeeting:31",
            "startedAt": "2016-02-17T08:00:00Z", "outcome": "pending",
        })
    );
    let expected = json!([{"value": "+33614037735"}, {"value": "0614037735"}]);
    assert_eq!(data(&drafts, Part::Contact)["phones"], expected);
    let heard = &draft(&drafts, Part::Activity).heard;
    assert_eq!((&heard.whose, heard.as_of), (&vec![external("u1")], None));
    let decided = decide("callmeetings", &[callmeeting()]);
    assert_eq!(statuses(&decided), [Status::Created, Status::Created]);
}

#[test]
fn a_call_meeting_without_a_visitor_is_of_who_has_the_number() {
    let without = json!({"visitor_uid": null});
    let drafts = read("callmeetings", with(callmeeting(), &without));
    let phone = vec![Whose::Phone("0614037735".to_owned())];
    assert_eq!(whose(&drafts, Part::Activity), phone);
    assert_eq!(whose(&drafts, Part::Contact), phone);
    let placeholder = draft(&drafts, Part::Contact).heard.placeholder.as_deref();
    assert_eq!(placeholder, Some("iAdvize customer 0614037735"));
    let twice = [
        with(callmeeting(), &without),
        with(callmeeting(), &json!({"visitor_uid": null, "id": 32})),
    ];
    assert_eq!(statuses(&decide("callmeetings", &twice)), [Status::Created; 3]);
    for (number, code, place) in [
        (json!("anonymous"), "invalid_phone", "/items/0/phone_number"),
        (json!(null), "no_customer", "/items/0"),
    ] {
        let item = json!({"visitor_uid": null, "phone_number": number});
        let drafts = read("callmeetings", with(callmeeting(), &item));
        assert_eq!(failure(&drafts), (code, place));
    }
    let unnamed = read("callmeetings", with(callmeeting(), &json!({"id": null})));
    assert_eq!(failure(&unnamed), ("required", "/items/0/id"));
}

#[test]
fn a_pending_call_meeting_opens_a_ticket_once_where_the_connection_asks_for_it() {
    let asking =
        IadvizeSettings { ticket_for_pending_callbacks: true, ..IadvizeSettings::default() };
    for (settings, status, opens) in [
        (&asking, "pending", true),
        (&asking, "Pending", true),
        (&asking, "done", false),
        (&asking, "", false),
        (&IadvizeSettings::default(), "pending", false),
    ] {
        let item = with(callmeeting(), &json!({ "status": status }));
        let drafts = read_with(settings, "callmeetings", &[item]);
        let ticket = drafts.iter().find(|draft| draft.part == Part::Ticket);
        assert_eq!(ticket.is_some(), opens, "{status}");
        if let Some(ticket) = ticket {
            assert_eq!(ticket.data.fields["title"], "Call back 0614037735");
            assert_eq!(ticket.heard, draft(&drafts, Part::Activity).heard);
        }
    }
    let body = document("callmeetings", &[callmeeting(), callmeeting()], &lookups());
    let decided = decided(SourceSettings::Iadvize(asking), &body);
    let (created, unchanged) = (Status::Created, Status::Unchanged);
    assert_eq!(statuses(&decided), [created, created, created, unchanged, unchanged]);
}
