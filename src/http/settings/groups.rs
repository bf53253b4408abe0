//! `/api/v1/groups` (`api.md` 4).

use super::members::users_of;
use super::resource::{ByName, Change, Entry, Refusal, Resource, Settings, room, unused};
use crate::access::Actor;
use crate::http::page::Query;
use crate::service::validity;
use crate::store::pool::Conn;
use crate::store::settings::rows::Rows;
use crate::store::settings::usage::Referred;
use crate::store::settings::{groups, vocabulary};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// The most groups.
const MOST: i64 = 1000;

/// What of a group can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GroupSettings {
    /// Unique in the org, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The e-mails of the users in it.
    #[serde(default, deserialize_with = "validity::all_cleaned")]
    #[validate(length(max = 10_000, message = "A group has at most 10000 members."))]
    #[schema(max_items = 10_000)]
    members: Vec<String>,
}

impl Settings for GroupSettings {
    const NAME: &'static str = "Group";
    const WHAT: &'static str = "group";

    fn key(&self) -> &str {
        &self.name
    }
}

/// A group.
pub type Group = Entry<GroupSettings>;
/// What changes of one.
pub type GroupChange = Change<GroupSettings>;

/// The resource.
#[derive(Clone)]
struct Groups;

impl Resource for Groups {
    type Settings = GroupSettings;
    type Filter = ByName;

    fn path(&self) -> &'static str {
        "groups"
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
    ) -> Result<Vec<Group>, Problem> {
        let found = groups::list(conn, org, rows, filter.key())?;
        Ok(found
            .into_iter()
            .map(|groups::Group { id, name, members, created_at }| Entry {
                id,
                settings: GroupSettings { name, members },
                created_at,
            })
            .collect())
    }

    fn create(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        id: Uuid,
        settings: &GroupSettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        room(groups::count(conn, actor.org)?, MOST, "group")?;
        let members = users_of(conn, actor.org, &settings.members)?;
        Ok(vocabulary::create_group(conn, actor.org, id, &settings.name, &members, now)?)
    }

    fn change(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &Group,
        settings: &GroupSettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let members = users_of(conn, actor.org, &settings.members)?;
        Ok(groups::update(conn, actor.org, present.id, &settings.name, &members, now)?)
    }

    fn delete(&self, conn: &mut Conn, actor: &Actor, present: &Group) -> Result<(), Refusal> {
        unused(conn, actor.org, Referred::Group, "group", present.id)?;
        Ok(groups::delete(conn, actor.org, present.id)?)
    }
}

super::operations::handlers! {
    resource: Groups, paths: ("/api/v1/groups", "/api/v1/groups/{id}"), tag: "Groups",
    one: "group", several: "groups", named: ("Group", "Groups"),
    entry: Group, settings: GroupSettings, change: GroupChange,
    filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
}
