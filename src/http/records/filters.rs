//! The filters of a list of records: from query parameters to what the database compares.

use crate::http::page::{Query, invalid};
use crate::problem::Problem;
use crate::store::listing::Filters;
use beeiq_core::directory::Directory;
use beeiq_core::records::connection::ExternalId;
use beeiq_core::values::email::Email;
use beeiq_core::values::passport::Passport;
use beeiq_core::values::phone::{Phone, Region};
use beeiq_core::values::search::has_few_words;
use beeiq_core::values::text::{clean, fold};
use chrono::{DateTime, Utc};
use utoipa::IntoParams;

/// The names of the filters, beside `limit` and `cursor`.
pub(super) const FILTERS: [&str; 11] = [
    "email",
    "phone",
    "passport",
    "contactId",
    "externalId",
    "tag",
    "name",
    "owner",
    "createdFrom",
    "createdTo",
    "q",
];

/// The longest text to search for, in characters: each of its words costs time.
const LONGEST_SEARCH: usize = 100;

/// The query parameters of a list of customers, for the API's description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "read by name; here for their description")]
pub(super) struct ListParameters {
    /// Entries on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// The one who holds this e-mail address.
    email: Option<String>,
    /// The one who holds this phone number, in any spelling; without a country code, of the org's
    /// region.
    phone: Option<String>,
    /// The one who holds this passport, in any case, with or without spaces and hyphens.
    passport: Option<String>,
    /// The one with this identifier of the sender's.
    contact_id: Option<String>,
    /// The one whom a system knows by this id: `source:id`, such as `oktium:5853bf13364a`.
    external_id: Option<String>,
    /// Those with this tag, in any case.
    tag: Option<String>,
    /// Those of this name, in any case: the name, or name and lastname in either order.
    name: Option<String>,
    /// Those whose owner has this e-mail address.
    owner: Option<String>,
    /// Those created then or later.
    created_from: Option<DateTime<Utc>>,
    /// Those created then or earlier.
    created_to: Option<DateTime<Utc>>,
    /// Words, with or without accents, each of which begins a word of the names, of the company's
    /// name or of the contactId, an e-mail or its domain, or the passport; begins or ends a phone
    /// number; or is the code.
    #[param(max_length = 100)]
    q: Option<String>,
}

/// The query parameters of a list without filters, for the API's description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by name; here for their description")]
pub(super) struct PageParameters {
    /// Entries on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Reads the filters of the org of `directory`.
///
/// # Errors
/// As [`read`].
pub(super) fn of_org(query: &Query, directory: &Directory) -> Result<Filters, Problem> {
    read(query, directory.org.region)
}

/// Reads the filters; phone numbers without a country code are of `region`.
///
/// # Errors
/// 422 `invalid_query`, naming the parameter whose value can be no such thing.
pub(super) fn read(query: &Query, region: Region) -> Result<Filters, Problem> {
    Ok(Filters {
        email: read_one(query, "email", "is not an e-mail address.", email_key)?,
        phone: read_one(query, "phone", "is not a phone number.", |text| {
            Some(Phone::parse(text, region).ok()?.key().to_owned())
        })?,
        passport: read_one(query, "passport", "is not a passport number.", passport_key)?,
        contact_id: query.get("contactId").map(clean),
        external_id: read_one(
            query,
            "externalId",
            "is a source and its id, such as `oktium:5853bf13364a`.",
            |text| {
                let (source, id) = text.split_once(':')?;
                Some(ExternalId { source: source.trim().parse().ok()?, id: id.to_owned() })
            },
        )?,
        tag: query.get("tag").map(fold),
        name: query.get("name").map(fold),
        owner: read_one(query, "owner", "is not an e-mail address.", email_key)?,
        created_from: query.time("createdFrom")?,
        created_to: query.time("createdTo")?,
        q: searched(query)?,
    })
}

/// The text that is searched for.
pub(super) fn searched(query: &Query) -> Result<Option<String>, Problem> {
    read_one(query, "q", "has more than 100 characters, or 8 different words.", |text| {
        let fits = |text: &String| text.chars().count() <= LONGEST_SEARCH && has_few_words(text);
        Some(clean(text)).filter(fits)
    })
}

/// What `read` makes of a parameter; where it can make nothing of it, 422 `invalid_query`.
pub(super) fn read_one<T>(
    query: &Query,
    name: &str,
    otherwise: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    query.get(name).map(|text| read(text).ok_or_else(|| invalid(name, otherwise))).transpose()
}

fn email_key(text: &str) -> Option<String> {
    Some(Email::parse(text).ok()?.key().to_owned())
}

fn passport_key(text: &str) -> Option<String> {
    Some(Passport::parse(text).ok()?.key().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use beeiq_core::diagnostics::Code;

    fn filters(query: &str) -> Result<Filters, Problem> {
        let query = Query::parse(query, &FILTERS)?;
        read(&query, Region::parse("VN").unwrap())
    }

    #[test]
    fn the_described_parameters_are_those_that_are_read() {
        let described: Vec<String> =
            ListParameters::into_params(|| None).into_iter().map(|param| param.name).collect();
        assert_eq!(described, [&["limit", "cursor"], FILTERS.as_slice()].concat());
    }

    #[test]
    fn identifiers_are_compared_in_their_normal_form() {
        let read = filters(
            "email=%20Ann%40Example.COM&phone=0905%20000%20001&passport=b%20123-45&contactId=%20x-1",
        );
        let expected = Filters {
            email: Some("ann@example.com".to_owned()),
            phone: Some("+84905000001".to_owned()),
            passport: Some("B12345".to_owned()),
            contact_id: Some("x-1".to_owned()),
            ..Filters::default()
        };
        assert_eq!(read.unwrap(), expected);
    }

    #[test]
    fn a_plus_that_was_not_escaped_still_finds_the_number() {
        assert_eq!(filters("phone=+84905000001").unwrap().phone.unwrap(), "+84905000001");
    }

    #[test]
    fn names_are_compared_in_any_case() {
        let read = filters("tag=VIP&name=NGUY%E1%BB%84N%20Huy&owner=Boss%40Acme.vn").unwrap();
        assert_eq!(read.tag.unwrap(), "vip");
        assert_eq!(read.name.unwrap(), "nguyễn huy");
        assert_eq!(read.owner.unwrap(), "boss@acme.vn");
    }

    #[test]
    fn times_have_an_offset_and_are_compared_in_utc() {
        let read =
            filters("createdFrom=2026-01-31T07:00:00%2B07:00&createdTo=2026-02-01T00:00:00Z");
        let read = read.unwrap();
        assert_eq!(read.created_from.unwrap().to_rfc3339(), "2026-01-31T00:00:00+00:00");
        assert_eq!(read.created_to.unwrap().to_rfc3339(), "2026-02-01T00:00:00+00:00");
    }

    #[test]
    fn what_can_be_no_such_value_is_refused_by_name() {
        let long = format!("q={}", "x".repeat(101));
        for (query, pointer) in [
            ("email=ann", "/email"),
            ("phone=abc", "/phone"),
            ("passport=-%20-", "/passport"),
            ("owner=boss", "/owner"),
            ("createdFrom=yesterday", "/createdFrom"),
            ("createdTo=2026-01-31", "/createdTo"),
            ("createdTo=2026-01-31T07:00:00+07:00", "/createdTo"),
            (long.as_str(), "/q"),
            ("mail=x", "/mail"),
        ] {
            let problem = filters(query).unwrap_err();
            assert_eq!(problem.code, Code::InvalidQuery, "{query}");
            assert_eq!(problem.errors[0].pointer, pointer, "{query}");
        }
    }
}
