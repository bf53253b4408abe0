//! A listener's rate (`listener.md` 1, 2): 429 before the body, and headers that tell where one stands.

use crate::support::{Instance, Reply, person};
use serde_json::{Value, json};
use std::io::{Read, Write};

/// The numbers of `RateLimit`: what is left, and after how many seconds all of it will be.
#[track_caller]
fn standing(reply: &Reply) -> (u64, u64) {
    let text = reply.header("ratelimit").expect("a limited listener tells its standing");
    let (left, reset) =
        text.strip_prefix("\"listener\";r=").and_then(|rest| rest.split_once(";t=")).expect(text);
    (left.parse().unwrap(), reset.parse().unwrap())
}

fn people(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers.map(|n| person("P", &format!("p{n}@x.com"))).collect()
}

#[actix_web::test]
async fn a_listener_without_a_rate_tells_none() {
    let instance = Instance::start().await;
    let reply = instance.acme().listener().await.send(&[]).await.expect(200);
    assert_eq!((reply.header("ratelimit"), reply.header("ratelimit-policy")), (None, None));
}

#[actix_web::test]
async fn requests_and_their_actions_count_and_every_answer_tells_what_is_left() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"rateLimit": {"perSecond": 1, "burst": 60}})).await;
    let reply = listener.send(&[]).await.expect(200);
    assert_eq!(reply.header("ratelimit-policy"), Some("\"listener\";q=60;w=60"));
    let (left, _) = standing(&reply);
    let (after_ten, reset) = standing(&listener.send(&people(0..10)).await.expect(200));
    assert!((48..=51).contains(&after_ten) && left > after_ten, "{left}, then {after_ten}");
    assert!((9..=12).contains(&reset), "{reset}");
    // What cannot be read, or is at fault, counts and tells as well.
    let junk = listener.post_bytes("", b"junk".to_vec(), &[]).await.expect(400);
    assert!(standing(&junk).0 < after_ten + 2);
    assert!(standing(&listener.act("add-contact", json!({})).await.expect(422)).0 <= 50);
}

/// A batch that is larger than the burst could otherwise never be sent, or the rate not be kept.
#[actix_web::test]
async fn a_batch_beyond_the_burst_is_taken_whole_and_keeps_the_next_request_out() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"rateLimit": {"perSecond": 1, "burst": 2}})).await;
    let reply = listener.send(&people(0..50)).await.expect(200);
    assert_eq!((reply.body["summary"]["created"].as_u64(), standing(&reply).0), (Some(50), 0));
    let refused = listener.send(&people(50..51)).await.expect(429);
    assert_eq!(refused.problem().0, "rate_limited");
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((40..=49).contains(&wait), "{wait}");
    assert_eq!(standing(&refused).0, 0);
    assert_eq!(instance.db_count("deliveries"), 1, "what is over the rate is not kept");
    acme.listener().await.send(&[]).await.expect(200);
}

/// Who is over the rate must not be able to hold a connection with a body that is read for nothing.
#[actix_web::test]
async fn over_the_rate_the_answer_comes_before_the_body() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"rateLimit": {"perSecond": 1, "burst": 1}})).await;
    listener.send(&people(0..30)).await.expect(200);
    let address = instance.url.strip_prefix("http://").unwrap().to_owned();
    let path = listener.url.strip_prefix(&instance.url).unwrap().to_owned();
    let answer = actix_web::rt::task::spawn_blocking(move || {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        write!(socket, "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n").unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    });
    assert_eq!(answer.await.unwrap(), "HTTP/1.1 429");
}

#[actix_web::test]
async fn the_address_and_the_switch_are_asked_before_the_rate() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"rateLimit": {"perSecond": 1, "burst": 1}})).await;
    listener.send(&people(0..30)).await.expect(200);
    for (change, status) in [
        (json!({"enabled": false}), 410),
        (json!({"enabled": false, "allowedIps": ["203.0.113.7"]}), 403),
        (json!({"enabled": true, "allowedIps": []}), 429),
    ] {
        acme.patch(&listener.path(), &change).await.expect(200);
        listener.send(&[]).await.expect(status);
    }
}

/// Without looking again an admin could not help a sender who waits for a debt of an hour.
#[actix_web::test]
async fn a_rate_that_is_raised_or_taken_away_lets_senders_in_at_once() {
    let instance = Instance::start().await;
    let acme = instance.acme();
    let one = json!({"rateLimit": {"perSecond": 1, "burst": 1}});
    for change in [json!({"rateLimit": null}), json!({"rateLimit": {"perSecond": 50, "burst": 50}})]
    {
        let listener = acme.listener_with(one.clone()).await;
        listener.send(&people(0..100)).await.expect(200);
        acme.patch(&listener.path(), &change).await.expect(200);
        listener.send(&[]).await.expect(200);
    }
}

#[actix_web::test]
async fn processes_that_share_the_traffic_share_the_rate() {
    let instance = Instance::with(&["--processes", "4"]).await;
    let acme = instance.acme();
    let listener = acme.listener_with(json!({"rateLimit": {"perSecond": 20, "burst": 40}})).await;
    let reply = listener.send(&[]).await.expect(200);
    assert_eq!(reply.header("ratelimit-policy"), Some("\"listener\";q=10;w=2"));
}
