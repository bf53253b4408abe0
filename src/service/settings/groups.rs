//! Groups (`api.md` 4).

use super::members::users_of;
use super::{ByName, Changing, Edit, Entry, Resource, Settings, Written, room};
use crate::problem::Result;
use crate::service::validity;
use crate::store::pool::Conn;
use crate::store::settings::Rows;
use crate::store::settings::groups::{self, GroupValues};
use crate::store::settings::references::Referred;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

const MOST: i64 = 1000;

/// What of a group can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupSettings {
    /// Unique in the org, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    pub name: String,
    /// The e-mails of the users in it.
    #[serde(default, deserialize_with = "validity::all_cleaned")]
    #[validate(length(max = 10_000, message = "A group has at most 10000 members."))]
    #[schema(max_items = 10_000)]
    pub members: Vec<String>,
}

impl Settings for GroupSettings {
    const NAME: &'static str = "Group";
    const WHAT: &'static str = "group";

    fn key(&self) -> &str {
        &self.name
    }
}

#[derive(Clone)]
pub struct Groups;

impl Resource for Groups {
    type Settings = GroupSettings;
    type Extra = ();
    type Filter = ByName;

    fn path(&self) -> &'static str {
        "groups"
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &ByName,
    ) -> Result<Vec<Entry<GroupSettings>>> {
        let found = groups::list(conn, org, rows, filter.key())?;
        let entry = |groups::Group { id, name, members, created_at }| {
            Entry::new(id, GroupSettings { name, members }, created_at)
        };
        Ok(found.into_iter().map(entry).collect())
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &GroupSettings) -> Written {
        room(groups::count(edit.conn, edit.org)?, MOST, "group")?;
        let members = users_of(edit.conn, edit.org, &settings.members)?;
        groups::create(edit.conn, edit.org, id, &GroupValues { name: &settings.name }, edit.now)?;
        Ok(groups::set_members(edit.conn, edit.org, id, &members)?)
    }

    fn delete(&self, edit: &mut Edit<'_>, present: &Entry<GroupSettings>) -> Written {
        edit.unused(Referred::Group, "group", present.id)?;
        Ok(groups::delete(edit.conn, edit.org, present.id)?)
    }
}

impl Changing for Groups {
    fn change(
        &self,
        edit: &mut Edit<'_>,
        present: &Entry<GroupSettings>,
        settings: &GroupSettings,
    ) -> Written {
        let members = users_of(edit.conn, edit.org, &settings.members)?;
        let values = GroupValues { name: &settings.name };
        groups::update(edit.conn, edit.org, present.id, &values, edit.now)?;
        Ok(groups::set_members(edit.conn, edit.org, present.id, &members)?)
    }
}
