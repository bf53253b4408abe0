use super::*;

/// A conversation with every field that the document lists.
fn conversation() -> Value {
    json!({
        "id": 666, "channel": "chat", "visitor_uid": "u1", "operator_answer": true,
        "history": [
            [2, "2016-02-16 11:24:23", "Hello", 1455618264049_u64],
            [3, "2016-02-16 11:26:43", "OPERATOR_CHAT_CLOSE"],
        ],
        "operator_closed": true, "waitinglist": false, "page_type": "home",
        "created_at": "2016-02-16 11:24:20", "closed_at": "2016-02-16 11:26:43", "website_id": 1,
        "operator_id": 7, "skill_id": 9, "tag_list": [3, 4], "rule_id": 5,
        "xmpp_id": "0a1572b7-cc50-27fe-443f-4203eaf0b98d",
    })
}

fn read(changes: &Value) -> Vec<Draft> {
    super::read("conversations", with(conversation(), changes))
}

#[test]
fn a_conversation_is_its_visitor_and_an_activity() {
    let drafts = read(&json!({}));
    assert_eq!(
        data(&drafts, Part::Contact),
        json!({
            "name": "Ann", "lastname": "Lee", "contactId": "C-77", "emails": [{"value": "ann@x.com"}],
            "phones": [{"value": "+33614037735"}], "tag": "Complaint, Price delivery",
            "addresses": [
                {"street": "1 Main St", "city": "Nantes", "zip": "44000", "country": "France"},
            ],
        })
    );
    assert_eq!(
        data(&drafts, Part::Activity),
        json!({
            "kind": "chat", "source": "iadvize", "externalId": "conversation:666", "subject": "Sales",
            "startedAt": "2016-02-16T10:24:20Z", "endedAt": "2016-02-16T10:26:43Z",
            "outcome": "answered", "operator": "bob@acme.test",
            "body": "[2016-02-16 11:24:24] Visitor: Hello\n\
                     [2016-02-16 11:26:43] System: OPERATOR_CHAT_CLOSE",
        })
    );
    let activity = Heard {
        whose: vec![external("u1")],
        as_of: "2016-02-16T10:26:43Z".parse().ok(),
        activities: vec![key("conversation:666")],
        ..Heard::default()
    };
    assert_eq!(draft(&drafts, Part::Activity).heard, activity);
    let placeholder = Some("iAdvize customer u1".to_owned());
    assert_eq!(draft(&drafts, Part::Contact).heard, Heard { placeholder, ..activity });
}

#[test]
fn a_conversation_as_it_is_documented_is_applied_without_a_fault() {
    let decided = decide("conversations", &[conversation()]);
    assert_eq!(faults(&decided), []);
    assert_eq!(statuses(&decided), [Status::Created, Status::Created]);
    let made = decided[1].as_ref().unwrap().changes.iter().find_map(|change| match change {
        Change::ActivityAdded(activity) => Some(activity),
        _ => None,
    });
    assert!(matches!(made.unwrap().operator, Some(Operator::User(_))));
    for decision in decided {
        assert_eq!(decision.unwrap().outcome.warnings, []);
    }
}

#[test]
fn a_visitor_is_told_as_far_as_they_were_looked_up() {
    for (uid, contact) in [("u2", json!({"name": "Doe"})), ("u3", json!({})), ("u4", json!({}))] {
        let drafts = read(&json!({"visitor_uid": uid, "tag_list": []}));
        assert_eq!(data(&drafts, Part::Contact), contact, "{uid}");
        let placeholder = &draft(&drafts, Part::Contact).heard.placeholder;
        assert_eq!(placeholder.as_deref(), Some(&*format!("iAdvize customer {uid}")));
    }
    let decided = decide("conversations", &[with(conversation(), &json!({"visitor_uid": "u3"}))]);
    assert_eq!(statuses(&decided), [Status::Created, Status::Created]);
}

#[test]
fn a_visitor_of_several_conversations_is_told_of_once_but_for_tags() {
    let other = |changes: &Value| with(conversation(), changes);
    let items = [
        conversation(),
        other(&json!({"id": 667})),
        other(&json!({"id": 668, "tag_list": []})),
        other(&json!({"id": 669, "tag_list": [3]})),
        other(&json!({"id": 670, "visitor_uid": "u2", "tag_list": [3]})),
    ];
    let drafts = read_with(&IadvizeSettings::default(), "conversations", &items);
    let contacts = drafts.iter().filter(|draft| draft.part == Part::Contact);
    let of: Vec<usize> = contacts.map(|draft| draft.item).collect();
    assert_eq!((of, drafts.len()), (vec![0, 2, 3, 4], 9));
}

