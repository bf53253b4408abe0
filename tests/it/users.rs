//! The people of an org: roles, passwords, sessions (`api.md` 3, 4).

use crate::support::{Instance, Org, PASSWORD, Reply, person};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// The path of one of the org's people.
async fn path(org: Org<'_>, who: &str) -> String {
    let found = org.get(&format!("/users?email={who}@{}.test", org.slug)).await.expect(200);
    format!("/users/{}", found.each("id")[0])
}

async fn sign_in(org: Org<'_>, email: &str, password: &str) -> Reply {
    let body = json!({"org": org.slug, "email": email, "password": password});
    Reply::to(org.instance.request(Method::POST, "/api/v1/sessions").json(&body)).await
}

async fn me(org: Org<'_>, token: &str) -> Reply {
    Reply::to(org.instance.request(Method::GET, "/api/v1/me").bearer_auth(token)).await
}

#[actix_web::test]
async fn a_user_with_a_password_signs_in_and_one_without_cannot_until_he_is_given_one() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let body = json!({"email": "Lan@Acme.test", "password": PASSWORD, "groups": ["sales"]});
    let lan = acme.post("/users", &body).await.expect(201);
    let mut expected = json!({
        "email": "Lan@Acme.test", "name": "Lan@Acme.test", "role": "member", "active": true,
        "groups": ["Sales"],
    });
    expected["id"] = lan.body["id"].clone();
    expected["createdAt"] = lan.body["createdAt"].clone();
    assert_eq!(lan.body, expected, "no password, no hash");
    sign_in(acme, "lan@acme.test", PASSWORD).await.expect(201);

    let minh = acme.post("/users", &json!({"email": "minh@acme.test"})).await.expect(201).body;
    sign_in(acme, "minh@acme.test", PASSWORD).await.expect(401);
    let password = format!("/users/{}/password", minh["id"].as_str().unwrap());
    acme.post(&password, &json!({"password": PASSWORD})).await.expect(204);
    sign_in(acme, "minh@acme.test", PASSWORD).await.expect(201);
}

#[actix_web::test]
async fn a_new_user_sends_at_once_and_an_inactive_one_no_more() {
    let instance = Instance::start().await;
    let other = instance.another();
    let acme = instance.acme();
    let listener = acme.listener().await;
    let there = listener.on(&other);
    let add = |email: &str| person("Huy", email)["data"].clone();
    there.act_as("lan", "add-contact", add("a@x.com")).await.expect(422);
    acme.post("/users", &json!({"email": "lan@acme.test"})).await.expect(201);
    there.act_as("lan", "add-contact", add("a@x.com")).await.expect(200);
    let lan = path(acme, "lan").await;
    acme.patch(&lan, &json!({"active": false})).await.expect(200);
    there.act_as("lan", "add-contact", add("b@x.com")).await.expect(422);
}

#[actix_web::test]
async fn faults_of_a_new_user_are_told_with_their_place() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for (fields, code, pointer) in [
        (json!({"email": "nobody"}), "invalid_email", "/email"),
        (json!({"name": ""}), "required", "/name"),
        (json!({"role": "boss"}), "invalid_choice", "/role"),
        (json!({"password": "123456789"}), "out_of_range", "/password"),
        (json!({"password": "x".repeat(129)}), "too_long", "/password"),
        (json!({"groups": ["Sales", "Sale"]}), "unknown_group", "/groups/1"),
    ] {
        let mut body = json!({"email": "lan@acme.test", "name": "Lan"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let reply = acme.post("/users", &body).await.expect(422);
        assert_eq!(reply.problem(), ("invalid_fields", vec![(code, pointer)]), "{fields}");
    }
    let reply = acme.patch(&path(acme, "bob").await, &json!({"password": PASSWORD})).await;
    assert_eq!(reply.expect(422).problem().1, [("unknown_field", "/password")]);
}

#[actix_web::test]
async fn an_admin_neither_makes_nor_touches_owners_and_an_owner_does() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (owner, bob) = (path(acme, "owner").await, path(acme, "bob").await);
    let new = json!({"email": "lan@acme.test", "role": "owner"});
    let promoted = json!({"role": "owner"});
    let password = json!({"password": PASSWORD});
    let set_password = format!("{owner}/password");
    for (method, path, body) in [
        (Method::POST, "/users", &new),
        (Method::PATCH, &*bob, &promoted),
        (Method::PATCH, &*owner, &json!({"name": "x"})),
        (Method::PATCH, &*owner, &json!({"role": "member"})),
        (Method::DELETE, &*owner, &json!({})),
        (Method::POST, &*set_password, &password),
    ] {
        let reply = acme.call("admin", method.clone(), path, Some(body)).await;
        assert_eq!((reply.status, reply.problem().0), (403, "forbidden"), "{method} {path}");
    }
    let own = json!({"password": "another good one", "currentPassword": PASSWORD});
    for (method, path, body, status) in [
        (Method::POST, "/users", &new, 201),
        (Method::PATCH, &*bob, &promoted, 200),
        (Method::POST, &*set_password, &own, 204),
        (Method::PATCH, &*bob, &json!({"role": "member"}), 200),
    ] {
        acme.call("owner", method, path, Some(body)).await.expect(status);
    }
}

