//! The private PostgreSQL cluster of `beeiq demo` and of the tests.
//!
//! A cluster lives in a directory of the caller's: `DIR/pg` (the data, or a link to it), `DIR/lock`
//! and `DIR/postgres.log`. It listens on a Unix socket only, in a directory that nobody else may
//! open, and it stops when the program that started it stops, whatever way that ends.

mod account;
mod cluster;
mod directory;
mod error;
mod postmaster;
mod programs;

pub use cluster::{Cluster, Options, remove};
pub use error::EmbeddedError;
