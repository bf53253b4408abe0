//! Reading a body whose sender is not trusted: bounded in size and in time (`listener.md` 1).

use crate::clock;
use crate::ingest::Holding;
use crate::problem::Problem;
use actix_web::web::Payload;
use beeiq_core::diagnostics::Code;
use beeiq_core::json::Meter;
use futures_util::StreamExt;
use std::time::Duration;

/// How large and how slow a body may be.
#[derive(Clone, Copy, Debug)]
pub struct IntakeLimits {
    /// The most bytes.
    pub bytes: usize,
    /// The longest time until its end.
    pub deadline: Duration,
    /// The least bytes a second, once `grace` is over.
    pub rate: u64,
    /// How long a body may be slower than that.
    pub grace: Duration,
    /// The most levels of nesting.
    pub nesting: usize,
    /// The most memory that working on it may take, in bytes.
    pub working_bytes: usize,
}

/// A body, as far as it came.
#[derive(Debug)]
pub struct Intake {
    /// What was read.
    pub body: Vec<u8>,
    /// What it will take to be worked on.
    pub meter: Meter,
    /// Why it was not read to its end.
    pub cut_short: Option<Problem>,
}

/// Reads a body into the room that `holding` has for it. One that announces itself as too large is
/// not read at all.
///
/// # Errors
/// Where there is no room for it now.
pub async fn read_body(
    mut payload: Payload,
    announced: Option<u64>,
    limits: IntakeLimits,
    holding: &mut Holding,
) -> Result<Intake, Problem> {
    let (mut body, mut meter) = (Vec::new(), Meter::new(limits.nesting));
    let too_large = || {
        let detail = format!(
            "The body is larger than the limit of {} bytes; send the actions in several requests.",
            limits.bytes
        );
        Some(Problem::new(Code::BodyTooLarge, detail))
    };
    let most = u64::try_from(limits.bytes).unwrap_or(u64::MAX);
    if announced.is_some_and(|length| length > most) {
        return Ok(Intake { body, meter, cut_short: too_large() });
    }
    let started = clock::instant();
    loop {
        let patience = patience(started.elapsed(), body.len(), limits);
        let cut_short = match tokio::time::timeout(patience, payload.next()).await {
            Ok(None) => None,
            Ok(Some(Ok(chunk))) if body.len() + chunk.len() <= limits.bytes => {
                holding.grow(body.len() + chunk.len())?;
                body.extend_from_slice(&chunk);
                meter.feed(&chunk);
                if meter.working_bytes() <= limits.working_bytes {
                    continue;
                }
                Some(too_complex(limits))
            }
            Ok(Some(Ok(_))) => too_large(),
            Ok(Some(Err(error))) => {
                let detail = format!("The body broke off: {error}.");
                Some(Problem::new(Code::NotJson, detail))
            }
            Err(_) => {
                let detail = format!(
                    "The body came too slowly: {} bytes in {} s.",
                    body.len(),
                    started.elapsed().as_secs()
                );
                Some(Problem::new(Code::BodyTooSlow, detail))
            }
        };
        return Ok(Intake { body, meter, cut_short });
    }
}

fn too_complex(limits: IntakeLimits) -> Problem {
    let detail = format!(
        "The body holds more values than the {} MiB of memory that one is given; send the actions \
         in several requests.",
        limits.working_bytes / (1024 * 1024)
    );
    Problem::new(Code::TooComplex, detail)
}

/// How long the next bytes may take: until the deadline, or until what has come would be too little
/// for the time it took.
fn patience(elapsed: Duration, received: usize, limits: IntakeLimits) -> Duration {
    let received = u64::try_from(received).unwrap_or(u64::MAX);
    let earned = Duration::from_secs_f64(as_f64(received) / as_f64(limits.rate.max(1)));
    limits.deadline.min(limits.grace.max(earned)).saturating_sub(elapsed)
}

#[expect(clippy::cast_precision_loss, reason = "a duration that is a nanosecond off will do")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_has_the_grace_then_what_he_earns_and_never_more_than_the_deadline() {
        let limits = IntakeLimits {
            bytes: 1 << 20,
            deadline: Duration::from_secs(30),
            rate: 1024,
            grace: Duration::from_secs(5),
            nesting: 32,
            working_bytes: 1 << 20,
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
            let patience = patience(Duration::from_secs(elapsed), received, limits);
            assert_eq!(patience, Duration::from_secs(left), "{elapsed} s, {received} bytes");
        }
    }
}
