//! Asking other systems for what they know (`connections.md` 1, "Outgoing requests"): a request, and
//! what its answer means. When and how often is the workers' business.

mod iadvize;
mod windows;
mod wolkvox;

pub(crate) use iadvize::{Iadvize, LIMITS, Listed, Listing};
pub(crate) use windows::{halves, pieces};
pub(crate) use wolkvox::{MOST_ROWS, Wolkvox};

use super::exchange::{NoAnswer, Received, exchange, guarded_client, one_line, redirect};
use super::guard::Guard;
use beeiq_core::json::Meter;
use beeiq_core::values::masking::MASK;
use reqwest::header::HeaderValue;
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The largest answer that is taken, in bytes.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;
/// The most memory that reading one may take, in bytes: a few bytes of JSON become many more.
const MOST_MEMORY: usize = 256 * 1024 * 1024;
/// How deeply an item may be nested; what is deeper is left out. Kept documents have a bound, too,
/// and one item that is beyond it is not to keep the others out.
const DEEPEST: usize = 32;

/// Why something could not be had of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It does not give that; other things it may.
    Fails(String),
    /// It does not let us in.
    CredentialsRefused(String),
    /// It may work later. `alone`: other things may work now.
    Later { words: String, retry_after: Option<Duration>, alone: bool },
    /// It is more than is taken at once.
    TooLarge,
}

/// The way to the systems of orgs. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    client: Client,
    guard: Guard,
}

impl Sources {
    /// With which an answer may take so long, whole.
    pub(crate) fn new(timeout: Duration, guard: Guard) -> anyhow::Result<Self> {
        Ok(Self { client: guarded_client(timeout, &guard)?, guard })
    }
}

/// A system with what it takes to be let in; it counts what it is asked.
pub(crate) struct Door {
    sources: Sources,
    whom: &'static str,
    base_url: String,
    header: &'static str,
    secret: SecretString,
    requests: AtomicU32,
}

/// An answer that is neither a refusal nor a failure by its status.
struct Answer {
    status: StatusCode,
    /// None where it is no JSON.
    json: Option<Value>,
}

impl Door {
    fn new(
        sources: Sources,
        whom: &'static str,
        base_url: &str,
        (header, secret): (&'static str, SecretString),
    ) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { sources, whom, base_url, header, secret, requests: AtomicU32::new(0) }
    }

    /// How many requests have been sent.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, Failure> {
        let url = self.url(path, query)?;
        let mut secret = HeaderValue::from_str(self.secret.expose_secret())
            .map_err(|_| Failure::CredentialsRefused("It is no value of a header.".to_owned()))?;
        secret.set_sensitive(true);
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = self.sources.client.get(url).header(self.header, secret);
        let received = exchange(request, LARGEST_ANSWER, self.whom).await.map_err(no_answer)?;
        read(received).map_err(|failure| self.without_secret(failure))
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, Failure> {
        let text = format!("{}{path}", self.base_url);
        let mut url = self.sources.guard.check_url(&text).map_err(Failure::Fails)?;
        url.query_pairs_mut().extend_pairs(query);
        Ok(url)
    }

    /// What one says of a request may have its secret in it.
    fn without_secret(&self, failure: Failure) -> Failure {
        let masked = |words: String| match self.secret.expose_secret() {
            "" => words,
            secret => words.replace(secret, MASK),
        };
        match failure {
            Failure::Fails(words) => Failure::Fails(masked(words)),
            Failure::CredentialsRefused(words) => Failure::CredentialsRefused(masked(words)),
            Failure::Later { words, retry_after, alone } => {
                Failure::Later { words: masked(words), retry_after, alone }
            }
            Failure::TooLarge => Failure::TooLarge,
        }
    }

    /// What an answer that is not as it should be is.
    fn unusable(&self, status: StatusCode) -> Failure {
        let words = format!(
            "{} answered something else than its documented JSON (HTTP {})",
            self.whom,
            status.as_u16()
        );
        Failure::Later { words, retry_after: None, alone: true }
    }
}

fn no_answer(why: NoAnswer) -> Failure {
    match why {
        NoAnswer::NotPublic(words) | NoAnswer::Later(words) => {
            Failure::Later { words, retry_after: None, alone: false }
        }
        NoAnswer::Unbuildable => Failure::Fails("The request cannot be built.".to_owned()),
    }
}

