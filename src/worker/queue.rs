//! One fair queue over orgs: of what is due a little of each org's queue is taken in turn, so that
//! one org's backlog does not hold up the others'.
//!
//! What is committed is the truth, so a pass is made every second; within the process that queued
//! something it is made at once. Postgres' NOTIFY would tell the other processes too, but takes a
//! lock at commit that all orgs share.

use super::in_flight::{InFlight, Next, POLL};
use crate::store::error::StoreError;
use crate::store::pool::{Conn, Db, over_queues};
use beeiq_core::values::backoff::Backoff;
use futures_util::FutureExt;
use std::fmt::Debug;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

/// The waits between passes while the database is away.
const DATABASE_AWAY: Backoff = Backoff::without_jitter(POLL, Duration::from_secs(8));

/// How long giving back what has not ended may take once the process is to stop.
const HAND_BACK: Duration = Duration::from_secs(8);

/// Tells a queue's workers, in this process, that there may be something due.
#[derive(Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// A kind of work that waits in queues of orgs.
pub(crate) trait Work: Send + Sync + 'static {
    /// What has its order, and its limit, of its own.
    type Queue: Copy + Debug + Ord + Hash + Send + Sync;
    type Item: Send + 'static;
    /// The most of one queue that a process is at at once.
    const MOST_OF_A_QUEUE: usize;
    /// How long work may go on once the process is to stop, before it is asked to give up.
    const GRACE: Duration;
    /// What is told in the log where passes fail, and once they succeed again.
    const STALLED: &str;
    const RESUMED: &str;

    /// The queues after `after` with something due, in their order; to be asked within
    /// `over_queues`.
    fn due(conn: &mut Conn, after: Option<Self::Queue>) -> Result<Due<Self::Queue>, StoreError>;

    /// Takes up to so many of a queue, to be worked at by this process alone.
    fn claim(
        &self,
        queue: Self::Queue,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Self::Item>, StoreError>> + Send;

    /// Brings one to its end; or gives it back, where that is asked for.
    fn run(
        &self,
        queue: Self::Queue,
        item: Self::Item,
        stop: Stop,
    ) -> impl Future<Output = Next> + Send;
}

/// A look at the queues.
pub(crate) struct Due<Q> {
    pub(crate) queues: Vec<Q>,
    /// The last one looked at, where there are more.
    pub(crate) more: Option<Q>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// Nothing new is begun.
    Stopping,
    /// What has not ended is given back.
    GivingBack,
}

/// Tells work that the process is to stop.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<Phase>);

impl Stop {
    /// Whether nothing more is to be begun.
    pub(crate) fn is_asked(&self) -> bool {
        *self.0.borrow() != Phase::Running
    }

    /// Waits until what has not ended is to be given back.
    pub(crate) async fn give_back(&mut self) {
        // The sender lives as long as the queue, whose work this is.
        let _ = self.0.wait_for(|phase| *phase == Phase::GivingBack).await;
    }
}

/// Works at the queues of one kind of work. Cheap to clone.
pub(crate) struct FairQueue<W: Work>(Arc<Parts<W>>);

struct Parts<W: Work> {
    work: W,
    db: Db,
    wake: Wake,
    in_flight: Mutex<InFlight<W::Queue>>,
    phase: watch::Sender<Phase>,
}

impl<W: Work> Clone for FairQueue<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The running workers of this process; they stop, too, where this is dropped.
#[must_use]
pub struct Workers {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Workers {
    pub(super) fn spawn<F>(work: impl FnOnce(oneshot::Receiver<()>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        Self { stop, running: tokio::spawn(work(stopped)) }
    }

    /// Begins nothing any more, lets what runs finish for some time, and gives the rest back.
    pub async fn stop(self) {
        // Where it has ended already there is nobody to tell.
        let _ = self.stop.send(());
        let _ = self.running.await;
    }
}

impl<W: Work> FairQueue<W> {
    /// A queue whose workers have not been started; so many may be worked at at once.
    pub(crate) fn new(work: W, db: Db, wake: Wake, slots: usize) -> Self {
        let in_flight = Mutex::new(InFlight::new(slots, W::MOST_OF_A_QUEUE));
        Self(Arc::new(Parts {
            work,
            db,
            wake,
            in_flight,
            phase: watch::Sender::new(Phase::Running),
        }))
    }

    pub(crate) fn wake(&self) {
        self.0.wake.wake();
    }

