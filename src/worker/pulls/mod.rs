//! The workers that ask other systems (`connections.md` 1, "Pulling"). Every server process asks;
//! each connection in one run at a time, which is its lease.

mod catalogue;
mod document;
mod iadvize;
mod report;
mod run;
mod token;
mod wolkvox;

pub(crate) use token::SharedToken;

use super::in_flight::Next;
use super::queue::{Due, FairQueue, Stop, Wake, Work, Workers};
use crate::clock;
use crate::directory::DirectoryCache;
use crate::ingest::Pipeline;
use crate::secrets::Keyring;
use crate::send::pull::{Iadvize, Sources, Wolkvox};
use crate::store::error::StoreError;
use crate::store::pool::{Conn, Db};
use crate::store::pulling::{self, Claimed, RunCounts};
use crate::store::settings::connections::secret_place;
use crate::telemetry::metrics::Counters;
use beeiq_core::diagnostics::Code;
use beeiq_core::directory::Directory;
use beeiq_core::records::connection::{Connection, RunStatus, SourceSettings, WolkvoxSettings};
use chrono_tz::Tz;
use futures_util::FutureExt;
use report::{Ended, Report};
use run::Run;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// How many orgs a pass looks at from where the last one ended.
const LOOKS: i64 = 1_000;
/// What is waited from a run to the next where the connection does not say so any more.
const USUAL: Duration = Duration::from_secs(300);

/// What asks other systems. Cheap to clone.
#[derive(Clone)]
pub struct Pulls(FairQueue<Connections>);

/// What it takes to ask.
#[derive(Clone)]
pub(crate) struct PullParts {
    pub(crate) db: Db,
    pub(crate) pipeline: Pipeline,
    pub(crate) directories: DirectoryCache,
    pub(crate) key: Keyring,
    pub(crate) sources: Sources,
    pub(crate) counters: Counters,
    /// After how long another process may take over what this one is at; renewed meanwhile.
    pub(crate) lease: Duration,
}

/// The connections that are to be asked.
struct Connections(PullParts);

impl Pulls {
    /// Workers that ask nobody yet; so many runs go on at once.
    pub(crate) fn new(parts: PullParts, wake: Wake, slots: u8) -> Self {
        let db = parts.db.clone();
        Self(FairQueue::new(Connections(parts), db, wake, slots.into()))
    }

    pub fn wake(&self) {
        self.0.wake();
    }

    /// Starts the workers, which have 16 s to stop once they are told to.
    pub fn start(&self) -> Workers {
        self.0.start()
    }

    /// Makes one pass, and waits until what it began has ended: how many runs those were.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        self.0.run_once().await
    }
}

impl Work for Connections {
    /// An org.
    type Queue = Uuid;
    type Item = Claimed;
    const MOST_OF_A_QUEUE: usize = 4;
    const GRACE: Duration = Duration::from_secs(8);
    const STALLED: &str = "no connection can be asked";
    const RESUMED: &str = "connections are asked again";

    fn due(conn: &mut Conn, after: Option<Uuid>) -> Result<Due<Uuid>, StoreError> {
        let queues = pulling::due_orgs(conn, after, LOOKS)?;
        let full = i64::try_from(queues.len()).is_ok_and(|count| count >= LOOKS);
        let more = queues.last().copied().filter(|_| full);
        Ok(Due { queues, more })
    }

    async fn claim(&self, org: Uuid, most: usize) -> Result<Vec<Claimed>, StoreError> {
        let (mut all, lease) = (Vec::new(), self.0.lease);
        while all.len() < most {
            let run = clock::new_id();
            let claim = move |conn: &mut Conn| pulling::claim(conn, org, run, lease);
            match self.0.db.in_org(org, claim).await? {
                Some(claimed) => all.push(claimed),
                None => break,
            }
        }
        Ok(all)
    }

    async fn run(&self, org: Uuid, claimed: Claimed, stop: Stop) -> Next {
        let report = Arc::new(Mutex::new(Report::default()));
        let started = clock::instant();
        let connection = self.connection(org, claimed.connection).await;
        let source = connection.as_ref().ok().map(|(_, connection)| connection.source());
        let every = match &connection {
            Ok((_, connection)) => every(&connection.settings),
            Err(_) => USUAL,
        };
        let mut give_up = stop.clone();
        let asked = async {
            let (directory, connection) = connection?;
            let run = Run {
                org,
                claimed: claimed.clone(),
                source: connection.source(),
                db: self.0.db.clone(),
                pipeline: self.0.pipeline.clone(),
                report: Arc::clone(&report),
                lease: self.0.lease,
                stop,
                started,
                applying: None,
            };
            self.ask(run, &directory, &connection).await
        };
        let ended = tokio::select! {
            ended = AssertUnwindSafe(asked).catch_unwind() => ended.unwrap_or_else(|_| {
                tracing::error!(%org, connection = %claimed.connection, "a run panicked");
                let words = "A fault of our own; it has been logged.".to_owned();
                Err(Ended::Own(Code::Internal, words))
            }),
            () = give_up.give_back() => Err(Ended::Interrupted),
            ended = self.renewed(org, &claimed) => Err(ended),
        };
        if let Err(ended) = ended {
            report.lock().unwrap_or_else(PoisonError::into_inner).end(Some(&ended));
        }
        let (status, counts) =
            self.finish(org, &claimed, &report, every.saturating_sub(started.elapsed())).await;
        if let Some(source) = source {
            self.0.counters.pulled(source.as_str(), status.as_str(), &results(counts));
        }
        Next::AtOnce
    }
}

