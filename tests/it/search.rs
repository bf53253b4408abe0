//! Finding customers by what somebody types (`api.md` 5, `q`).

use crate::support::{Instance, Listener, Org, person};
use serde_json::json;

/// What fills the column for records that were there before it.
const MIGRATION: &str = include_str!("../../migrations/2026-11-21-000015_search/up.sql");

async fn found(acme: &Org<'_>, list: &str, q: &str) -> Vec<String> {
    let q = q.replace('%', "%25").replace('+', "%2B").replace(' ', "%20").replace('&', "%26");
    let page = acme.get(&format!("{list}?q={q}")).await.expect(200);
    page.each("customerId").into_iter().map(str::to_owned).collect()
}

/// PID-1 with all that can be looked for, of the company CID-1; PID-2 without.
async fn two_people(listener: &Listener<'_>) {
    let huy = json!({
        "name": "Huy", "lastname": "Nguyễn Đình", "passport": "b 12-34", "contactId": "shop/X-7",
        "emails": [{"value": "Quang.Huy@HTK.com"}],
        "phones": [{"value": "0905 000 001"}, {"value": "+44 20 7946 0958"}],
        "companyContact": {"name": "Công ty Hoa Sen"},
    });
    listener.act("add-contact", huy).await.expect(200);
    let lan =
        json!({"name": "O'Brien_Lan 100%", "lastname": r"C:\x", "phones": [{"value": "19001234"}]});
    listener.act("add-contact", lan).await.expect(200);
}

#[actix_web::test]
async fn a_word_finds_what_begins_with_it_and_a_number_also_what_ends_with_it() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    two_people(&acme.listener().await).await;
    for (q, numbers) in [
        ("huy", vec!["PID-1"]),
        ("HUY nguyen", vec!["PID-1"]),
        ("dinh", vec!["PID-1"]),
        ("guyen", vec![]),
        ("huy lan", vec![]),
        ("quang.huy@htk.com", vec!["PID-1"]),
        ("quang", vec!["PID-1"]),
        ("@htk", vec!["PID-1"]),
        ("htk.com", vec!["PID-1"]),
        ("b12-34", vec!["PID-1"]),
        ("shop/x-7", vec!["PID-1"]),
        ("0905 000", vec!["PID-1"]),
        ("+84905000001", vec!["PID-1"]),
        ("905000001", vec!["PID-1"]),
        ("0001", vec!["PID-1"]),
        ("020 7946", vec!["PID-1"]),
        ("pid-1", vec!["PID-1"]),
        ("pid-3", vec![]),
        ("cong ty hoa sen", vec!["PID-1"]),
        ("huy hoa", vec!["PID-1"]),
        ("lan hoa", vec![]),
        ("1234", vec!["PID-2"]),
        ("o'brien", vec!["PID-2"]),
        ("lan", vec!["PID-2"]),
        ("100%", vec!["PID-2"]),
        ("%", vec![]),
        (r"c:\x", vec!["PID-2"]),
        ("x' | 'y", vec![]),
        ("& | ! <-> ( ) : *", vec![]),
    ] {
        assert_eq!(found(&acme, "/contacts", q).await, numbers, "{q}");
    }
    assert_eq!(found(&acme, "/accounts", "sen").await, ["CID-1"]);
    assert_eq!(found(&acme, "/leads", "huy").await, Vec::<String>::new());
}

#[actix_web::test]
async fn a_search_follows_what_an_update_changes() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    listener.send(&[person("Huy", "huy@htk.com")]).await.expect(200);
    let renamed = json!({"customerId": "PID-1", "name": "Hùng", "emails": [{"value": "h@new.vn"}]});
    listener.act("update-contact", renamed).await.expect(200);
    for (q, numbers) in [("hung", vec!["PID-1"]), ("@new", vec!["PID-1"]), ("@htk", vec!["PID-1"])]
    {
        assert_eq!(found(&acme, "/contacts", q).await, numbers, "{q}");
    }
    let null = json!({"customerId": "PID-1", "emails": null});
    listener.act("update-contact", null).await.expect(200);
    assert!(found(&acme, "/contacts", "@htk").await.is_empty());
}

/// The pages of a search come from two queries; an entry of both must not come twice, nor be lost
/// between pages.
#[actix_web::test]
async fn people_found_by_name_and_by_company_are_paged_through_once_each() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    for (name, company) in
        [("Sen", "Hoa Sen"), ("Lan", "Hoa Sen"), ("Sen Hoa", "Other"), ("Mai", "Hoa Sen")]
    {
        let data = json!({"name": name, "companyContact": {"name": company}});
        listener.act("add-contact", data).await.expect(200);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = acme.get(&format!("/contacts?q=sen&limit=1{cursor}")).await.expect(200);
        seen.extend(page.each("customerId").into_iter().map(str::to_owned));
        let Some(next) = page.body["page"]["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["PID-4", "PID-3", "PID-2", "PID-1"]);
}

/// The newest records are looked at first; those behind them must not be lost.
#[actix_web::test]
async fn what_stands_behind_thousands_of_newer_records_is_found() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    two_people(&acme.listener().await).await;
    instance.db_execute(
        "INSERT INTO customers (org_id, id, kind, number, name, name_key, gender, emails, phones, addresses, \
             websites, im, cus_fields, permit_status, permit_user_ids, owner_id, created_at, updated_at) \
         SELECT org_id, ('fffffff0-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, kind, n + 10, 'x', 'x', 2, \
             '[]', '[]', '[]', '[]', '[]', '{}', 1, '{}', owner_id, now(), now() \
         FROM customers, generate_series(1, 5100) AS n WHERE kind = 'contact' AND number = 1",
    );
    for (q, number) in [("huy", "PID-1"), ("cong ty hoa sen", "PID-1"), ("1234", "PID-2")] {
        assert_eq!(found(&acme, "/contacts", q).await, [number], "{q}");
    }
}

/// Records from before the column would be found otherwise than those that came after.
#[actix_web::test]
async fn records_from_before_the_index_are_found_as_new_ones_are() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    two_people(&acme.listener().await).await;
    let fill =
        &MIGRATION[MIGRATION.find("WITH words").unwrap()..MIGRATION.find("CREATE INDEX").unwrap()];
    instance.db_execute(
        "CREATE TABLE fresh AS SELECT id, search FROM customers; UPDATE customers SET search = ''",
    );
    instance.db_execute(fill);
    let missing = "customers c JOIN fresh f USING (id) WHERE c.search = ''";
    assert_eq!(instance.db_count(missing), 0);
    for q in ["nguyen", "@htk", "b12-34", "+84905000001", "0001", "o'brien", "pid-1", "shop"] {
        let contacts = found(&acme, "/contacts", q).await;
        assert_eq!(contacts.len(), 1, "{q}");
    }
}
