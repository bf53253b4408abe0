//! Entity tags (`api.md` 2): a change is refused where the thing has changed since it was read, and
//! what the caller has already is not sent again.

use crate::problem::Problem;
use actix_web::HttpRequest;
use actix_web::http::header::{self, ETAG, EntityTag, Header, HeaderMap, IF_MATCH, IfNoneMatch};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use beeiq_core::diagnostics::Code;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The ETag of a representation: the quoted hash of its JSON.
pub(crate) fn of(representation: &impl Serialize) -> String {
    // A representation that cannot be written is answered as a fault by whoever sends it.
    let json = serde_json::to_vec(representation).unwrap_or_default();
    let hash = Sha256::digest(json);
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(hash.get(..16).unwrap_or(&hash)))
}

/// The `If-Match` of a request; without one everything matches.
pub(crate) struct IfMatch(Option<header::IfMatch>);

impl IfMatch {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let there = request.headers().contains_key(IF_MATCH);
        let none = || header::IfMatch::Items(Vec::new());
        Self(there.then(|| header::IfMatch::parse(request).unwrap_or_else(|_| none())))
    }

    /// Refuses with 412 where the ETag of the present state is not named. Weak tags match nothing
    /// (RFC 9110 13.1.1).
    pub(crate) fn check(&self, etag: &str) -> Result<(), Problem> {
        let matches = match &self.0 {
            None | Some(header::IfMatch::Any) => true,
            Some(header::IfMatch::Items(tags)) => {
                etag.parse().is_ok_and(|etag| tags.iter().any(|tag| tag.strong_eq(&etag)))
            }
        };
        let changed = "It has changed since you read it. Read it again, and send its new ETag.";
        if matches { Ok(()) } else { Err(Problem::new(Code::PreconditionFailed, changed)) }
    }
}

/// Whether the request's `If-None-Match` names the ETag of the answer (RFC 9110 13.1.2).
pub(crate) fn is_known(request: &HttpRequest, answer: &HeaderMap) -> bool {
    let etag = answer.get(ETAG).and_then(|it| it.to_str().ok()?.parse::<EntityTag>().ok());
    etag.is_some_and(|etag| match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&etag)),
        Err(_) => false,
    })
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
                request.append_header((IF_MATCH, *value))
            });
            let checked = IfMatch::of(&request.to_http_request()).check("\"now\"");
            assert_eq!(checked.is_ok(), matches, "{headers:?}");
        }
    }

    #[test]
    fn what_is_known_is_any_of_a_list_or_a_star_and_may_be_weak() {
        let mut answer = HeaderMap::new();
        answer.insert(ETAG, header::HeaderValue::from_static("\"now\""));
        for (sent, known) in [
            ("*", true),
            ("\"then\", \"now\"", true),
            ("W/\"now\"", true),
            ("\"then\"", false),
            ("now", false),
            ("", false),
        ] {
            let request = TestRequest::default().insert_header((header::IF_NONE_MATCH, sent));
            assert_eq!(is_known(&request.to_http_request(), &answer), known, "{sent}");
            let request = TestRequest::default().insert_header((header::IF_NONE_MATCH, sent));
            assert!(!is_known(&request.to_http_request(), &HeaderMap::new()), "{sent}");
        }
        assert!(!is_known(&TestRequest::default().to_http_request(), &answer));
    }
}
