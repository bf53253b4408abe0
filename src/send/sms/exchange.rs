//! A request to a provider, and what its answer means before one looks at its words.

use crate::send::exchange::{NoAnswer, Received, exchange, one_line, redirect};
use beeiq_core::records::outgoing::Outcome;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

/// As much of an answer is read.
const LARGEST_ANSWER: usize = 64 * 1024;

/// What a provider answered.
#[derive(Debug)]
pub(super) struct Answer {
    received: Received,
    json: Value,
}

/// Sends a request, and reads the answer up to a bound.
pub(super) async fn ask(request: RequestBuilder) -> Result<Answer, Outcome> {
    let received = exchange(request, LARGEST_ANSWER, "The provider").await.map_err(no_answer)?;
    let json = serde_json::from_slice(&received.body).unwrap_or_default();
    Ok(Answer { received, json })
}

impl Answer {
    pub(super) const fn status(&self) -> StatusCode {
        self.received.status
    }

    /// The text or number at a place of the body, where that is JSON and the text is not empty.
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        match self.json.pointer(pointer)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether there is a list at a place of the body, and something in it.
    pub(super) fn lists_something(&self, pointer: &str) -> bool {
        let list = self.json.pointer(pointer).and_then(Value::as_array);
        list.is_some_and(|list| !list.is_empty())
    }

    /// The status and the beginning of the body, as one line.
    pub(super) fn words(&self) -> String {
        self.with_words(&String::from_utf8_lossy(&self.received.body))
    }

    /// The status and words that were found in the body, as one line.
    pub(super) fn with_words(&self, words: &str) -> String {
        let words = one_line(words);
        let status = self.received.status.as_u16();
        if words.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {words}") }
    }

    /// It may work later.
    pub(super) fn transient(&self, words: String) -> Outcome {
        Outcome::Transient { words, retry_after: self.received.retry_after }
    }

    /// What the status alone says, where it is no success.
    pub(super) fn refusal(&self, words: String) -> Option<Outcome> {
        match self.received.status.as_u16() {
            200..=299 => None,
            300..=399 => {
                let words = redirect(self.received.status, self.received.location.as_deref());
                Some(Outcome::AccountRefused { words })
            }
            401 | 403 => Some(Outcome::AccountRefused { words }),
            408 | 429 => Some(self.transient(words)),
            400..=499 => Some(Outcome::Permanent { words }),
            _ => Some(self.transient(words)),
        }
    }
}

fn no_answer(why: NoAnswer) -> Outcome {
    match why {
        NoAnswer::NotPublic(words) => Outcome::AccountRefused { words },
        NoAnswer::Unbuildable => {
            Outcome::Permanent { words: "The request cannot be built.".to_owned() }
        }
        NoAnswer::Later(words) => Outcome::transient(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_status_says_whether_to_try_again() {
        let refusal = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            let received = Received {
                status,
                retry_after: Some(Duration::from_secs(7)),
                location: None,
                body: Vec::new(),
                is_whole: true,
            };
            let answer = Answer { received, json: Value::Null };
            answer.refusal(String::new())
        };
        for status in [200, 201, 204] {
            assert_eq!(refusal(status), None, "{status}");
        }
        for status in [408, 429, 500, 502, 503, 504] {
            let after_seven = Outcome::Transient {
                words: String::new(),
                retry_after: Some(Duration::from_secs(7)),
            };
            assert_eq!(refusal(status), Some(after_seven), "{status}");
        }
        for status in [400, 404, 410, 422] {
            assert_eq!(refusal(status), Some(Outcome::Permanent { words: String::new() }));
        }
        for status in [301, 302, 307, 401, 403] {
            assert!(matches!(refusal(status), Some(Outcome::AccountRefused { .. })), "{status}");
        }
    }
}
