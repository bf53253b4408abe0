//! Signing in, and who may do what (`api.md` 3).

use crate::support::{Instance, PASSWORD, Reply, person};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use reqwest::Method;
use serde_json::json;

const WRONG: &str = "wrong horse battery";

async fn sign_in(instance: &Instance, org: &str, email: &str, password: &str) -> Reply {
    let body = json!({"org": org, "email": email, "password": password});
    Reply::to(instance.request(Method::POST, "/api/v1/sessions").json(&body)).await
}

/// Ann signs in, as far as that password goes.
async fn ann_with(instance: &Instance, password: &str) -> Reply {
    sign_in(instance, "acme", "ann@acme.test", password).await
}

/// The token of a new session of Ann.
async fn token_of_ann(instance: &Instance) -> String {
    let reply = ann_with(instance, PASSWORD).await.expect(201);
    reply.body["token"].as_str().unwrap().to_owned()
}

async fn me(instance: &Instance, token: &str) -> Reply {
    Reply::to(instance.request(Method::GET, "/api/v1/me").bearer_auth(token)).await
}

#[actix_web::test]
async fn a_session_is_made_with_a_password_and_used_as_a_bearer_token() {
    let instance = Instance::start().await;
    // Neither the slug nor the e-mail is a matter of case.
    let reply = sign_in(&instance, "ACME", " Bob@Acme.test", PASSWORD).await.expect(201);
    assert_eq!(reply.body["user"]["email"], "bob@acme.test");
    assert_eq!(reply.body["user"]["role"], "member");
    let ends: DateTime<Utc> = reply.body["expiresAt"].as_str().unwrap().parse().unwrap();
    assert!((ends - Utc::now() - TimeDelta::days(30)).abs() < TimeDelta::minutes(5), "{ends}");

    let shown = me(&instance, reply.body["token"].as_str().unwrap()).await.expect(200);
    assert_eq!(shown.body["user"], reply.body["user"]);
}

/// A dump of the database must not be a bunch of keys.
#[actix_web::test]
async fn neither_the_token_nor_the_password_is_kept() {
    let instance = Instance::start().await;
    let token = token_of_ann(&instance).await;
    let secret = token.split_once('.').unwrap().1;
    assert_eq!(instance.db_count("sessions WHERE length(token_hash) = 32"), 1);
    let bytes = format!("decode(translate('{secret}=', '-_', '+/'), 'base64')");
    assert_eq!(instance.db_count(&format!("sessions WHERE token_hash <> {bytes}")), 1);
    let hashed = "users WHERE password_hash LIKE '$argon2id$%'";
    assert_eq!(instance.db_count(hashed), instance.db_count("users"));
}

/// Different words for a wrong org, e-mail or password would tell who exists.
#[actix_web::test]
async fn wrong_org_email_and_password_are_refused_in_the_same_words() {
    let instance = Instance::start().await;
    instance.db_execute("UPDATE users SET active = false WHERE email = 'bob@acme.test'");
    let wrong = ann_with(&instance, WRONG).await.expect(401);
    assert_eq!(wrong.header("WWW-Authenticate"), Some("Bearer"));
    for (org, email, password) in [
        ("nowhere", "ann@acme.test", PASSWORD),
        ("globex", "ann@acme.test", PASSWORD),
        ("acme", "nobody@acme.test", PASSWORD),
        ("acme", "ann", PASSWORD),
        ("acme", "bob@acme.test", PASSWORD),
        ("acme", "ann@acme.test", ""),
        ("", "", ""),
    ] {
        let reply = sign_in(&instance, org, email, password).await.expect(401);
        assert_eq!(reply.body_but_request_id(), wrong.body_but_request_id(), "{org} {email}");
    }
}

#[actix_web::test]
async fn a_sign_in_with_faults_tells_their_places() {
    let instance = Instance::start().await;
    for (body, code, pointer) in [
        (json!({"org": "acme", "email": "a@b.c"}), "required", "/password"),
        (json!({"org": 1, "email": "a@b.c", "password": "x"}), "wrong_type", "/org"),
        (json!({"org": "acme", "mail": "a@b.c", "password": "x"}), "unknown_field", "/mail"),
        (json!({"org": "a\0", "email": "a@b.c", "password": "x"}), "nul_character", "/org"),
    ] {
        let request = instance.request(Method::POST, "/api/v1/sessions").json(&body);
        let reply = Reply::to(request).await.expect(422);
        assert_eq!(reply.problem(), ("invalid_fields", vec![(code, pointer)]), "{body}");
    }
}

