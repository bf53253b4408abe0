//! `/api/v1/slas` (`api.md` 4).

use super::resource::{ByName, Change, Entry, Refusal, Resource, Settings, room, unused};
use crate::access::Actor;
use crate::http::page::Query;
use crate::service::validity;
use crate::store::pool::Conn;
use crate::store::settings::rows::Rows;
use crate::store::settings::usage::Referred;
use crate::store::settings::{slas, vocabulary};
use beeiq_core::diagnostics::{Code, Fault};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// The most service levels.
const MOST: i64 = 1000;

/// What of a service level can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlaSettings {
    /// Unique in the org, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// How soon a ticket is to be answered; a year at most. Tickets that there are keep their times.
    #[validate(range(
        min = 1,
        max = 525_600,
        message = "It is a number of minutes from 1 to 525600."
    ))]
    #[schema(minimum = 1, maximum = 525_600)]
    first_response_minutes: i32,
    /// How soon a ticket is to be resolved: not before it is to be answered.
    #[validate(range(
        min = 1,
        max = 525_600,
        message = "It is a number of minutes from 1 to 525600."
    ))]
    #[schema(minimum = 1, maximum = 525_600)]
    resolution_minutes: i32,
}

impl Settings for SlaSettings {
    const NAME: &'static str = "Sla";
    const WHAT: &'static str = "SLA";

    fn key(&self) -> &str {
        &self.name
    }
}

/// A service level.
pub type Sla = Entry<SlaSettings>;
/// What changes of one.
pub type SlaChange = Change<SlaSettings>;

impl SlaSettings {
    fn times(&self) -> Result<(i32, i32), Problem> {
        if self.resolution_minutes < self.first_response_minutes {
            let message = "A ticket is not to be resolved before it is to be answered.";
            let fault = Fault::new(Code::OutOfRange, "/resolutionMinutes", message);
            return Err(Problem::fields(vec![fault]));
        }
        Ok((self.first_response_minutes, self.resolution_minutes))
    }
}

/// The resource.
#[derive(Clone)]
struct Slas;

impl Resource for Slas {
    type Settings = SlaSettings;
    type Filter = ByName;

    fn path(&self) -> &'static str {
        "slas"
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
    ) -> Result<Vec<Sla>, Problem> {
        let found = slas::list(conn, org, rows, filter.key())?;
        Ok(found
            .into_iter()
            .map(|row| {
                let slas::Sla { id, name, first_response_minutes, resolution_minutes, created_at } =
                    row;
                let settings = SlaSettings { name, first_response_minutes, resolution_minutes };
                Entry { id, settings, created_at }
            })
            .collect())
    }

    fn create(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        id: Uuid,
        settings: &SlaSettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        room(slas::count(conn, actor.org)?, MOST, "SLA")?;
        let times = settings.times()?;
        Ok(vocabulary::create_sla(conn, actor.org, id, &settings.name, times, now)?)
    }

    fn change(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &Sla,
        settings: &SlaSettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let times = settings.times()?;
        Ok(slas::update(conn, actor.org, present.id, &settings.name, times, now)?)
    }

    fn delete(&self, conn: &mut Conn, actor: &Actor, present: &Sla) -> Result<(), Refusal> {
        unused(conn, actor.org, Referred::Sla, "SLA", present.id)?;
        Ok(slas::delete(conn, actor.org, present.id)?)
    }
}

super::operations::handlers! {
    resource: Slas, paths: ("/api/v1/slas", "/api/v1/slas/{id}"), tag: "SLAs",
    one: "service level", several: "service levels", named: ("Sla", "Slas"),
    entry: Sla, settings: SlaSettings, change: SlaChange,
    filters: [("name" = Option<String>, Query, description = "Of this name, in any case")]
}
