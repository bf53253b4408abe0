//! A run under way: it asks for windows, one after the other, and has what comes kept and applied.

use super::document::Document;
use super::report::{Ended, Report, Summary};
use crate::clock;
use crate::ingest::{Cursor, Pipeline, Pulled};
use crate::problem::Problem;
use crate::send::pull::{Failure, halves, pieces};
use crate::store::connection_state;
use crate::store::pool::{Conn, Db};
use crate::store::pulling::{self, Claimed};
use crate::worker::queue::Stop;
use beeiq_core::diagnostics::Code;
use beeiq_core::records::connection::{Source, Window};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// After so long a run ends between two windows, and waits for its turn again: others wait, too.
const LONGEST: Duration = Duration::from_secs(600);
/// How often it is tried to have something applied where this process has no room.
const TRIES: u32 = 5;

/// A run. What it has come to is seen also where it is given up.
pub(super) struct Run {
    pub(super) org: Uuid,
    pub(super) claimed: Claimed,
    pub(super) source: Source,
    pub(super) db: Db,
    pub(super) pipeline: Pipeline,
    pub(super) report: Arc<Mutex<Report>>,
    pub(super) lease: Duration,
    pub(super) stop: Stop,
    pub(super) started: Instant,
    /// What is being applied while more is asked for.
    pub(super) applying: Option<JoinHandle<Result<Summary, Problem>>>,
}

/// What can be asked for a window of time.
pub(super) trait Asks {
    /// Asks for all of a window, and has it kept; the last of it with the window's end as `cursor`.
    async fn ask(&mut self, run: &mut Run, window: Window, cursor: Cursor) -> Result<(), Ended>;

    /// How many requests have been sent.
    fn requests(&self) -> u32;
}

impl Run {
    pub(super) fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far a resource has been asked for.
    pub(super) fn cursor(&self, resource: &str) -> Option<DateTime<Utc>> {
        let mut cursors = self.claimed.resources.iter().zip(&self.claimed.cursors);
        cursors.find(|(its, _)| *its == resource).map(|(_, until)| *until)
    }

    /// Asks for a resource in a window, and notes what became of it: why it has not come to its end.
    pub(super) async fn resource(
        &mut self,
        resource: &str,
        window: Window,
        asks: &mut impl Asks,
    ) -> Option<Ended> {
        self.report().begin(resource, window);
        let asked = self.windows(resource, window, asks).await;
        let applied = self.applied().await;
        let ended = asked.and(applied).err();
        let mut report = self.report();
        report.counts.requests = asks.requests();
        report.end(ended.as_ref());
        ended
    }

    async fn windows(
        &mut self,
        resource: &str,
        window: Window,
        asks: &mut impl Asks,
    ) -> Result<(), Ended> {
        let mut left = pieces(window);
        left.reverse();
        while let Some(window) = left.pop() {
            self.go_on(asks.requests()).await?;
            let until = window.to.min(clock::now());
            let cursor = Cursor { run: self.claimed.run, resource: resource.to_owned(), until };
            match (asks.ask(self, window, cursor).await, halves(window)) {
                (Ok(()), _) => {}
                (Err(Ended::Failed(Failure::TooLarge)), Some([first, second])) => {
                    left.extend([second, first]);
                }
                (Err(ended), _) => return Err(ended),
            }
        }
        Ok(())
    }

    /// Whether it may go on; with that its lease is renewed, and its progress told.
    async fn go_on(&mut self, requests: u32) -> Result<(), Ended> {
        if self.stop.is_asked() || self.started.elapsed() > LONGEST {
            return Err(Ended::Interrupted);
        }
        let counts = {
            let mut report = self.report();
            report.counts.requests = requests;
            report.counts
        };
        let (org, claimed, lease) = (self.org, self.claimed.clone(), self.lease);
        let renew = move |conn: &mut Conn| {
            pulling::progress(conn, org, claimed.run, counts)?;
            pulling::renew(conn, org, &claimed, lease)
        };
        let is_held = self.db.in_org(org, renew).await?;
        if is_held { Ok(()) } else { Err(Ended::Lost) }
    }

    /// Has a document applied while more is asked for; what was applied before it has been.
    pub(super) async fn keep(
        &mut self,
        document: &mut Document,
        cursor: Option<Cursor>,
    ) -> Result<(), Ended> {
        self.applied().await?;
        let items = document.items();
        if items == 0 {
            return self.move_cursor(cursor).await;
        }
        self.report().counts.items += u32::try_from(items).unwrap_or(u32::MAX);
        let (pipeline, body) = (self.pipeline.clone(), document.take());
        let (org, connection, source) = (self.org, self.claimed.connection, self.source);
        let pulled = Pulled { org, connection, source, body, cursor };
        self.applying = Some(tokio::spawn(apply(pipeline, pulled)));
        if self.stop.is_asked() { Err(Ended::Interrupted) } else { Ok(()) }
    }

    /// Waits until what is being applied is, and counts it.
    async fn applied(&mut self) -> Result<(), Ended> {
        let Some(applying) = self.applying.take() else { return Ok(()) };
        match applying.await {
            Ok(Ok(summary)) => {
                summary.add_to(&mut self.report().counts);
                Ok(())
            }
            Ok(Err(problem)) => Err(problem.into()),
            Err(_) => {
                Err(Ended::Own(Code::Internal, "What was pulled could not be applied.".to_owned()))
            }
        }
    }

    async fn move_cursor(&self, cursor: Option<Cursor>) -> Result<(), Ended> {
        let Some(Cursor { run, resource, until }) = cursor else { return Ok(()) };
        let (org, connection) = (self.org, self.claimed.connection);
        let move_it = move |conn: &mut Conn| {
            connection_state::move_cursor(conn, org, (connection, run), &resource, until)
        };
        Ok(self.db.in_org(org, move_it).await?)
    }
}

/// Has it applied, also where there is no room at first.
async fn apply(pipeline: Pipeline, pulled: Pulled) -> Result<Summary, Problem> {
    let mut wait = Duration::from_millis(500);
    for _ in 1..TRIES {
        match pipeline.pulled(pulled.clone()).await {
            Err(problem) if problem.code == Code::Overloaded => {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            done => return done.map(|reply| Summary::of(&reply)),
        }
    }
    pipeline.pulled(pulled).await.map(|reply| Summary::of(&reply))
}

/// What a resource is asked for: from a little before where it was left, but nothing from before
/// `since`, to now.
pub(super) fn window(
    since: DateTime<Utc>,
    cursor: Option<DateTime<Utc>>,
    overlap: TimeDelta,
    now: DateTime<Utc>,
) -> Window {
    let from = cursor.map_or(since, |cursor| since.max(cursor - overlap));
    Window { from: from.min(now), to: now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_begins_a_little_before_the_cursor_and_not_before_since() {
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        for (cursor, from) in
            [(None, 100), (Some(150), 140), (Some(105), 100), (Some(50), 100), (Some(400), 300)]
        {
            let its = window(at(100), cursor.map(at), TimeDelta::minutes(10), at(300));
            assert_eq!(its, Window { from: at(from), to: at(300) }, "{cursor:?}");
        }
    }
}
