//! The filters of a list of deals.

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
    /// Those that the user of this e-mail address owns, but for what their groups own.
    owner: Option<String>,
    /// Those created then or later.
    created_from: Option<DateTime<Utc>>,
    /// Those created then or earlier.
    created_to: Option<DateTime<Utc>>,
    /// Words, each of which is in the name or the `dealId`.
    #[param(max_length = 100)]
    q: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::page::Query;
    use crate::http::records::filters::read;
    use beeiq_core::diagnostics::Code;
    use beeiq_core::values::phone::Region;

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
            let problem = Query::parse(query, &FILTERS)
                .and_then(|query| read(&query, Region::parse("VN").unwrap()));
            let problem = problem.unwrap_err();
            assert_eq!(problem.code, Code::InvalidQuery, "{query}");
            assert_eq!(problem.errors[0].pointer, pointer, "{query}");
        }
    }
}