impl Connections {
    /// The connection as it is now.
    async fn connection(&self, org: Uuid, id: Uuid) -> Result<(Arc<Directory>, Connection), Ended> {
        let directory = self.0.directories.current(org).await?;
        let connection = directory.connection(id).cloned().ok_or(Ended::Lost)?;
        Ok((directory, connection))
    }

    /// Asks for everything.
    async fn ask(
        &self,
        mut run: Run,
        directory: &Directory,
        connection: &Connection,
    ) -> Result<(), Ended> {
        let sender = directory.users.with_id(connection.sender);
        if !sender.is_some_and(|sender| sender.active) {
            return Err(Ended::UnknownSender);
        }
        let secret = self.secret(run.org, &run.claimed)?;
        let sources = self.0.sources.clone();
        match &connection.settings {
            SourceSettings::Oktium(_) => Ok(()),
            SourceSettings::Iadvize(settings) => {
                let account = Iadvize::new(sources, &settings.base_url, secret);
                let pulled = iadvize::pull(&mut run, &account, settings).await;
                run.report().counts.requests = account.requests();
                pulled
            }
            SourceSettings::Wolkvox(settings) => {
                let token =
                    SharedToken::new(self.0.db.clone(), &self.0.key, secret.expose_secret());
                let account = Wolkvox::new(sources, &wolkvox_url(settings), secret);
                let zone: Tz = settings.time_zone.unwrap_or(directory.org.time_zone);
                wolkvox::pull(&mut run, &account, &token, settings, zone).await;
                Ok(())
            }
        }
    }

    fn secret(&self, org: Uuid, claimed: &Claimed) -> Result<SecretString, Ended> {
        let place = secret_place(org, claimed.connection);
        opened(&self.0.key.open(&place, &claimed.secret_sealed).unwrap_or_default()).ok_or_else(
            || {
                let words = "The secret cannot be read with this instance's key; enter it anew.";
                Ended::Own(Code::Internal, words.to_owned())
            },
        )
    }

    /// Renews the lease, until it is lost.
    async fn renewed(&self, org: Uuid, claimed: &Claimed) -> Ended {
        let lease = self.0.lease;
        loop {
            tokio::time::sleep(lease / 3).await;
            let its = claimed.clone();
            let renew = move |conn: &mut Conn| pulling::renew(conn, org, &its, lease);
            match self.0.db.in_org(org, renew).await {
                Ok(true) => {}
                Ok(false) => return Ended::Lost,
                Err(error) => {
                    tracing::warn!(%org, connection = %claimed.connection, %error,
                        "the lease of a run could not be renewed");
                }
            }
        }
    }

    /// Keeps what a run has come to, and gives its lease back.
    async fn finish(
        &self,
        org: Uuid,
        claimed: &Claimed,
        report: &Mutex<Report>,
        due_in: Duration,
    ) -> (RunStatus, RunCounts) {
        let (counts, (status, trouble, settled), resources) = {
            let report = report.lock().unwrap_or_else(PoisonError::into_inner);
            let roll = u32::from_le_bytes(clock::random_bytes());
            let conclusion = report.conclusion(due_in, claimed.failures, roll);
            (report.counts, conclusion, json!(report.resources))
        };
        let its = claimed.clone();
        let finish = move |conn: &mut Conn| {
            let run = (its.connection, its.run);
            pulling::progress(conn, org, its.run, counts)?;
            pulling::finish(conn, org, run, status, trouble.map(|it| json!(it)), resources)?;
            pulling::settle(conn, org, &its, &settled)
        };
        if let Err(error) = self.0.db.in_org(org, finish).await {
            // Its lease frees it, and the next run goes on where the cursors are.
            tracing::warn!(%org, connection = %claimed.connection, %error,
                "what became of a run could not be kept");
        }
        (status, counts)
    }
}

/// Of how many items the metrics tell which result.
fn results(counts: RunCounts) -> [(&'static str, u32); 4] {
    let RunCounts { requests: _, items: _, created, updated, unchanged, failed } = counts;
    [("created", created), ("updated", updated), ("unchanged", unchanged), ("failed", failed)]
}

/// A secret as it was sealed.
pub(crate) fn opened(bytes: &[u8]) -> Option<SecretString> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())?;
    Some(SecretString::from(text))
}

/// Where the reports of an operation are.
pub(crate) fn wolkvox_url(settings: &WolkvoxSettings) -> String {
    let usual = || format!("https://wv{}.wolkvox.com", settings.server);
    settings.base_url.clone().unwrap_or_else(usual)
}

fn every(settings: &SourceSettings) -> Duration {
    match settings {
        SourceSettings::Oktium(_) => USUAL,
        SourceSettings::Iadvize(settings) => Duration::from_secs(settings.every_seconds.into()),
        SourceSettings::Wolkvox(settings) => Duration::from_secs(settings.every_seconds.into()),
    }
}
