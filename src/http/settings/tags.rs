//! `/api/v1/tags` (`api.md` 4). Payloads make tags as well; the limit here does not hold those up.

use super::resource::{ByName, Change, Entry, Refusal, Resource, Settings, room, unused};
use crate::access::Actor;
use crate::http::page::Query;
use crate::service::validity;
use crate::store::pool::Conn;
use crate::store::settings::rows::Rows;
use crate::store::settings::tags;
use crate::store::settings::usage::Referred;
use beeiq_core::diagnostics::Code;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// The most tags that are made here.
const MOST: i64 = 10_000;

/// What of a tag can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagSettings {
    /// Unique in the org, in any case; without a comma, which separates tags in payloads.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "tag_name"))]
    #[schema(min_length = 1, max_length = 255, pattern = "^[^,]*$")]
    name: String,
}

fn tag_name(name: &str) -> Result<(), ValidationError> {
    if name.contains(',') {
        return Err(validity::broken(Code::InvalidValue, "A tag has no comma in it."));
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

/// A tag.
pub type Tag = Entry<TagSettings>;
/// What changes of one.
pub type TagChange = Change<TagSettings>;

/// The resource.
#[derive(Clone)]
struct Tags;

impl Resource for Tags {
    type Settings = TagSettings;
    type Filter = ByName;

    fn path(&self) -> &'static str {
        "tags"
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
    ) -> Result<Vec<Tag>, Problem> {
        let found = tags::list(conn, org, rows, filter.key())?;
        Ok(found
            .into_iter()
            .map(|tags::Tag { id, name, created_at }| Entry {
                id,
                settings: TagSettings { name },
                created_at,
            })
            .collect())
    }

    fn create(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        id: Uuid,
        settings: &TagSettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        room(tags::count(conn, actor.org)?, MOST, "tag")?;
        Ok(tags::create(conn, actor.org, id, &settings.name, now)?)
    }

    fn change(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &Tag,
        settings: &TagSettings,
        _: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        Ok(tags::update(conn, actor.org, present.id, &settings.name)?)
    }

    fn delete(&self, conn: &mut Conn, actor: &Actor, present: &Tag) -> Result<(), Refusal> {
        unused(conn, actor.org, Referred::Tag, "tag", present.id)?;
        Ok(tags::delete(conn, actor.org, present.id)?)
    }
}

super::operations::handlers! {
    resource: Tags, paths: ("/api/v1/tags", "/api/v1/tags/{id}"), tag: "Tags",
    one: "tag", several: "tags", named: ("Tag", "Tags"),
    entry: Tag, settings: TagSettings, change: TagChange,
    filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
}
