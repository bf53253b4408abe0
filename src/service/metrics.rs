//! What a server tells of itself, as `GET /metrics` has it (`api.md` 1).

use crate::clock;
use crate::store::deliveries_depth::{self, Backlog};
use crate::store::error::StoreError;
use crate::store::outbox_depth::{self, Depth};
use crate::store::pool::{Conn, Db, PoolUse, over_queues};
use crate::store::pulling::{self, Lag};
use crate::telemetry::metrics::Counters;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fs;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The `Content-Type` of [`Metrics::render`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// For how long what the database was asked for is told again, however often somebody looks.
const DEPTH_KEPT: Duration = Duration::from_secs(5);

type SecondsGauge = Gauge<f64, AtomicU64>;

/// Those of a series that is one alone, and is left out at times.
type NoLabels = [(&'static str, &'static str); 0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabels {
    channel: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    state: &'static str,
}

/// All that a server tells of itself.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) counters: Counters,
    registry: Registry,
    looked_at: LookedAt,
    queues: Mutex<Option<QueuesSeen>>,
}

/// What waits in the database, of all orgs.
#[derive(Clone, Debug)]
struct Queues {
    outbox: Vec<Depth>,
    deliveries: Backlog,
    connections: Lag,
}

/// What waited, and when.
#[derive(Debug)]
struct QueuesSeen {
    at: Instant,
    /// `None` where the database did not answer.
    queues: Option<Queues>,
}

/// What is looked at when somebody asks.
#[derive(Debug, Default)]
struct LookedAt {
    database_up: Gauge,
    queues: QueueGauges,
    pool: Family<PoolLabels, Gauge>,
    pool_waits: Counter,
    pool_timeouts: Counter,
    pool_wait_seconds: Counter<f64, AtomicU64>,
    statements: Counter,
    cpu_seconds: Counter<f64, AtomicU64>,
    resident_bytes: Gauge,
    open_fds: Gauge,
}

/// What waits in the database.
#[derive(Debug, Default)]
struct QueueGauges {
    outbox_due: Family<ChannelLabels, Gauge>,
    outbox_oldest_due: Family<ChannelLabels, SecondsGauge>,
    deliveries_pending: Family<NoLabels, Gauge>,
    deliveries_oldest_pending: Family<NoLabels, SecondsGauge>,
    connections_oldest_cursor: Family<NoLabels, SecondsGauge>,
    connections_without_success: Family<NoLabels, Gauge>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let counters = Counters::default();
        let mut registry = Registry::default();
        let looked_at = LookedAt::default();
        counters.register(&mut registry);
        looked_at.register(&mut registry);
        let started = SecondsGauge::default();
        started.set(seconds_since_1970());
        registry.register_with_unit(
            "process_start_time",
            "When the process started, since 1970",
            Unit::Seconds,
            started,
        );
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("beeiq_build", "The version that runs", build);
        Self { counters, registry, looked_at, queues: Mutex::new(None) }
    }

    /// The text of all of them. Where the database is away, it says so and leaves out what waits.
    pub(crate) async fn render(&self, db: &Db) -> String {
        let queues = self.queues(db).await;
        self.looked_at.look(&db.pool_use(), db.statements_sent(), queues.as_ref());
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// How much waits, asked at most every few seconds; `None` where the database does not answer.
    async fn queues(&self, db: &Db) -> Option<Queues> {
        if let Some(seen) = self.queues_seen().as_ref()
            && seen.at.elapsed() < DEPTH_KEPT
        {
            return seen.queues.clone();
        }
        let look = |conn: &mut Conn| {
            let (outbox, deliveries) = (outbox_depth::due(conn)?, deliveries_depth::pending(conn)?);
            let connections = pulling::lag(conn)?;
            Ok::<_, StoreError>(Queues { outbox, deliveries, connections })
        };
        let asked = db.run(move |conn| over_queues(conn, look));
        let queues = asked
            .await
            .inspect_err(|error| tracing::warn!(%error, "what waits cannot be measured"))
            .ok();
        *self.queues_seen() = Some(QueuesSeen { at: clock::instant(), queues: queues.clone() });
        queues
    }

    fn queues_seen(&self) -> MutexGuard<'_, Option<QueuesSeen>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LookedAt {
    fn register(&self, registry: &mut Registry) {
        let Self {
            database_up,
            queues,
            pool,
            pool_waits,
            pool_timeouts,
            pool_wait_seconds,
            statements,
            cpu_seconds,
            resident_bytes,
            open_fds,
        } = self;
        let mut gauge = |name: &str, help: &str, gauge: &Gauge| {
            registry.register(name, help, gauge.clone());
        };
        gauge("beeiq_database_up", "Whether the database answered just now", database_up);
        gauge("process_resident_memory_bytes", "Memory that the process holds", resident_bytes);
        gauge("process_open_fds", "Files and sockets that the process has open", open_fds);
        queues.register(registry);
        registry.register(
            "beeiq_db_connections",
            "Connections: the most there can be, those in use, those idle",
            pool.clone(),
        );
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter("beeiq_db_waits", "How often a connection was asked for", pool_waits);
        counter("beeiq_db_wait_timeouts", "How often none was to be had in time", pool_timeouts);
        counter("beeiq_db_statements", "Statements sent", statements);
        registry.register_with_unit(
            "beeiq_db_wait",
            "Time that was waited for connections",
            Unit::Seconds,
            pool_wait_seconds.clone(),
        );
        registry.register_with_unit(
            "process_cpu",
            "CPU time of the process",
            Unit::Seconds,
            cpu_seconds.clone(),
        );
    }

    fn look(&self, pool: &PoolUse, statements: u64, queues: Option<&Queues>) {
        self.database_up.set(i64::from(queues.is_some()));
        self.queues.look(queues);
        for (state, connections) in
            [("max", pool.max), ("in_use", pool.in_use), ("idle", pool.idle)]
        {
            self.pool.get_or_create(&PoolLabels { state }).set(i64::from(connections));
        }
        advance(&self.pool_waits, pool.waits);
        advance(&self.pool_timeouts, pool.timeouts);
        advance(&self.statements, statements);
        advance_seconds(&self.pool_wait_seconds, pool.waited.as_secs_f64());
        if let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) {
            let seconds = in_seconds(usage.user_time()) + in_seconds(usage.system_time());
            advance_seconds(&self.cpu_seconds, seconds);
        }
        if let Some(bytes) = resident_bytes() {
            self.resident_bytes.set(bytes);
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            self.open_fds.set(i64::try_from(open.count()).unwrap_or(i64::MAX));
        }
    }
}