    pub(crate) fn start(&self) -> Workers {
        Workers::spawn(|stopped| self.clone().work(stopped))
    }

    /// Makes one pass, and waits until what it began has ended: how many items those were.
    pub(crate) async fn run_once(&self) -> Result<usize, StoreError> {
        let mut running = JoinSet::new();
        let begun = self.pass(&mut running).await?;
        while running.join_next().await.is_some() {}
        Ok(begun)
    }

    async fn work(self, mut stopped: oneshot::Receiver<()>) {
        let mut running = JoinSet::new();
        let mut failures = 0;
        loop {
            let pass = AssertUnwindSafe(self.pass(&mut running)).catch_unwind().await;
            while running.try_join_next().is_some() {}
            failures = counted::<W>(failures, pass);
            let wait = match failures.checked_sub(1) {
                Some(earlier) => DATABASE_AWAY.wait(earlier, 0),
                None => POLL,
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.0.wake.0.notified(), if failures == 0 => {}
                _ = &mut stopped => break,
            }
        }
        self.drain(running).await;
    }

    async fn drain(&self, mut running: JoinSet<()>) {
        for (phase, limit) in [(Phase::Stopping, W::GRACE), (Phase::GivingBack, HAND_BACK)] {
            self.0.phase.send_replace(phase);
            let ended = async { while running.join_next().await.is_some() {} };
            if tokio::time::timeout(limit, ended).await.is_ok() {
                return;
            }
        }
        // Their leases free them.
        tracing::warn!(count = running.len(), "work could not be handed back");
    }

    /// Claims what there are slots for, a few of each queue in turn, and begins to work at it.
    async fn pass(&self, running: &mut JoinSet<()>) -> Result<usize, StoreError> {
        if self.in_flight().free() == 0 {
            return Ok(0);
        }
        let mut begun = 0;
        let Due { queues, more } = self.due().await?;
        for queue in queues {
            let (permits, free) = {
                let in_flight = self.in_flight();
                (in_flight.permits(queue), in_flight.free())
            };
            if free == 0 {
                return Ok(begun);
            }
            if permits == 0 {
                continue;
            }
            let items = match self.0.work.claim(queue, permits).await {
                Ok(items) => items,
                Err(error @ (StoreError::Unavailable(_) | StoreError::OutcomeUnknown { .. })) => {
                    return Err(error);
                }
                // What is wrong with one org's queue is not to hold up the others'.
                Err(error) => {
                    tracing::error!(?queue, %error, "nothing of a queue can be claimed");
                    continue;
                }
            };
            for item in items {
                self.in_flight().begin(queue);
                begun += 1;
                running.spawn(self.clone().run(queue, item));
            }
        }
        // All that were due among those looked at have had their turn.
        if more.is_some() {
            self.in_flight().last_served = more;
        }
        Ok(begun)
    }

    /// The queues with something due, those first that come after the last one served.
    async fn due(&self) -> Result<Due<W::Queue>, StoreError> {
        let after = self.in_flight().last_served;
        let look = move |conn: &mut Conn| {
            let mut due = W::due(conn, after)?;
            if let (None, Some(after)) = (due.more, after) {
                let first = W::due(conn, None)?.queues;
                due.queues.extend(first.into_iter().take_while(|queue| *queue <= after));
            }
            Ok(due)
        };
        self.0.db.run(move |conn| over_queues(conn, look)).await
    }

    async fn run(self, queue: W::Queue, item: W::Item) {
        let stop = Stop(self.0.phase.subscribe());
        let work = AssertUnwindSafe(self.0.work.run(queue, item, stop)).catch_unwind();
        let next = work.await.unwrap_or_else(|_| {
            tracing::error!(?queue, "work panicked");
            Next::AfterPoll
        });
        self.in_flight().end(queue, next);
        self.wake();
    }

    fn in_flight(&self) -> MutexGuard<'_, InFlight<W::Queue>> {
        self.0.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many passes have failed in a row; told once when they cease to succeed, and once when they
/// do again.
fn counted<W: Work>(failures: u32, pass: std::thread::Result<Result<usize, StoreError>>) -> u32 {
    let cause = match pass {
        Ok(Ok(_)) => {
            if failures > 0 {
                tracing::info!("{}", W::RESUMED);
            }
            return 0;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a pass panicked".to_owned(),
    };
    if failures == 0 {
        tracing::error!(cause, "{}", W::STALLED);
    }
    failures.saturating_add(1)
}
