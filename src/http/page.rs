//! What comes after the `?` of a list, and how a page of it is answered (`api.md` 2).

use crate::problem::Problem;
use actix_web::{HttpRequest, web};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use beeiq_core::diagnostics::{Code, Fault, Pointer};
use beeiq_core::values::suggest;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// How many entries a page has when nobody asks.
const DEFAULT_LIMIT: i64 = 20;
/// How many it has at most.
const LARGEST_LIMIT: i64 = 100;

/// The query parameters of a request: each one known, and there once.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query of a list: `limit`, `cursor`, and these filters.
    pub(crate) fn of_list(request: &HttpRequest, filters: &[&str]) -> Result<Self, Problem> {
        let known: Vec<&str> = filters.iter().copied().chain(["limit", "cursor"]).collect();
        Self::parse(request.query_string(), &known)
    }

    /// Reads a query that may have these parameters.
    pub(crate) fn parse(raw: &str, known: &[&str]) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(raw)
            .map_err(|_| Problem::new(Code::InvalidQuery, "The query cannot be read."))?
            .into_inner();
        let mut faults = Vec::new();
        for (index, (name, value)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                faults.push(unknown(name, known));
            } else if pairs.iter().take(index).any(|(earlier, _)| earlier == name) {
                faults.push(fault(name, "is given more than once."));
            } else if value.contains('\0') {
                faults.push(fault(name, "contains U+0000."));
            }
        }
        if faults.is_empty() { Ok(Self(pairs)) } else { Err(problem(faults)) }
    }

    /// The value of a parameter; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The time that a parameter gives.
    pub(crate) fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        let read = |text| DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
        self.get(name).map(read).transpose().map_err(|_| {
            invalid(
                name,
                "is not a time as RFC 3339 has it, such as 2026-01-31T08:00:00Z (a + is written \
                 %2B here).",
            )
        })
    }

    /// Which page is asked for.
    pub(crate) fn paging(&self) -> Result<Paging, Problem> {
        let limit = match self.get("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
                .ok_or_else(|| invalid("limit", "is a number from 1 to 100."))?,
        };
        let before = match self.get("cursor") {
            None => None,
            Some(text) => Some(decode(text).ok_or_else(|| {
                invalid(
                    "cursor",
                    "is not one that a page's nextCursor gave; leave it out to begin anew.",
                )
            })?),
        };
        Ok(Paging { limit, before })
    }
}

/// A parameter whose value cannot be used: 422 `invalid_query`. `message` follows the parameter's
/// name in the sentence. The pointer is into the query, read as an object.
pub(crate) fn invalid(name: &str, message: &str) -> Problem {
    problem(vec![fault(name, message)])
}

fn fault(name: &str, message: &str) -> Fault {
    let message = format!("The query parameter \"{name}\" {message}");
    Fault::new(Code::InvalidQuery, Pointer::root().member(name), message)
}

fn unknown(name: &str, known: &[&str]) -> Fault {
    match suggest::nearest(name, known.iter().copied()) {
        Some(meant) => fault(name, &format!("is not known here; \"{meant}\" is.")),
        None => fault(
            name,
            &format!(
                "is not known here; there are {}.",
                suggest::listed(known.iter().copied(), 20)
            ),
        ),
    }
}

fn problem(faults: Vec<Fault>) -> Problem {
    let detail = faults.first().map(|fault| fault.message.clone()).unwrap_or_default();
    Problem::new(Code::InvalidQuery, detail).with_errors(faults)
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    limit: i64,
    before: Option<Uuid>,
}

impl Paging {
    /// How many rows to load: one more than the page has, which tells whether there is a next one.
    pub(crate) fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// The id that all ids of the page are smaller than; none on the first page. Ids are UUID v7,
    /// so `ORDER BY id DESC` is newest first.
    pub(crate) fn before(&self) -> Option<Uuid> {
        self.before
    }

    /// The page made of the rows that were loaded.
    pub(crate) fn page<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let size = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_cursor = rows.last().filter(|_| more).map(|last| encode(id(last)));
        Page { data: rows, page: PageInfo { limit: self.limit, next_cursor } }
    }

    /// A page that ends before it is full: the rest is on the next one.
    pub(crate) fn cut_short<T>(&self, rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let next_cursor = rows.last().map(|last| encode(id(last)));
        Page { data: rows, page: PageInfo { limit: self.limit, next_cursor } }
    }
}

/// A page of a list, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Where the page is in the list.
    pub page: PageInfo,
}

impl<T> Page<T> {
    /// The same page of something made of its entries.
    pub(crate) fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(make).collect(), page: self.page }
    }
}

/// Where a page is in its list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    /// The most entries it could have.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: i64,
    /// What to send as `cursor` for the next page; null: this is the last.
    pub next_cursor: Option<String>,
}

fn encode(id: Uuid) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id.as_bytes())
}

fn decode(cursor: &str) -> Option<Uuid> {
    Uuid::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()
}

#[cfg(test)]
mod tests;
