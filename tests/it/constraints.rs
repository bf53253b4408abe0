//! Every constraint of the schema has a meaning to whoever meets it (`store::constraints`).

use crate::support::Instance;
use beeiq::store::constraints::{Constraint, Meaning};
use beeiq_core::formats::Format;
use diesel::prelude::*;
use diesel::sql_types::Text;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

/// A constraint that is not known would be answered as a fault of the server.
#[actix_web::test]
async fn every_unique_and_foreign_key_constraint_is_known() {
    let instance = Instance::start().await;
    // A unique index without a constraint refuses by its own name.
    let constraints: Vec<Row> = diesel::sql_query(
        "SELECT conname::text AS name, contype::text AS kind FROM pg_constraint
         WHERE contype IN ('p', 'u', 'f') AND connamespace = 'public'::regnamespace
         UNION
         SELECT c.relname::text, 'u' FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
           AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid)",
    )
    .load(&mut instance.db_connection())
    .unwrap();
    assert!(constraints.len() > 50, "{}", constraints.len());
    for Row { name, kind } in constraints {
        let reference = match Constraint::meaning(&name) {
            None => panic!("what does {name} mean? Tell src/store/constraints.rs"),
            Some(Meaning::Reference) => true,
            Some(Meaning::Taken(_) | Meaning::Raced) => false,
        };
        assert_eq!(reference, kind == "f", "{name}");
    }
}

#[derive(QueryableByName)]
struct Check {
    #[diesel(sql_type = Text)]
    definition: String,
}

/// A format that the database does not know could be read and never kept.
#[actix_web::test]
async fn every_format_can_be_kept_with_a_delivery() {
    let instance = Instance::start().await;
    let Check { definition } = diesel::sql_query(
        "SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint
         WHERE conname = 'deliveries_format_check'",
    )
    .get_result(&mut instance.db_connection())
    .unwrap();
    for format in Format::ALL {
        let allowed = definition.contains(&format!("'{format}'"));
        assert!(allowed, "a migration is missing: {format} is not in {definition}");
    }
}
