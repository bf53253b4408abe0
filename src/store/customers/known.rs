//! A customer as far as matching and naming takes.

use crate::store::schema::customers;
use crate::store::word::Stored;
use beeiq_core::batch::KnownCustomer;
use beeiq_core::records::customer::{CustomerCode, CustomerKind};
use diesel::prelude::*;
use std::collections::HashMap;
use uuid::Uuid;

/// What a customer is matched and named by.
#[derive(QueryableByName)]
#[diesel(table_name = customers)]
pub(super) struct KnownRow {
    pub(super) id: Uuid,
    kind: Stored<CustomerKind>,
    number: i64,
    name: String,
    pub(super) name_key: String,
    lastname_key: Option<String>,
}

impl KnownRow {
    pub(super) fn known(self) -> KnownCustomer {
        let Self { id, kind: Stored(kind), number, name, name_key, lastname_key } = self;
        KnownCustomer { id, code: CustomerCode { kind, number }, name, name_key, lastname_key }
    }

    pub(super) fn keep(self, customers: &mut HashMap<Uuid, KnownCustomer>) {
        let known = self.known();
        customers.insert(known.id, known);
    }
}