#[actix_web::test]
async fn after_ten_failures_in_a_row_even_the_right_password_waits() {
    let instance = Instance::start().await;
    for _ in 0..10 {
        ann_with(&instance, WRONG).await.expect(401);
    }
    let reply = ann_with(&instance, PASSWORD).await.expect(429);
    assert_eq!(reply.problem().0, "too_many_attempts");
    let wait: u64 = reply.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=15 * 60 + 1).contains(&wait), "{wait}");
    // It is Ann's alone, and on every server.
    ann_with(&instance.another(), PASSWORD).await.expect(429);
    sign_in(&instance, "acme", "bob@acme.test", PASSWORD).await.expect(201);

    instance.db_execute(
        "UPDATE sign_in_failures SET last_failed_at = last_failed_at - interval '15 minutes'",
    );
    ann_with(&instance, PASSWORD).await.expect(201);
}

/// What does not exist must be throttled as what does, or the throttle tells who exists.
#[actix_web::test]
async fn a_user_who_does_not_exist_is_throttled_as_well() {
    let instance = Instance::start().await;
    for _ in 0..10 {
        sign_in(&instance, "nowhere", "x@y.z", WRONG).await.expect(401);
    }
    sign_in(&instance, "Nowhere", "X@Y.z", WRONG).await.expect(429);
}

/// Counting after the password has been looked at would let any number through at once.
#[actix_web::test]
async fn of_forty_guesses_at_once_ten_are_looked_at() {
    let instance = Instance::start().await;
    let replies = join_all((0..40).map(|_| ann_with(&instance, WRONG))).await;
    let with = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((with(401), with(429)), (10, 30));
}

#[actix_web::test]
async fn a_success_clears_the_failures_before_it() {
    let instance = Instance::start().await;
    for _ in 0..2 {
        for _ in 0..9 {
            ann_with(&instance, WRONG).await.expect(401);
        }
        ann_with(&instance, PASSWORD).await.expect(201);
    }
    // What is left are the failures of the address.
    assert_eq!(instance.db_count("sign_in_failures"), 1);
}

#[actix_web::test]
async fn signing_out_ends_that_session_alone() {
    let instance = Instance::start().await;
    let (left, kept) = (token_of_ann(&instance).await, token_of_ann(&instance).await);
    let path = "/api/v1/sessions/current";
    let sign_out = || instance.request(Method::DELETE, path).bearer_auth(&left);
    Reply::to(sign_out()).await.expect(204);
    me(&instance, &left).await.expect(401);
    me(&instance.another(), &left).await.expect(401);
    Reply::to(sign_out()).await.expect(401);
    me(&instance, &kept).await.expect(200);
}

#[actix_web::test]
async fn a_session_ends_with_its_time_and_with_its_user() {
    let instance = Instance::start().await;
    let token = token_of_ann(&instance).await;
    for (change, status) in [
        ("UPDATE users SET active = false WHERE email = 'ann@acme.test'", 401),
        ("UPDATE users SET active = true WHERE email = 'ann@acme.test'", 200),
        ("UPDATE sessions SET last_used_at = now() - interval '7 days'", 401),
        ("UPDATE sessions SET last_used_at = now() - interval '167 hours'", 200),
        ("UPDATE sessions SET expires_at = now()", 401),
    ] {
        instance.db_execute(change);
        let reply = me(&instance, &token).await;
        assert_eq!(reply.status, status, "{change}");
    }
}

/// Reading must not write: but a session in use must not end for want of it.
#[actix_web::test]
async fn the_use_of_a_session_is_written_down_once_in_five_minutes() {
    let instance = Instance::start().await;
    let token = token_of_ann(&instance).await;
    let made = "sessions WHERE last_used_at = created_at";
    me(&instance, &token).await.expect(200);
    assert_eq!(instance.db_count(made), 1);
    instance.db_execute("UPDATE sessions SET last_used_at = now() - interval '5 minutes'");
    me(&instance, &token).await.expect(200);
    assert_eq!(instance.db_count("sessions WHERE last_used_at > now() - interval '1 minute'"), 1);
}

#[actix_web::test]
async fn how_long_sessions_last_can_be_set() {
    let flags = ["--session-idle-hours", "1", "--session-days", "2"];
    let instance = Instance::with(&flags).await;
    let reply = ann_with(&instance, PASSWORD).await.expect(201);
    let ends: DateTime<Utc> = reply.body["expiresAt"].as_str().unwrap().parse().unwrap();
    assert!((ends - Utc::now() - TimeDelta::days(2)).abs() < TimeDelta::minutes(5), "{ends}");
    instance.db_execute("UPDATE sessions SET last_used_at = now() - interval '61 minutes'");
    me(&instance, reply.body["token"].as_str().unwrap()).await.expect(401);
}

