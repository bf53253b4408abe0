//! The listener that rows are sent to: again and again where that may help, and never twice.

use super::interrupts::Interrupts;
use super::progress::Progress;
use crate::clock;
use anyhow::{Context, bail};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;
use std::time::{Duration, Instant};
use uuid::Uuid;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
/// The first pause, and the longest one.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

const NOT_YET: &str = "the listener has taken the rows for later, and not applied them yet";

pub(crate) struct Target {
    client: Client,
    url: Url,
    give_up_after: Duration,
}

pub(crate) enum Sent {
    /// Its actions were looked at.
    Answered(Answer),
    /// It is over a limit of the listener, which says so.
    TooLarge(String),
    /// The user wants to stop, and its answer is not known.
    Interrupted,
}

/// A listener's answer (`listener.md` 2), as far as it is of use here.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default)]
    pub(crate) warnings: Vec<Fault>,
    pub(crate) results: Vec<ActionResult>,
    /// Whether an earlier request of the same key got it.
    #[serde(skip)]
    pub(crate) replayed: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ActionResult {
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) warnings: Vec<Fault>,
    pub(crate) error: Option<ActionError>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ActionError {
    #[serde(flatten)]
    pub(crate) first: Fault,
    #[serde(default)]
    pub(crate) errors: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Fault {
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) pointer: String,
}

/// What an answer is to an import.
#[derive(Debug)]
enum Reply {
    Answered(Answer),
    TooLarge(String),
    /// It will be applied soon (`listener.md` 9), and can be asked for under that id.
    Deferred {
        delivery: Uuid,
        replayed: bool,
    },
    Again {
        words: String,
        after: Option<Duration>,
    },
    Never(String),
}

impl Target {
    pub(crate) fn new(url: Url, give_up_after: Duration) -> anyhow::Result<Self> {
        crate::tls::use_ring();
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // A redirect would become a GET, or carry the rows where nobody meant them to go.
            .redirect(Policy::none())
            .user_agent(concat!("beeiq-import/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, url, give_up_after })
    }

    /// Sends a body under its key until it is answered.
    pub(crate) async fn send(
        &self,
        body: &str,
        key: &str,
        interrupts: &mut Interrupts,
        progress: &mut Progress,
    ) -> anyhow::Result<Sent> {
        let mut trouble_since: Option<Instant> = None;
        for attempt in 0_u32.. {
            let reply = tokio::select! {
                reply = self.outcome_of(body, key) => reply,
                () = interrupts.insisted() => return Ok(Sent::Interrupted),
            };
            let (words, after) = match reply {
                Reply::Answered(answer) => return Ok(Sent::Answered(answer)),
                Reply::TooLarge(words) => return Ok(Sent::TooLarge(words)),
                Reply::Never(words) => bail!(words),
                Reply::Again { words, after } => (words, after),
                Reply::Deferred { .. } => (NOT_YET.to_owned(), None),
            };
            let since = *trouble_since.get_or_insert_with(clock::instant);
            let pause = after.unwrap_or_else(|| backoff(attempt, clock::random_bytes()));
            if since.elapsed() + pause > self.give_up_after {
                bail!("{words}; {}", no_more(after, since.elapsed(), self.give_up_after));
            }
            progress.note(&format!("{words}; trying again in {:.1} s", pause.as_secs_f64()));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = interrupts.asked() => return Ok(Sent::Interrupted),
            }
        }
        bail!("the listener was tried too often")
    }

    /// Sends a body, and where it is taken for later, waits for what becomes of it. Sent again under
    /// its key, it is the same delivery.
    async fn outcome_of(&self, body: &str, key: &str) -> Reply {
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", key)
            .body(body.to_owned());
        let mut reply = ask(request).await;
        let since = clock::instant();
        let mut attempt = 0;
        while let Reply::Deferred { delivery, replayed } = reply {
            if since.elapsed() > REQUEST_TIMEOUT {
                break;
            }
            tokio::time::sleep(backoff(attempt, clock::random_bytes()) / 4).await;
            attempt += 1;
            let mut url = self.url.clone();
            url.set_query(None);
            if let Ok(mut path) = url.path_segments_mut() {
                path.extend(["deliveries", &delivery.to_string()]);
            }
            reply = match ask(self.client.get(url)).await {
                Reply::Answered(answer) => Reply::Answered(Answer { replayed, ..answer }),
                Reply::Deferred { .. } => Reply::Deferred { delivery, replayed },
                other => other,
            };
        }
        reply
    }
}

async fn ask(request: RequestBuilder) -> Reply {
    let answered = async {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok::<_, reqwest::Error>((status, headers, response.bytes().await?))
    };
    match answered.await {
        Ok((status, headers, body)) => judge(status, &headers, &body),
        // The URL is a secret.
        Err(error) => {
            let error = anyhow::Error::new(error.without_url());
            Reply::Again {
                words: format!("the listener cannot be reached: {error:#}"),
                after: None,
            }
        }
    }
}

/// What became of a delivery that was taken for later.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    request_id: Uuid,
    status: String,
    http_status: Option<u16>,
    answer: Option<Value>,
}

