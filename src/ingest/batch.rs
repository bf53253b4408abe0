//! A batch, from what it names to what is to be written: loaded and decided (`docs/architecture.md`). It may
//! have the actions of several deliveries, each of which sees what those before it did.

use super::answer::{Verdict, Verdicted, Verdicts};
use super::codes::Reserved;
use super::received::Options;
use crate::clock;
use crate::store::batch_load;
use crate::store::error::{DbError, StoreError};
use crate::store::pool::{Conn, savepoint};
use crate::store::writes::{self, Outgoing};
use beeiq_core::batch::{Context, Ids, Keys, Overlay, Pending, Rejection, Request};
use beeiq_core::diagnostics::{Code, Fault, Pointer, Warning};
use beeiq_core::formats::beeiq::Item;
use beeiq_core::records::counter::Counter;
use std::collections::HashSet;
use uuid::Uuid;

/// What a batch is run by.
pub struct Batch<'a> {
    /// Whose it is.
    pub org: Uuid,
    /// The deliveries, in order.
    pub parts: &'a [Part<'a>],
    /// What the query asked for. Several deliveries can only be run together where it asked for
    /// nothing.
    pub options: Options,
    /// What messages are queued as.
    pub outgoing: Outgoing<'a>,
}

/// What of a delivery is run.
pub struct Part<'a> {
    /// The actions.
    pub items: Vec<&'a Item>,
    /// What is odd about the request as a whole.
    pub warnings: Vec<Warning>,
    /// What deciding needs to know of the request.
    pub request: Request<'a>,
}

/// Adds what the actions of an envelope name.
pub fn collect_keys<'i>(
    items: impl IntoIterator<Item = &'i Item>,
    context: Context<'_>,
    keys: &mut Keys,
) {
    keys.sms |= context.listener.welcome_sms.is_some();
    for action in items.into_iter().filter_map(|item| item.action.as_ref()) {
        action.collect_keys(keys);
    }
}

