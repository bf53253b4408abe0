//! The lists of names that an org chooses from: sources, channels, deal stages, categories and
//! packages (`api.md` 4).
//!
//! Where an org chooses, the entries come by `position` and then by name; lists of the API are
//! newest first, as all are.

use super::{ByName, Changing, Edit, Entry, Resource, Settings, Written, in_use, room};
use crate::problem::Result;
use crate::service::validity;
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use crate::store::settings::references::Referred;
use crate::store::settings::{Row, Rows, picklists};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

const MOST: i64 = 1000;

/// What of an entry of a list can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PicklistEntrySettings {
    /// Unique in the list, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// Its place where an org chooses; of equal places the name decides. Absent: at the end. A new
    /// deal without a stage, on a listener that skips, gets the first.
    #[validate(range(
        min = 0,
        max = 1_000_000,
        message = "A position is a number from 0 to 1000000."
    ))]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub position: Option<i32>,
}

impl Settings for PicklistEntrySettings {
    const NAME: &'static str = "PicklistEntry";
    const WHAT: &'static str = "entry";

    fn key(&self) -> &str {
        &self.name
    }
}

/// One of the lists, by its name in the database and its path.
#[derive(Clone, Copy)]
pub struct Picklist {
    list: &'static str,
    path: &'static str,
}

impl Picklist {
    pub const SOURCES: Self = Self { list: "source", path: "sources" };
    pub const CHANNELS: Self = Self { list: "channel", path: "channels" };
    pub const STAGES: Self = Self { list: "deal_stage", path: "deal-stages" };
    pub const CATEGORIES: Self = Self { list: "deal_category", path: "deal-categories" };
    pub const PACKAGES: Self = Self { list: "deal_package", path: "deal-packages" };

    fn row(
        self,
        edit: &mut Edit<'_>,
        settings: &PicklistEntrySettings,
    ) -> Result<picklists::Entry, StoreError> {
        let position = match settings.position {
            Some(position) => position,
            None => picklists::end(edit.conn, edit.org, self.list)?,
        };
        Ok(picklists::Entry { list: self.list.to_owned(), name: settings.name.clone(), position })
    }
}

impl Resource for Picklist {
    type Settings = PicklistEntrySettings;
    type Extra = ();
    type Filter = ByName;

    fn path(&self) -> &'static str {
        self.path
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &ByName,
    ) -> Result<Vec<Entry<PicklistEntrySettings>>> {
        let found = picklists::list(conn, org, self.list, rows, filter.key())?;
        let entry =
            |Row { id, values: picklists::Entry { list: _, name, position }, created_at }| {
                let settings = PicklistEntrySettings { name, position: Some(position) };
                Entry::new(id, settings, created_at)
            };
        Ok(found.into_iter().map(entry).collect())
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &PicklistEntrySettings) -> Written {
        room(picklists::count(edit.conn, edit.org, self.list)?, MOST, "list")?;
        let row = self.row(edit, settings)?;
        Ok(picklists::create(edit.conn, edit.org, id, &row, edit.now)?)
    }

    /// A deal needs a stage, so the last one stays.
    fn delete(&self, edit: &mut Edit<'_>, present: &Entry<PicklistEntrySettings>) -> Written {
        edit.unused(Referred::PicklistEntry, "entry", present.id)?;
        if self.list == Self::STAGES.list && picklists::count(edit.conn, edit.org, self.list)? == 1
        {
            let by = "deals to come, as the only one";
            return Err(in_use("stage", by, "Add another first.").into());
        }
        Ok(picklists::delete(edit.conn, edit.org, present.id)?)
    }
}

impl Changing for Picklist {
    fn change(
        &self,
        edit: &mut Edit<'_>,
        present: &Entry<PicklistEntrySettings>,
        settings: &PicklistEntrySettings,
    ) -> Written {
        let row = self.row(edit, settings)?;
        Ok(picklists::update(edit.conn, edit.org, present.id, &row, edit.now)?)
    }
}
