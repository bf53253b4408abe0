//! The REST API of iAdvize, version 2 (`connections.md` 3).

use super::windows::written;
use super::{Answer, Door, Failure, Sources, text_of};
use beeiq_core::records::connection::{IadvizeResource, Window};
use chrono_tz::Tz;
use secrecy::SecretString;
use serde_json::Value;

/// How many items are asked for at once; fewer where an answer is too large. Each is a part of the
/// one before, so that the pages of one end where pages of the other begin.
pub(crate) const LIMITS: [usize; 5] = [100, 50, 25, 5, 1];

const TIMES: &str = "%Y-%m-%d %H:%M:%S";

/// An account with iAdvize.
pub(crate) struct Iadvize(Door);

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    Websites,
    Operators,
    Tags,
    Skills,
    Resource(IadvizeResource),
}

impl Listed {
    const fn path(self) -> &'static str {
        match self {
            Self::Websites => "/website",
            Self::Operators => "/operator",
            Self::Tags => "/tag",
            Self::Skills => "/skill",
            Self::Resource(IadvizeResource::Conversations) => "/conversation.json-unicode",
            Self::Resource(IadvizeResource::Transactions) => "/transaction",
            Self::Resource(IadvizeResource::Satisfactions) => "/satisfaction",
            Self::Resource(IadvizeResource::Callmeetings) => "/callmeeting",
        }
    }
}

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing<'a> {
    pub(crate) what: Listed,
    pub(crate) window: Option<(Window, Tz)>,
    pub(crate) website: Option<&'a str>,
    /// From 1.
    pub(crate) page: usize,
    pub(crate) limit: usize,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Page {
    pub(crate) items: Vec<Value>,
    /// How many pages there are, now.
    pub(crate) pages: usize,
    /// How many items there are, now.
    pub(crate) count: Option<usize>,
}

impl Iadvize {
    pub(crate) fn new(sources: Sources, base_url: &str, key: SecretString) -> Self {
        Self(Door::new(sources, "iAdvize", base_url, ("X-API-Key", key)))
    }

    pub(crate) fn requests(&self) -> u32 {
        self.0.requests()
    }

    pub(crate) async fn page(&self, listing: Listing<'_>) -> Result<Page, Failure> {
        let Listing { what, window, website, page, limit } = listing;
        let (page, limit) = (page.to_string(), limit.to_string());
        let mut query = vec![("page", page.as_str()), ("limit", &limit), ("full", "1")];
        if what == Listed::Resource(IadvizeResource::Conversations) {
            query.push(("formatHistory", "0"));
        }
        let times = window.map(|(window, zone)| written(window, zone, TIMES));
        if let Some([from, to]) = &times {
            query.extend([("filters[from]", from.as_str()), ("filters[to]", to.as_str())]);
        }
        query.extend(website.map(|website| ("filters[website_id]", website)));
        self.ask(what.path(), &query).await
    }

    /// A conversation by its id, where it is there.
    pub(crate) async fn conversation(&self, id: &str) -> Result<Option<Value>, Failure> {
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Ok(None);
        }
        let path = format!("/conversation.json-unicode/{id}");
        let page = there(self.ask(&path, &[("formatHistory", "0")]).await)?;
        Ok(page.items.into_iter().next())
    }

    /// A visitor by the id by which others name them, where they are there.
    pub(crate) async fn visitor(&self, uid: &str) -> Result<Option<Value>, Failure> {
        let query = [("filters[unique_id]", uid), ("full", "1"), ("limit", "1")];
        let page = there(self.ask("/visitor", &query).await)?;
        let is_theirs =
            |it: &Value| it.get("unique_id").and_then(text_of).is_none_or(|its| its == uid);
        Ok(page.items.into_iter().find(is_theirs))
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Page, Failure> {
        let answer = self.0.ask(path, query).await?;
        let status = answer.status;
        read(answer)
            .unwrap_or_else(|| Err(self.0.unusable(status)))
            .map_err(|failure| self.0.without_secret(failure))
    }
}

/// Nothing where the service says that it does not know it.
fn there(page: Result<Page, Failure>) -> Result<Page, Failure> {
    match page {
        Err(Failure::Fails(words)) if words.starts_with("Unknown") => Ok(Page::default()),
        page => page,
    }
}

/// What iAdvize answered; none where it is not what it documents.
fn read(answer: Answer) -> Option<Result<Page, Failure>> {
    let mut json = answer.json?;
    let meta = json.get("meta")?;
    let message = || {
        let message = meta.get("message").and_then(Value::as_str).unwrap_or_default();
        let line = super::one_line(message);
        if line.is_empty() { "iAdvize does not say why.".to_owned() } else { line }
    };
    match meta.get("status")?.as_str()? {
        "success" => {}
        "fail" => return Some(Err(Failure::Fails(message()))),
        "error" => return Some(Err(Failure::CredentialsRefused(message()))),
        _ => return None,
    }
    let number = |name: &str| {
        let number = json.get("pagination")?.get(name).and_then(text_of)?;
        number.parse().ok()
    };
    let (pages, count) = (number("pages").unwrap_or(1), number("count"));
    let items = match json.get_mut("data").map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(item @ Value::Object(_)) => vec![item],
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
            Vec::new()
        }
    };
    Some(Ok(Page { items, pages, count }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;
    use serde_json::json;

    fn told(json: Value) -> Option<Result<Page, Failure>> {
        read(Answer { status: StatusCode::OK, json: Some(json) })
    }

    #[test]
    fn an_answer_is_a_page_or_a_failure_by_its_meta_status() {
        let success = json!({"status": "success"});
        let item = json!({"id": 789});
        for (answer, expected) in [
            (
                json!({"meta": success, "data": [item],
                    "pagination": {"page": 1, "pages": 3, "limit": 20, "count": 41}}),
                Some(Ok(Page { items: vec![item.clone()], pages: 3, count: Some(41) })),
            ),
            (
                json!({"meta": success, "data": item}),
                Some(Ok(Page { items: vec![item], pages: 1, count: None })),
            ),
            (
                json!({"meta": success, "pagination": {"pages": "2"}}),
                Some(Ok(Page { items: vec![], pages: 2, count: None })),
            ),
            (
                json!({"meta": {"status": "error", "message": "Forbidden"}}),
                Some(Err(Failure::CredentialsRefused("Forbidden".to_owned()))),
            ),
            (
                json!({"meta": {"status": "fail", "message": "Unknown 'x' with 'id' 456."}}),
                Some(Err(Failure::Fails("Unknown 'x' with 'id' 456.".to_owned()))),
            ),
            (
                json!({"meta": {"status": "fail"}}),
                Some(Err(Failure::Fails("iAdvize does not say why.".to_owned()))),
            ),
            (json!({"meta": {"status": "odd"}}), None),
            (json!({"data": []}), None),
            (json!([]), None),
            (json!("<html>"), None),
        ] {
            assert_eq!(told(answer.clone()), expected, "{answer}");
        }
        assert_eq!(read(Answer { status: StatusCode::OK, json: None }), None);
    }

    #[test]
    fn pages_of_a_smaller_limit_begin_where_those_of_a_larger_one_end() {
        for pair in LIMITS.windows(2) {
            assert_eq!(pair[0] % pair[1], 0, "{pair:?}");
        }
    }
}
