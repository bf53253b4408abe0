//! Entity tags: a change is refused where the thing has changed since it was read (`api.md` 2).

use crate::problem::Problem;
use actix_web::HttpRequest;
use actix_web::http::header;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use beeiq_core::diagnostics::Code;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The ETag of a representation: the quoted hash of its JSON.
#[must_use]
pub fn of(representation: &impl Serialize) -> String {
    // A representation that cannot be written is answered as a fault by whoever sends it.
    let json = serde_json::to_vec(representation).unwrap_or_default();
    let hash = Sha256::digest(json);
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(hash.get(..16).unwrap_or(&hash)))
}

/// The `If-Match` of a request.
#[derive(Clone, Debug)]
pub struct IfMatch(Option<String>);

impl IfMatch {
    /// Reads the header; without one everything matches.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let lines = request.headers().get_all(header::IF_MATCH);
        let values: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        Self((!values.is_empty()).then(|| values.join(",")))
    }

    /// Checks it against the ETag of the present state. Weak tags match nothing (RFC 9110 13.1.1).
    ///
    /// # Errors
    /// 412 `precondition_failed`.
    pub fn check(&self, etag: &str) -> Result<(), Problem> {
        match &self.0 {
            Some(tags) if !tags.split(',').map(str::trim).any(|tag| tag == "*" || tag == etag) => {
                Err(Problem::new(
                    Code::PreconditionFailed,
                    "It has changed since you read it. Read it again, and send its new ETag.",
                ))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn equal_representations_have_equal_tags_and_others_have_others() {
        assert_eq!(of(&"a"), of(&"a"));
        assert_ne!(of(&"a"), of(&"b"));
        assert!(of(&"a").starts_with('"') && of(&"a").ends_with('"'));
    }

    #[test]
    fn if_match_is_any_of_a_list_a_star_or_nothing() {
        for (headers, matches) in [
            (vec![], true),
            (vec!["*"], true),
            (vec!["\"now\""], true),
            (vec!["\"then\", \"now\""], true),
            (vec!["\"then\"", "\"now\""], true),
            (vec!["\"then\""], false),
            (vec!["W/\"now\""], false),
            (vec![""], false),
        ] {
            let request = headers.iter().fold(TestRequest::default(), |request, value| {
                request.append_header((header::IF_MATCH, *value))
            });
            let checked = IfMatch::of(&request.to_http_request()).check("\"now\"");
            assert_eq!(checked.is_ok(), matches, "{headers:?}");
        }
    }
}
