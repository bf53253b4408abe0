//! `/api/v1/sources`, `/channels`, `/deal-stages`, `/deal-categories`, `/deal-packages`
//! (`api.md` 4): the lists of names that an org chooses from.
//!
//! Where an org chooses, the entries come by `position` and then by name; lists of the API are
//! newest first, as all are.

use super::resource::{ByName, Change, Entry, Refusal, Resource, Settings, in_use, room, unused};
use crate::access::Actor;
use crate::http::page::Query;
use crate::problem::Problem;
use crate::service::validity;
use crate::store::pool::Conn;
use crate::store::settings::picklists;
use crate::store::settings::rows::Rows;
use crate::store::settings::usage::Referred;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// The most entries of a list.
const MOST: i64 = 1000;

/// What of an entry of a list can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PicklistEntrySettings {
    /// Unique in the list, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Its place where an org chooses; of equal places the name decides. Absent: at the end. A new
    /// deal without a stage, on a listener that skips, gets the first.
    #[validate(range(
        min = 0,
        max = 1_000_000,
        message = "A position is a number from 0 to 1000000."
    ))]
    #[schema(minimum = 0, maximum = 1_000_000)]
    position: Option<i32>,
}

impl Settings for PicklistEntrySettings {
    const NAME: &'static str = "PicklistEntry";
    const WHAT: &'static str = "entry";

    fn key(&self) -> &str {
        &self.name
    }
}

/// An entry of a list.
pub type PicklistEntry = Entry<PicklistEntrySettings>;
/// What changes of one.
pub type PicklistEntryChange = Change<PicklistEntrySettings>;

/// One of the lists.
#[derive(Clone, Copy)]
struct Picklist {
    /// Its name in the database.
    list: &'static str,
    /// Its path.
    path: &'static str,
}

impl Picklist {
    const STAGES: &'static str = "deal_stage";

    fn place(
        self,
        conn: &mut Conn,
        org: Uuid,
        settings: &PicklistEntrySettings,
    ) -> Result<i32, Problem> {
        match settings.position {
            Some(position) => Ok(position),
            None => Ok(picklists::end(conn, org, self.list)?),
        }
    }
}

impl Resource for Picklist {
    type Settings = PicklistEntrySettings;
    type Filter = ByName;

    fn path(&self) -> &'static str {
        self.path
    }

    fn filter(query: &Query) -> Result<ByName, Problem> {
        Ok(ByName::of(query))
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &ByName,
    ) -> Result<Vec<PicklistEntry>, Problem> {
        let found = picklists::list(conn, org, self.list, rows, filter.key())?;
        Ok(found
            .into_iter()
            .map(|picklists::Entry { id, name, position, created_at }| Entry {
                id,
                settings: PicklistEntrySettings { name, position: Some(position) },
                created_at,
            })
            .collect())
    }

    fn create(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        id: Uuid,
        settings: &PicklistEntrySettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        room(picklists::count(conn, actor.org, self.list)?, MOST, "list")?;
        let position = self.place(conn, actor.org, settings)?;
        let values = (settings.name.as_str(), position);
        Ok(picklists::create(conn, actor.org, id, self.list, values, now)?)
    }

    fn change(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &PicklistEntry,
        settings: &PicklistEntrySettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let position = self.place(conn, actor.org, settings)?;
        let values = (settings.name.as_str(), position);
        Ok(picklists::update(conn, actor.org, present.id, values, now)?)
    }

    /// A deal needs a stage, so the last one stays.
    fn delete(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &PicklistEntry,
    ) -> Result<(), Refusal> {
        unused(conn, actor.org, Referred::PicklistEntry, "entry", present.id)?;
        if self.list == Self::STAGES && picklists::count(conn, actor.org, self.list)? == 1 {
            return Err(
                in_use("stage", "deals to come, as the only one", "Add another first.").into()
            );
        }
        Ok(picklists::delete(conn, actor.org, present.id)?)
    }
}

/// Where customers come from.
pub mod sources {
    use super::{Picklist, PicklistEntry, PicklistEntryChange, PicklistEntrySettings};

    super::super::operations::handlers! {
        resource: Picklist { list: "source", path: "sources" },
        paths: ("/api/v1/sources", "/api/v1/sources/{id}"), tag: "Sources",
        one: "source", several: "sources", named: ("Source", "Sources"),
        entry: PicklistEntry, settings: PicklistEntrySettings, change: PicklistEntryChange,
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

/// Through which notes and tickets come. A new org has the nine of `listener.md` 7; payloads find
/// them by these names, so an org that renames or deletes one does without it.
pub mod channels {
    use super::{Picklist, PicklistEntry, PicklistEntryChange, PicklistEntrySettings};

    super::super::operations::handlers! {
        resource: Picklist { list: "channel", path: "channels" },
        paths: ("/api/v1/channels", "/api/v1/channels/{id}"), tag: "Channels",
        one: "channel", several: "channels", named: ("Channel", "Channels"),
        entry: PicklistEntry, settings: PicklistEntrySettings, change: PicklistEntryChange,
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

/// How far a deal has come.
pub mod deal_stages {
    use super::{Picklist, PicklistEntry, PicklistEntryChange, PicklistEntrySettings};

    super::super::operations::handlers! {
        resource: Picklist { list: Picklist::STAGES, path: "deal-stages" },
        paths: ("/api/v1/deal-stages", "/api/v1/deal-stages/{id}"), tag: "Deal stages",
        one: "deal stage", several: "deal stages", named: ("DealStage", "DealStages"),
        entry: PicklistEntry, settings: PicklistEntrySettings, change: PicklistEntryChange,
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

/// What kinds of deal there are.
pub mod deal_categories {
    use super::{Picklist, PicklistEntry, PicklistEntryChange, PicklistEntrySettings};

    super::super::operations::handlers! {
        resource: Picklist { list: "deal_category", path: "deal-categories" },
        paths: ("/api/v1/deal-categories", "/api/v1/deal-categories/{id}"), tag: "Deal categories",
        one: "deal category", several: "deal categories",
        named: ("DealCategory", "DealCategories"),
        entry: PicklistEntry, settings: PicklistEntrySettings, change: PicklistEntryChange,
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}

/// What deals may be about.
pub mod deal_packages {
    use super::{Picklist, PicklistEntry, PicklistEntryChange, PicklistEntrySettings};

    super::super::operations::handlers! {
        resource: Picklist { list: "deal_package", path: "deal-packages" },
        paths: ("/api/v1/deal-packages", "/api/v1/deal-packages/{id}"), tag: "Deal packages",
        one: "deal package", several: "deal packages", named: ("DealPackage", "DealPackages"),
        entry: PicklistEntry, settings: PicklistEntrySettings, change: PicklistEntryChange,
        filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
    }
}
