//! Which request this task works for, so that what it asks of the database says so there, too; and
//! until when somebody waits for it.

use crate::clock;
use std::future::Future;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a call to the database may take that nobody waits for. Its statements have their
/// time-outs; this is for a link that is silent.
pub(crate) const BACKGROUND: Duration = Duration::from_secs(120);

/// A request that is worked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) id: Uuid,
    deadline: Instant,
}

impl Request {
    /// One that has so much time from now on.
    pub(crate) fn new(id: Uuid, time: Duration) -> Self {
        Self { id, deadline: clock::instant() + time }
    }

    pub(crate) fn time_left(self) -> Duration {
        self.deadline.saturating_duration_since(clock::instant())
    }
}

tokio::task_local! {
    static CURRENT: Request;
}

/// The request that this task works for.
pub(crate) fn current() -> Option<Request> {
    CURRENT.try_get().ok()
}

/// Does something for a request.
pub(crate) fn within<F: Future>(request: Request, work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(request, work)
}

/// Does something for the present request that may take longer than it otherwise has.
pub(crate) async fn with_time<F: Future>(time: Duration, work: F) -> F::Output {
    match current() {
        Some(request) => within(Request::new(request.id, time), work).await,
        None => work.await,
    }
}

/// Goes on with a request on another thread.
pub(crate) fn resume<T>(request: Option<Request>, work: impl FnOnce() -> T) -> T {
    match request {
        Some(request) => CURRENT.sync_scope(request, work),
        None => work(),
    }
}
