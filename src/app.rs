//! What handlers and workers share; the program and the tests both build it.

use crate::access::Access;
use crate::config::{CapacitySettings, Environment, ServeSettings};
use crate::directory::DirectoryCache;
use crate::ingest::{Bounds, Messages, Pipeline};
use crate::problem::Problem;
use crate::secrets::Keyring;
use crate::send::Senders;
use crate::send::pull::Sources;
use crate::send::trials::AccountTests;
use crate::service::metrics::Metrics;
use crate::store::error::{DbError, StoreError};
use crate::store::pool::{Conn, Db, DbConfig, limit_statements};
use crate::tls;
use crate::worker::Wake;
use crate::worker::outbox::{Outbox, OutboxConfig};
use crate::worker::pulls::{PullParts, Pulls};
use crate::worker::retention::Retention;
use ipnetwork::IpNetwork;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How long a statement of the management API may take that only reads.
const LONGEST_READ: Duration = Duration::from_secs(5);

/// What the handlers work with.
pub struct App {
    pub db: Db,
    pub key: Keyring,
    pub access: Access,
    /// What the URLs given out begin with; no slash at the end.
    pub public_url: String,
    /// The trial SMS segments of a new org.
    pub sms_trial_credits: i64,
    /// Whether messages are sent or captured.
    pub environment: Environment,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNetwork>,
    /// The orgs' names, cached.
    pub directories: DirectoryCache,
    pub pipeline: Pipeline,
    pub senders: Arc<Senders>,
    pub account_tests: AccountTests,
    /// What sends those that are queued, once it is started.
    pub outbox: Outbox,
    pub(crate) pull_parts: PullParts,
    /// What asks other systems, once it is started.
    pub pulls: Pulls,
    pub retention: Retention,
    /// How many tasks apply what was kept for later.
    pub later_workers: u8,
    pub capacity_settings: CapacitySettings,
    /// Whether it was asked for that row security need not bind.
    pub without_row_security: bool,
    /// How long a request may take.
    pub request_deadline: Duration,
    pub metrics: Metrics,
    /// Whether that is told on an address of its own.
    pub metrics_elsewhere: bool,
    /// By which it is told on the public one, in production.
    pub metrics_token: Option<SecretString>,
}

impl App {
    /// An app of these settings, for a server bound to that address. Connects to nothing yet.
    ///
    /// # Errors
    /// When a setting is missing or malformed.
    pub fn new(settings: &ServeSettings, bound: SocketAddr) -> anyhow::Result<Self> {
        tls::use_ring();
        settings.capacity.check(&settings.limits)?;
        let db = Db::new(&DbConfig::of(&settings.database)?)?;
        let directories = DirectoryCache::new(db.clone());
        let public_url = settings.http.public_url(bound);
        let wake = Wake::default();
        let metrics = Metrics::new();
        let key = settings.secrets.keys()?;
        let bounds = Bounds {
            limits: settings.limits,
            capacity: settings.capacity,
            connections: settings.database.pool_size,
        };
        let (environment, mail_domain) = (settings.environment, mail_domain(&public_url));
        let messages = Messages { environment, mail_domain, wake: wake.clone() };
        let counters = metrics.counters.clone();
        let pipeline =
            Pipeline::new(db.clone(), directories.clone(), key.clone(), bounds, messages, counters);
        let senders = Senders::new(&settings.senders, &settings.smtp, db.clone(), key.clone())?;
        let senders = Arc::new(senders);
        let outbox = Outbox::new(db.clone(), Arc::clone(&senders), wake, outbox_config(settings));
        let pull_parts = PullParts {
            db: db.clone(),
            pipeline: pipeline.clone(),
            directories: directories.clone(),
            key: key.clone(),
            sources: Sources::new(settings.pulls.pull_timeout, senders.guard().clone())?,
            counters: metrics.counters.clone(),
            lease: settings.pulls.pull_lease,
        };
        let pulls = Pulls::new(pull_parts.clone(), Wake::default(), settings.pulls.pull_workers);
        let access = Access::new(db.clone(), key.clone(), settings.sessions)?;
        Ok(Self {
            db,
            access,
            directories,
            pipeline,
            senders,
            outbox,
            pull_parts,
            pulls,
            account_tests: AccountTests::default(),
            key,
            retention: Retention {
                deliveries: settings.retention_days,
                messages: settings.message_retention_days,
            },
            later_workers: settings.later_workers,
            capacity_settings: settings.capacity,
            without_row_security: settings.without_row_security,
            request_deadline: settings.limits.request_deadline,
            metrics,
            metrics_elsewhere: settings.http.metrics_bind.is_some(),
            metrics_token: settings.http.metrics_token.clone(),
            public_url,
            sms_trial_credits: settings.orgs.sms_trial_credits,
            environment,
            trusted_proxies: settings.http.trusted_proxies.clone(),
        })
    }

    /// Reads something of an org for the management API: on its share of the connections, and for so
    /// long at most.
    pub(crate) async fn read<T, E, F>(&self, org: Uuid, read: F) -> Result<T, Problem>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + From<DbError> + Into<Problem> + Send + 'static,
    {
        self.write(org, |conn| {
            limit_statements(conn, LONGEST_READ)?;
            read(conn)
        })
        .await
    }

    /// Changes something of an org for the management API, on its share of the connections.
    pub(crate) async fn write<T, E, F>(&self, org: Uuid, write: F) -> Result<T, Problem>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + From<DbError> + Into<Problem> + Send + 'static,
    {
        let _connection = self.pipeline.capacity().management(org).await?;
        self.db.in_org(org, write).await.map_err(Into::into)
    }

    pub fn mail_domain(&self) -> String {
        mail_domain(&self.public_url)
    }
}

fn outbox_config(settings: &ServeSettings) -> OutboxConfig {
    OutboxConfig {
        slots: usize::from(settings.outbox.outbox_workers),
        lease: settings.outbox.outbox_lease,
        staging: settings.environment == Environment::Staging,
    }
}

/// What `Message-ID`s end in: the host of the public URL.
fn mail_domain(public_url: &str) -> String {
    let authority = public_url.split("://").last().unwrap_or_default();
    let host = authority.split(['/', ':']).next().unwrap_or_default();
    if host.is_empty() { "localhost".to_owned() } else { host.to_owned() }
}
