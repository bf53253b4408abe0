//! Connections that are asked: which is due, who is at it, what came of it (`connections.md` 1,
//! "Pulling").

mod claims;
mod depth;
mod runs;
mod state;
mod tokens;

pub(crate) use claims::{Claimed, Settled, claim, due_orgs, renew, settle};
pub(crate) use depth::{Lag, lag};
pub(crate) use runs::{Run, RunCounts, begin_requested, exists, finish, page, progress};
pub(crate) use state::{State, forget_cursors, open_conversations, state, take_away};
pub(crate) use tokens::{give_back_token, take_token};
