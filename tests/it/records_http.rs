//! Reading customers and their history over HTTP (`api.md` 2, 5; permits: `listener.md` 5).

use crate::support::{Instance, Listener, Org, Reply, action, person};
use reqwest::Method;
use serde_json::{Value, json};

/// The codes of what a path lists for somebody.
async fn codes(org: Org<'_>, who: &str, path: &str) -> Vec<String> {
    let reply = org.get_as(who, path).await.expect(200);
    reply.each("customerId").into_iter().map(str::to_owned).collect()
}

/// All pages of a list, each of `limit` entries: what `field` is in each.
async fn walk(org: Org<'_>, path: &str, limit: usize, field: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = org.get(&format!("{path}?limit={limit}&cursor={cursor}")).await.expect(200);
        let next = page.body["page"]["nextCursor"].as_str().map(str::to_owned);
        assert!(page.data().len() <= limit && (next.is_none() || page.data().len() == limit));
        seen.extend(page.each(field).into_iter().map(str::to_owned));
        let Some(next) = next else { return seen };
        cursor = next;
    }
}

/// PID-1 of Ann with everything that can be looked for; PID-2 of Bob and PID-3 of Ann without;
/// LID-1 with the e-mail of PID-1; CID-1, the company of PID-1.
async fn three_people(listener: &Listener<'_>) {
    let huy = json!({
        "name": "Huy", "lastname": "Nguyễn", "passport": "b 12-34", "contactId": "x-7", "tag": "VIP, 100%",
        "emails": [{"value": "Huy@HTK.com"}], "phones": [{"value": "0905 000 001"}],
        "companyContact": {"name": "Open Corp"},
    });
    listener.act("add-contact", huy).await.expect(200);
    listener.act_as("bob", "add-contact", json!({"name": "Lan", "tag": "b"})).await.expect(200);
    listener.act("add-contact", json!({"name": "Ngoc_Lan"})).await.expect(200);
    let lead = json!({"name": "Huy", "emails": [{"value": "huy@htk.com"}]});
    listener.act("add-lead", lead).await.expect(200);
}

#[actix_web::test]
async fn each_filter_narrows_a_list_to_what_it_names() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    three_people(&acme.listener().await).await;
    let middle = acme.get("/contacts/PID-2").await.body["createdAt"].as_str().unwrap().to_owned();
    let (from, to) = (format!("createdFrom={middle}"), format!("createdTo={middle}"));
    let both = format!("{from}&{to}");
    for (query, found) in [
        ("", vec!["PID-3", "PID-2", "PID-1"]),
        ("email=%20huy@htk.COM", vec!["PID-1"]),
        ("email=other@htk.com", vec![]),
        ("phone=%2B84905000001", vec!["PID-1"]),
        ("phone=0905.000.001", vec!["PID-1"]),
        ("passport=B1234", vec!["PID-1"]),
        ("contactId=x-7", vec!["PID-1"]),
        ("contactId=X-7", vec![]),
        ("tag=vip", vec!["PID-1"]),
        ("tag=vi", vec![]),
        ("name=lan", vec!["PID-2"]),
        ("name=NGUY%E1%BB%84N%20huy", vec!["PID-1"]),
        ("owner=Bob@acme.test", vec!["PID-2"]),
        ("owner=nobody@acme.test", vec![]),
        (from.as_str(), vec!["PID-3", "PID-2"]),
        (to.as_str(), vec!["PID-2", "PID-1"]),
        (both.as_str(), vec!["PID-2"]),
        ("q=lan", vec!["PID-3", "PID-2"]),
        ("q=huy%20open", vec!["PID-1"]),
        ("q=huy%20lan", vec![]),
        ("q=pid-2", vec!["PID-2"]),
        ("q=0905%20000", vec!["PID-1"]),
        ("q=@htk", vec!["PID-1"]),
        ("q=b12-34", vec!["PID-1"]),
        ("q=_", vec![]),
        ("q=%25", vec![]),
        ("tag=100%25", vec!["PID-1"]),
        ("email=huy@htk.com&tag=b", vec![]),
        ("email=huy@htk.com&tag=VIP&limit=1", vec!["PID-1"]),
    ] {
        assert_eq!(codes(acme, "admin", &format!("/contacts?{query}")).await, found, "{query}");
    }
    assert_eq!(codes(acme, "admin", "/leads?email=huy@htk.com").await, ["LID-1"]);
    assert_eq!(codes(acme, "admin", "/accounts?email=huy@htk.com").await, [] as [&str; 0]);
    assert_eq!(codes(acme, "admin", "/accounts?name=open%20corp").await, ["CID-1"]);
}