impl QueueGauges {
    fn register(&self, registry: &mut Registry) {
        let Self {
            outbox_due,
            outbox_oldest_due,
            deliveries_pending,
            deliveries_oldest_pending,
            connections_oldest_cursor,
            connections_without_success,
        } = self;
        registry.register(
            "beeiq_outbox_due",
            "Messages of all orgs that wait to be sent and are due",
            outbox_due.clone(),
        );
        registry.register_with_unit(
            "beeiq_outbox_oldest_due",
            "For how long the oldest of them has been due",
            Unit::Seconds,
            outbox_oldest_due.clone(),
        );
        registry.register(
            "beeiq_deliveries_pending",
            "Deliveries of all orgs that were taken for later and wait to be applied",
            deliveries_pending.clone(),
        );
        registry.register_with_unit(
            "beeiq_deliveries_oldest_pending",
            "For how long the oldest of them has waited",
            Unit::Seconds,
            deliveries_oldest_pending.clone(),
        );
        registry.register_with_unit(
            "beeiq_connections_oldest_cursor",
            "How far that connection is behind which is furthest, of those that are asked",
            Unit::Seconds,
            connections_oldest_cursor.clone(),
        );
        registry.register(
            "beeiq_connections_without_success",
            "Connections of all orgs that are to be asked and have had no success for 24 hours",
            connections_without_success.clone(),
        );
    }

    /// Nothing is told of them while it is not known: an old number would look like a current one.
    fn look(&self, queues: Option<&Queues>) {
        self.outbox_due.clear();
        self.outbox_oldest_due.clear();
        self.deliveries_pending.clear();
        self.deliveries_oldest_pending.clear();
        self.connections_oldest_cursor.clear();
        self.connections_without_success.clear();
        let Some(Queues { outbox, deliveries, connections }) = queues else { return };
        for Depth { channel, due, oldest_seconds } in outbox {
            let labels = ChannelLabels { channel: channel.clone() };
            self.outbox_due.get_or_create(&labels).set(*due);
            self.outbox_oldest_due.get_or_create(&labels).set(*oldest_seconds);
        }
        let Backlog { pending, oldest } = deliveries;
        self.deliveries_pending.get_or_create(&[]).set(*pending);
        let waited = oldest.and_then(age).unwrap_or_default();
        self.deliveries_oldest_pending.get_or_create(&[]).set(waited);
        let Lag { oldest_cursor_seconds, without_success } = connections;
        let behind = oldest_cursor_seconds.unwrap_or_default().max(0.0);
        self.connections_oldest_cursor.get_or_create(&[]).set(behind);
        self.connections_without_success.get_or_create(&[]).set(*without_success);
    }
}

/// For how long a delivery has waited, by its id.
fn age(id: Uuid) -> Option<f64> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    let received = Duration::new(seconds, nanos).as_secs_f64();
    Some((seconds_since_1970() - received).max(0.0))
}

/// Brings a counter to where its source is.
fn advance(counter: &Counter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}

fn advance_seconds(counter: &Counter<f64, AtomicU64>, to: f64) {
    counter.inc_by((to - counter.get()).max(0.0));
}

#[expect(clippy::cast_precision_loss, reason = "a clock has no more digits")]
fn in_seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "a start is told to the millisecond")]
fn seconds_since_1970() -> f64 {
    clock::now().timestamp_millis() as f64 / 1e3
}

/// `VmRSS:     12345 kB`, as Linux tells it.
fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_follows_its_source_and_never_goes_back() {
        let counter = Counter::default();
        for (source, shown) in [(3, 3), (7, 7), (5, 7)] {
            advance(&counter, source);
            assert_eq!(counter.get(), shown);
        }
    }
}
