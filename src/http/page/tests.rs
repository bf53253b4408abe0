use super::*;

fn paging(query: &str) -> Result<Paging, Problem> {
    Query::parse(query, &["limit", "cursor", "tag"])?.paging()
}

#[test]
fn a_limit_is_1_to_100_and_20_when_absent() {
    for (query, rows) in [("", 21), ("limit=1", 2), ("limit=100", 101), ("limit=", 21)] {
        assert_eq!(paging(query).unwrap().rows(), rows, "{query}");
    }
    for query in ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=99999999999999999999"] {
        let problem = paging(query).unwrap_err();
        assert_eq!(problem.code, Code::InvalidQuery, "{query}");
        assert_eq!(problem.errors[0].pointer, "/limit", "{query}");
    }
}

#[test]
fn the_cursor_of_a_page_leads_to_the_next_one() {
    let [one, two, three] = [1, 2, 3].map(Uuid::from_u128);
    let first = paging("limit=2").unwrap().page(vec![three, two, one], |id| *id);
    assert_eq!(first.data, [three, two]);
    let cursor = first.page.next_cursor.unwrap();
    let next = paging(&format!("limit=2&cursor={cursor}")).unwrap();
    assert_eq!(next.before(), Some(two));
    assert_eq!(next.page(vec![one], |id| *id).page.next_cursor, None);
}

#[test]
fn a_full_last_page_has_no_cursor() {
    let ids = vec![Uuid::from_u128(2), Uuid::from_u128(1)];
    assert_eq!(paging("limit=2").unwrap().page(ids, |id| *id).page.next_cursor, None);
}

#[test]
fn what_is_no_cursor_is_refused() {
    for cursor in ["x", "AAAA", "%00", "AAAAAAAAAAAAAAAAAAAAAA==", "🙂"] {
        assert_eq!(paging(&format!("cursor={cursor}")).unwrap_err().code, Code::InvalidQuery);
    }
}

#[test]
fn unknown_repeated_and_nul_parameters_are_refused_by_name() {
    for (query, pointer, words) in [
        ("limt=3", "/limt", "\"limit\""),
        ("tag=a&tag=b", "/tag", "more than once"),
        ("tag=a%00b", "/tag", "U+0000"),
        ("a/b=1", "/a~1b", "not known"),
    ] {
        let problem = paging(query).unwrap_err();
        assert_eq!(problem.errors[0].pointer, pointer, "{query}");
        assert!(problem.detail.contains(words), "{query}: {}", problem.detail);
    }
}
