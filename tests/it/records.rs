//! Reading customers and their history: what permits, filters and pages let through.
//!
//! At the level of the store, since nothing else can make records with every permit yet.

use crate::support::cluster::{Template, TestDatabase};
use beeiq::access::{Actor, Role, Who};
use beeiq::problem::Problem;
use beeiq::store::customers::{self, Filters, FoundCustomer};
use beeiq::store::error::StoreError;
use beeiq::store::history::{self, Line};
use beeiq::store::pool::{in_org, migrate};
use beeiq_core::batch::Subject;
use beeiq_core::diagnostics::Code;
use beeiq_core::records::customer::CustomerKind;
use beeiq_core::records::path_id::PathId;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use uuid::Uuid;

static TEMPLATE: Template = Template::new("records", |url| {
    migrate(url).unwrap();
    PgConnection::establish(url).unwrap().batch_execute(SEED).unwrap();
});

/// Two orgs. In the first: the owner (user 1), members 2, 3 (of the group Sales) and 4; the company
/// CID-1 that only the owner may see; contacts PID-1 to PID-5, a permit each; a lead with PID-1's
/// e-mail.
const SEED: &str = include_str!("records.sql");

const ORG: Uuid = Uuid::from_u128(0xa1);

struct Records {
    _database: TestDatabase,
    conn: PgConnection,
}

fn records() -> Records {
    let database = TEMPLATE.database();
    let conn = PgConnection::establish(&database.url).unwrap();
    Records { _database: database, conn }
}

fn user(number: u128) -> Actor {
    Actor {
        org: ORG,
        who: Who::User(Uuid::from_u128(number)),
        role: if number == 1 { Role::Owner } else { Role::Member },
        groups: if number == 3 { vec![Uuid::from_u128(0xb1)] } else { Vec::new() },
        address: None,
    }
}

impl Records {
    /// The numbers of the records that are listed.
    fn list(&mut self, actor: &Actor, kind: CustomerKind, filters: &Filters) -> Vec<i64> {
        self.page(actor, kind, filters, None, 50)
            .iter()
            .map(|found| found.record.code.number)
            .collect()
    }

    fn page(
        &mut self,
        actor: &Actor,
        kind: CustomerKind,
        filters: &Filters,
        before: Option<Uuid>,
        limit: i64,
    ) -> Vec<FoundCustomer> {
        in_org::<_, StoreError>(&mut self.conn, actor.org, |conn| {
            customers::list(conn, actor, kind, filters, before, limit)
        })
        .unwrap()
    }

    fn find(&mut self, actor: &Actor, kind: CustomerKind, number: i64) -> Option<FoundCustomer> {
        in_org::<_, StoreError>(&mut self.conn, actor.org, |conn| {
            customers::find(conn, actor, kind, PathId::Number(number))
        })
        .unwrap()
    }

    fn contacts(&mut self, filters: &Filters) -> Vec<i64> {
        self.list(&user(1), CustomerKind::Contact, filters)
    }

    fn history(&mut self, number: i64) -> Vec<Line> {
        in_org::<_, StoreError>(&mut self.conn, ORG, |conn| {
            let number = PathId::Number(number);
            let id = customers::find_id(conn, &user(1), CustomerKind::Contact, number)?.unwrap();
            history::list(conn, ORG, Subject::Customer(id), None, 50)
        })
        .unwrap()
    }
}

#[test]
fn a_member_lists_what_is_his_own_and_what_permits_admit_him_to() {
    let mut records = records();
    for (actor, seen) in [
        (1, vec![5, 4, 3, 2, 1]),
        (2, vec![2, 1]), // PID-2 is Bob's own
        (3, vec![3, 1]), // PID-3 is for Bob's group
        (4, vec![4, 1]), // PID-4 is for Bob; PID-5 names Bob, but its permit is "only me"
    ] {
        let found = records.list(&user(actor), CustomerKind::Contact, &Filters::default());
        assert_eq!(found, seen, "user {actor}");
    }
}

/// Without it a hidden record could be read by whoever guesses its code.
#[test]
fn a_member_reads_exactly_what_he_lists() {
    let mut records = records();
    for actor in [1, 2, 3, 4] {
        let listed = records.list(&user(actor), CustomerKind::Contact, &Filters::default());
        for number in 1..=5 {
            let found = records.find(&user(actor), CustomerKind::Contact, number);
            assert_eq!(found.is_some(), listed.contains(&number), "user {actor}, PID-{number}");
        }
    }
}

