//! A request as it came.

use beeiq_core::diagnostics::{Code, Fault, Warning};
use beeiq_core::values::suggest::nearest;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::net::IpAddr;
use uuid::Uuid;

/// What a listener took: kept with its answer (`listener.md` 9).
#[derive(Clone, Debug)]
pub struct Received {
    /// The `requestId`; also the delivery's id.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// From which address, behind trusted proxies the one they name.
    pub caller: IpAddr,
    /// The query as it came.
    pub query: String,
    /// The headers, without secrets.
    pub headers: Value,
    /// The `Idempotency-Key`s that came with it, as they came.
    pub idempotency_keys: Vec<Vec<u8>>,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
    /// Whether it was read to its end.
    pub body_complete: bool,
}

/// The largest body that goes with others, in bytes: larger ones are batches themselves. It is what of
/// every body is free (`capacity.rs`).
const SMALL: usize = 16 * 1024;

impl Received {
    /// Whether it can be applied in one transaction with others: it asks for nothing special, and
    /// is small.
    #[must_use]
    pub fn goes_with_others(&self) -> bool {
        self.body.len() <= SMALL
            && self.body_complete
            && self.idempotency_keys.is_empty()
            && Options::parse(&self.query).is_ok_and(|(asked, _)| asked == Options::default())
    }
}

/// What the query asks for (`listener.md` 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Run everything, report everything, change nothing.
    pub dry_run: bool,
    /// Apply all actions or none.
    pub atomic: bool,
}

const OPTIONS: [&str; 2] = ["dryRun", "atomic"];

impl Options {
    /// Reads a query. What other systems append to URLs is warned of; what looks like a misspelt
    /// option is a fault, because the request would do what its sender did not want.
    ///
    /// # Errors
    /// A fault for each parameter that cannot be meant as it stands.
    pub fn parse(query: &str) -> Result<(Self, Vec<Warning>), Vec<Fault>> {
        let (mut options, mut warnings, mut faults) = (Self::default(), Vec::new(), Vec::new());
        let pairs: Vec<(String, String)> =
            actix_web::web::Query::<Vec<(String, String)>>::from_query(query)
                .map(actix_web::web::Query::into_inner)
                .unwrap_or_default();
        for (name, value) in pairs {
            let target = match name.as_str() {
                "dryRun" => &mut options.dry_run,
                "atomic" => &mut options.atomic,
                other => {
                    let shown: String = other.chars().take(64).collect();
                    match nearest(other, OPTIONS) {
                        Some(meant) => faults.push(Fault::new(
                            Code::InvalidQuery,
                            "",
                            format!(
                                "There is no query parameter `{shown}`; did you mean `{meant}`?"
                            ),
                        )),
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
                _ => faults.push(Fault::new(
                    Code::InvalidQuery,
                    "",
                    format!("The query parameter `{name}` has to be true or false."),
                )),
            }
        }
        if faults.is_empty() { Ok((options, warnings)) } else { Err(faults) }
    }
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
