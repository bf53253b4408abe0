//! Connections to mail servers that stay open while a backlog lasts.

use super::server::{Security, SmtpServer};
use crate::clock;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection waits for the next mail. Servers close theirs after minutes.
const IDLE: Duration = Duration::from_secs(10);

/// What two mails must share to go over one connection.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    host: String,
    port: u16,
    security: Security,
    username: Option<String>,
    password: Option<String>,
}

impl Key {
    fn of(server: &SmtpServer) -> Self {
        Self {
            host: server.host.clone(),
            port: server.port,
            security: server.security,
            username: server.username.clone(),
            password: server.password.as_ref().map(|secret| secret.expose_secret().to_owned()),
        }
    }
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

/// The idle connections of this process.
#[derive(Default)]
pub(super) struct Pool(Mutex<State>);

#[derive(Default)]
struct State {
    idle: HashMap<Key, Vec<Idle>>,
    swept: bool,
}

impl Pool {
    /// The connection to that server that was used last.
    pub(super) fn take(&self, server: &SmtpServer) -> Option<AsyncSmtpConnection> {
        let mut state = self.state();
        let idle = state.idle.get_mut(&Key::of(server))?.pop()?;
        (idle.since.elapsed() < IDLE).then_some(idle.connection)
    }

    /// Keeps a connection for the next mail, and closes it where none comes.
    pub(super) fn give_back(
        self: &Arc<Self>,
        server: &SmtpServer,
        connection: AsyncSmtpConnection,
    ) {
        let mut state = self.state();
        let idle = Idle { connection, since: clock::instant() };
        state.idle.entry(Key::of(server)).or_default().push(idle);
        if !mem::replace(&mut state.swept, true) {
            tokio::spawn(Arc::clone(self).sweep());
        }
    }

    /// Closes what has waited too long, until nothing waits any more.
    async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(IDLE / 2).await;
            let mut closed = Vec::new();
            let empty = {
                let mut state = self.state();
                for waiting in state.idle.values_mut() {
                    closed.extend(waiting.extract_if(.., |it| it.since.elapsed() >= IDLE));
                }
                state.idle.retain(|_, waiting| !waiting.is_empty());
                state.swept = !state.idle.is_empty();
                state.idle.is_empty()
            };
            for mut idle in closed {
                // A courtesy: that it fails changes nothing.
                let _ = tokio::time::timeout(Duration::from_secs(1), idle.connection.quit()).await;
            }
            if empty {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
