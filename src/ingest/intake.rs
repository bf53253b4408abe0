//! Reading a body whose sender is not trusted: bounded in size and in time (`listener.md` 1).

use super::capacity::Permit;
use super::pipeline::Parts;
use crate::clock;
use crate::config::Limits;
use crate::problem::Problem;
use beeiq_core::diagnostics::Code;
use beeiq_core::json::Meter;
use futures_util::{Stream, StreamExt};
use std::fmt::Display;
use std::time::Duration;

/// A body, as far as it came.
pub(super) struct Intake {
    pub(super) body: Vec<u8>,
    /// What it will take to be worked on.
    pub(super) meter: Meter,
    /// Why it was not read to its end.
    pub(super) cut_short: Option<Problem>,
}

impl Parts {
    /// Reads a body of at most `largest` bytes, as far as `permit` has room for it. One that announces
    /// itself as too large is not read at all.
    pub(super) async fn read_body<B: AsRef<[u8]>, E: Display>(
        &self,
        mut pieces: impl Stream<Item = Result<B, E>> + Unpin,
        (announced, largest): (Option<u64>, usize),
        mut meter: Meter,
        permit: &mut Permit,
    ) -> Result<Intake, Problem> {
        let limits = &self.limits;
        let mut body = Vec::new();
        let most = u64::try_from(largest).unwrap_or(u64::MAX);
        if announced.is_some_and(|length| length > most) {
            return Ok(Intake { body, meter, cut_short: Some(too_large(largest)) });
        }
        let started = clock::instant();
        loop {
            let patience = patience(started.elapsed(), body.len(), limits);
            let cut_short = match tokio::time::timeout(patience, pieces.next()).await {
                Ok(None) => None,
                Ok(Some(Ok(piece))) => {
                    let piece = piece.as_ref();
                    let length = body.len() + piece.len();
                    if length <= largest {
                        permit.grow(length)?;
                        body.extend_from_slice(piece);
                        meter.feed(piece);
                        if meter.working_bytes() <= self.working_bytes {
                            continue;
                        }
                        Some(too_complex(self.working_bytes))
                    } else {
                        Some(too_large(largest))
                    }
                }
                Ok(Some(Err(error))) => {
                    let detail = format!("The body broke off: {error}.");
                    Some(Problem::new(Code::NotJson, detail))
                }
                Err(_) => Some(too_slow(body.len(), started.elapsed())),
            };
            return Ok(Intake { body, meter, cut_short });
        }
    }
}

fn too_large(largest: usize) -> Problem {
    let detail = format!(
        "The body is larger than the limit of {largest} bytes; send the actions in several requests."
    );
    Problem::new(Code::BodyTooLarge, detail)
}

fn too_slow(received: usize, elapsed: Duration) -> Problem {
    let detail = format!("The body came too slowly: {received} bytes in {} s.", elapsed.as_secs());
    Problem::new(Code::BodyTooSlow, detail)
}

fn too_complex(working_bytes: usize) -> Problem {
    let detail = format!(
        "The body holds more values than the {} MiB of memory that one is given; send the actions \
         in several requests.",
        working_bytes / (1024 * 1024)
    );
    Problem::new(Code::TooComplex, detail)
}

/// How long the next bytes may take: until the deadline, or until what has come would be too little
/// for the time it took.
fn patience(elapsed: Duration, received: usize, limits: &Limits) -> Duration {
    let received = u64::try_from(received).unwrap_or(u64::MAX);
    let earned = Duration::from_secs_f64(as_f64(received) / as_f64(limits.min_body_rate.max(1)));
    limits.body_deadline.min(limits.body_grace.max(earned)).saturating_sub(elapsed)
}

#[expect(clippy::cast_precision_loss, reason = "a duration that is a nanosecond off will do")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_has_the_grace_then_what_they_earn_and_never_more_than_the_deadline() {
        let limits = Limits {
            max_body_bytes: 1 << 20,
            max_actions: 1,
            max_nesting: 32,
            body_deadline: Duration::from_secs(30),
            request_deadline: Duration::from_secs(15),
            min_body_rate: 1024,
            body_grace: Duration::from_secs(5),
        };
        for (elapsed, received, left) in [
            (0, 0, 5),
            (4, 0, 1),
            (5, 0, 0),
            (5, 1024, 0),
            (5, 10 * 1024, 5),
            (9, 10 * 1024, 1),
            (11, 10 * 1024, 0),
            (29, 100 * 1024, 1),
            (30, 100 * 1024, 0),
        ] {
            let patience = patience(Duration::from_secs(elapsed), received, &limits);
            assert_eq!(patience, Duration::from_secs(left), "{elapsed} s, {received} bytes");
        }
    }
}
