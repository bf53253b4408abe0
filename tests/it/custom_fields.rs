//! Custom fields as they are set up (`api.md` 4, `listener.md` 6).

use crate::support::{Instance, Org};
use serde_json::{Value, json};

/// The path of the custom field of that model and name.
async fn field(org: Org<'_>, model: &str, name: &str) -> String {
    let name = name.replace(' ', "%20");
    let found = org.get(&format!("/custom-fields?model={model}&name={name}")).await.expect(200);
    format!("/custom-fields/{}", found.each("id")[0])
}

#[actix_web::test]
async fn a_field_of_every_kind_is_made_and_takes_values() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let kinds = [
        ("text", json!([]), "Cong"),
        ("textarea", json!([]), "Cong"),
        ("number", json!([]), "5"),
        ("date", json!([]), "2019-07-08T00:00:00Z"),
        ("select", json!(["A", "B"]), "A"),
        ("radio", json!(["A", "B"]), "B"),
        ("checkbox", json!(["A", "B"]), "A|B"),
        ("inline_checkbox", json!(["A", "B"]), "B"),
    ];
    let mut values = Vec::new();
    for (kind, options, value) in kinds {
        let name = format!("A {kind}");
        let body = json!({"model": "contact", "name": name, "kind": kind, "options": options});
        let made = acme.post("/custom-fields", &body).await.expect(201).body;
        assert_eq!((&made["kind"], &made["options"]), (&json!(kind), &options));
        values.push(json!({"name": name, "value": value}));
    }
    let contact = json!({"name": "Huy", "cusFields": values});
    acme.listener().await.act("add-contact", contact).await.expect(200);
    let kept = acme.get("/contacts/PID-1").await.expect(200).body;
    assert_eq!(kept["cusFields"].as_array().unwrap().len(), 8);
}

#[actix_web::test]
async fn options_fit_the_kind_and_each_other() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for (kind, options, code, pointer) in [
        ("select", json!([]), "required", "/options"),
        ("checkbox", json!(null), "wrong_type", "/options"),
        ("text", json!(["A"]), "invalid_value", "/options"),
        ("radio", json!(["A", " a "]), "invalid_value", "/options/1"),
        ("radio", json!(["A", ""]), "invalid_value", "/options/1"),
        ("inline_checkbox", json!(["A|B"]), "invalid_value", "/options/0"),
        ("select", json!(vec!["x"; 1001]), "too_long", "/options"),
        ("colour", json!([]), "invalid_choice", "/kind"),
    ] {
        let body = json!({"model": "deal", "name": "x", "kind": kind, "options": options});
        let reply = acme.post("/custom-fields", &body).await.expect(422);
        assert_eq!(reply.problem().1, [(code, pointer)], "{kind} {options}");
    }
    let body = json!({"model": "note", "name": "x", "kind": "text"});
    let reply = acme.post("/custom-fields", &body).await.expect(422);
    assert_eq!(reply.problem().1, [("invalid_choice", "/model")]);
}

#[actix_web::test]
async fn a_field_with_values_keeps_its_kind_and_stays() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let pet = json!([{"name": "Pet", "value": "Dog|Cat"}]);
    let huy = json!({"name": "Huy", "emails": [{"value": "h@x.com"}], "cusFields": pet});
    listener.act("add-contact", huy).await.expect(200);
    let path = field(acme, "contact", "Pet").await;
    let text = json!({"kind": "text", "options": []});
    for reply in [acme.patch(&path, &text).await, acme.delete(&path).await] {
        let reply = reply.expect(409);
        assert_eq!(reply.problem().0, "in_use");
        assert!(reply.body["detail"].as_str().unwrap().contains("1 customer"), "{}", reply.body);
    }
    let other = field(acme, "deal", "Pet").await;
    acme.patch(&other, &text).await.expect(200);
    acme.delete(&other).await.expect(204);
    let reply = acme.patch(&path, &json!({"model": "lead"})).await.expect(422);
    assert_eq!(reply.problem().1, [("invalid_value", "/model")]);
}

#[actix_web::test]
async fn a_renamed_field_and_a_removed_option_leave_values_as_they_are() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let act = async |name: &str, value: &str, email: &str| {
        let fields = json!([{"name": name, "value": value}]);
        let data = json!({"name": "Huy", "emails": [{"value": email}], "cusFields": fields});
        listener.act("add-contact", data).await
    };
    act("Pet", "Dog", "a@x.com").await.expect(200);
    let path = field(acme, "contact", "Pet").await;
    let patch = json!({"name": "Animal", "options": ["Cat", "Bird"]});
    acme.patch(&path, &patch).await.expect(200);
    let kept = acme.get("/contacts/PID-1").await.expect(200).body;
    assert_eq!(kept["cusFields"], json!([{"name": "Animal", "value": "Dog"}]));
    assert_eq!(act("Animal", "Dog", "b@x.com").await.fault(0).0, "invalid_custom_value");
    assert_eq!(act("Pet", "Cat", "b@x.com").await.fault(0).0, "unknown_custom_field");
    act("Animal", "Bird", "b@x.com").await.expect(200);
}

/// The template would stop compiling, and the welcome message be lost in silence.
#[actix_web::test]
async fn a_field_that_a_welcome_message_names_keeps_its_name_and_stays() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let only = json!({"model": "lead", "name": "Vote", "kind": "text"});
    acme.post("/custom-fields", &only).await.expect(201);
    let path = field(acme, "lead", "Vote").await;
    let sms = json!({"content": "{{ fields[\"Vote\"] }}"});
    let listener = acme.listener_with(json!({"name": "Form", "welcomeSms": sms})).await;
    let renamed = json!({"name": "Ballot"});
    for reply in [acme.patch(&path, &renamed).await, acme.delete(&path).await] {
        let reply = reply.expect(409);
        assert!(reply.body["detail"].as_str().unwrap().contains("\"Form\""), "{}", reply.body);
    }
    acme.patch(&path, &json!({"name": "VOTE"})).await.expect(200);
    acme.patch(&listener.path(), &json!({"welcomeSms": Value::Null})).await.expect(200);
    acme.patch(&path, &renamed).await.expect(200);
    acme.delete(&path).await.expect(204);
}