#[actix_web::test]
async fn the_last_active_owner_stays_one() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (owner, bob) = (path(acme, "owner").await, path(acme, "bob").await);
    let as_owner = async |method: Method, path: &str, body: Value| {
        acme.call("owner", method, path, Some(&body)).await
    };
    for reply in [
        as_owner(Method::PATCH, &owner, json!({"role": "admin"})).await,
        as_owner(Method::PATCH, &owner, json!({"active": false})).await,
        as_owner(Method::DELETE, &owner, json!({})).await,
    ] {
        assert_eq!(reply.expect(409).problem().0, "last_owner");
    }
    // One who is inactive does not count.
    as_owner(Method::PATCH, &bob, json!({"role": "owner", "active": false})).await.expect(200);
    let reply = as_owner(Method::PATCH, &owner, json!({"role": "admin"})).await;
    assert_eq!(reply.expect(409).problem().0, "last_owner");
    as_owner(Method::PATCH, &bob, json!({"active": true})).await.expect(200);
    as_owner(Method::PATCH, &owner, json!({"role": "admin"})).await.expect(200);
}

/// Each would see the other one as the owner who stays.
#[actix_web::test]
async fn of_two_owners_who_leave_at_once_one_stays() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let (owner, bob) = (path(acme, "owner").await, path(acme, "bob").await);
    for _ in 0..3 {
        instance.db_execute("UPDATE users SET role = 'owner' WHERE name IN ('bob', 'owner@acme.test') AND email LIKE '%acme%'");
        let demote = async |who: &str, path: &str| {
            acme.call(who, Method::PATCH, path, Some(&json!({"role": "member"}))).await
        };
        let replies = join_all([demote("owner", &owner), demote("bob", &bob)]).await;
        let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

#[actix_web::test]
async fn deactivating_a_user_ends_his_sessions_for_good() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let bob = path(acme, "bob").await;
    let token = acme.db_token("bob");
    me(acme, &token).await.expect(200);
    acme.patch(&bob, &json!({"active": false})).await.expect(200);
    me(acme, &token).await.expect(401);
    sign_in(acme, "bob@acme.test", PASSWORD).await.expect(401);
    acme.patch(&bob, &json!({"active": true})).await.expect(200);
    me(acme, &token).await.expect(401);
    sign_in(acme, "bob@acme.test", PASSWORD).await.expect(201);
}

#[actix_web::test]
async fn a_new_password_ends_the_old_one_and_the_sessions() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let bob = path(acme, "bob").await;
    let (token, anns) = (acme.db_token("bob"), acme.db_token("ann"));
    let body = json!({"password": "another good one"});
    acme.post(&format!("{bob}/password"), &body).await.expect(204);
    me(acme, &token).await.expect(401);
    me(acme, &anns).await.expect(200);
    sign_in(acme, "bob@acme.test", PASSWORD).await.expect(401);
    sign_in(acme, "bob@acme.test", "another good one").await.expect(201);
    let line = acme.get("/audit-log?resource=users").await.expect(200).data()[0].clone();
    assert_eq!((&line["action"], &line["changes"]), (&json!("password_set"), &json!({})));
}

