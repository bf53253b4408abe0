//! The workers that send what is in the outbox (`listener.md` 8). Every server process sends; each
//! message in a task of its own, outside any transaction.

mod attempt;

use super::in_flight::Next;
use super::queue::{Due, FairQueue, Stop, Wake, Work, Workers};
use crate::clock;
use crate::send::Senders;
use crate::store::error::StoreError;
use crate::store::outbox::{self, Claimed, Queue};
use crate::store::pool::{Conn, Db};
use std::sync::Arc;
use std::time::Duration;

/// How many queues a pass looks at from where the last one ended.
const LOOKS: i32 = 1_000;

/// How a process sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutboxConfig {
    pub slots: usize,
    /// After how long another process may take over what this one is sending; renewed meanwhile.
    pub lease: Duration,
    /// Whether nothing is ever sent (`api.md` 6).
    pub staging: bool,
}

/// What sends messages. Cheap to clone.
#[derive(Clone)]
pub struct Outbox(FairQueue<Messages>);

/// The messages that wait to be sent.
struct Messages {
    db: Db,
    senders: Arc<Senders>,
    lease: Duration,
}

impl Outbox {
    /// An outbox that sends nothing yet.
    pub(crate) fn new(db: Db, senders: Arc<Senders>, wake: Wake, config: OutboxConfig) -> Self {
        let OutboxConfig { slots, lease, staging } = config;
        let slots = if staging { 0 } else { slots };
        Self(FairQueue::new(Messages { db: db.clone(), senders, lease }, db, wake, slots))
    }

    pub fn wake(&self) {
        self.0.wake();
    }

    /// Starts the workers, which have 16 s to stop once they are told to.
    pub fn start(&self) -> Workers {
        self.0.start()
    }

    /// Makes one pass, and waits until what it began has ended: how many messages those were.
    pub async fn run_once(&self) -> Result<usize, StoreError> {
        self.0.run_once().await
    }
}

impl Work for Messages {
    type Queue = Queue;
    type Item = Claimed;
    const MOST_OF_A_QUEUE: usize = 4;
    const GRACE: Duration = Duration::from_secs(8);
    const STALLED: &str = "no messages can be sent";
    const RESUMED: &str = "messages are sent again";

    fn due(conn: &mut Conn, after: Option<Queue>) -> Result<Due<Queue>, StoreError> {
        let (queues, more) = outbox::due_queues(conn, after, LOOKS)?;
        Ok(Due { queues, more })
    }

    async fn claim(&self, queue: Queue, most: usize) -> Result<Vec<Claimed>, StoreError> {
        let (lease, claim) = (self.lease, clock::new_id());
        self.db.in_org(queue.org, move |conn| outbox::claim(conn, queue, claim, most, lease)).await
    }

    async fn run(&self, queue: Queue, message: Claimed, stop: Stop) -> Next {
        self.attempt(queue.org, message, stop).await;
        Next::AtOnce
    }
}