/// Tries to sign in from an address, behind a proxy that is trusted.
async fn sign_in_from(instance: &Instance, address: &str, email: &str, password: &str) -> Reply {
    let body = json!({"org": "acme", "email": email, "password": password});
    let request = instance.request(Method::POST, "/api/v1/sessions").json(&body);
    Reply::to(request.header("X-Forwarded-For", address)).await
}

/// One password tried on many users is no row of failures of any of them.
#[actix_web::test]
async fn from_one_address_a_hundred_sign_ins_fail_in_a_quarter_of_an_hour() {
    let instance = Instance::with(&["--trusted-proxies", "127.0.0.1"]).await;
    sign_in_from(&instance, "192.0.2.1", "nobody@acme.test", WRONG).await.expect(401);
    // As if it were the hundredth.
    instance.db_execute("UPDATE sign_in_failures SET failures = 99");
    sign_in_from(&instance, "192.0.2.1", "ann@acme.test", PASSWORD).await.expect(201);
    sign_in_from(&instance, "192.0.2.1", "x@acme.test", WRONG).await.expect(401);
    let reply = sign_in_from(&instance, "192.0.2.1", "ann@acme.test", PASSWORD).await.expect(429);
    let wait: u64 = reply.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=15 * 60 + 1).contains(&wait), "{wait}");
    sign_in_from(&instance, "192.0.2.2", "ann@acme.test", PASSWORD).await.expect(201);
}

/// Who knows somebody's e-mail must not be able to lock them out.
#[actix_web::test]
async fn failures_from_elsewhere_lock_nobody_out() {
    let instance = Instance::with(&["--trusted-proxies", "127.0.0.1"]).await;
    let ann = "ann@acme.test";
    sign_in_from(&instance, "198.51.100.7", ann, PASSWORD).await.expect(201);
    for network in 1..=4 {
        for _ in 0..10 {
            sign_in_from(&instance, &format!("192.0.2.{network}"), ann, WRONG).await.expect(401);
        }
        sign_in_from(&instance, &format!("192.0.2.{network}"), ann, WRONG).await.expect(429);
    }
    // From where Ann signs in nobody waits; from a new place it takes a moment.
    let took = async |address: &str| {
        let started = std::time::Instant::now();
        sign_in_from(&instance, address, ann, WRONG).await.expect(401);
        started.elapsed()
    };
    let (known, new) = (took("198.51.100.7").await, took("203.0.113.9").await);
    assert!(new >= std::time::Duration::from_secs(2), "{known:?} {new:?}");
    assert!(known < new, "{known:?} {new:?}");
    sign_in_from(&instance, "203.0.113.9", ann, PASSWORD).await.expect(201);
}

#[actix_web::test]
async fn sign_ins_failures_and_lock_outs_are_in_the_audit_log() {
    let instance = Instance::start().await;
    ann_with(&instance, PASSWORD).await.expect(201);
    for _ in 0..10 {
        ann_with(&instance, WRONG).await.expect(401);
    }
    sign_in(&instance, "acme", "nobody@acme.test", WRONG).await.expect(401);
    instance.db_until("audit_log WHERE action = 'locked_out'").await;
    instance.db_until("(SELECT 1 FROM audit_log WHERE action = 'sign_in_failed' OFFSET 9) f").await;
    let lines = instance.acme().get("/audit-log?limit=100").await.expect(200);
    let of = |action: &str| {
        lines.data().iter().filter(|line| line["action"] == action).collect::<Vec<_>>()
    };
    assert_eq!(
        [of("signed_in").len(), of("sign_in_failed").len(), of("locked_out").len()],
        [1, 10, 1]
    );
    let (signed_in, failed) = (of("signed_in")[0], of("sign_in_failed")[0]);
    assert_eq!(signed_in["actor"], json!({"email": "ann@acme.test"}));
    assert_eq!(
        (&signed_in["address"], &signed_in["name"]),
        (&json!("127.0.0.1"), &json!("ann@acme.test"))
    );
    assert_eq!((&failed["actor"], &failed["name"]), (&json!(null), &json!("ann@acme.test")));
}

/// Hashing a password takes a processor a tenth of a second: deliveries must not stand in line.
#[actix_web::test]
async fn a_delivery_is_answered_while_sign_ins_wait() {
    let instance = Instance::with(&["--trusted-proxies", "127.0.0.1"]).await;
    let listener = instance.acme().listener().await;
    let mut flood: FuturesUnordered<_> = (0..200)
        .map(|number| {
            let (instance, email) = (&instance, format!("{number}@acme.test"));
            async move { sign_in_from(instance, &format!("192.0.2.{number}"), &email, WRONG).await }
        })
        .collect();
    // They are being served, one after the other.
    flood.next().await.unwrap().expect(401);
    listener.send(&[person("Huy", "huy@x.com")]).await.expect(200);
    let mut answered = 1;
    while flood.next().now_or_never().flatten().is_some() {
        answered += 1;
    }
    assert!(answered < 100, "{answered} of 200 sign-ins were done before the delivery");
}

