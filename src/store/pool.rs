//! The pool, and the only blocking hop to it.

use super::call::{self, Call};
use super::connections::{Customize, Manager};
use crate::clock;
use crate::config::DatabaseSettings;
use crate::store::error::{DbError, StoreError, commit_error};
use crate::telemetry::request;
use anyhow::Context;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::dsl::sql;
/// A connection, within which a store function works.
pub use diesel::pg::PgConnection as Conn;
use diesel::r2d2::{self, Pool, PooledConnection};
use diesel::sql_types::{Bool, Integer, Text};
use diesel::{Connection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// The schema's history, in the binary.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct DbConfig {
    /// A libpq URL.
    pub url: String,
    /// The most connections this process opens.
    pub pool_size: u32,
    /// How long to wait for a free connection before the answer is 503.
    pub wait: Duration,
}

impl DbConfig {
    pub(crate) fn of(settings: &DatabaseSettings) -> anyhow::Result<Self> {
        let url = settings.url()?.to_owned();
        Ok(Self { url, pool_size: settings.pool_size, wait: Duration::from_secs(3) })
    }
}

/// The connections of this process. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool<Manager>,
    statements: Arc<AtomicU64>,
    waits: Arc<Waits>,
}

/// How connections were waited for since the start.
#[derive(Debug, Default)]
struct Waits {
    count: AtomicU64,
    timeouts: AtomicU64,
    micros: AtomicU64,
}

/// How the pool is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUse {
    /// The most connections that there can be.
    pub max: u32,
    /// Those at work.
    pub in_use: u32,
    /// Those that are open and wait for work.
    pub idle: u32,
    /// How often one was asked for.
    pub waits: u64,
    /// How often none was to be had in time.
    pub timeouts: u64,
    /// For how long one was waited for, all in all.
    pub waited: Duration,
}

impl Db {
    /// A pool that connects when first used: the program starts even while the database is away.
    ///
    /// # Errors
    /// When the pool's settings are unusable.
    pub fn new(config: &DbConfig) -> anyhow::Result<Self> {
        let statements = Arc::new(AtomicU64::new(0));
        let pool = Pool::builder()
            .max_size(config.pool_size)
            .min_idle(Some(0))
            .connection_timeout(config.wait)
            .test_on_check_out(false)
            .connection_customizer(Box::new(Customize { statements: Arc::clone(&statements) }))
            .build_unchecked(Manager::new(&config.url));
        Ok(Self { pool, statements, waits: Arc::default() })
    }

    /// Runs `work` on a connection, on a thread that may block.
    ///
    /// # Errors
    /// Those of `work`, and [`StoreError::Unavailable`] when no connection is to be had.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let db = self.clone();
        // What is logged in there belongs to the request, too.
        let (span, request) = (tracing::Span::current(), request::current());
        let call = Call::new();
        let its = Arc::clone(&call);
        let hop = tokio::task::spawn_blocking(move || {
            span.in_scope(|| request::resume(request, || db.run_as(&its, work)))
        });
        let left = request.map_or(request::BACKGROUND, |request| request.time_left());
        let Ok(ended) = tokio::time::timeout(left, hop).await else {
            return Err(call.abandon().into());
        };
        match ended {
            Ok(done) => done,
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            Err(_) => Err(StoreError::Unavailable("the program is stopping".to_owned()).into()),
        }
    }

    /// Runs `work` on a connection, on this thread, which therefore must be one that may block.
    ///
    /// # Errors
    /// As [`Db::run`].
    pub fn run_here<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run_as(&Call::new(), work)
    }

    fn run_as<T, E: From<StoreError>>(
        &self,
        call: &Arc<Call>,
        work: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut link = self.connection()?;
        if call.is_abandoned() {
            return Err(StoreError::Unavailable("nobody waits any more".to_owned()).into());
        }
        call.uses(link.backend);
        let done = call.scope(|| work(&mut link.conn));
        link.abandoned = call.is_abandoned();
        done
    }

    /// Runs `work` in a transaction of that org (see [`in_org`]), on a thread that may block.
    ///
    /// # Errors
    /// As [`Db::run`].
    pub async fn in_org<T, E, F>(&self, org: Uuid, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + From<diesel::result::Error> + Send + 'static,
    {
        self.run(move |conn| in_org(conn, org, work)).await
    }

    /// How many statements this process has sent, transaction control included.
    #[must_use]
    pub fn statements_sent(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// How the pool is used.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        let r2d2::State { connections, idle_connections: idle, .. } = self.pool.state();
        let Waits { count, timeouts, micros } = &*self.waits;
        PoolUse {
            max: self.pool.max_size(),
            in_use: connections.saturating_sub(idle),
            idle,
            waits: count.load(Ordering::Relaxed),
            timeouts: timeouts.load(Ordering::Relaxed),
            waited: Duration::from_micros(micros.load(Ordering::Relaxed)),
        }
    }

    fn connection(&self) -> Result<PooledConnection<Manager>, StoreError> {
        let asked = clock::instant();
        let connection = self.pool.get();
        let micros = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waits.count.fetch_add(1, Ordering::Relaxed);
        self.waits.micros.fetch_add(micros, Ordering::Relaxed);
        connection.map_err(|error| {
            self.waits.timeouts.fetch_add(1, Ordering::Relaxed);
            StoreError::Unavailable(error.to_string())
        })
    }
}