impl Batch<'_> {
    /// Decides the whole batch in the transaction that is open, as many statements for one action
    /// as for thousands: what becomes of the actions of each delivery, and what is to be written.
    /// `keys` is at least what the actions name.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it has to be done again.
    pub fn decide(
        &self,
        conn: &mut Conn,
        keys: &Keys,
        codes: &mut Reserved,
    ) -> Result<(Vec<Verdicts>, Pending), StoreError> {
        let (verdicts, pending) = self.decide_parts(conn, self.parts, keys, codes)?;
        let created = if self.options.dry_run { pending.created_ids() } else { HashSet::new() };
        let pending = if self.applies(&verdicts) { pending } else { Pending::default() };
        Ok((self.verdicts(verdicts, &created), pending))
    }

    /// Runs the actions one by one, each in a savepoint of its own, so that where the database
    /// refuses a batch for a reason that no check foresaw only the action at fault fails.
    ///
    /// # Errors
    /// As [`Batch::decide`].
    pub fn run_one_by_one(
        &self,
        conn: &mut Conn,
        codes: &mut Reserved,
    ) -> Result<Vec<Verdicts>, StoreError> {
        let mut created = HashSet::new();
        let done = savepoint(conn, |conn| {
            let verdicts = self.each_in_its_savepoint(conn, codes, &mut created)?;
            if self.applies(&verdicts) { Ok(verdicts) } else { Err(Undone::Withdrawn(verdicts)) }
        });
        match done {
            Ok(verdicts) | Err(Undone::Withdrawn(verdicts)) => {
                Ok(self.verdicts(verdicts, &created))
            }
            Err(Undone::Store(error)) => Err(error),
        }
    }

    fn each_in_its_savepoint(
        &self,
        conn: &mut Conn,
        codes: &mut Reserved,
        created: &mut HashSet<Uuid>,
    ) -> Result<Vec<Vec<Verdict>>, StoreError> {
        let one = |conn: &mut Conn, item: &Item, request: Request<'_>, codes: &mut Reserved| {
            let mut keys = Keys::default();
            collect_keys([item], request.context, &mut keys);
            savepoint(conn, |conn| {
                let part = Part { items: vec![item], warnings: Vec::new(), request };
                let (verdicts, pending) = self.decide_parts(conn, &[part], &keys, codes)?;
                writes::write(conn, self.org, &pending, &[], self.outgoing)?;
                Ok((verdicts.into_iter().flatten(), pending.created_ids()))
            })
        };
        let mut all = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            let mut verdicts = Vec::with_capacity(part.items.len());
            for item in &part.items {
                match one(conn, item, part.request, codes) {
                    Ok((verdict, made)) => {
                        verdicts.extend(verdict);
                        created.extend(made);
                    }
                    Err(error @ (StoreError::Conflict | StoreError::Unavailable(_))) => {
                        return Err(error);
                    }
                    Err(cause) => {
                        tracing::error!(%cause, item.index, "a check is missing: the database refused an action");
                        verdicts.push(Err(refused(item.index)));
                    }
                }
            }
            all.push(verdicts);
        }
        Ok(all)
    }

    /// Whether what was decided is to be written.
    fn applies(&self, verdicts: &[Vec<Verdict>]) -> bool {
        let withdrawn = self.options.atomic && verdicts.iter().flatten().any(Result::is_err);
        !self.options.dry_run && !withdrawn
    }

    fn decide_parts(
        &self,
        conn: &mut Conn,
        parts: &[Part<'_>],
        keys: &Keys,
        codes: &mut Reserved,
    ) -> Result<(Vec<Vec<Verdict>>, Pending), StoreError> {
        let Some(first) = parts.first() else { return Ok(Default::default()) };
        let snapshot = batch_load::load(conn, self.org, keys)?;
        let mut overlay = Overlay::new(first.request, snapshot);
        let mut ids = RequestIds { codes };
        let mut verdicts = Vec::with_capacity(parts.len());
        for part in parts {
            overlay.request = part.request;
            let decide = |item: &&Item| {
                let Some(action) = &item.action else {
                    return Err(item.diagnostics.clone().into());
                };
                let decision = action.decide(&overlay, &mut ids, item.diagnostics.clone())?;
                overlay.apply(decision.changes);
                Ok(decision.outcome)
            };
            verdicts.push(part.items.iter().map(decide).collect());
        }
        Ok((verdicts, overlay.into_pending()))
    }

    fn verdicts(&self, verdicts: Vec<Vec<Verdict>>, created: &HashSet<Uuid>) -> Vec<Verdicts> {
        let of_part = |(part, verdicts): (&Part<'_>, Vec<Verdict>)| {
            let actions = part.items.iter().zip(verdicts).map(|(item, verdict)| Verdicted {
                index: item.index,
                action_type: item.action_type.clone(),
                verdict,
            });
            Verdicts {
                actions: actions.collect(),
                warnings: part.warnings.clone(),
                created: created.clone(),
            }
        };
        self.parts.iter().zip(verdicts).map(of_part).collect()
    }
}

/// Why what was run one by one is undone.
enum Undone {
    /// As asked: a dry run, or an atomic request of which an action failed.
    Withdrawn(Vec<Vec<Verdict>>),
    /// By the database.
    Store(StoreError),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DbError> for Undone {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

/// What an action is told that the database refused: the cause is in the log, not here.
fn refused(index: usize) -> Rejection {
    let at = Pointer::root().member("data").index(index);
    let message = "This action could not be stored; it has been logged under the requestId.";
    Rejection { faults: vec![Fault::new(Code::Internal, at, message)], warnings: Vec::new() }
}

/// Ids and codes of one request.
struct RequestIds<'a> {
    codes: &'a mut Reserved,
}

impl Ids for RequestIds<'_> {
    fn id(&mut self) -> Uuid {
        clock::new_id()
    }

    /// A dry run has no numbers set aside; the 0 that it sees is never shown, and the database
    /// takes none.
    fn number(&mut self, counter: Counter) -> i64 {
        self.codes.next(counter).unwrap_or(0)
    }

    /// Deals are told apart by it, so in a dry run it is one that no other has.
    fn deal_id(&mut self) -> String {
        self.codes
            .next(Counter::Deal)
            .map_or_else(|| clock::new_id().to_string(), |number| number.to_string())
    }
}