#[actix_web::test]
async fn a_parameter_that_is_wrong_is_422_with_its_name() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.listener().await.send(&[person("Huy", "h@x.com")]).await.expect(200);
    let long = format!("q={}", "x".repeat(101));
    for (query, pointer) in [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=ten", "/limit"),
        ("cursor=zzz", "/cursor"),
        ("email=huy", "/email"),
        ("phone=abc", "/phone"),
        ("passport=-", "/passport"),
        ("owner=bob", "/owner"),
        ("createdFrom=2026-01-31", "/createdFrom"),
        ("createdTo=2026-01-31T07:00:00+07:00", "/createdTo"),
        (long.as_str(), "/q"),
        ("tag=a&tag=b", "/tag"),
        ("name=%00", "/name"),
        ("mail=x", "/mail"),
    ] {
        for list in ["/contacts", "/accounts", "/leads"] {
            let reply = acme.get(&format!("{list}?{query}")).await.expect(422);
            let faults = vec![("invalid_query", pointer)];
            assert_eq!(reply.problem(), ("invalid_query", faults), "{list}?{query}");
        }
    }
    for (path, pointer) in [
        ("/contacts/PID-1?fields=name", "/fields"),
        ("/contacts/PID-1/history?limit=0", "/limit"),
        ("/contacts/PID-1/history?kind=created", "/kind"),
    ] {
        let reply = acme.get(path).await.expect(422);
        assert_eq!(reply.problem(), ("invalid_query", vec![("invalid_query", pointer)]), "{path}");
    }
}

#[actix_web::test]
async fn a_record_is_read_by_its_id_and_by_its_code_in_any_case() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    three_people(&acme.listener().await).await;
    for (list, code) in [("/contacts", "PID-1"), ("/accounts", "CID-1"), ("/leads", "LID-1")] {
        let read = acme.get(&format!("{list}/{code}")).await.expect(200);
        assert_eq!(read.body["customerId"], code);
        let id = read.body["id"].as_str().unwrap();
        for other in [id.to_owned(), id.to_uppercase(), code.to_lowercase()] {
            let again = acme.get(&format!("{list}/{other}")).await.expect(200);
            assert_eq!(again.body, read.body, "{list}/{other}");
            let history = acme.history(&format!("{list}/{other}")).await;
            assert_eq!(history.last().unwrap()["kind"], "created", "{list}/{other}");
        }
    }
}

#[actix_web::test]
async fn what_is_of_another_kind_or_not_there_is_404_in_the_same_words() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    three_people(&acme.listener().await).await;
    let account = acme.get("/accounts/CID-1").await.body["id"].as_str().unwrap().to_owned();
    let none = acme.get("/contacts/0199f3c2-0000-7000-8000-000000000001").await.expect(404);
    for id in [account.as_str(), "CID-1", "LID-1", "PID-99", "PID-0", "PID-", "1", "%00", "a%2Fb"] {
        for path in [format!("/contacts/{id}"), format!("/contacts/{id}/history")] {
            let reply = acme.get(&path).await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.body);
            assert_eq!(reply.body_but_request_id(), none.body_but_request_id(), "{path}");
        }
    }
}

