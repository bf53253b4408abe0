//! Routes, middleware and sockets put together.

use crate::app::App;
use crate::http;
use actix_web::dev::Server;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{HttpServer, web};
use std::net::TcpListener;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

/// After SIGTERM, how long what runs may go on, in seconds; the program is to end within 30.
const SHUTDOWN_SECONDS: u64 = 25;

/// How long the head of a request may take; its size is bounded by the framework (128 KiB).
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How long a connection without a request is kept open.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// The server on a bound socket; it serves when it is polled. Signals are the caller's business:
/// `server.handle().stop(true)` lets what runs finish, for 25 s at most.
///
/// # Errors
/// When the socket cannot be listened on.
pub fn server(app: Arc<App>, listener: TcpListener) -> std::io::Result<Server> {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let connections = usize::try_from(app.capacity_settings.max_connections).unwrap_or(usize::MAX);
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(web::Data::from(Arc::clone(&app)))
            .wrap(from_fn(http::middleware::observe))
            .wrap(
                DefaultHeaders::new()
                    .add(("Cache-Control", "no-store"))
                    .add(("X-Content-Type-Options", "nosniff")),
            )
            .configure(http::routes)
    })
    .workers(workers)
    .max_connections((connections / workers).max(1))
    .client_request_timeout(HEAD_DEADLINE)
    .keep_alive(KEEP_ALIVE)
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
