//! The second wall: what the database shows a query that forgets to ask for its org.

use crate::support::cluster::{self, TestDatabase};
use crate::support::{Instance, Org, action};
use beeiq::store::error::StoreError;
use beeiq::store::orgs;
use beeiq::store::pool::{Conn, Db, DbConfig, migrate, over_queues, row_security_binds};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    has_org: bool,
    #[diesel(sql_type = Bool)]
    secured: bool,
}

fn tables(conn: &mut Conn) -> Vec<Table> {
    diesel::sql_query(
        "SELECT c.relname::text AS name,
             EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'org_id') AS has_org,
             c.relrowsecurity AND c.relforcerowsecurity
                 AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = 'own_org') AS secured
         FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1",
    )
    .load(conn)
    .unwrap()
}

/// The names of the tables that belong to orgs.
fn tenant_tables(instance: &Instance) -> Vec<String> {
    let tables = tables(&mut instance.db_connection());
    tables.into_iter().filter(|table| table.has_org).map(|table| table.name).collect()
}

fn count(conn: &mut Conn, from_where: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let query = format!("SELECT count(*) AS count FROM {from_where}");
    diesel::sql_query(query).get_result::<Count>(conn).unwrap().count
}

fn id_of(instance: &Instance, slug: &str) -> Uuid {
    orgs::with_slug(&mut instance.db_connection(), slug).unwrap().unwrap().id
}

/// Puts a row into most tables.
async fn fill(org: Org<'_>) {
    let listener = org.listener_with(json!({"welcomeSms": {"content": "Hi"}})).await;
    let actions = [
        action(
            "add-contact",
            json!({
                "name": "Huy", "tag": "vip", "emails": [{"value": "huy@x.com"}],
                "phones": [{"value": "0905000001"}],
            }),
        ),
        action(
            "add-deal",
            json!({
                "name": "Deal", "stage": "New", "dealWith": {"emails": [{"value": "huy@x.com"}]},
                "contacts": [{"emails": [{"value": "huy@x.com"}]}],
            }),
        ),
        action("add-note", json!({"email": "huy@x.com", "body": "A note"})),
        action("add-ticket", json!({"email": "huy@x.com", "body": "Help", "tag": "vip"})),
    ];
    let mut body = crate::support::payload(&actions);
    body["senderUser"] = json!(format!("bob@{}.test", org.slug));
    let key = [("Idempotency-Key", "k")];
    listener.post_bytes("", body.to_string().into_bytes(), &key).await.expect(200);
}

/// A migration that adds a table must not forget the wall.
#[actix_web::test]
async fn every_table_with_an_org_is_behind_row_security() {
    let instance = Instance::start().await;
    let (tenant, global): (Vec<_>, Vec<_>) =
        tables(&mut instance.db_connection()).into_iter().partition(|table| table.has_org);
    let open: Vec<_> = tenant.iter().filter(|table| !table.secured).map(|it| &it.name).collect();
    assert!(open.is_empty(), "end the migration with SELECT secure_org_tables(): {open:?}");
    assert!(tenant.len() > 20, "{}", tenant.len());
    let global: Vec<_> = global.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(
        global,
        [
            "__diesel_schema_migrations",
            "orgs",
            "sign_in_failures",
            "sign_in_networks",
            "source_tokens"
        ]
    );
}

#[actix_web::test]
async fn a_query_without_its_org_sees_and_touches_no_other_orgs_rows() {
    let instance = Instance::start().await;
    fill(instance.acme()).await;
    fill(instance.globex()).await;
    let (acme, globex) = (id_of(&instance, "acme"), id_of(&instance, "globex"));
    let mut filled = 0;
    for table in tenant_tables(&instance) {
        let ours = instance.db_count(&format!("{table} WHERE org_id = '{acme}'"));
        let theirs = instance.db_count(&format!("{table} WHERE org_id = '{globex}'"));
        filled += usize::from(theirs > 0);
        let name = table.clone();
        let done = instance.app.db.in_org(acme, move |conn| {
            assert_eq!(count(conn, &name), ours, "{name} is read");
            let touch = |conn: &mut Conn, statement: &str| {
                diesel::sql_query(statement).execute(conn).unwrap()
            };
            let other = format!("WHERE org_id = '{globex}'");
            let touched = touch(conn, &format!("UPDATE {name} SET org_id = '{acme}' {other}"));
            assert_eq!(touched, 0, "{name} is updated");
            assert_eq!(touch(conn, &format!("DELETE FROM {name} {other}")), 0, "{name} is deleted");
            // The wall is asked before any constraint is.
            let inserted = format!("INSERT INTO {name} (org_id) VALUES ('{globex}')");
            let refused = diesel::sql_query(inserted).execute(conn).unwrap_err().to_string();
            assert!(refused.contains("row-level security"), "{name} is inserted into: {refused}");
            Err::<(), StoreError>(StoreError::Conflict)
        });
        assert!(matches!(done.await, Err(StoreError::Conflict)), "{table}");
        assert_eq!(instance.db_count(&format!("{table} WHERE org_id = '{globex}'")), theirs);
    }
    assert!(filled > 20, "only {filled} tables have rows to hide");
}

#[actix_web::test]
async fn a_query_of_no_org_sees_nothing() {
    let instance = Instance::start().await;
    fill(instance.acme()).await;
    let tables = tenant_tables(&instance);
    // Once on a connection that has served an org, whose setting is '' from then on.
    for _ in 0..2 {
        let (tables, acme) = (tables.clone(), id_of(&instance, "acme"));
        let look = move |conn: &mut Conn| {
            for table in &tables {
                assert_eq!(count(conn, table), 0, "{table}");
            }
            beeiq::store::pool::in_org(conn, acme, |conn| {
                assert_eq!(count(conn, "customers"), 1);
                Ok::<_, StoreError>(())
            })
        };
        instance.app.db.run(look).await.unwrap();
    }
}