/// Without it a page would repeat or lose records as others come in.
#[actix_web::test]
async fn pages_have_each_record_once_whatever_their_size_and_what_comes_in_meanwhile() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let people: Vec<Value> = (0..6).map(|i| person("P", &format!("p{i}@x.com"))).collect();
    listener.send(&people).await.expect(200);
    let newest_first: Vec<String> = (1..=6).rev().map(|n| format!("PID-{n}")).collect();
    for limit in 1..=3 {
        assert_eq!(walk(acme, "/contacts", limit, "customerId").await, newest_first, "{limit}");
    }
    let first = acme.get("/contacts?limit=4").await.expect(200);
    listener.send(&[person("Late", "late@x.com")]).await.expect(200);
    let cursor = first.body["page"]["nextCursor"].as_str().unwrap();
    let second = codes(acme, "admin", &format!("/contacts?limit=4&cursor={cursor}")).await;
    assert_eq!(second, ["PID-2", "PID-1"]);
}

#[actix_web::test]
async fn pages_of_a_history_have_each_line_once() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    for _ in 0..4 {
        // Several lines of one request have the same time.
        listener.send(&[person("Huy", "h@x.com"), person("Huy", "h@x.com")]).await.expect(200);
    }
    let all = acme.history("/contacts/PID-1").await;
    let ids: Vec<&str> = all.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 8);
    assert_eq!(all[7]["kind"], "created");
    for limit in 1..=3 {
        assert_eq!(walk(acme, "/contacts/PID-1/history", limit, "id").await, ids, "{limit}");
    }
}

#[actix_web::test]
async fn an_etag_stays_while_a_record_does_and_changes_with_it() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.listener().await.send(&[person("Huy", "h@x.com")]).await.expect(200);
    let read = async || acme.get("/contacts/PID-1").await.header("ETag").unwrap().to_owned();
    let first = read().await;
    assert!(first.starts_with('"') && first.ends_with('"'), "{first}");
    assert_eq!(read().await, first);
    instance.db_execute("UPDATE customers SET name = 'Lan'");
    assert_ne!(read().await, first);
}

#[actix_web::test]
async fn head_is_get_without_the_body() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    acme.listener().await.send(&[person("Huy", "h@x.com")]).await.expect(200);
    for path in ["/contacts", "/contacts/PID-1", "/contacts/PID-1/history", "/me", "/listeners"] {
        let get = acme.get(path).await.expect(200);
        let head = Reply::to(acme.request("admin", Method::HEAD, path)).await.expect(200);
        assert_eq!(head.body, "", "{path}");
        for header in ["ETag", "Content-Type", "Content-Length", "BeeIQ-Environment"] {
            assert_eq!(head.header(header), get.header(header), "{path} {header}");
        }
    }
    let missing = acme.request("admin", Method::HEAD, "/contacts/PID-9");
    assert_eq!(Reply::to(missing).await.expect(404).body, "");
}

#[actix_web::test]
async fn history_outlives_its_listener() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"name": "Web form"})).await;
    listener.send(&[person("Huy", "h@x.com")]).await.expect(200);
    let before = acme.history("/contacts/PID-1").await;
    assert_eq!(before[0]["listener"], json!({"id": listener.id, "name": "Web form"}));

    acme.delete(&listener.path()).await.expect(204);
    let mut expected = before.clone();
    expected[0]["listener"] = Value::Null;
    assert_eq!(acme.history("/contacts/PID-1").await, expected);
    assert_eq!(acme.get("/contacts/PID-1").await.expect(200).body["name"], "Huy");
}

/// Records of Ann with each permit, and one that is Bob's alone.
async fn permitted(listener: &Listener<'_>) {
    let of_ann = [
        json!({"name": "Everybody's thing"}),
        json!({"name": "Ann's thing", "permit": {"status": 2}}),
        json!({"name": "Sales' thing", "permit": {"status": 3, "group": "sales"}}),
        json!({"name": "Bob's thing", "permit": {"status": 4, "users": ["bob@acme.test"]}}),
        json!({"name": "Support's thing", "permit": {"status": 3, "group": "Support"}}),
        json!({"name": "Admin's thing", "permit": {"status": 4, "users": ["admin@acme.test"]}}),
    ];
    let actions = of_ann.map(|data| action("add-contact", data));
    listener.send(&actions).await.expect(200);
    let own = json!({"name": "Bob's own thing", "permit": {"status": 2}});
    listener.act_as("bob", "add-contact", own).await.expect(200);
}