/// What an answer with that status, headers and body is.
fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Reply {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let has_results = json.as_ref().is_some_and(|json| json.get("results").is_some());
    let words = words_of(status, json.as_ref());
    let replayed = headers.contains_key("idempotency-replayed");
    if matches!(status.as_u16(), 200 | 202)
        && let Ok(outcome) = serde_json::from_slice(body)
    {
        return deferred(outcome, replayed);
    }
    match status.as_u16() {
        200 | 207 | 422 if has_results => {
            match serde_json::from_slice::<Answer>(body).context("its results cannot be read") {
                Ok(answer) => Reply::Answered(Answer { replayed, ..answer }),
                Err(error) => Reply::Never(format!("{words}: {error:#}")),
            }
        }
        413 => Reply::TooLarge(words),
        408 | 409 | 425 | 429 | 500.. => Reply::Again { words, after: retry_after(headers) },
        200 | 202 | 207 => Reply::Never(format!("{words}, but not as a BeeIQ listener does")),
        300..=399 => Reply::Never(format!("{words}: the URL leads elsewhere")),
        _ => Reply::Never(words),
    }
}

fn deferred(outcome: Outcome, replayed: bool) -> Reply {
    let Outcome { request_id: delivery, status, http_status, answer } = outcome;
    let status = http_status.filter(|_| status == "done");
    match status.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) => {
            let answer = answer.unwrap_or_default().to_string();
            judge(status, &HeaderMap::new(), answer.as_bytes())
        }
        None => Reply::Deferred { delivery, replayed },
    }
}

/// What the listener says, in its own words where it has some.
fn words_of(status: StatusCode, json: Option<&Value>) -> String {
    let detail = json.and_then(|json| json.get("detail")).and_then(Value::as_str);
    match detail {
        Some(detail) => format!("the listener answered {}: {detail}", status.as_u16()),
        None => format!("the listener answered {status}"),
    }
}

/// How long it asks to be left alone.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Why it is not tried again: it would take longer than the user wants to wait.
fn no_more(asked: Option<Duration>, tried: Duration, limit: Duration) -> String {
    let (tried, limit) = (tried.as_secs(), limit.as_secs());
    match asked.map(|pause| pause.as_secs()) {
        Some(pause) => format!(
            "it asks to wait {pause} s, and after {tried} s of --give-up-after {limit} that is too \
             long: go on later, or with a greater --give-up-after"
        ),
        None => format!("gave up after {tried} s"),
    }
}

/// Longer each time, half of it by chance.
fn backoff(attempt: u32, chance: [u8; 2]) -> Duration {
    let (first, longest) = PAUSES;
    let full = first.saturating_mul(1 << attempt.min(10)).min(longest);
    full.mul_f64(0.5 + f64::from(u16::from_le_bytes(chance)) / f64::from(u16::MAX) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn kind(status: u16, body: &str) -> &'static str {
        match judge(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes()) {
            Reply::Answered(_) => "answered",
            Reply::TooLarge(_) => "too large",
            Reply::Again { .. } => "again",
            Reply::Deferred { .. } => "later",
            Reply::Never(_) => "never",
        }
    }

    #[test]
    fn an_answer_is_taken_tried_again_split_or_final() {
        let results = r#"{"results": [{"status": "failed", "record": null, "error":
            {"code": "required", "message": "m", "pointer": "/data/0/data/name", "errors": []}}]}"#;
        let problem = r#"{"detail": "No such listener."}"#;
        for (status, body, is) in [
            (200, r#"{"results": []}"#, "answered"),
            (207, results, "answered"),
            (422, results, "answered"),
            (422, problem, "never"),
            (200, "<html>", "never"),
            (200, r#"{"results": 7}"#, "never"),
            (202, "", "never"),
            (302, "", "never"),
            (400, problem, "never"),
            (403, problem, "never"),
            (404, problem, "never"),
            (410, problem, "never"),
            (408, problem, "again"),
            (409, problem, "again"),
            (425, "", "again"),
            (429, problem, "again"),
            (500, "", "again"),
            (502, "<html>", "again"),
            (503, problem, "again"),
            (413, problem, "too large"),
        ] {
            assert_eq!(kind(status, body), is, "{status} {body}");
        }
        assert_eq!(
            words_of(StatusCode::NOT_FOUND, serde_json::from_str(problem).ok().as_ref()),
            "the listener answered 404: No such listener."
        );
    }

    #[test]
    fn what_is_taken_for_later_is_asked_for_until_it_is_done() {
        for (status, rest, is) in [
            (202, r#""status": "pending""#, "later"),
            (200, r#""status": "pending", "httpStatus": null, "answer": null"#, "later"),
            (200, r#""status": "done", "httpStatus": 207, "answer": {"results": []}"#, "answered"),
            (200, r#""status": "done", "httpStatus": 422, "answer": {"detail": "No."}"#, "never"),
        ] {
            let body =
                format!(r#"{{"requestId": "01a1fbad-0000-7000-8000-000000000000", {rest}}}"#);
            assert_eq!(kind(status, &body), is, "{body}");
        }
    }

    /// "Gave up after 0 s" would send its reader looking for a fault that there is not.
    #[test]
    fn a_pause_that_is_too_long_is_told() {
        let seconds = Duration::from_secs;
        let told = no_more(Some(seconds(900)), seconds(0), seconds(600));
        assert!(
            told.contains("asks to wait 900 s") && told.contains("--give-up-after 600"),
            "{told}"
        );
        assert_eq!(no_more(None, seconds(598), seconds(600)), "gave up after 598 s");
    }

    #[test]
    fn a_pause_is_the_one_asked_for_or_grows_by_chance() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        for (attempt, least, most) in [(0, 250, 500), (1, 500, 1000), (6, 15_000, 30_000)] {
            for (chance, expected) in [([0; 2], least), ([0xFF; 2], most)] {
                assert_eq!(backoff(attempt, chance).as_millis(), expected, "{attempt}");
            }
        }
        assert_eq!(backoff(u32::MAX, [0xFF; 2]), Duration::from_secs(30));
    }
}
