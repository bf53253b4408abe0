//! A batch, from what it mentions to what is written: loaded, decided, written (`design.md`).

use super::answer::{Verdict, Verdicted, Verdicts};
use super::codes::Reserved;
use super::envelope::Item;
use super::received::Options;
use crate::actions::{Ids, Mentions, Pending, Rejection, Request, Workspace};
use crate::clock;
use crate::db::{Conn, savepoint};
use crate::domain::counter::Counter;
use crate::domain::fault::{Code, Fault, Pointer, Warning};
use crate::error::{DbError, StoreError};
use crate::store::batch_load::{self, OrgState};
use crate::store::writes::{self, Origin};
use std::collections::HashSet;
use uuid::Uuid;

/// What a batch is run by.
pub struct Batch<'a> {
    /// Whose it is.
    pub org: Uuid,
    /// The actions.
    pub items: &'a [&'a Item],
    /// What is odd about the request as a whole.
    pub warnings: &'a [Warning],
    /// What deciding needs to know of the request.
    pub request: Request<'a>,
    /// What writing needs to know of it.
    pub origin: Origin<'a>,
    /// What the query asked for.
    pub options: Options,
}

/// What the actions of an envelope mention.
#[must_use]
pub fn mentions<'i>(items: impl IntoIterator<Item = &'i Item>) -> Mentions {
    let mut mentions = Mentions::default();
    for action in items.into_iter().filter_map(|item| item.action.as_ref()) {
        action.mention(&mut mentions);
    }
    mentions
}

impl Batch<'_> {
    /// Runs the whole batch in the transaction that is open: as many statements for one action as
    /// for thousands.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it has to be done again.
    pub fn run(
        &self,
        conn: &mut Conn,
        state: OrgState,
        codes: &mut Reserved,
    ) -> Result<Verdicts, StoreError> {
        let (verdicts, pending) = self.decide(conn, self.items, state, codes)?;
        let created = pending.made();
        if self.applies(&verdicts) {
            writes::write(conn, self.org, &pending, self.origin)?;
        }
        Ok(self.verdicts(verdicts, created))
    }

    /// Runs the actions one by one, each in a savepoint of its own, so that where the database
    /// refuses a batch for a reason that no check foresaw only the action at fault fails.
    ///
    /// # Errors
    /// As [`Batch::run`].
    pub fn run_one_by_one(
        &self,
        conn: &mut Conn,
        codes: &mut Reserved,
    ) -> Result<Verdicts, StoreError> {
        let mut created = HashSet::new();
        let done = savepoint(conn, |conn| {
            let verdicts = self.each_in_its_savepoint(conn, codes, &mut created)?;
            if self.applies(&verdicts) { Ok(verdicts) } else { Err(Undone::Withdrawn(verdicts)) }
        });
        match done {
            Ok(verdicts) | Err(Undone::Withdrawn(verdicts)) => Ok(self.verdicts(verdicts, created)),
            Err(Undone::Store(error)) => Err(error),
        }
    }

    fn each_in_its_savepoint(
        &self,
        conn: &mut Conn,
        codes: &mut Reserved,
        created: &mut HashSet<Uuid>,
    ) -> Result<Vec<Verdict>, StoreError> {
        let mut verdicts = Vec::new();
        for item in self.items {
            let one = savepoint(conn, |conn| {
                let state = batch_load::org_state(conn, self.org)?;
                let (verdict, pending) =
                    self.decide(conn, std::slice::from_ref(item), state, codes)?;
                created.extend(pending.made());
                writes::write(conn, self.org, &pending, self.origin)?;
                Ok(verdict)
            });
            match one {
                Ok(verdict) => verdicts.extend(verdict),
                Err(error @ (StoreError::Conflict | StoreError::Unavailable(_))) => {
                    return Err(error);
                }
                Err(cause) => {
                    tracing::error!(%cause, item.index, "a check is missing: the database refused an action");
                    verdicts.push(Err(refused(item.index)));
                }
            }
        }
        Ok(verdicts)
    }

    /// Whether what was decided is to be written.
    fn applies(&self, verdicts: &[Verdict]) -> bool {
        let withdrawn = self.options.atomic && verdicts.iter().any(Result::is_err);
        !self.options.dry_run && !withdrawn
    }

    fn decide(
        &self,
        conn: &mut Conn,
        items: &[&Item],
        state: OrgState,
        codes: &mut Reserved,
    ) -> Result<(Vec<Verdict>, Pending), StoreError> {
        let loaded = batch_load::load(conn, self.org, &mentions(items.iter().copied()), state)?;
        let mut workspace = Workspace::new(self.request, loaded);
        let mut ids = RequestIds { codes };
        let verdicts = items
            .iter()
            .map(|item| {
                let Some(action) = &item.action else {
                    return Err(item.findings.clone().into());
                };
                let decision = action.decide(&workspace, &mut ids, item.findings.clone())?;
                workspace.apply(decision.changes);
                Ok(decision.outcome)
            })
            .collect();
        Ok((verdicts, workspace.into_pending()))
    }

    fn verdicts(&self, verdicts: Vec<Verdict>, created: HashSet<Uuid>) -> Verdicts {
        let actions = self.items.iter().zip(verdicts).map(|(item, verdict)| Verdicted {
            index: item.index,
            action_type: item.action_type.clone(),
            verdict,
        });
        Verdicts { actions: actions.collect(), warnings: self.warnings.to_vec(), created }
    }
}

/// Why what was run one by one is undone.
enum Undone {
    /// As asked: a dry run, or an atomic request of which an action failed.
    Withdrawn(Vec<Verdict>),
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
