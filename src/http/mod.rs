//! Every route.

mod caller;
mod intake;
