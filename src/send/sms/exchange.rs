//! A request to a provider, and what its answer means before one looks at its words.

use crate::clock;
use crate::send::guard::Unreachable;
use beeiq_core::records::outgoing::Outcome;
use beeiq_core::values::backoff::retry_after;
use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use std::error::Error;
use std::time::Duration;

/// As much of an answer is read.
const LARGEST_ANSWER: usize = 64 * 1024;
/// As many characters of a provider's words are kept.
const LONGEST_WORDS: usize = 300;

/// What a provider answered.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
    location: Option<String>,
    body: Vec<u8>,
    json: Value,
}

/// Sends a request, and reads the answer up to a bound.
pub(super) async fn ask(request: RequestBuilder) -> Result<Answer, Outcome> {
    let mut response = request.send().await.map_err(no_answer)?;
    let header = |response: &Response, name| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let status = response.status();
    let retry_after =
        header(&response, RETRY_AFTER).and_then(|value| retry_after(&value, clock::now()));
    let location = header(&response, LOCATION);
    let mut body = Vec::new();
    while body.len() < LARGEST_ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            // The status is known, and says more than that.
            Err(_) if !status.is_success() => break,
            Err(error) => return Err(no_answer(error)),
        }
    }
    body.truncate(LARGEST_ANSWER);
    let json = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Answer { status, retry_after, location, body, json })
}

impl Answer {
    pub(super) const fn status(&self) -> StatusCode {
        self.status
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
        self.with_words(&String::from_utf8_lossy(&self.body))
    }

    /// The status and words that were found in the body, as one line.
    pub(super) fn with_words(&self, words: &str) -> String {
        let words = one_line(words);
        let status = self.status.as_u16();
        if words.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {words}") }
    }

    /// It may work later.
    pub(super) fn transient(&self, words: String) -> Outcome {
        Outcome::Transient { words, retry_after: self.retry_after }
    }

    /// What the status alone says, where it is no success.
    pub(super) fn refusal(&self, words: String) -> Option<Outcome> {
        match self.status.as_u16() {
            200..=299 => None,
            300..=399 => {
                let to = one_line(self.location.as_deref().unwrap_or("elsewhere"));
                let words = format!(
                    "HTTP {}: a redirect to {to}; redirects are not followed, so set the final URL",
                    self.status.as_u16()
                );
                Some(Outcome::AccountRefused { words })
            }
            401 | 403 => Some(Outcome::AccountRefused { words }),
            408 | 429 => Some(self.transient(words)),
            400..=499 => Some(Outcome::Permanent { words }),
            _ => Some(self.transient(words)),
        }
    }
}

/// Why there is no answer. The error's own words may hold the URL, and the URL a secret.
fn no_answer(error: reqwest::Error) -> Outcome {
    if let Some(refused @ Unreachable::NotPublic(_)) = guards_word(&error) {
        return Outcome::AccountRefused { words: format!("{refused}.") };
    }
    let words = if error.is_timeout() {
        "The provider did not answer in time.".to_owned()
    } else if error.is_connect() {
        format!("The provider cannot be connected to: {}", innermost(&error.without_url()))
    } else if error.is_builder() {
        return Outcome::Permanent { words: "The request cannot be built.".to_owned() };
    } else {
        format!("The provider broke off: {}", innermost(&error.without_url()))
    };
    Outcome::transient(words)
}

fn guards_word(error: &reqwest::Error) -> Option<&Unreachable> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref() {
            return Some(refused);
        }
        cause = error.source();
    }
    None
}

/// The cause that the operating system or the other side gave.
fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    one_line(&innermost.to_string())
}

fn one_line(words: &str) -> String {
    let spaced = words.replace(|c: char| c.is_control(), " ");
    let mut line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST_WORDS) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_whether_to_try_again() {
        let refusal = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = Answer {
                status,
                retry_after: Some(Duration::from_secs(7)),
                location: None,
                body: Vec::new(),
                json: Value::Null,
            };
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

    #[test]
    fn words_are_one_line_and_cut_short() {
        assert_eq!(one_line(" a\r\n\tb\u{0}c "), "a b c");
        assert_eq!(one_line(&"ạ".repeat(400)).chars().count(), LONGEST_WORDS + 1);
    }
}
