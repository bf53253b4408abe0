//! A request to a server that an org or the operator has named, and what comes back of it, up to a
//! bound: before anybody looks at its words.

use super::guard::{Guard, Unreachable};
use crate::clock;
use beeiq_core::values::backoff::retry_after;
use reqwest::header::{HeaderName, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode};
use std::error::Error;
use std::time::Duration;

/// How long a connection that nobody uses stays open.
const IDLE: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// As many characters of another's words are kept.
const LONGEST_WORDS: usize = 300;

/// A client that follows no redirects, and to which an answer may take so long, whole.
pub(super) fn client(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .timeout(timeout)
        .connect_timeout(CONNECT.min(timeout))
        .pool_idle_timeout(IDLE)
        .user_agent("BeeIQ")
}

/// The same for URLs that orgs give: it connects to what the guard lets through, past any proxy.
pub(super) fn guarded_client(timeout: Duration, guard: &Guard) -> reqwest::Result<Client> {
    client(timeout).no_proxy().dns_resolver(guard.clone()).build()
}

/// What came back.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) location: Option<String>,
    /// As much of it as was to be read.
    pub(super) body: Vec<u8>,
    /// Whether that is all of it.
    pub(super) is_whole: bool,
}

/// Why nothing came back, in words that hold neither URL nor secret.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The guard lets nobody there.
    NotPublic(String),
    /// There is no such request.
    Unbuildable,
    /// It may work later.
    Later(String),
}

/// Sends a request to `whom`, and reads so much of the answer at most.
pub(super) async fn exchange(
    request: RequestBuilder,
    most: usize,
    whom: &str,
) -> Result<Received, NoAnswer> {
    let no_answer = |error| no_answer(error, whom);
    let mut response = request.send().await.map_err(no_answer)?;
    let header = |response: &Response, name: HeaderName| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let status = response.status();
    let retry_after =
        header(&response, RETRY_AFTER).and_then(|value| retry_after(&value, clock::now()));
    let location = header(&response, LOCATION);
    let mut body = Vec::new();
    let mut is_whole = false;
    while body.len() <= most {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => {
                is_whole = true;
                break;
            }
            // The status is known, and says more than that.
            Err(_) if !status.is_success() => break,
            Err(error) => return Err(no_answer(error)),
        }
    }
    body.truncate(most);
    Ok(Received { status, retry_after, location, body, is_whole })
}

/// The error's own words may hold the URL, and the URL a secret.
fn no_answer(error: reqwest::Error, whom: &str) -> NoAnswer {
    if let Some(refused @ Unreachable::NotPublic(_)) = guards_word(&error) {
        return NoAnswer::NotPublic(format!("{refused}."));
    }
    NoAnswer::Later(if error.is_timeout() {
        format!("{whom} did not answer in time.")
    } else if error.is_connect() {
        format!("{whom} cannot be connected to: {}", innermost(&error.without_url()))
    } else if error.is_builder() {
        return NoAnswer::Unbuildable;
    } else {
        format!("{whom} broke off: {}", innermost(&error.without_url()))
    })
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

/// Another's words as one line, cut short.
pub(super) fn one_line(words: &str) -> String {
    let spaced = words.replace(|c: char| c.is_control(), " ");
    let mut line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST_WORDS) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// What a redirect is answered with: it is not followed.
pub(super) fn redirect(status: StatusCode, location: Option<&str>) -> String {
    let to = one_line(location.unwrap_or("elsewhere"));
    let status = status.as_u16();
    format!("HTTP {status}: a redirect to {to}; redirects are not followed, so set the final URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_line_and_cut_short() {
        assert_eq!(one_line(" a\r\n\tb\u{0}c "), "a b c");
        assert_eq!(one_line(&"ạ".repeat(400)).chars().count(), LONGEST_WORDS + 1);
    }
}
