//! Connections: other systems as sources of an org (`connections.md`).

use super::token::Token;
use crate::words;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

words! {
    /// Which system (`connections.md` 1, `kind`). Its word is also the `source` of what it tells.
    #[schema(as = ConnectionKind)]
    pub enum Source {
        Oktium => "oktium",
        Iadvize => "iadvize",
        Wolkvox => "wolkvox",
    }
}

impl Source {
    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oktium => "Oktium",
            Self::Iadvize => "iAdvize",
            Self::Wolkvox => "wolkvox",
        }
    }

    /// Whether it sends by itself what happens; the others are asked.
    pub const fn pushes(self) -> bool {
        match self {
            Self::Oktium => true,
            Self::Iadvize | Self::Wolkvox => false,
        }
    }

    /// What a customer is called of whom it tells no name (`connections.md` 1, "Who it is").
    #[must_use]
    pub fn placeholder(self, id: &str) -> String {
        format!("{} customer {id}", self.name())
    }

    /// Whether a name is such a placeholder: it counts as empty when a real one comes.
    #[must_use]
    pub fn is_placeholder(name: &str) -> bool {
        Self::ALL.iter().any(|source| {
            name.strip_prefix(source.name()).is_some_and(|rest| rest.starts_with(" customer "))
        })
    }
}

words! {
    /// What happens to a customer who is there already (`connections.md` 1).
    pub enum OnMatch {
        /// Single fields only where they are empty; lists gain.
        Fill => "fill",
        /// As update-contact does.
        Update => "update",
        /// Nothing.
        Skip => "skip",
    }
}

/// A connection as what it hears is read by: its settings without the secrets.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether anything is taken or asked for.
    pub enabled: bool,
    /// The listener whose defaults apply.
    pub listener: Uuid,
    /// The user for whom it acts.
    pub sender: Uuid,
    /// The tokens that lead here, where it is sent what happens.
    pub tokens: Vec<Token>,
    /// Whether customers it makes get the listener's welcome messages.
    pub welcome: bool,
    /// What happens to customers who are there.
    pub on_match: OnMatch,
    /// What there is to set of that kind of source.
    pub settings: SourceSettings,
}

impl Connection {
    /// Which system it is to.
    pub const fn source(&self) -> Source {
        self.settings.source()
    }

    /// What it takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let of_map = |map: &BTreeMap<String, String>| -> usize {
            map.iter().map(|(key, value)| ENTRY + key.len() + value.len()).sum()
        };
        let settings = match &self.settings {
            SourceSettings::Oktium(settings) => of_map(&settings.stages),
            SourceSettings::Iadvize(settings) => ENTRY * settings.website_ids.len(),
            SourceSettings::Wolkvox(settings) => {
                let listed = settings.campaign_ids.len() + settings.document_types.len();
                ENTRY * listed + of_map(&settings.fields) + of_map(&settings.result_tags)
            }
        };
        8 * ENTRY + self.name.len() + ENTRY * self.tokens.len() + settings
    }
}

/// What there is to set, by the kind of source, without secrets.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the kinds say it")]
pub enum SourceSettings {
    Oktium(OktiumSettings),
    Iadvize(IadvizeSettings),
    Wolkvox(WolkvoxSettings),
}

impl SourceSettings {
    /// Which kind it is of.
    pub const fn source(&self) -> Source {
        match self {
            Self::Oktium(_) => Source::Oktium,
            Self::Iadvize(_) => Source::Iadvize,
            Self::Wolkvox(_) => Source::Wolkvox,
        }
    }
}

/// `connections.md` 2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct OktiumSettings {
    /// What `X-Oktium-Business-Id` has to be.
    pub business_id: Option<String>,
    /// The deal stage of each status of an order.
    pub stages: BTreeMap<String, String>,
    /// The stage of a new deal whose status is not among them; the org's first where it is not said.
    pub default_stage: Option<String>,
}

/// `connections.md` 3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct IadvizeSettings {
    /// Where its interface is.
    pub base_url: String,
    /// Which websites; all where none is named.
    pub website_ids: Vec<String>,
    /// What is pulled.
    pub resources: Vec<IadvizeResource>,
    /// Seconds from the begin of a run to the next.
    pub every_seconds: u32,
    /// The stage of a new deal; the org's first where it is not said.
    pub stage: Option<String>,
    /// Whether a call-back that is asked for opens a ticket.
    pub ticket_for_pending_callbacks: bool,
}

impl Default for IadvizeSettings {
    fn default() -> Self {
        Self {
            base_url: "https://www.iadvize.com/api/2".to_owned(),
            website_ids: Vec::new(),
            resources: IadvizeResource::ALL.to_vec(),
            every_seconds: EVERY_SECONDS,
            stage: None,
            ticket_for_pending_callbacks: false,
        }
    }
}

words! {
    /// What is pulled of iAdvize, in the order in which it is: what is told of a conversation comes
    /// after it.
    pub enum IadvizeResource {
        Conversations => "conversations",
        Transactions => "transactions",
        Satisfactions => "satisfactions",
        Callmeetings => "callmeetings",
    }
}

/// `connections.md` 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct WolkvoxSettings {
    /// The number or name of the server.
    pub server: String,
    /// Where its interface is, where that does not follow from `server`.
    pub base_url: Option<String>,
    /// The campaigns whose results are pulled.
    pub campaign_ids: Vec<String>,
    /// In which times are written; the org's where it is not said.
    #[serde(with = "zone")]
    pub time_zone: Option<Tz>,
    /// Seconds from the begin of a run to the next.
    pub every_seconds: u32,
    /// The `id_type`s whose `customer_id` is a passport, in any case.
    pub document_types: Vec<String>,
    /// What `opt` fields mean: `email`, `passport`, `bgInfo` or `cusFields.<name>`.
    pub fields: BTreeMap<String, String>,
    /// The tag of each result.
    pub result_tags: BTreeMap<String, String>,
}

impl Default for WolkvoxSettings {
    fn default() -> Self {
        Self {
            server: String::new(),
            base_url: None,
            campaign_ids: Vec::new(),
            time_zone: None,
            every_seconds: EVERY_SECONDS,
            document_types: Vec::new(),
            fields: BTreeMap::new(),
            result_tags: BTreeMap::new(),
        }
    }
}

/// What an entry of a list or map takes beside its text; texts of settings are short.
const ENTRY: usize = 256;

const EVERY_SECONDS: u32 = 300;

/// A time zone by its IANA name.
mod zone {
    use super::Tz;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(zone: &Option<Tz>, serializer: S) -> Result<S::Ok, S::Error> {
        zone.map(Tz::name).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Tz>, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        name.map(|name| name.parse().map_err(D::Error::custom)).transpose()
    }
}

words! {
    /// What has become of a run (`connections.md` 1).
    pub enum RunStatus {
        Running => "running",
        Succeeded => "succeeded",
        /// Some of its resources failed.
        Partial => "partial",
        Failed => "failed",
    }
}

/// An external id of a customer, as reads show it (`connections.md` 1, "Who it is").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ExternalId {
    /// The system whose id it is.
    pub source: Source,
    /// The id.
    pub id: String,
}

/// A window of time that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its begin, included.
    pub from: DateTime<Utc>,
    /// Its end, excluded.
    pub to: DateTime<Utc>,
}
