//! A call to the database, which whoever waits for it may abandon.
//!
//! libpq waits for as long as a link is silent. So nobody waits for it directly: past its deadline a
//! call is abandoned, and its connection is closed once its thread gets back. Before each COMMIT the
//! thread asks whether it still may; so whether anything can have been applied is known.

use super::error::StoreError;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    /// A COMMIT has been sent.
    Committing,
    Abandoned,
}

#[derive(Debug)]
struct Progress {
    state: State,
    /// The process of the connection at the server.
    backend: Option<i32>,
}

/// A call that is at work.
#[derive(Debug)]
pub(super) struct Call(Mutex<Progress>);

thread_local! {
    static CURRENT: RefCell<Option<Arc<Call>>> = const { RefCell::new(None) };
}

impl Call {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Progress { state: State::Running, backend: None })))
    }

    /// Does the call's work on this thread.
    pub(super) fn scope<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        let _outer = Outer(CURRENT.replace(Some(Arc::clone(self))));
        work()
    }

    pub(super) fn uses(&self, backend: i32) {
        self.progress().backend = Some(backend);
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.progress().state == State::Abandoned
    }

    /// Nobody waits for it any more: what is known of it.
    pub(super) fn abandon(&self) -> StoreError {
        let mut progress = self.progress();
        match std::mem::replace(&mut progress.state, State::Abandoned) {
            State::Running => StoreError::Unavailable("it did not answer in time".to_owned()),
            State::Committing | State::Abandoned => {
                StoreError::OutcomeUnknown { backend: progress.backend }
            }
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread was at before, however it ends.
struct Outer(Option<Arc<Call>>);

impl Drop for Outer {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Whether this thread's call may commit.
pub(super) fn may_commit() -> bool {
    CURRENT.with_borrow(|call| {
        let Some(call) = call else { return true };
        let mut progress = call.progress();
        if progress.state == State::Abandoned {
            return false;
        }
        progress.state = State::Committing;
        true
    })
}

/// The process that this thread's connection has at the server.
pub(super) fn backend() -> Option<i32> {
    CURRENT.with_borrow(|call| call.as_ref().and_then(|call| call.progress().backend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_abandoned_before_its_commit_never_commits() {
        let call = Call::new();
        assert!(matches!(call.abandon(), StoreError::Unavailable(_)));
        assert!(!call.scope(may_commit));
    }

    #[test]
    fn of_what_is_abandoned_at_its_commit_nothing_is_known() {
        let call = Call::new();
        call.uses(7);
        assert!(call.scope(may_commit));
        assert!(matches!(call.abandon(), StoreError::OutcomeUnknown { backend: Some(7) }));
    }
}
