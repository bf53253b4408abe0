//! The connections of the pool: how one is opened and set up, and when it is not used again.

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::dsl::sql;
use diesel::pg::PgConnection as Conn;
use diesel::r2d2::{self, ConnectionManager, CustomizeConnection, ManageConnection};
use diesel::sql_types::Integer;
use diesel::{Connection, RunQueryDsl};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A connection, and what is known of it.
pub(super) struct Link {
    pub(super) conn: Conn,
    /// Its process at the server.
    pub(super) backend: i32,
    /// It was given up by whoever waited for it.
    pub(super) abandoned: bool,
}

#[derive(Debug)]
pub(super) struct Manager(ConnectionManager<Conn>);

impl Manager {
    pub(super) fn new(url: &str) -> Self {
        Self(ConnectionManager::new(url))
    }
}

impl ManageConnection for Manager {
    type Connection = Link;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<Link, r2d2::Error> {
        Ok(Link { conn: self.0.connect()?, backend: 0, abandoned: false })
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), r2d2::Error> {
        self.0.is_valid(&mut link.conn)
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.abandoned || self.0.has_broken(&mut link.conn)
    }
}

/// Sets a new connection up, in one round trip. Only a superuser may choose the language of
/// messages (see `error.rs`), and no superuser is bound by row security: hence this order.
const SET_UP: &str = "
SET timezone = 'UTC';
SET statement_timeout = '30s';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '60s';
SET app.bound = 'on';
DO $$ BEGIN SET lc_messages = 'C'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;
DO $$ BEGIN
    IF (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)
       AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'beeiq_server') THEN
        SET ROLE beeiq_server;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$";

/// Sets each new connection up, and counts what it sends.
#[derive(Debug)]
pub(super) struct Customize {
    pub(super) statements: Arc<AtomicU64>,
}

impl CustomizeConnection<Link, r2d2::Error> for Customize {
    fn on_acquire(&self, link: &mut Link) -> Result<(), r2d2::Error> {
        let Link { conn, backend, abandoned: _ } = link;
        conn.batch_execute(SET_UP).map_err(r2d2::Error::QueryError)?;
        let asked = diesel::select(sql::<Integer>("pg_backend_pid()")).get_result(conn);
        *backend = asked.map_err(r2d2::Error::QueryError)?;
        conn.set_instrumentation(Counter { statements: Arc::clone(&self.statements) });
        Ok(())
    }
}

struct Counter {
    statements: Arc<AtomicU64>,
}

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            self.statements.fetch_add(1, Ordering::Relaxed);
        }
    }
}
