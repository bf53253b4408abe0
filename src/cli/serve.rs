//! `beeiq serve`.

use super::failure::Failure;
use super::{fitness, migrate};
use crate::app::App;
use crate::config::ServeSettings;
use crate::{server, telemetry};
use anyhow::Context;
use std::net::TcpListener;

pub(crate) fn run(settings: &ServeSettings) -> Result<(), Failure> {
    let bind = settings.http.bind;
    let listener = TcpListener::bind(bind)
        .with_context(|| format!("cannot bind BEEIQ_BIND (--bind) {bind}"))?;
    let metrics = settings.http.metrics_bind.map(TcpListener::bind).transpose();
    let metrics = metrics.context("cannot bind BEEIQ_METRICS_BIND (--metrics-bind)")?;
    let app = telemetry::init(&settings.log)
        .and_then(|()| App::new(settings, listener.local_addr()?))
        .map_err(Failure::Usage)?;
    if !settings.no_migrate {
        migrate::run(&settings.database)?;
    }
    fitness::check(&app.db, settings.without_row_security)?;
    Ok(server::run(app, listener, metrics)?)
}
