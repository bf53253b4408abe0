//! A batch, from the prefetch keys to what is to be written: loaded and decided. It may have the
//! actions of several deliveries, each of which sees what those before it did.

use super::answer::{DecidedAction, DeliveryResult};
use super::codes::Reserved;
use super::received::Options;
use crate::clock;
use crate::store::batch_load;
use crate::store::error::{DbError, StoreError};
use crate::store::pool::{Conn, savepoint};
use crate::store::writes::{self, Outgoing};
use beeiq_core::batch::{Ids, Keys, Outcome, Overlay, Pending, Rejection, Request};
use beeiq_core::diagnostics::{Code, Fault, Warning};
use beeiq_core::formats::{Format, Item};
use beeiq_core::records::counter::Counter;
use std::collections::HashSet;
use uuid::Uuid;

pub(super) struct Batch<'a> {
    pub(super) org: Uuid,
    /// The deliveries, in order.
    pub(super) parts: &'a [Part<'a>],
    /// What the query asked for: several deliveries only where none asked for anything.
    pub(super) options: Options,
    pub(super) outgoing: Outgoing<'a>,
}

/// What of a delivery is run.
pub(super) struct Part<'a> {
    pub(super) items: Vec<&'a Item>,
    /// What is odd about the request as a whole.
    pub(super) warnings: Vec<Warning>,
    pub(super) request: Request<'a>,
    pub(super) format: Format,
}

/// What became of a batch.
pub(super) struct Decided {
    /// Of each delivery.
    pub(super) results: Vec<DeliveryResult>,
    /// What is to be written.
    pub(super) pending: Pending,
    /// Whether messages have been written already, or are among what is to be.
    pub(super) queues_messages: bool,
}

type ActionResult = Result<Outcome, Rejection>;

/// Adds what the actions of a delivery mention.
pub(super) fn collect_keys<'i>(
    items: impl IntoIterator<Item = &'i Item>,
    request: Request<'_>,
    keys: &mut Keys,
) {
    keys.sms |= request.context.listener.welcome_sms.is_some();
    for action in items.into_iter().filter_map(|item| item.action.as_ref()) {
        action.collect_keys(keys);
    }
}

impl Batch<'_> {
    /// Decides the whole batch in the transaction that is open, as many statements for one action
    /// as for thousands. `keys` is at least what the actions mention.
    pub(super) fn decide(
        &self,
        conn: &mut Conn,
        keys: &Keys,
        codes: &mut Reserved,
    ) -> Result<Decided, StoreError> {
        let (results, pending) = self.decide_parts(conn, self.parts, keys, codes)?;
        let created = pending.created_ids();
        let pending = if self.applies(&results) { pending } else { Pending::default() };
        let queues_messages = !pending.messages.is_empty();
        Ok(Decided { results: self.results(results, &created), pending, queues_messages })
    }

    /// Runs the actions one by one, each in a savepoint of its own, so that where the database
    /// refuses a batch for a reason that no check foresaw only the action at fault fails.
    pub(super) fn run_one_by_one(
        &self,
        conn: &mut Conn,
        codes: &mut Reserved,
    ) -> Result<Decided, StoreError> {
        let (mut created, mut queues_messages) = (HashSet::new(), false);
        let done = savepoint(conn, |conn| {
            let mut all = Vec::with_capacity(self.parts.len());
            for part in self.parts {
                let mut results = Vec::with_capacity(part.items.len());
                for item in &part.items {
                    let (result, pending) = self.run_one(conn, part, item, codes)?;
                    results.push(result);
                    created.extend(pending.created_ids());
                    queues_messages |= !pending.messages.is_empty();
                }
                all.push(results);
            }
            if self.applies(&all) { Ok(all) } else { Err(Undone::Withdrawn(all)) }
        });
        let results = match done {
            Ok(results) => results,
            Err(Undone::Withdrawn(results)) => {
                queues_messages = false;
                results
            }
            Err(Undone::Store(error)) => return Err(error),
        };
        let results = self.results(results, &created);
        Ok(Decided { results, pending: Pending::default(), queues_messages })
    }

    /// Runs one action in a savepoint: what became of it, and what was written.
    fn run_one(
        &self,
        conn: &mut Conn,
        part: &Part<'_>,
        item: &Item,
        codes: &mut Reserved,
    ) -> Result<(ActionResult, Pending), StoreError> {
        let Part { request, format, .. } = *part;
        let mut keys = Keys::default();
        collect_keys([item], request, &mut keys);
        let done = savepoint(conn, |conn| {
            let part = Part { items: vec![item], warnings: Vec::new(), request, format };
            let (results, pending) = self.decide_parts(conn, &[part], &keys, codes)?;
            writes::write(conn, self.org, &pending, &[], self.outgoing)?;
            Ok((results.into_iter().flatten().next(), pending))
        });
        match done {
            Ok((Some(result), pending)) => Ok((result, pending)),
            Ok((None, _)) => Err(StoreError::Conflict),
            Err(
                error @ (StoreError::Conflict
                | StoreError::Unavailable(_)
                | StoreError::OutcomeUnknown { .. }),
            ) => Err(error),
            Err(cause) => {
                tracing::error!(%cause, item.index, "a check is missing: the database refused an action");
                Ok((Err(refused(format, item.index)), Pending::default()))
            }
        }
    }

    /// Whether what was decided is to be written.
    fn applies(&self, results: &[Vec<ActionResult>]) -> bool {
        let withdrawn = self.options.atomic && results.iter().flatten().any(Result::is_err);
        !self.options.dry_run && !withdrawn
    }

    fn decide_parts(
        &self,
        conn: &mut Conn,
        parts: &[Part<'_>],
        keys: &Keys,
        codes: &mut Reserved,
    ) -> Result<(Vec<Vec<ActionResult>>, Pending), StoreError> {
        let Some(first) = parts.first() else { return Ok(Default::default()) };
        let snapshot = batch_load::load(conn, self.org, keys)?;
        let mut overlay = Overlay::new(first.request, snapshot);
        let mut ids = RequestIds { codes };
        let mut results = Vec::with_capacity(parts.len());
        for part in parts {
            overlay.request = part.request;
            let decide = |item: &&Item| {
                let decision = item.decide(&overlay, &mut ids)?;
                overlay.apply(decision.changes);
                Ok(decision.outcome)
            };
            results.push(part.items.iter().map(decide).collect());
        }
        Ok((results, overlay.into_pending()))
    }

    fn results(
        &self,
        results: Vec<Vec<ActionResult>>,
        created: &HashSet<Uuid>,
    ) -> Vec<DeliveryResult> {
        let of_part = |(part, results): (&Part<'_>, Vec<ActionResult>)| {
            let actions = part.items.iter().zip(results).map(|(item, result)| DecidedAction {
                index: item.index,
                action_type: item.action_type.clone(),
                result,
            });
            DeliveryResult {
                actions: actions.collect(),
                warnings: part.warnings.clone(),
                // A dry run shows no ids of what it would have made.
                unreal: if self.options.dry_run { created.clone() } else { HashSet::new() },
            }
        };
        self.parts.iter().zip(results).map(of_part).collect()
    }
}

/// Why what was run one by one is undone.
enum Undone {
    /// As asked: a dry run, or an atomic request of which an action failed.
    Withdrawn(Vec<Vec<ActionResult>>),
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
fn refused(format: Format, index: usize) -> Rejection {
    let message = "This action could not be stored; it has been logged under the requestId.";
    Rejection {
        faults: vec![Fault::new(Code::Internal, format.pointer_to(index), message)],
        warnings: Vec::new(),
    }
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
