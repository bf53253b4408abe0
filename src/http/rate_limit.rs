//! What a limited listener tells of its rate, in the headers of the IETF's draft (RateLimit header
//! fields for HTTP, draft-ietf-httpapi-ratelimit-headers): the quota is a burst, and its window the
//! time in which a whole burst is granted again.

use crate::ingest::rate::{Quota, Rate, whole_seconds};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

pub(super) fn tell(headers: &mut HeaderMap, rate: Rate, quota: Quota) {
    let (burst, window) = (rate.burst(), whole_seconds(rate.window()));
    let Quota { remaining, full_in } = quota;
    let reset = full_in.as_secs() + u64::from(full_in.subsec_nanos() > 0);
    for (name, text) in [
        (POLICY, format!("\"listener\";q={burst};w={window}")),
        (LEFT, format!("\"listener\";r={remaining};t={reset}")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_rounded_up_to_whole_seconds() {
        for (per_second, burst, remaining, full_in_ms, policy, standing) in [
            (10, 20, 20, 0, "\"listener\";q=20;w=2", "\"listener\";r=20;t=0"),
            (10, 5, 0, 501, "\"listener\";q=5;w=1", "\"listener\";r=0;t=1"),
            (1, 60, 7, 53_001, "\"listener\";q=60;w=60", "\"listener\";r=7;t=54"),
        ] {
            let mut headers = HeaderMap::new();
            let full_in = Duration::from_millis(full_in_ms);
            tell(&mut headers, Rate::new(per_second, burst, 1), Quota { remaining, full_in });
            assert_eq!(headers.get(POLICY).unwrap(), policy);
            assert_eq!(headers.get(LEFT).unwrap(), standing);
        }
    }
}
