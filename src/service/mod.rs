//! What people do, whoever asks: HTTP, the command line, the demo.

pub(crate) mod metrics;
pub mod orgs;
