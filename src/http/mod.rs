//! Every route, and the handlers behind them.

pub mod etag;
pub mod page;
