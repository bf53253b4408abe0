//! Settings: what an org's owner and admins set up, a resource each. All have one way to be listed,
//! created, read, changed and deleted, to be checked, and to be told of in the audit log (`api.md`
//! 2, 4). What is a resource's own it says by [`Resource`], in its file.

pub(crate) mod api_keys;
pub(crate) mod connections;
pub(crate) mod currencies;
pub mod custom_fields;
pub mod groups;
pub mod listeners;
mod members;
pub mod names;
pub mod picklists;
pub mod users;

use super::audit;
pub(crate) use super::audit::Subject;
use super::validity::check;
use crate::access::{Actor, Role};
use crate::clock;
use crate::problem::{Problem, Result};
use crate::store::directory;
use crate::store::error::{DbError, StoreError};
use crate::store::pool::Conn;
use crate::store::settings::Rows;
use crate::store::settings::references::{Referred, referring};
use beeiq_core::diagnostics::Code;
use beeiq_core::records::audit::{Action, changes};
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;
use validator::Validate;

const OTHERS_FIRST: &str = "Give them another one first, or none.";

/// What can be set of a resource: the body of a create, and a read one's but for what the server
/// sets.
pub trait Settings: Serialize + DeserializeOwned + Validate + Send + 'static {
    /// What one of the resource is called in the document, such as `DealStage`.
    const NAME: &'static str;
    /// What it is called in messages, such as "deal stage".
    const WHAT: &'static str;

    /// What it is known by in the org.
    fn key(&self) -> &str;
}

/// One of a resource, as it is shown. `X` is what the server shows beside the usual.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry<S, X = ()> {
    pub id: Uuid,
    #[serde(flatten)]
    pub settings: S,
    pub created_at: DateTime<Utc>,
    #[serde(flatten)]
    pub extra: X,
}

pub type EntryOf<R> = Entry<<R as Resource>::Settings, <R as Resource>::Extra>;

impl<S> Entry<S> {
    pub(crate) fn new(id: Uuid, settings: S, created_at: DateTime<Utc>) -> Self {
        Self { id, settings, created_at, extra: () }
    }
}

/// What a change of a resource means to deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deliveries {
    /// They know nothing of it.
    Unaware,
    /// They read the directory anew.
    Informed,
    /// And they wait meanwhile, since records refer to it.
    HeldBack,
}

/// Which of a list are asked for.
pub trait ListFilter: Default + Send + 'static {
    /// The parameters that make it.
    const PARAMETERS: &'static [&'static str];

    fn of(parameters: Parameters<'_>) -> Result<Self, UnfitFilter>;
}

/// All of them.
impl ListFilter for () {
    const PARAMETERS: &'static [&'static str] = &[];

    fn of(_: Parameters<'_>) -> Result<(), UnfitFilter> {
        Ok(())
    }
}

/// A filter of a list whose value does not fit: its name, and what follows it in the sentence.
pub struct UnfitFilter(pub &'static str, pub &'static str);

/// The parameters of a list, by name.
pub type Parameters<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A resource of settings: what is its own.
pub trait Resource: Clone + Send + 'static {
    type Settings: Settings;
    type Extra: Serialize + Send + 'static;
    type Filter: ListFilter;

    const DELIVERIES: Deliveries = Deliveries::HeldBack;

    /// The last part of its path.
    fn path(&self) -> &'static str;

    /// Those that are asked for, newest first.
    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &Self::Filter,
    ) -> Result<Vec<EntryOf<Self>>>;

    /// The id of what a path names.
    fn named(&self, _: &mut Conn, _: Uuid, text: &str) -> Result<Option<Uuid>> {
        Ok(text.parse().ok())
    }

    /// What a path names it by.
    fn name_in_path(entry: &EntryOf<Self>) -> String {
        entry.id.to_string()
    }

    /// What a change could overwrite.
    fn version(entry: &EntryOf<Self>) -> Result<Value> {
        json(entry)
    }

    /// Refuses where one can be deleted, but not be shown.
    fn check_shown(_: &EntryOf<Self>) -> Result<()> {
        Ok(())
    }

    /// Refuses settings that are at fault.
    fn check(&self, _: &mut Edit<'_>, settings: &Self::Settings) -> Result<()> {
        check(settings)
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &Self::Settings) -> Written;

    fn delete(&self, edit: &mut Edit<'_>, present: &EntryOf<Self>) -> Written;
}

/// A resource that can be changed.
pub trait Changing: Resource {
    fn change(
        &self,
        edit: &mut Edit<'_>,
        present: &EntryOf<Self>,
        settings: &Self::Settings,
    ) -> Written;
}

