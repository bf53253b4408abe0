//! The filters of a list of deals: from query parameters to what the database compares.

use super::filters::{LONGEST_SEARCH, email_key, read_one};
use crate::http::page::Query;
use crate::problem::Problem;
use crate::store::deals::DealFilters;
use beeiq_core::values::text::{clean, fold};
use chrono::{DateTime, Utc};
use utoipa::IntoParams;

/// The names of the filters, beside `limit` and `cursor`.
pub(super) const FILTERS: [&str; 5] = ["name", "owner", "createdFrom", "createdTo", "q"];

/// The query parameters of a list of deals, for the API's description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by name; here for their description")]
pub(super) struct DealParameters {
    /// Entries on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Those of this name, in any case.
    name: Option<String>,
    /// Those that the user of this e-mail address owns, but for what his groups own.
    owner: Option<String>,
    /// Those created then or later.
    created_from: Option<DateTime<Utc>>,
    /// Those created then or earlier.
    created_to: Option<DateTime<Utc>>,
    /// Words, each of which is in the name or the `dealId`.
    #[param(max_length = 100)]
    q: Option<String>,
}

/// Reads the filters.
///
/// # Errors
/// 422 `invalid_query`, naming the parameter whose value can be no such thing.
pub(super) fn read(query: &Query) -> Result<DealFilters, Problem> {
    let words = |text: &str| {
        (text.chars().count() <= LONGEST_SEARCH)
            .then(|| clean(text).split_whitespace().map(fold).collect())
    };
    Ok(DealFilters {
        name: query.get("name").map(fold),
        owner: read_one(query, "owner", "is not an e-mail address.", email_key)?,
        created_from: query.time("createdFrom")?,
        created_to: query.time("createdTo")?,
        words: read_one(query, "q", "has more than 100 characters.", words)?.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use beeiq_core::diagnostics::Code;

    #[test]
    fn the_described_parameters_are_those_that_are_read() {
        let described: Vec<String> =
            DealParameters::into_params(|| None).into_iter().map(|param| param.name).collect();
        assert_eq!(described, [&["limit", "cursor"], FILTERS.as_slice()].concat());
    }

    #[test]
    fn what_can_be_no_such_value_is_refused_by_name() {
        let long = format!("q={}", "x".repeat(101));
        for (query, pointer) in [
            ("owner=boss", "/owner"),
            ("createdFrom=yesterday", "/createdFrom"),
            (long.as_str(), "/q"),
            ("email=a%40x.com", "/email"),
        ] {
            let problem = Query::parse(query, &FILTERS).and_then(|query| read(&query));
            let problem = problem.unwrap_err();
            assert_eq!(problem.code, Code::InvalidQuery, "{query}");
            assert_eq!(problem.errors[0].pointer, pointer, "{query}");
        }
    }
}
