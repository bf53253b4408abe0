//! What people do, whoever asks: HTTP, the command line, the demo.

pub mod orgs;
pub(crate) mod validity;