#[actix_web::test]
async fn over_the_queues_all_orgs_messages_are_read_and_nothing_else_and_nothing_is_written() {
    let instance = Instance::start().await;
    fill(instance.acme()).await;
    fill(instance.globex()).await;
    let queues = ["outbox", "deliveries"];
    let counted = queues.map(|table| instance.db_count(table));
    assert!(counted.iter().all(|rows| *rows >= 2), "{counted:?}");
    let others: Vec<_> = tenant_tables(&instance)
        .into_iter()
        .filter(|table| !queues.contains(&table.as_str()) && table != "outbox_pauses")
        .collect();
    let look = move |conn: &mut Conn| {
        over_queues(conn, |conn| {
            assert_eq!(queues.map(|table| count(conn, table)), counted);
            for table in &others {
                assert_eq!(count(conn, table), 0, "{table}");
            }
            Ok::<_, StoreError>(())
        })
    };
    instance.app.db.run(look).await.unwrap();
    for statement in [
        "UPDATE outbox SET status = 'sent'",
        "DELETE FROM deliveries",
        "UPDATE orgs SET name = 'x'",
        "INSERT INTO sign_in_failures VALUES ('x', 1, now())",
    ] {
        let write =
            move |conn: &mut Conn| over_queues(conn, |conn| Ok(conn.batch_execute(statement)?));
        assert!(instance.app.db.run::<(), StoreError, _>(write).await.is_err(), "{statement}");
    }
}

/// Whatever a query forgets to ask for, of orgs and sign-ins too.
#[actix_web::test]
async fn the_global_tables_show_an_org_to_who_names_it_and_failures_to_who_signs_in() {
    let instance = Instance::start().await;
    let (acme, globex) = (id_of(&instance, "acme"), id_of(&instance, "globex"));
    instance.db_execute("INSERT INTO sign_in_failures VALUES ('x', 1, now())");
    let look = move |conn: &mut Conn| {
        for table in ["orgs", "sign_in_failures", "sign_in_networks"] {
            assert_eq!(count(conn, table), 0, "{table}");
        }
        let found = orgs::with_slug(conn, "acme")?.map(|org| org.id);
        assert_eq!(found, Some(acme));
        assert!(orgs::with_slug(conn, "acme' OR true --")?.is_none());
        beeiq::store::pool::in_org(conn, globex, |conn| {
            assert_eq!(count(conn, "orgs WHERE slug = 'globex'"), 1);
            assert_eq!(count(conn, "orgs WHERE slug = 'acme'"), 0);
            assert_eq!(count(conn, "sign_in_failures"), 0);
            let other = diesel::sql_query("UPDATE orgs SET name = 'x' WHERE slug = 'acme'");
            assert_eq!(other.execute(conn).unwrap(), 0);
            Ok::<_, StoreError>(())
        })
    };
    instance.app.db.run(look).await.unwrap();
}

/// A server of the version before does not say that it is bound.
#[actix_web::test]
async fn a_server_of_the_version_before_finds_its_orgs_beside_the_new_one() {
    let instance = Instance::start().await;
    let look = |conn: &mut Conn| {
        conn.batch_execute("RESET app.bound").unwrap();
        assert_eq!(count(conn, "orgs"), 2);
        conn.batch_execute("INSERT INTO sign_in_failures VALUES ('x', 1, now())").unwrap();
        conn.batch_execute("SET app.bound = 'on'").unwrap();
        Ok::<_, StoreError>(())
    };
    instance.app.db.run(look).await.unwrap();
}

/// The tests' own connections are a superuser's, whom no policy binds: a server must not work as one.
#[actix_web::test]
async fn a_server_that_connects_as_a_superuser_is_bound_all_the_same() {
    let instance = Instance::start().await;
    assert!(!row_security_binds(&mut instance.db_connection()).unwrap());
    assert!(instance.app.db.run(row_security_binds).await.unwrap());
}

/// On a managed Postgres the owner of the database may not make roles, or may not be a superuser
/// and yet pass by all policies.
#[actix_web::test]
async fn whatever_role_owns_the_database_its_server_is_bound() {
    for (role, attributes) in
        [("beeiq_plain", "LOGIN"), ("beeiq_bypass", "LOGIN BYPASSRLS CREATEROLE")]
    {
        cluster::admin(&format!("CREATE ROLE {role} {attributes}"));
        let database = TestDatabase { url: cluster::url_as(role, role), name: role.to_owned() };
        cluster::admin(&format!("CREATE DATABASE {role} OWNER {role}"));
        migrate(&database.url).unwrap();
        // Again, as each start does.
        migrate(&database.url).unwrap();
        let config =
            DbConfig { url: database.url.clone(), pool_size: 1, wait: Duration::from_secs(10) };
        let db = Db::new(&config).unwrap();
        assert!(db.run(row_security_binds).await.unwrap(), "{role}");
        crate::support::seed_org(&db, "acme");
        let counted = db.run(|conn| Ok::<_, StoreError>(count(conn, "users"))).await.unwrap();
        assert_eq!(counted, 0, "{role}");
        let org = db.run(|conn| orgs::with_slug(conn, "acme")).await.unwrap().unwrap();
        let users = db.in_org(org.id, |conn| Ok::<_, StoreError>(count(conn, "users"))).await;
        assert_eq!(users.unwrap(), 4, "{role}");
    }
}