/// Whatever path leads to a record, the permit is on it.
#[actix_web::test]
async fn permits_hold_in_lists_searches_reads_and_histories() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    permitted(&acme.listener().await).await;
    let all = [1, 2, 3, 4, 5, 6, 7].as_slice();
    for (who, seen) in
        [("owner", all), ("admin", all), ("ann", &[1, 2, 3, 4, 5, 6]), ("bob", &[1, 3, 4, 7])]
    {
        let expected: Vec<String> = seen.iter().rev().map(|n| format!("PID-{n}")).collect();
        for list in ["/contacts", "/contacts?q=thing", "/contacts?createdFrom=2020-01-01T00:00:00Z"]
        {
            assert_eq!(codes(acme, who, list).await, expected, "{who} {list}");
        }
        for number in all {
            let status = if seen.contains(number) { 200 } else { 404 };
            for path in
                [format!("/contacts/PID-{number}"), format!("/contacts/pid-{number}/history")]
            {
                assert_eq!(acme.get_as(who, &path).await.status, status, "{who} {path}");
            }
        }
    }
}

/// Different words for what is hidden would tell that it is there.
#[actix_web::test]
async fn a_hidden_record_is_404_as_one_that_is_not_there() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    permitted(&acme.listener().await).await;
    let hidden = acme.get("/contacts/PID-2").await.body["id"].as_str().unwrap().to_owned();
    let none = acme.get_as("bob", "/contacts/PID-99").await.expect(404);
    for path in ["/contacts/PID-2", "/contacts/PID-2/history", &format!("/contacts/{hidden}")] {
        let reply = acme.get_as("bob", path).await.expect(404);
        assert_eq!(reply.body_but_request_id(), none.body_but_request_id(), "{path}");
    }
    for filter in ["name=ann's%20thing", "owner=ann@acme.test&q=ann's", "q=pid-2"] {
        assert!(codes(acme, "bob", &format!("/contacts?{filter}")).await.is_empty(), "{filter}");
    }
}

#[actix_web::test]
async fn a_page_of_a_member_is_full_though_much_is_hidden() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    permitted(&acme.listener().await).await;
    let page = acme.get_as("bob", "/contacts?limit=2").await.expect(200);
    assert_eq!(page.each("customerId"), ["PID-7", "PID-4"]);
    let cursor = page.body["page"]["nextCursor"].as_str().unwrap();
    let rest = acme.get_as("bob", &format!("/contacts?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(rest.each("customerId"), ["PID-3", "PID-1"]);
    assert_eq!(rest.body["page"]["nextCursor"], Value::Null);
}

#[actix_web::test]
async fn a_hidden_company_is_shown_by_its_code_alone() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let company = json!({"name": "Secret Corp", "permit": {"status": 2}});
    let listener = acme.listener().await;
    listener
        .act("add-contact", json!({"name": "Huy", "companyContact": company}))
        .await
        .expect(200);
    listener
        .act("add-lead", json!({"name": "Lan", "companyLead": "Secret Corp"}))
        .await
        .expect(200);
    for path in ["/contacts/PID-1", "/leads/LID-1"] {
        let shown = acme.get_as("ann", path).await.expect(200).body;
        assert_eq!(shown["company"]["name"], "Secret Corp", "{path}");
        let hidden = acme.get_as("bob", path).await.expect(200).body;
        let id = &shown["company"]["id"];
        assert_eq!(hidden["company"], json!({"id": id, "customerId": "CID-1", "name": null}));
        let history = acme.get_as("bob", &format!("{path}/history")).await.expect(200).body;
        assert!(!history.to_string().contains("Secret"), "{history:#}");
    }
    acme.get_as("bob", "/accounts/CID-1").await.expect(404);
    for (who, found) in [("ann", 1), ("bob", 0)] {
        for list in ["/contacts?q=secret", "/leads?q=secret", "/accounts?name=secret%20corp"] {
            assert_eq!(codes(acme, who, list).await.len(), found, "{who} {list}");
        }
    }
    let listed = acme.get_as("bob", "/contacts").await.expect(200).body;
    assert!(!listed.to_string().contains("Secret"), "{listed:#}");
}