#[test]
fn a_company_that_is_hidden_is_named_by_its_code_alone() {
    let mut records = records();
    let mut company = |actor| {
        let found = records.find(&user(actor), CustomerKind::Contact, 1).unwrap();
        found.company.unwrap()
    };
    assert_eq!(company(1).name.as_deref(), Some("Secret Corp"));
    assert_eq!(company(2).name, None);
    assert_eq!(company(2).code.number, 1);
}

#[test]
fn an_org_has_its_own_records_only() {
    let mut records = records();
    let other = Actor { org: Uuid::from_u128(0xa2), ..user(1) };
    let listed = records.page(&other, CustomerKind::Contact, &Filters::default(), None, 50);
    let names: Vec<&str> = listed.iter().map(|found| found.record.name.as_str()).collect();
    assert_eq!(names, ["Alien"]);
}

#[test]
fn an_identifier_finds_its_holder_in_the_world_of_the_kind() {
    let mut records = records();
    let by_email = Filters { email: Some("huy@htk.com".to_owned()), ..Filters::default() };
    assert_eq!(records.list(&user(1), CustomerKind::Contact, &by_email), [1]);
    assert_eq!(records.list(&user(1), CustomerKind::Lead, &by_email), [1]);
    assert!(records.list(&user(1), CustomerKind::Account, &by_email).is_empty());
    let by_both = Filters {
        phone: Some("+84905000001".to_owned()),
        passport: Some("OTHER".to_owned()),
        ..Filters::default()
    };
    assert!(records.contacts(&by_both).is_empty());
}

#[test]
fn a_name_is_found_alone_and_with_the_lastname_in_either_order() {
    let mut records = records();
    for name in ["huy", "huy nguyễn", "nguyễn huy"] {
        let filters = Filters { name: Some(name.to_owned()), ..Filters::default() };
        assert_eq!(records.contacts(&filters), [1], "{name}");
    }
    let part = Filters { name: Some("hu".to_owned()), ..Filters::default() };
    assert!(records.contacts(&part).is_empty());
}

#[test]
fn tag_owner_and_time_narrow_a_list() {
    let mut records = records();
    let tagged = Filters { tag: Some("vip".to_owned()), ..Filters::default() };
    assert_eq!(records.contacts(&tagged), [5, 1]);
    assert_eq!(records.list(&user(4), CustomerKind::Contact, &tagged), [1]);
    let owned = Filters { owner: Some("u2@acme.vn".to_owned()), ..Filters::default() };
    assert_eq!(records.contacts(&owned), [2]);
    let created = Filters {
        created_from: Some("2026-01-03T00:00:00Z".parse().unwrap()),
        created_to: Some("2026-01-04T00:00:00Z".parse().unwrap()),
        ..Filters::default()
    };
    assert_eq!(records.contacts(&created), [4, 3], "both ends belong to it");
}

/// That is our fault, and not the caller's.
#[test]
fn a_stored_list_of_another_shape_is_an_error() {
    let mut records = records();
    let emails = "UPDATE customers SET emails = '{\"value\": \"x\"}'";
    records.conn.batch_execute(emails).unwrap();
    let found = in_org::<_, StoreError>(&mut records.conn, ORG, |conn| {
        customers::find(conn, &user(1), CustomerKind::Contact, PathId::Number(1))
    });
    assert_eq!(Problem::from(found.unwrap_err()).code, Code::Internal);
}

#[test]
fn a_page_goes_on_after_the_last_id_of_the_one_before() {
    let mut records = records();
    let all = Filters::default();
    let first = records.page(&user(1), CustomerKind::Contact, &all, None, 2);
    let last = first.last().unwrap().record.id;
    let second = records.page(&user(1), CustomerKind::Contact, &all, Some(last), 2);
    let numbers: Vec<i64> =
        [first, second].concat().iter().map(|it| it.record.code.number).collect();
    assert_eq!(numbers, [5, 4, 3, 2]);
}

#[test]
fn a_record_has_its_tags_in_alphabetical_order_in_any_case() {
    let found = records().find(&user(2), CustomerKind::Contact, 1).unwrap();
    assert_eq!(found.tags, ["alpha", "VIP"]);
}

#[test]
fn history_is_newest_first_and_a_deleted_listener_is_none() {
    let lines = records().history(1);
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let listener = line.listener.as_ref().map(|(_, name)| name.as_str());
            (line.event.kind(), line.actor_email.as_deref(), listener)
        })
        .collect();
    let expected = [
        ("duplicate_skipped", Some("u1@acme.vn"), None),
        ("created", Some("u1@acme.vn"), Some("Web form")),
    ];
    assert_eq!(told, expected);
}