/// What an answer means by its status and size.
fn read(received: Received) -> Result<Answer, Failure> {
    let Received { status, retry_after, location, body, is_whole } = received;
    let words = || {
        let status = status.as_u16();
        let words = one_line(&String::from_utf8_lossy(&body));
        if words.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {words}") }
    };
    match status.as_u16() {
        401 | 403 => return Err(Failure::CredentialsRefused(words())),
        429 => return Err(Failure::Later { words: words(), retry_after, alone: false }),
        408 | 500.. => {
            let alone = retry_after.is_none();
            return Err(Failure::Later { words: words(), retry_after, alone });
        }
        300..=399 => return Err(Failure::Fails(redirect(status, location.as_deref()))),
        _ => {}
    }
    let mut meter = Meter::new(usize::MAX);
    meter.feed(&body);
    if !is_whole || meter.working_bytes() > MOST_MEMORY {
        return Err(Failure::TooLarge);
    }
    let json = serde_json::from_slice(&body).ok().map(|mut json| {
        prune(&mut json, DEEPEST);
        json
    });
    Ok(Answer { status, json })
}

/// Takes out what is nested more deeply.
fn prune(value: &mut Value, levels: usize) {
    let Some(levels) = levels.checked_sub(1) else {
        if value.is_array() || value.is_object() {
            *value = Value::Null;
        }
        return;
    };
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| prune(value, levels)),
        Value::Object(fields) => fields.values_mut().for_each(|value| prune(value, levels)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A text or number as text, where there is something in it: ids are either.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn received(status: u16, body: &str) -> Received {
        Received {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            location: None,
            body: body.as_bytes().to_vec(),
            is_whole: true,
        }
    }

    #[test]
    fn the_status_says_whether_to_ask_again_and_whether_others_may_answer() {
        let later = |words: &str, alone| {
            Some(Failure::Later { words: words.to_owned(), retry_after: None, alone })
        };
        for (status, expected) in [
            (200, None),
            (404, None),
            (400, None),
            (401, Some(Failure::CredentialsRefused("HTTP 401: {}".to_owned()))),
            (403, Some(Failure::CredentialsRefused("HTTP 403: {}".to_owned()))),
            (408, later("HTTP 408: {}", true)),
            (429, later("HTTP 429: {}", false)),
            (500, later("HTTP 500: {}", true)),
            (503, later("HTTP 503: {}", true)),
        ] {
            assert_eq!(read(received(status, "{}")).err(), expected, "{status}");
        }
        assert!(matches!(read(received(302, "")).err(), Some(Failure::Fails(_))));
        let told = Received { retry_after: Some(Duration::from_secs(7)), ..received(503, "") };
        let expected = Failure::Later {
            words: "HTTP 503".to_owned(),
            retry_after: Some(Duration::from_secs(7)),
            alone: false,
        };
        assert_eq!(read(told).err(), Some(expected));
    }

    #[test]
    fn an_answer_that_is_cut_off_or_takes_too_much_memory_is_too_large() {
        let cut = Received { is_whole: false, ..received(200, "[]") };
        assert_eq!(read(cut).err(), Some(Failure::TooLarge));
        let many = format!("[{}1]", "{},".repeat(400_000));
        assert_eq!(read(received(200, &many)).err(), Some(Failure::TooLarge));
    }

    #[test]
    fn what_is_nested_too_deeply_is_left_out_and_the_rest_stays() {
        let deep = format!("{{\"id\": 1, \"deep\": {}{}}}", "[".repeat(90), "]".repeat(90));
        let answer = read(received(200, &deep)).unwrap().json.unwrap();
        assert_eq!(answer["id"], 1);
        assert!(answer.to_string().contains("[null]"), "{answer}");
        assert!(read(received(200, &"[".repeat(100_000))).unwrap().json.is_none());
    }

    #[test]
    fn ids_are_texts_or_numbers() {
        for (value, expected) in [
            (json!(12), Some("12")),
            (json!(" a "), Some("a")),
            (json!(""), None),
            (json!(null), None),
            (json!([1]), None),
        ] {
            assert_eq!(text_of(&value).as_deref(), expected, "{value}");
        }
    }
}
