//! A request as it came.

use crate::problem::Problem;
use crate::store::deliveries::Kept;
use beeiq_core::diagnostics::{Code, Fault, Warning};
use beeiq_core::formats::{Format, Headers};
use beeiq_core::values::suggest::nearest;
use chrono::{DateTime, Utc};
use std::net::IpAddr;
use uuid::Uuid;

/// What a listener took: kept with its answer (`listener.md` 9).
pub(crate) struct Received {
    /// The `requestId`; also the delivery's id.
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    /// Behind trusted proxies the one they name.
    pub(crate) caller: IpAddr,
    /// As it came.
    pub(crate) query: String,
    /// Without secrets.
    pub(crate) headers: Headers,
    /// The `Idempotency-Key`s that came with it, as they came.
    pub(crate) idempotency_keys: Vec<Vec<u8>>,
    /// How the body is meant.
    pub(crate) format: Format,
    /// As far as it was read.
    pub(crate) body: Vec<u8>,
    /// Whether it was read to its end.
    pub(crate) body_complete: bool,
}

impl Received {
    /// What a connection heard.
    pub(super) fn heard(
        (id, at, caller): (Uuid, DateTime<Utc>, IpAddr),
        headers: Headers,
        format: Format,
        body: Vec<u8>,
    ) -> Self {
        Self {
            id,
            at,
            caller,
            query: String::new(),
            headers,
            idempotency_keys: Vec::new(),
            format,
            body,
            body_complete: true,
        }
    }
}

impl From<Kept> for Received {
    fn from(kept: Kept) -> Self {
        Self {
            id: kept.id,
            at: kept.received_at,
            caller: kept.caller.ip(),
            query: kept.query,
            headers: kept.headers,
            idempotency_keys: Vec::new(),
            format: kept.format,
            body: kept.body,
            body_complete: kept.body_complete,
        }
    }
}

/// What the query asks for (`listener.md` 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Run everything, report everything, change nothing.
    pub(crate) dry_run: bool,
    /// Apply all actions or none.
    pub(crate) atomic: bool,
}

const OPTIONS: [&str; 2] = ["dryRun", "atomic"];

impl Options {
    /// Reads a query. What other systems append to URLs is warned of; what looks like a misspelt
    /// option is a fault, because the request would do what its sender did not want.
    pub(crate) fn parse(query: &str) -> Result<(Self, Vec<Warning>), Problem> {
        let (mut options, mut warnings, mut faults) = (Self::default(), Vec::new(), Vec::new());
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        for (name, value) in pairs {
            let target = match name.as_str() {
                "dryRun" => &mut options.dry_run,
                "atomic" => &mut options.atomic,
                other => {
                    let shown: String = other.chars().take(64).collect();
                    match nearest(other, OPTIONS) {
                        Some(meant) => faults.push(fault(format!(
                            "There is no query parameter `{shown}`; did you mean `{meant}`?"
                        ))),
                        None => warnings.push(Fault::new(
                            Code::UnknownField,
                            "",
                            format!("The query parameter `{shown}` was not used."),
                        )),
                    }
                    continue;
                }
            };
            match value.as_str() {
                "true" | "1" => *target = true,
                "false" | "0" => *target = false,
                _ => faults
                    .push(fault(format!("The query parameter `{name}` has to be true or false."))),
            }
        }
        if faults.is_empty() { Ok((options, warnings)) } else { Err(invalid_query(faults)) }
    }
}

fn fault(message: String) -> Fault {
    Fault::new(Code::InvalidQuery, "", message)
}

fn invalid_query(faults: Vec<Fault>) -> Problem {
    let detail = faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>().join(" ");
    Problem::new(Code::InvalidQuery, detail).with_errors(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_read_as_it_is_meant_or_refused() {
        let options = |dry_run, atomic| Some(Options { dry_run, atomic });
        for (query, expected, warnings) in [
            ("", options(false, false), 0),
            ("dryRun=true", options(true, false), 0),
            ("dryRun=false&atomic=1", options(false, true), 0),
            ("utm_source=x", options(false, false), 1),
            ("dryrun=true", None, 0),
            ("dry_run=true", None, 0),
            ("dryRun=maybe", None, 0),
            ("atomic", None, 0),
            ("atomic=", None, 0),
        ] {
            let parsed = Options::parse(query);
            assert_eq!(parsed.as_ref().ok().map(|(options, _)| *options), expected, "{query}");
            assert_eq!(parsed.map_or(0, |(_, warned)| warned.len()), warnings, "{query}");
        }
    }
}
