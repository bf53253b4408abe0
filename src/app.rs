//! What a server is made of; the program and the tests both build it.

use crate::auth::passwords::Passwords;
use crate::config::{Environment, Limits, ServeSettings};
use crate::db::Db;
use crate::directory::DirectoryCache;
use crate::listener::{self, Pipeline};
use crate::metrics::Metrics;
use crate::secrets::SecretKey;
use crate::{http, telemetry, tls};
use actix_web::dev::Server;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{HttpServer, web};
use ipnetwork::IpNetwork;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::sync::Arc;

/// After SIGTERM, how long what runs may go on, in seconds; the program is to end within 30.
const SHUTDOWN_SECONDS: u64 = 25;

/// What the handlers work with.
pub struct App {
    /// The database.
    pub db: Db,
    /// The key of tokens and sealed values.
    pub key: SecretKey,
    /// Verifies passwords.
    pub passwords: Passwords,
    /// What the URLs given out begin with; no slash at the end.
    pub public_url: String,
    /// Whether messages are sent or captured.
    pub environment: Environment,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNetwork>,
    /// How much a request may ask for.
    pub limits: Limits,
    /// The orgs' names, cached.
    pub directories: DirectoryCache,
    /// What takes deliveries.
    pub pipeline: Pipeline,
    /// What it measures of itself.
    pub metrics: Metrics,
    /// Whether that is told on an address of its own.
    pub metrics_elsewhere: bool,
}

impl App {
    /// An app of these settings, for a server bound to that address. Connects to nothing yet.
    ///
    /// # Errors
    /// When a setting is missing or malformed.
    pub fn new(settings: &ServeSettings, bound: SocketAddr) -> anyhow::Result<Self> {
        tls::use_ring();
        let db = Db::new(&settings.database.pool()?)?;
        let directories = DirectoryCache::new(db.clone());
        let public_url = settings.http.public_url(bound);
        let metrics = Metrics::new();
        let pipeline = Pipeline::new(
            db.clone(),
            directories.clone(),
            listener::Limits {
                actions: settings.limits.max_actions,
                depth: usize::try_from(settings.limits.max_nesting)?,
            },
            settings.environment == Environment::Staging,
            mail_domain(&public_url),
            metrics.counters.clone(),
        );
        Ok(Self {
            db,
            directories,
            pipeline,
            metrics,
            metrics_elsewhere: settings.http.metrics_bind.is_some(),
            key: settings.secret_key()?,
            passwords: Passwords::new()?,
            public_url,
            environment: settings.environment,
            trusted_proxies: settings.http.trusted_proxies.clone(),
            limits: settings.limits,
        })
    }
}

/// What `Message-ID`s end in: the host of the public URL.
fn mail_domain(public_url: &str) -> String {
    let authority = public_url.split("://").last().unwrap_or_default();
    let host = authority.split(['/', ':']).next().unwrap_or_default();
    if host.is_empty() { "localhost".to_owned() } else { host.to_owned() }
}

/// The server on a bound socket; it serves when it is polled. Signals are the caller's business:
/// `server.handle().stop(true)` lets what runs finish, for 25 s at most.
///
/// # Errors
/// When the socket cannot be listened on.
pub fn server(app: Arc<App>, listener: TcpListener) -> std::io::Result<Server> {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(web::Data::from(Arc::clone(&app)))
            .wrap(from_fn(telemetry::observe))
            .wrap(
                DefaultHeaders::new()
                    .add(("Cache-Control", "no-store"))
                    .add(("X-Content-Type-Options", "nosniff")),
            )
            .configure(http::routes)
    })
    .workers(workers)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

/// The server of `/metrics` on a socket of its own (`BEEIQ_METRICS_BIND`).
///
/// # Errors
/// When the socket cannot be listened on.
pub fn metrics_server(app: Arc<App>, listener: TcpListener) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(web::Data::from(Arc::clone(&app)))
            .route("/metrics", web::get().to(http::metrics::serve_elsewhere))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}
