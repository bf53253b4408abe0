//! The workers that send what is in the outbox (`listener.md` 8).
//!
//! Every server process sends. A pass asks which queues (an org's channel each) have something due, takes a few
//! messages of each in turn, and sends each in a task of its own, outside any transaction. What is committed is
//! the truth, so a pass is made every second; within the process that queued something a pass is made
//! at once. Postgres' NOTIFY would tell the other processes too, but takes a lock at commit that all
//! orgs share, and every process sends what it queues itself.

mod flights;
mod worker;

use crate::clock;
use crate::send::Senders;
use crate::store::error::StoreError;
use crate::store::outbox::{self, Queue};
use crate::store::pool::{Conn, Db, over_queues};
use flights::Flights;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

/// How long a message that another process queued waits at most for a pass.
const POLL: Duration = Duration::from_secs(1);

/// The longest wait between passes while the database is away.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// How many queues a pass looks at from where the last one ended.
const LOOKS: i32 = 1_000;

/// How long sends may go on once the process is to stop, and how long giving the others back may
/// take.
const FAREWELL: (Duration, Duration) = (Duration::from_secs(8), Duration::from_secs(8));

/// What a process is told that has just queued messages.
#[derive(Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// There may be something due.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// How a process sends.
#[derive(Clone, Copy, Debug)]
pub struct OutboxConfig {
    /// How many messages at once.
    pub slots: usize,
    /// After how long another process may take over what this one is sending; renewed meanwhile.
    pub lease: Duration,
    /// Whether nothing is ever sent (`api.md` 6).
    pub staging: bool,
}

/// What sends messages. Cheap to clone.
#[derive(Clone)]
pub struct Outbox(Arc<Parts>);

struct Parts {
    db: Db,
    senders: Arc<Senders>,
    wake: Wake,
    config: OutboxConfig,
    flights: Mutex<Flights>,
    /// True once what is being sent is to be given back.
    cut: watch::Sender<bool>,
}

/// The running workers of this process.
pub struct Workers {
    stop: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Workers {
    /// Claims nothing any more, lets what is being sent finish for some seconds, and gives the rest
    /// back untried. Within 16 s.
    pub async fn stop(self) {
        // Where it has ended already there is nobody to tell.
        let _ = self.stop.send(());
        let _ = self.running.await;
    }
}

impl Outbox {
    /// An outbox that sends nothing yet.
    #[must_use]
    pub fn new(db: Db, senders: Arc<Senders>, wake: Wake, config: OutboxConfig) -> Self {
        let flights = Mutex::new(Flights::new(config.slots));
        let cut = watch::Sender::new(false);
        Self(Arc::new(Parts { db, senders, wake, config, flights, cut }))
    }

    /// There may be something due.
    pub fn wake(&self) {
        self.0.wake.wake();
    }

    /// Starts the workers, which stop when they are told to, or when what is returned is dropped.
    #[must_use]
    pub fn start(&self) -> Workers {
        let (stop, stopped) = oneshot::channel();
        Workers { stop, running: tokio::spawn(self.clone().run(stopped)) }
    }

    /// Makes one pass, and waits until what it began has ended: how many messages those were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        let mut attempts = JoinSet::new();
        let begun = self.pass(&mut attempts).await?;
        while attempts.join_next().await.is_some() {}
        Ok(begun)
    }

    async fn run(self, mut stopped: oneshot::Receiver<()>) {
        let mut attempts = JoinSet::new();
        let mut health = Health::default();
        loop {
            let pass = AssertUnwindSafe(self.pass(&mut attempts)).catch_unwind().await;
            while attempts.try_join_next().is_some() {}
            let wait = health.wait(pass);
            tokio::select! {
                () = wait => {}
                () = self.0.wake.0.notified(), if health.good() => {}
                _ = &mut stopped => break,
            }
        }
        self.wind_down(attempts).await;
    }

    async fn wind_down(&self, mut attempts: JoinSet<()>) {
        for (last, limit) in [(false, FAREWELL.0), (true, FAREWELL.1)] {
            let ended = async { while attempts.join_next().await.is_some() {} };
            if tokio::time::timeout(limit, ended).await.is_ok() {
                return;
            }
            self.0.cut.send_replace(true);
            if last {
                // The leases free them.
                tracing::warn!(count = attempts.len(), "messages could not be handed back");
            }
        }
    }

    /// Claims what there is room for, a few of each queue in turn, and begins to send it.
    async fn pass(&self, attempts: &mut JoinSet<()>) -> Result<usize, StoreError> {
        if self.0.config.staging || self.flights().free() == 0 {
            return Ok(0);
        }
        let mut begun = 0;
        let (queues, more) = self.queues().await?;
        for queue in queues {
            let (room, free) = {
                let flights = self.flights();
                (flights.room(queue), flights.free())
            };
            if free == 0 {
                return Ok(begun);
            }
            if room == 0 {
                continue;
            }
            let (lease, claim) = (self.0.config.lease, clock::new_id());
            let claimed = self.0.db.in_org(queue.org, move |conn| {
                outbox::claim(conn, queue.org, queue.channel, claim, room, lease)
            });
            let claimed = match claimed.await {
                Ok(claimed) => claimed,
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                // What is wrong with one org's messages is not to hold up the others'.
                Err(error) => {
                    tracing::error!(org = %queue.org, %error, "messages cannot be claimed");
                    continue;
                }
            };
            for message in claimed {
                self.flights().add(queue, message.id);
                begun += 1;
                attempts.spawn(self.clone().attempt(queue, message));
            }
        }
        // All that were due among those looked at have had their turn.
        if more.is_some() {
            self.flights().set_turn(more);
        }
        Ok(begun)
    }

    /// The queues with something due, those first that come after the last one served; and the last
    /// one looked at, where there are more.
    async fn queues(&self) -> Result<(Vec<Queue>, Option<Queue>), StoreError> {
        let after = self.flights().turn();
        let look = move |conn: &mut Conn| {
            let (mut queues, more) = outbox::due_queues(conn, after, LOOKS)?;
            if let (None, Some(after)) = (more, after) {
                let (first, _) = outbox::due_queues(conn, None, LOOKS)?;
                queues.extend(first.into_iter().take_while(|queue| *queue <= after));
            }
            Ok((queues, more))
        };
        self.0.db.run(move |conn| over_queues(conn, look)).await
    }

    fn flights(&self) -> MutexGuard<'_, Flights> {
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether passes succeed: told once when they cease to, and once when they do again.
#[derive(Default)]
struct Health {
    failures: u32,
}

impl Health {
    fn good(&self) -> bool {
        self.failures == 0
    }

    /// Notes how a pass went, and waits until the next one is due by itself.
    fn wait(
        &mut self,
        pass: std::thread::Result<Result<usize, StoreError>>,
    ) -> impl Future<Output = ()> + use<> {
        let cause = match pass {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("a pass panicked".to_owned()),
        };
        match (&cause, self.failures) {
            (None, 0) => {}
            (None, _) => tracing::info!("messages are sent again"),
            (Some(cause), 0) => tracing::error!(cause, "no messages can be sent"),
            (Some(_), _) => {}
        }
        self.failures = if cause.is_some() { self.failures.saturating_add(1) } else { 0 };
        let wait = POLL.saturating_mul(1 << self.failures.saturating_sub(1).min(8));
        tokio::time::sleep(wait.min(LONGEST_BACKOFF))
    }
}
