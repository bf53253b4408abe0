//! Resources that are a name with a field or two: tags and service levels. Each says what its
//! fields are, and which row they make.

use super::room;
use super::{ByName, Changing, Edit, Entry, Resource, Settings, Written};
use crate::problem::Result;
use crate::service::validity::{self, broken};
use crate::store::pool::Conn;
use crate::store::settings::names::{Sla, Tag};
use crate::store::settings::references::Referred;
use crate::store::settings::{NamedTable, Row, Rows};
use beeiq_core::diagnostics::Code;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// The resource of such settings.
#[derive(Clone)]
pub struct Names<S>(PhantomData<S>);

impl<S> Default for Names<S> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

pub(crate) trait Named: Settings + Clone {
    type Row: NamedTable;
    /// The last part of its path.
    const PATH: &'static str;
    /// The most that an org has.
    const MOST: i64;
    /// As what records refer to it.
    const REFERRED: Option<Referred>;

    fn row(&self) -> Self::Row;
    fn of(row: Self::Row) -> Self;
}

impl<S: Named> Resource for Names<S> {
    type Settings = S;
    type Extra = ();
    type Filter = ByName;

    fn path(&self) -> &'static str {
        S::PATH
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &ByName,
    ) -> Result<Vec<Entry<S>>> {
        let found = S::Row::list(conn, org, rows, filter.key())?;
        let entry = |Row { id, values, created_at }| Entry::new(id, S::of(values), created_at);
        Ok(found.into_iter().map(entry).collect())
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &S) -> Written {
        room(S::Row::count(edit.conn, edit.org)?, S::MOST, S::WHAT)?;
        Ok(S::Row::create(edit.conn, edit.org, id, &settings.row(), edit.now)?)
    }

    fn delete(&self, edit: &mut Edit<'_>, present: &Entry<S>) -> Written {
        if let Some(referred) = S::REFERRED {
            edit.unused(referred, S::WHAT, present.id)?;
        }
        Ok(S::Row::delete(edit.conn, edit.org, present.id)?)
    }
}

impl<S: Named> Changing for Names<S> {
    fn change(&self, edit: &mut Edit<'_>, present: &Entry<S>, settings: &S) -> Written {
        Ok(S::Row::update(edit.conn, edit.org, present.id, &settings.row(), edit.now)?)
    }
}

/// What of a tag can be set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagSettings {
    /// Unique in the org, in any case; without a comma, which separates tags in payloads.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "tag_name"))]
    #[schema(min_length = 1, max_length = 255, pattern = "^[^,]*$")]
    pub name: String,
}

fn tag_name(name: &str) -> Result<(), ValidationError> {
    if name.contains(',') {
        return Err(broken(Code::InvalidValue, "A tag has no comma in it."));
    }
    validity::name(name)
}

impl Settings for TagSettings {
    const NAME: &'static str = "Tag";
    const WHAT: &'static str = "tag";

    fn key(&self) -> &str {
        &self.name
    }
}

/// Payloads make tags as well; the limit here does not hold those up.
impl Named for TagSettings {
    type Row = Tag;
    const PATH: &'static str = "tags";
    const MOST: i64 = 10_000;
    const REFERRED: Option<Referred> = Some(Referred::Tag);

    fn row(&self) -> Tag {
        let Self { name } = self.clone();
        Tag { name }
    }

    fn of(Tag { name }: Tag) -> Self {
        Self { name }
    }
}

/// What of a service level can be set.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[validate(schema(function = "answered_before_resolved", skip_on_field_errors = true))]
pub struct SlaSettings {
    /// Unique in the org, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// How soon a ticket is to be answered; a year at most. Tickets that there are keep their times.
    #[validate(range(
        min = 1,
        max = 525_600,
        message = "It is a number of minutes from 1 to 525600."
    ))]
    #[schema(minimum = 1, maximum = 525_600)]
    pub first_response_minutes: i32,
    /// How soon a ticket is to be resolved: not before it is to be answered.
    #[validate(range(
        min = 1,
        max = 525_600,
        message = "It is a number of minutes from 1 to 525600."
    ))]
    #[schema(minimum = 1, maximum = 525_600)]
    pub resolution_minutes: i32,
}

fn answered_before_resolved(sla: &SlaSettings) -> Result<(), ValidationError> {
    if sla.resolution_minutes < sla.first_response_minutes {
        let message = "A ticket is not to be resolved before it is to be answered.";
        return Err(validity::broken_at("/resolutionMinutes", Code::OutOfRange, message));
    }
    Ok(())
}

impl Settings for SlaSettings {
    const NAME: &'static str = "Sla";
    const WHAT: &'static str = "SLA";

    fn key(&self) -> &str {
        &self.name
    }
}

impl Named for SlaSettings {
    type Row = Sla;
    const PATH: &'static str = "slas";
    const MOST: i64 = 1000;
    const REFERRED: Option<Referred> = Some(Referred::Sla);

    fn row(&self) -> Sla {
        let Self { name, first_response_minutes, resolution_minutes } = self.clone();
        Sla { name, first_response_minutes, resolution_minutes }
    }

    fn of(Sla { name, first_response_minutes, resolution_minutes }: Sla) -> Self {
        Self { name, first_response_minutes, resolution_minutes }
    }
}
