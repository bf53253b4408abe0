//! What a server is made of; the program and the tests both build it.

use crate::auth::passwords::Passwords;
use crate::config::{Environment, Limits, ServeSettings};
use crate::db::Db;
use crate::directory::DirectoryCache;
use crate::secrets::SecretKey;
use crate::{http, telemetry};
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
    /// The orgs' own names.
    pub directories: DirectoryCache,
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
}

impl App {
    /// An app of these settings, for a server bound to that address. Connects to nothing yet.
    ///
    /// # Errors
    /// When a setting is missing or malformed.
    pub fn new(settings: &ServeSettings, bound: SocketAddr) -> anyhow::Result<Self> {
        let db = Db::new(&settings.database.pool()?)?;
        Ok(Self {
            directories: DirectoryCache::new(db.clone()),
            db,
            key: settings.secret_key()?,
            passwords: Passwords::new()?,
            public_url: settings.http.public_url(bound),
            environment: settings.environment,
            trusted_proxies: settings.http.trusted_proxies.clone(),
            limits: settings.limits,
        })
    }
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
            .wrap(
                DefaultHeaders::new()
                    .add(("Cache-Control", "no-store"))
                    .add(("X-Content-Type-Options", "nosniff")),
            )
            .wrap(from_fn(telemetry::observe))
            .configure(http::routes)
    })
    .workers(workers)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}