#[test]
fn a_channel_is_a_kind_and_an_answer_an_outcome() {
    for (channel, kind) in [
        (json!("chat"), "chat"),
        (json!("CALL"), "call"),
        (json!("video"), "video"),
        (json!("social"), "other"),
        (json!("order"), "other"),
        (json!(null), "other"),
    ] {
        let activity = data(&read(&json!({ "channel": channel })), Part::Activity);
        assert_eq!(activity["kind"], kind, "{channel}");
    }
    for (answer, outcome) in [
        (json!(true), "answered"),
        (json!(1), "answered"),
        (json!("true"), "answered"),
        (json!(false), "missed"),
        (json!("0"), "missed"),
        (json!(null), "missed"),
    ] {
        let activity = data(&read(&json!({ "operator_answer": answer })), Part::Activity);
        assert_eq!(activity["outcome"], outcome, "{answer}");
    }
}

#[test]
fn who_talked_and_about_what_is_told_as_far_as_it_was_looked_up() {
    for (changes, operator, subject) in [
        (json!({"operator_id": "7"}), json!("bob@acme.test"), json!("Sales")),
        (json!({"operator_id": 8, "skill_id": 10}), json!("Eve"), json!(null)),
        (json!({"operator_id": 99, "skill_id": 0}), json!(null), json!(null)),
        (json!({"operator_id": null, "skill_id": null}), json!(null), json!(null)),
    ] {
        let activity = data(&read(&changes), Part::Activity);
        assert_eq!(
            (&activity["operator"], &activity["subject"]),
            (&operator, &subject),
            "{changes}"
        );
    }
}

#[test]
fn tags_are_named_and_those_that_are_gone_are_left_out() {
    let long = format!("{}…", "x".repeat(254));
    for (tags, named, warnings) in [
        (json!([3, "4"]), Some("Complaint, Price delivery"), vec![]),
        (json!("3,4"), Some("Complaint, Price delivery"), vec![]),
        (json!([99, 3, 5]), Some("Complaint"), vec!["ignored_field", "ignored_field"]),
        (json!([6]), Some(long.as_str()), vec!["too_long"]),
        (json!([]), None, vec![]),
        (json!(null), None, vec![]),
    ] {
        let drafts = read(&json!({ "tag_list": tags }));
        let contact = draft(&drafts, Part::Contact);
        let tag = contact.data.fields.get("tag").and_then(Value::as_str);
        let told: Vec<_> = contact.diagnostics.warnings.iter().map(|it| it.code.as_str()).collect();
        assert_eq!((tag, told), (named, warnings), "{tags}");
    }
}

#[test]
fn a_conversation_that_goes_on_has_no_end_and_one_before_its_start_is_left_out() {
    for (closed, end, as_of, warnings) in [
        (json!(null), None, "2016-02-16T10:26:43Z", 0),
        (json!("0000-00-00 00:00:00"), None, "2016-02-16T10:26:43Z", 0),
        (json!("2016-02-16 11:24:20"), Some("2016-02-16T10:24:20Z"), "2016-02-16T10:26:43Z", 0),
        (json!("2016-02-16 11:24:19"), None, "2016-02-16T10:26:43Z", 1),
        (json!("soon"), None, "2016-02-16T10:26:43Z", 1),
        (json!("2016-02-16 12:00:00"), Some("2016-02-16T11:00:00Z"), "2016-02-16T11:00:00Z", 0),
    ] {
        let drafts = read(&json!({ "closed_at": closed }));
        let activity = draft(&drafts, Part::Activity);
        assert_eq!(activity.data.fields.get("endedAt").and_then(Value::as_str), end, "{closed}");
        assert_eq!(activity.heard.as_of, as_of.parse().ok(), "{closed}");
        assert_eq!(activity.diagnostics.warnings.len(), warnings, "{closed}");
    }
}

#[test]
fn a_conversation_that_cannot_be_told_of_fails_alone() {
    for (changes, code, place) in [
        (json!({"id": null}), "required", "/items/0/id"),
        (json!({"visitor_uid": ""}), "no_customer", "/items/0/visitor_uid"),
    ] {
        assert_eq!(failure(&read(&changes)), (code, place), "{changes}");
    }
    for (created, code, place) in [
        (json!("soon"), "invalid_date", "/items/1/created_at"),
        (json!(null), "required", "/items/1"),
    ] {
        let broken =
            with(conversation(), &json!({"id": 667, "created_at": created, "tag_list": []}));
        let decided = decide("conversations", &[conversation(), broken]);
        assert_eq!((decided.len(), faults(&decided)), (4, vec![(code, place)]));
    }
}

#[test]
fn what_is_wrong_with_a_visitor_is_told_of_the_place_where_it_stands() {
    let mut lookups = lookups();
    lookups["visitor"]["u1"]["email"] = json!("nonsense");
    let body = document("conversations", &[conversation()], &lookups);
    let decided = decided(SourceSettings::Iadvize(IadvizeSettings::default()), &body);
    let warnings = places(&decided[0].as_ref().unwrap().outcome.warnings);
    assert_eq!(warnings, [("invalid_email", "/lookups/visitor/u1/email")]);
}