/// Runs `work` in a transaction whose row-security context is that org: one transaction touches one
/// org, and the database shows it no other's rows. Rolls back on an error.
///
/// # Errors
/// Those of `work` and of the commit.
pub fn in_org<T, E>(
    conn: &mut Conn,
    org: Uuid,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    transaction(conn, &format!("SET LOCAL app.org_id = '{org}'"), work)
}

/// As [`in_org`], for statements that reach their rows by the same index whatever their values are:
/// each connection plans them once. Left to itself Postgres plans those anew each time that it takes
/// for cheaper with the values at hand than in general, and planning takes longer than running them.
/// `first` is a statement that comes before all others, in the round trip that begins the
/// transaction; what it answers is not looked at.
///
/// # Errors
/// As [`in_org`].
pub fn in_org_with_kept_plans<T, E>(
    conn: &mut Conn,
    org: Uuid,
    first: &str,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    let settings = format!(
        "SET LOCAL app.org_id = '{org}'; SET LOCAL plan_cache_mode = 'force_generic_plan'; {first}"
    );
    transaction(conn, &settings, work)
}

/// Runs `work` in a transaction that belongs to no org, for what looks which org's queue is next:
/// row security lets it read the queues of all, and change nothing.
///
/// # Errors
/// Those of `work` and of the commit.
pub fn over_queues<T, E>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    transaction(conn, "SET TRANSACTION READ ONLY; SET LOCAL app.scope = 'queues'", work)
}

/// Runs `work` in a transaction that belongs to no org yet: row security shows it the one org of that
/// slug or public id, to be read.
pub(crate) fn naming_org<T, E>(
    conn: &mut Conn,
    name: &str,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    // What has other characters names none, and has no business in a statement.
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let name = if is_plain { name } else { "" };
    let settings = format!("SET TRANSACTION READ ONLY; SET LOCAL app.org_name = '{name}'");
    transaction(conn, &settings, work)
}

/// Runs `work` in a transaction that belongs to no org yet, to count how often signing in failed.
pub(crate) fn signing_in<T, E>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    transaction(conn, "SET LOCAL app.scope = 'sign_in'", work)
}

/// Runs `work` in a transaction that belongs to no org, to take and give back tokens of other systems.
pub(crate) fn using_tokens<T, E>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    transaction(conn, "SET LOCAL app.scope = 'source_tokens'", work)
}

/// Runs `work` in a transaction that begins with settings of its own, in one round trip.
fn transaction<T, E>(
    conn: &mut Conn,
    settings: &str,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    // In one go with it, the request's id: Postgres shows it in pg_stat_activity and its log.
    let name = request::current()
        .map(|request| request.id)
        .map(|id| format!("SET LOCAL application_name = 'beeiq/{id}'; "))
        .unwrap_or_default();
    let begin = format!("BEGIN; {name}{settings}");
    if let Err(error) = AnsiTransactionManager::begin_transaction_sql(conn, &begin) {
        // Where what follows BEGIN failed, such as a wait for a lock, it has begun all the same, and
        // whoever has the connection next would be refused everything.
        if error != diesel::result::Error::AlreadyInTransaction {
            let _ = conn.batch_execute("ROLLBACK");
        }
        return Err(error.into());
    }
    match work(conn) {
        Ok(done) => {
            commit(conn)?;
            Ok(done)
        }
        Err(error) => match AnsiTransactionManager::rollback_transaction(conn) {
            Ok(()) | Err(diesel::result::Error::BrokenTransactionManager) => Err(error),
            Err(of_rollback) => Err(of_rollback.into()),
        },
    }
}