#[actix_web::test]
async fn everybody_is_shown_himself_with_role_and_groups() {
    let instance = Instance::start().await;
    for (who, role, groups) in [
        ("owner", "owner", json!([])),
        ("admin", "admin", json!([])),
        ("ann", "member", json!([])),
        ("bob", "member", json!(["Sales"])),
    ] {
        let body = instance.acme().get_as(who, "/me").await.expect(200).body;
        let email = format!("{who}@acme.test");
        let name = if who == "owner" { email.as_str() } else { who };
        let id = &body["user"]["id"];
        assert_eq!(
            body["user"],
            json!({"id": id, "email": email, "name": name, "role": role, "groups": groups})
        );
        let org = &body["org"];
        assert_eq!(*org, json!({"id": org["id"], "slug": "acme", "name": "acme"}));
    }
}

#[actix_web::test]
async fn without_a_good_token_nothing_is_answered_but_401() {
    let instance = Instance::start().await;
    let (acme, globex) = (instance.acme(), instance.globex());
    let listener = acme.listener().await;
    let token = acme.db_token("admin");
    let (ours, secret) = token.split_once('.').unwrap();
    let other = globex.db_token("admin");
    let (theirs, _) = other.split_once('.').unwrap();
    let (start, end) = token.split_at(token.len() - 5);
    let headers = [
        None,
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(token.clone()),
        Some(format!("Basic {token}")),
        Some(format!("Bearer {token}x")),
        Some(format!("Bearer {start}{}", end.chars().rev().collect::<String>())),
        // The secret of one org under the name of another, and of none.
        Some(format!("Bearer {theirs}.{secret}")),
        Some(format!("Bearer bs_000000000000.{secret}")),
        Some(format!("Bearer {ours}.")),
        // A listener's token opens its URL alone.
        Some(format!("Bearer {}", listener.url.rsplit_once('/').unwrap().1)),
        Some(format!("Bearer bs_{}", listener.url.rsplit_once('/').unwrap().1)),
    ];
    let bare = instance.get("/api/v1/me").await.expect(401);
    for path in ["/me", "/listeners", "/contacts", "/accounts/CID-1", "/leads/LID-1/history"] {
        for header in &headers {
            let request = instance.request(Method::GET, &format!("/api/v1{path}"));
            let request = match header {
                Some(header) => request.header("Authorization", header),
                None => request,
            };
            let reply = Reply::to(request).await;
            assert_eq!(reply.status, 401, "{path} {header:?}: {}", reply.body);
            assert_eq!(reply.body_but_request_id(), bare.body_but_request_id());
            assert_eq!(reply.header("WWW-Authenticate"), Some("Bearer"));
        }
    }
    acme.get("/me").await.expect(200);
}

/// A body that is read first would let anybody hold a connection, or learn what is valid.
#[actix_web::test]
async fn who_is_calling_is_asked_before_the_body_is_read() {
    let instance = Instance::start().await;
    let post = |request: reqwest::RequestBuilder| Reply::to(request.body("not json"));
    post(instance.request(Method::POST, "/api/v1/listeners")).await.expect(401);
    let acme = instance.acme();
    post(acme.request("ann", Method::POST, "/listeners")).await.expect(403);
    post(acme.request("admin", Method::POST, "/listeners")).await.expect(400);
}

#[actix_web::test]
async fn listeners_are_for_owner_and_admins_alone() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener().await;
    let (one, rotate) = (listener.path(), format!("{}/rotate", listener.path()));
    let routes = [
        (Method::GET, "/listeners"),
        (Method::POST, "/listeners"),
        (Method::GET, one.as_str()),
        (Method::PATCH, one.as_str()),
        (Method::POST, rotate.as_str()),
        (Method::GET, "/listeners/unknown"),
        (Method::DELETE, one.as_str()),
    ];
    for (method, path) in routes {
        for who in ["ann", "bob"] {
            let body = json!({"name": "By a member", "graceSeconds": 0});
            let reply = acme.call(who, method.clone(), path, Some(&body)).await;
            assert_eq!(reply.status, 403, "{who} {method} {path}: {}", reply.body);
            assert_eq!(reply.problem().0, "forbidden");
        }
    }
    for who in ["owner", "admin"] {
        let listed = acme.get_as(who, "/listeners").await.expect(200);
        assert_eq!(listed.each("url"), [&listener.url]);
    }
}
