//! Every route, and the handlers behind them.

mod caller;
pub mod etag;
mod intake;
pub mod page;