/// An edit of an org's settings, in the transaction that is open.
pub struct Edit<'a> {
    pub conn: &'a mut Conn,
    pub org: Uuid,
    /// Who asks. None: the operator, who may do everything, and of whom the audit log tells nothing.
    pub actor: Option<&'a Actor>,
    pub now: DateTime<Utc>,
}

impl<'a> Edit<'a> {
    pub(crate) fn of(conn: &'a mut Conn, actor: &'a Actor) -> Self {
        Self { conn, org: actor.org, actor: Some(actor), now: clock::now() }
    }

    pub fn of_operator(conn: &'a mut Conn, org: Uuid) -> Self {
        Self { conn, org, actor: None, now: clock::now() }
    }

    /// The operator may do what an owner may.
    pub(crate) fn role(&self) -> Role {
        self.actor.map_or(Role::Owner, |actor| actor.role)
    }

    pub(crate) fn is_owner(&self) -> bool {
        self.role() == Role::Owner
    }

    pub(crate) fn log(
        &mut self,
        action: Action,
        subject: Subject<'_>,
        changes: &Value,
    ) -> Result<(), StoreError> {
        match self.actor {
            Some(actor) => audit::record(self.conn, actor, action, subject, changes),
            None => Ok(()),
        }
    }

    /// Refuses where something refers to it.
    fn unused(&mut self, referred: Referred, what: &str, id: Uuid) -> Result<()> {
        match referring(self.conn, self.org, referred, id)? {
            Some(by) if referred == Referred::User => {
                Err(in_use(what, &by, "Deactivate them instead."))
            }
            Some(by) => Err(in_use(what, &by, OTHERS_FIRST)),
            None => Ok(()),
        }
    }

    /// Has changes of the org's settings take turns, and deliveries do what they must.
    fn begin(&mut self, deliveries: Deliveries) -> Result<(), StoreError> {
        match deliveries {
            Deliveries::Unaware => return Ok(()),
            Deliveries::Informed => {}
            Deliveries::HeldBack => directory::hold_deliveries(self.conn, self.org)?,
        }
        directory::bump(self.conn, self.org)
    }
}

/// Whether something was set.
pub type Written = Result<(), Refusal>;

/// Why something was not set.
pub enum Refusal {
    Problem(Problem),
    /// The database, which may mean a name that is taken or a thing in use.
    Store(StoreError),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl Refusal {
    fn of_writing<S: Settings>(self, settings: &S) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Store(error) => taken(error, S::WHAT, settings.key()),
        }
    }

    fn of_deleting(self, what: &str) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Store(StoreError::Reference(_)) => in_use(what, "other records", OTHERS_FIRST),
            Self::Store(error) => error.into(),
        }
    }
}

/// The problem of a write, which may be that `value` is taken.
pub(crate) fn taken(error: StoreError, what: &str, value: &str) -> Problem {
    let fault = match &error {
        StoreError::Taken(constraint) => constraint.fault(what, value),
        StoreError::Conflict
        | StoreError::Unavailable(_)
        | StoreError::OutcomeUnknown { .. }
        | StoreError::Reference(_)
        | StoreError::Refused(_) => None,
    };
    match fault {
        Some(fault) => Problem::new(fault.code, fault.message.clone()).with_errors(vec![fault]),
        None => error.into(),
    }
}

pub(crate) fn list<R: Resource>(
    conn: &mut Conn,
    org: Uuid,
    resource: &R,
    rows: Rows,
    filter: &R::Filter,
) -> Result<Vec<EntryOf<R>>> {
    let found = resource.load(conn, org, rows, filter)?;
    found.iter().try_for_each(R::check_shown)?;
    Ok(found)
}

pub(crate) fn read<R: Resource>(
    conn: &mut Conn,
    org: Uuid,
    resource: &R,
    id: &str,
) -> Result<EntryOf<R>> {
    let entry = found(conn, org, resource, id)?;
    R::check_shown(&entry)?;
    Ok(entry)
}

pub fn create<R: Resource>(
    edit: &mut Edit<'_>,
    resource: &R,
    settings: &R::Settings,
) -> Result<EntryOf<R>> {
    if R::DELIVERIES != Deliveries::Unaware {
        edit.begin(Deliveries::Informed)?;
    }
    resource.check(edit, settings)?;
    let id = clock::new_id();
    resource.create(edit, id, settings).map_err(|refusal| refusal.of_writing(settings))?;
    let entry = loaded(edit.conn, edit.org, resource, id)?;
    R::check_shown(&entry)?;
    log(edit, resource, Action::Created, None, Some(&entry))?;
    Ok(entry)
}

