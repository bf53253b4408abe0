//! Ctrl-C: once finishes the request that is under way, twice leaves it.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often the user has asked to stop.
pub(crate) struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Listens to SIGINT and SIGTERM, which do not end the process any more.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (sender, receiver) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                sender.send_modify(|times| *times += 1);
            }
        });
        Ok(Self(receiver))
    }

    /// Lets a signal that has arrived be heard, and says whether there was one.
    pub(crate) async fn heard(&self) -> bool {
        tokio::task::yield_now().await;
        *self.0.borrow() > 0
    }

    pub(crate) async fn asked(&mut self) {
        self.times(1).await;
    }

    pub(crate) async fn insisted(&mut self) {
        self.times(2).await;
    }

    async fn times(&mut self, least: u32) {
        if self.0.wait_for(|times| *times >= least).await.is_err() {
            // Nobody listens any more, so it will not happen.
            std::future::pending::<()>().await;
        }
    }
}
