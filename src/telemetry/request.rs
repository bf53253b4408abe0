//! Which request this task works for, so that what it asks of the database says so there, too.

use std::future::Future;
use uuid::Uuid;

tokio::task_local! {
    static CURRENT: Uuid;
}

/// The id of the request that this task works for.
pub(crate) fn current() -> Option<Uuid> {
    CURRENT.try_get().ok()
}

/// Does something for a request.
pub(crate) fn within<F: Future>(id: Uuid, work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(id, work)
}

/// Goes on with a request on another thread.
pub(crate) fn resume<T>(id: Option<Uuid>, work: impl FnOnce() -> T) -> T {
    match id {
        Some(id) => CURRENT.sync_scope(id, work),
        None => work(),
    }
}
