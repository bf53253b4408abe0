//! Routes, middleware, sockets and workers put together.

use crate::app::App;
use crate::http;
use crate::worker::{deferred, retention};
use actix_web::dev::Server;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::rt::{self, System};
use actix_web::{HttpServer, web};
use anyhow::Context;
use std::mem::ManuallyDrop;
use std::net::TcpListener;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// After SIGTERM, how long requests and work in the background may go on; the program is to end
/// within 30 s.
const FAREWELL: Duration = Duration::from_secs(25);

/// How long the head of a request may take; its size is bounded by the framework (128 KiB).
const HEAD_DEADLINE: Duration = Duration::from_secs(5);

/// How long a connection without a request is kept open.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Serves until SIGTERM or SIGINT, and then lets what runs finish.
pub(crate) fn run(
    app: App,
    listener: TcpListener,
    metrics: Option<TcpListener>,
) -> anyhow::Result<()> {
    // Never dropped, for that would wait for work on the database however long it takes. It ends
    // with the process.
    let system = ManuallyDrop::new(System::new());
    system.block_on(async {
        // Nor is this: whoever drops the last one wakes the system, and a thread of the server that
        // ends later than this one would do so when it cannot any more, which aborts the process.
        let _last = ManuallyDrop::new(System::current());
        let url = app.public_url.clone();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let app = Arc::new(app);
        let metrics_address = metrics.as_ref().map(TcpListener::local_addr).transpose()?;
        if let Some(metrics) = metrics {
            rt::spawn(metrics_server(Arc::clone(&app), metrics)?);
        }
        let workers = app.outbox.start();
        let pulls = app.pulls.start();
        let deferred = deferred::start(&app.pipeline, app.later_workers);
        let retention = retention::start(app.db.clone(), app.retention);
        let server = server(app, listener)?;
        let handle = server.handle();
        let stopping = rt::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping: what runs may finish");
            let others = async {
                tokio::join!(deferred.stop(), workers.stop(), pulls.stop(), retention.stop())
            };
            let (ended, ()) =
                tokio::join!(tokio::time::timeout(FAREWELL, others), handle.stop(true));
            if ended.is_err() {
                // What is not committed rolls back, and is taken up again by whoever is next.
                tracing::warn!("work that has not ended is left undone");
            }
        });
        tracing::info!(url, "serving");
        if let Some(address) = metrics_address {
            tracing::info!(metrics = %format_args!("http://{address}/metrics"), "serving metrics");
        }
        server.await?;
        stopping.await.context("stopping failed")
    })
}

/// The server on a bound socket; it serves when it is polled. Signals are the caller's business:
/// `server.handle().stop(true)` lets what runs finish, for [`FAREWELL`] at most.
pub fn server(app: Arc<App>, listener: TcpListener) -> std::io::Result<Server> {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let connections = usize::try_from(app.capacity_settings.max_connections).unwrap_or(usize::MAX);
    let server = HttpServer::new(move || {
        let mut headers = DefaultHeaders::new()
            .add(("Cache-Control", "no-store"))
            .add(("X-Content-Type-Options", "nosniff"));
        if app.public_url.starts_with("https://") {
            headers = headers.add(("Strict-Transport-Security", "max-age=31536000"));
        }
        actix_web::App::new()
            .app_data(web::Data::from(Arc::clone(&app)))
            .wrap(from_fn(http::middleware::observe))
            .wrap(headers)
            .configure(http::routes)
    })
    .workers(workers)
    .max_connections((connections / workers).max(1))
    .client_request_timeout(HEAD_DEADLINE)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(FAREWELL.as_secs())
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

/// The server of `/metrics` on a socket of its own (`BEEIQ_METRICS_BIND`).
fn metrics_server(app: Arc<App>, listener: TcpListener) -> std::io::Result<Server> {
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