#[actix_web::test]
async fn a_member_sets_his_own_password_and_nobody_elses() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let body = json!({"password": "another good one"});
    let own = json!({"password": "another good one", "currentPassword": PASSWORD});
    for (who, body, status) in [("ann", &body, 403), ("owner", &body, 403), ("bob", &own, 204)] {
        let path = format!("{}/password", path(acme, who).await);
        acme.call("bob", Method::POST, &path, Some(body)).await.expect(status);
    }
    let short = json!({"password": "short", "currentPassword": PASSWORD});
    let own = format!("{}/password", path(acme, "ann").await);
    let reply = acme.call("ann", Method::POST, &own, Some(&short)).await.expect(422);
    assert_eq!(reply.problem().1, [("out_of_range", "/password")]);
    let gone = "/users/0199f3c2-0000-7000-8000-000000000001/password";
    acme.post(gone, &body).await.expect(404);
    let globex = instance.globex();
    globex.post(&own, &body).await.expect(404);
}

/// Whoever finds a session open must not be able to keep its user out.
#[actix_web::test]
async fn ones_own_password_is_changed_with_the_present_one_alone() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let own = format!("{}/password", path(acme, "bob").await);
    let set = async |body: Value| acme.call("bob", Method::POST, &own, Some(&body)).await;
    let reply = set(json!({"password": "another good one"})).await.expect(422);
    assert_eq!(reply.problem().1, [("required", "/currentPassword")]);
    let wrong = json!({"password": "another good one", "currentPassword": "wrong horse battery"});
    let reply = set(wrong.clone()).await.expect(422);
    assert_eq!(reply.problem().1, [("invalid_value", "/currentPassword")]);
    // A wrong one is a sign-in that failed.
    for _ in 0..9 {
        set(wrong.clone()).await.expect(422);
    }
    assert_eq!(set(wrong).await.expect(429).problem().0, "too_many_attempts");
    sign_in(acme, "bob@acme.test", PASSWORD).await.expect(429);
}

#[actix_web::test]
async fn whoever_changes_their_password_stays_signed_in_there_alone() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let own = format!("/api/v1{}/password", path(acme, "bob").await);
    let (here, elsewhere) = (acme.db_token("bob"), acme.db_token("bob"));
    let body = json!({"password": "another good one", "currentPassword": PASSWORD});
    let request = instance.request(Method::POST, &own).bearer_auth(&here).json(&body);
    Reply::to(request).await.expect(204);
    me(acme, &here).await.expect(200);
    me(acme, &elsewhere).await.expect(401);
}

#[actix_web::test]
async fn a_password_that_is_easily_guessed_is_refused() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let bob = format!("{}/password", path(acme, "bob").await);
    for password in ["password123", "bob@acme.test", "1q2w3e4r5t"] {
        let reply = acme.post(&bob, &json!({"password": password})).await.expect(422);
        assert_eq!(reply.problem().1, [("invalid_value", "/password")], "{password}");
    }
    let new = json!({"email": "linh.tran@acme.test", "password": "Linh.Tran@acme.test"});
    let reply = acme.post("/users", &new).await.expect(422);
    assert_eq!(reply.problem().1, [("invalid_value", "/password")]);
}

#[actix_web::test]
async fn a_user_who_owns_records_or_is_named_is_not_deleted() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    for name in ["lan", "minh", "nobody"] {
        let body = json!({"email": format!("{name}@acme.test"), "groups": ["Sales"]});
        acme.post("/users", &body).await.expect(201);
    }
    let listener = acme.listener().await;
    let permit = json!({"status": 4, "users": ["minh@acme.test"]});
    let data = json!({"name": "Huy", "permit": permit});
    listener.act_as("lan", "add-contact", data).await.expect(200);
    for name in ["lan", "minh"] {
        let reply = acme.delete(&path(acme, name).await).await.expect(409);
        assert_eq!(reply.problem().0, "in_use", "{name}");
        let detail = reply.body["detail"].as_str().unwrap();
        assert!(detail.contains("1 customer"), "{name}: {detail}");
    }
    acme.db_token("nobody");
    let nobody = path(acme, "nobody").await;
    acme.delete(&nobody).await.expect(204);
    acme.get(&nobody).await.expect(404);
}

#[actix_web::test]
async fn a_new_role_counts_at_once() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let token = acme.db_token("bob");
    let listed = async || {
        let request = instance.request(Method::GET, "/api/v1/users").bearer_auth(&token);
        Reply::to(request).await.status
    };
    assert_eq!(listed().await, 403);
    let bob = path(acme, "bob").await;
    acme.patch(&bob, &json!({"role": "admin"})).await.expect(200);
    assert_eq!(listed().await, 200);
    acme.patch(&bob, &json!({"role": null})).await.expect(200);
    assert_eq!(listed().await, 403, "null is the default: a member");
}