/// Changes one into what `wanted` makes of it.
pub(crate) fn change<R: Changing>(
    edit: &mut Edit<'_>,
    resource: &R,
    id: &str,
    wanted: impl FnOnce(&EntryOf<R>) -> Result<R::Settings>,
) -> Result<EntryOf<R>> {
    edit.begin(R::DELIVERIES)?;
    let present = found(edit.conn, edit.org, resource, id)?;
    let wanted = wanted(&present)?;
    resource.check(edit, &wanted)?;
    resource.change(edit, &present, &wanted).map_err(|refusal| refusal.of_writing(&wanted))?;
    let entry = loaded(edit.conn, edit.org, resource, present.id)?;
    R::check_shown(&entry)?;
    log(edit, resource, Action::Changed, Some(&present), Some(&entry))?;
    Ok(entry)
}

/// Deletes one, unless `may` objects.
pub(crate) fn delete<R: Resource>(
    edit: &mut Edit<'_>,
    resource: &R,
    id: &str,
    may: impl FnOnce(&EntryOf<R>) -> Result<()>,
) -> Result<()> {
    edit.begin(R::DELIVERIES)?;
    let present = found(edit.conn, edit.org, resource, id)?;
    may(&present)?;
    resource.delete(edit, &present).map_err(|refusal| refusal.of_deleting(R::Settings::WHAT))?;
    log(edit, resource, Action::Deleted, Some(&present), None)
}

/// What a path names.
fn found<R: Resource>(conn: &mut Conn, org: Uuid, resource: &R, id: &str) -> Result<EntryOf<R>> {
    let id = resource.named(conn, org, id)?;
    let id = id.ok_or_else(|| Problem::not_found(R::Settings::WHAT))?;
    loaded(conn, org, resource, id)
}

fn loaded<R: Resource>(conn: &mut Conn, org: Uuid, resource: &R, id: Uuid) -> Result<EntryOf<R>> {
    let found = resource.load(conn, org, Rows::one(id), &R::Filter::default())?;
    found.into_iter().next().ok_or_else(|| Problem::not_found(R::Settings::WHAT))
}

/// A change of nothing writes no line.
fn log<R: Resource>(
    edit: &mut Edit<'_>,
    resource: &R,
    action: Action,
    before: Option<&EntryOf<R>>,
    after: Option<&EntryOf<R>>,
) -> Result<()> {
    let Some(entry) = after.or(before) else {
        return Ok(());
    };
    let settings =
        |entry: Option<&EntryOf<R>>| entry.map_or(Ok(Value::Null), |entry| json(&entry.settings));
    let changes = changes(&settings(before)?, &settings(after)?);
    if action == Action::Changed && changes.as_object().is_some_and(|it| it.is_empty()) {
        return Ok(());
    }
    let id = R::name_in_path(before.unwrap_or(entry));
    let subject = Subject { resource: resource.path(), id: &id, name: entry.settings.key() };
    Ok(edit.log(action, subject, &changes)?)
}

/// A representation as JSON, with all fields.
pub(crate) fn json(representation: &impl Serialize) -> Result<Value> {
    serde_json::to_value(representation).map_err(|error| {
        tracing::error!(%error, "a setting cannot be written");
        Problem::new(Code::Internal, "The setting cannot be shown; this has been logged.")
    })
}

/// 409 `in_use`, saying by what, and what to do about it.
fn in_use(what: &str, by: &str, remedy: &str) -> Problem {
    Problem::new(Code::InUse, format!("This {what} is in use by {by}. {remedy}"))
}

/// Refuses where the org has as many as it may have.
fn room(count: i64, most: i64, what: &str) -> Result<()> {
    if count < most {
        return Ok(());
    }
    let detail = format!("There are {most} already, the most that an org may have of a {what}.");
    Err(Problem::new(Code::LimitReached, detail))
}

/// Refuses where the org's directory, which every process keeps in memory, would grow beyond what
/// it may have of something: `bytes` are those in use, `more` what is written instead of `less`.
fn room_of_bytes(
    bytes: i64,
    less: usize,
    more: usize,
    most: usize,
    what: &str,
) -> Result<(), Problem> {
    let after =
        usize::try_from(bytes).unwrap_or_default().saturating_sub(less).saturating_add(more);
    if more <= less || after <= most {
        return Ok(());
    }
    let detail = format!(
        "All {what} of an org have {} KiB together, and with this they would have more; shorten or \
         remove some.",
        most / 1024
    );
    Err(Problem::new(Code::LimitReached, detail))
}

/// The filter of a list by name, in any case.
#[derive(Debug, Default)]
pub struct ByName(Option<String>);

impl ListFilter for ByName {
    const PARAMETERS: &'static [&'static str] = &["name"];

    fn of(parameters: Parameters<'_>) -> Result<Self, UnfitFilter> {
        Ok(Self(parameters("name").map(|name| fold(&name))))
    }
}

impl ByName {
    fn key(&self) -> Option<&str> {
        self.0.as_deref()
    }
}