/// Lets no statement of the transaction that is open take longer.
///
/// # Errors
/// Those of the database.
pub fn limit_statements(conn: &mut Conn, longest: Duration) -> Result<(), StoreError> {
    let longest = longest.as_millis();
    Ok(conn.batch_execute(&format!("SET LOCAL statement_timeout = {longest}"))?)
}

/// Commits, unless nobody waits for it any more. Where the answer is lost, that is the error.
fn commit(conn: &mut Conn) -> Result<(), DbError> {
    if !call::may_commit() {
        let _ = AnsiTransactionManager::rollback_transaction(conn);
        return Err(DbError::BrokenTransactionManager);
    }
    AnsiTransactionManager::commit_transaction(conn)
        .map_err(|error| commit_error(error, call::backend()))
}

/// Whether the process of a connection has ended at the server, and with it what it was at.
///
/// # Errors
/// Those of the database.
pub(crate) fn backend_has_ended(conn: &mut Conn, backend: i32) -> Result<bool, StoreError> {
    let ended = sql::<Bool>("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ")
        .bind::<Integer, _>(backend)
        .sql(")");
    Ok(diesel::select(ended).get_result(conn)?)
}

/// Runs `work` in a savepoint of the transaction that is open: what fails in it is undone alone.
///
/// # Errors
/// Those of `work`.
pub fn savepoint<T, E>(
    conn: &mut Conn,
    work: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<diesel::result::Error>,
{
    conn.transaction(work)
}

/// Asks the database for a sign of life.
///
/// # Errors
/// Where it gives none.
pub fn ping(conn: &mut Conn) -> Result<(), StoreError> {
    Ok(conn.batch_execute("SELECT 1")?)
}

/// Applies the migrations that the database lacks; several processes at once take turns.
///
/// # Errors
/// When the database cannot be reached, or refuses a migration.
pub fn migrate(url: &str) -> anyhow::Result<Vec<String>> {
    let mut conn = Conn::establish(url)?;
    conn.batch_execute("SELECT pg_advisory_lock(6228412790)")?;
    let applied = conn
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| anyhow::anyhow!("a migration failed: {error}"))?
        .iter()
        .map(ToString::to_string)
        .collect();
    conn.batch_execute(PREPARE_ROLE).context("the role beeiq_server")?;
    conn.batch_execute(LET_SEARCH_USE_ITS_INDEX).context("the index of the search")?;
    conn.batch_execute("SELECT pg_advisory_unlock(6228412790)")?;
    Ok(applied)
}

/// Makes the role that a server becomes where row security would not bind it, and lets it at all
/// tables. Roles are the cluster's: another database may have it already, and a restored one lacks
/// its rights. Who may not make roles is told by [`row_security_binds`].
const PREPARE_ROLE: &str = "
DO $$
DECLARE
    unbound boolean := (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user);
BEGIN
    IF NOT unbound THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'beeiq_server') THEN
        BEGIN
            CREATE ROLE beeiq_server NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Another database of the cluster is being migrated, too.
        END;
    END IF;
    IF NOT pg_has_role('beeiq_server', 'USAGE') THEN
        EXECUTE format('GRANT beeiq_server TO %I', current_user);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO beeiq_server', current_schema());
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO beeiq_server',
                   current_schema());
    REVOKE ALL ON __diesel_schema_migrations FROM beeiq_server;
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END $$";

/// Behind row security an index serves only operators that are known to tell nothing of the rows
/// that they look at. That of full text search tells nothing, but is not marked so; only a superuser
/// may mark it. Elsewhere a search reads the newest records until its page is full.
const LET_SEARCH_USE_ITS_INDEX: &str = "
DO $$ BEGIN
    ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) LEAKPROOF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$";

/// Whether row security binds the connection: as a superuser it would see the rows of all orgs.
///
/// # Errors
/// Those of the database, also where it has no tables yet.
pub fn row_security_binds(conn: &mut Conn) -> Result<bool, StoreError> {
    let active = sql::<Bool>("row_security_active('customers')");
    Ok(diesel::select(active).get_result(conn)?)
}

/// In which language the database tells of errors, by the name of its locale.
///
/// # Errors
/// Those of the database.
pub(crate) fn language_of_messages(conn: &mut Conn) -> Result<String, StoreError> {
    Ok(diesel::select(sql::<Text>("current_setting('lc_messages')")).get_result(conn)?)
}
