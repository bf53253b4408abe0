//! What a limited listener tells of its rate, in the headers of the IETF's draft (RateLimit header
//! fields for HTTP, draft-ietf-httpapi-ratelimit-headers): the quota is a burst, and its window the
//! time in which a whole burst is granted again.

use crate::ingest::rate::{Rate, Standing};
use crate::problem::Problem;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use beeiq_core::diagnostics::Code;
use std::time::Duration;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// Tells the rate, and where the listener stands.
pub fn tell(headers: &mut HeaderMap, rate: Rate, standing: Standing) {
    let quota = rate.burst();
    let window = whole_seconds(rate.window());
    let Standing { remaining, full_in } = standing;
    let reset = full_in.as_secs() + u64::from(full_in.subsec_nanos() > 0);
    for (name, text) in [
        (POLICY, format!("\"listener\";q={quota};w={window}")),
        (STANDING, format!("\"listener\";r={remaining};t={reset}")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
}

/// The answer to a request over the rate.
pub fn problem(wait: Duration) -> Problem {
    let detail = "The listener has taken as many actions as its rate allows for now; send again \
                  after the seconds that `Retry-After` names.";
    Problem::new(Code::RateLimited, detail).retry_after(whole_seconds(wait))
}

/// Rounded up, and one at least.
fn whole_seconds(duration: Duration) -> u64 {
    (duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_to_whole_seconds() {
        for (per_second, burst, remaining, full_in_ms, policy, standing) in [
            (10, 20, 20, 0, "\"listener\";q=20;w=2", "\"listener\";r=20;t=0"),
            (10, 5, 0, 501, "\"listener\";q=5;w=1", "\"listener\";r=0;t=1"),
            (1, 60, 7, 53_001, "\"listener\";q=60;w=60", "\"listener\";r=7;t=54"),
        ] {
            let mut headers = HeaderMap::new();
            let full_in = Duration::from_millis(full_in_ms);
            tell(&mut headers, Rate::new(per_second, burst, 1), Standing { remaining, full_in });
            assert_eq!(headers.get(POLICY).unwrap(), policy);
            assert_eq!(headers.get(STANDING).unwrap(), standing);
        }
        assert_eq!(problem(Duration::from_millis(1)).retry_after, Some(1));
        assert_eq!(problem(Duration::from_millis(1001)).retry_after, Some(2));
    }
}
