//! The currencies of an org (`api.md` 4).

use crate::support::Instance;
use serde_json::{Value, json};

#[actix_web::test]
async fn one_currency_is_the_default_and_making_another_it_ends_that() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let defaults = async || {
        let listed = acme.get("/currencies").await.expect(200);
        let all = listed.data().iter().filter(|it| it["default"] == true);
        all.map(|it| it["code"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(defaults().await, ["VND"]);
    acme.post("/currencies", &json!({"code": " eur", "default": true})).await.expect(201);
    assert_eq!(defaults().await, ["EUR"]);
    acme.patch("/currencies/usd", &json!({"default": true})).await.expect(200);
    assert_eq!(defaults().await, ["USD"]);
    assert_eq!(acme.get("/settings").await.body["defaultCurrency"], "USD");

    // A deal that names none is in it.
    let deal = json!({"name": "One", "stage": "New", "value": 5, "dealWith": {"name": "Huy", "emails": [{"value": "h@x.com"}]}});
    acme.listener().await.act("add-deal", deal).await.expect(200);
    assert_eq!(acme.get("/deals").await.data()[0]["currency"], "USD");
}

#[actix_web::test]
async fn the_default_stays_and_a_code_is_one_of_iso_4217() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let reply = acme.delete("/currencies/VND").await.expect(409);
    assert_eq!(reply.problem().0, "in_use");
    let reply = acme.patch("/currencies/VND", &json!({"default": false})).await.expect(422);
    assert_eq!(reply.problem().1, [("invalid_value", "/default")]);
    let reply = acme.patch("/currencies/VND", &json!({"code": "EUR"})).await.expect(422);
    assert_eq!(reply.problem().1, [("invalid_value", "/code")]);
    for code in ["", "EU", "EURO", "QQQ", "€"] {
        let reply = acme.post("/currencies", &json!({"code": code})).await.expect(422);
        assert_eq!(reply.problem().1, [("invalid_value", "/code")], "{code}");
    }
    acme.delete("/currencies/usd").await.expect(204);
}
