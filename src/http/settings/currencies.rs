//! `/api/v1/currencies` (`api.md` 4). One is named by its code in paths, and has no other field to
//! change but whether it is the default.

use super::resource::{Change, Entry, Refusal, Resource, Settings, in_use, unused};
use crate::access::Actor;
use crate::http::page::Query;
use crate::service::validity;
use crate::store::pool::Conn;
use crate::store::settings::currencies;
use crate::store::settings::rows::Rows;
use crate::store::settings::usage::Referred;
use beeiq_core::diagnostics::{Code, Fault};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// What of a currency can be set.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CurrencySettings {
    /// ISO 4217. It cannot be changed: delete the currency, and add another.
    #[serde(deserialize_with = "upper_case")]
    #[validate(custom(function = "known_code"))]
    #[schema(pattern = "^[A-Za-z]{3}$", example = "VND")]
    code: String,
    /// Whether deals that name none are in it. One is: making another the default ends this one's.
    #[serde(default)]
    default: bool,
}

fn upper_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(validity::cleaned(deserializer)?.to_uppercase())
}

fn known_code(code: &str) -> Result<(), ValidationError> {
    match iso_currency::Currency::from_code(code) {
        Some(_) => Ok(()),
        None => Err(validity::broken(
            Code::InvalidValue,
            "It must be the code of a currency in ISO 4217, such as VND, USD or EUR.",
        )),
    }
}

impl Settings for CurrencySettings {
    const NAME: &'static str = "Currency";
    const WHAT: &'static str = "currency";

    fn key(&self) -> &str {
        &self.code
    }

    fn key_pointer() -> &'static str {
        "/code"
    }
}

/// A currency.
pub type Currency = Entry<CurrencySettings>;
/// What changes of one.
pub type CurrencyChange = Change<CurrencySettings>;

/// The resource.
#[derive(Clone)]
struct Currencies;

impl Resource for Currencies {
    type Settings = CurrencySettings;
    /// The code.
    type Filter = Option<String>;
    const FILTERS: &'static [&'static str] = &["code"];

    fn path(&self) -> &'static str {
        "currencies"
    }

    fn filter(query: &Query) -> Result<Option<String>, Problem> {
        Ok(query.get("code").map(str::to_uppercase))
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        filter: &Option<String>,
    ) -> Result<Vec<Currency>, Problem> {
        let found = currencies::list(conn, org, rows, filter.as_deref())?;
        Ok(found
            .into_iter()
            .map(|currencies::Currency { id, code, created_at, default_code }| Entry {
                id,
                settings: CurrencySettings { default: code == default_code, code },
                created_at,
            })
            .collect())
    }

    fn named(&self, conn: &mut Conn, org: Uuid, code: &str) -> Result<Option<Uuid>, Problem> {
        let rows = Rows::page(None, 1);
        let found = currencies::list(conn, org, rows, Some(&code.to_uppercase()))?;
        Ok(found.first().map(|currency| currency.id))
    }

    fn name_in_path(entry: &Currency) -> String {
        entry.settings.code.clone()
    }

    fn create(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        id: Uuid,
        settings: &CurrencySettings,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        currencies::create(conn, actor.org, id, &settings.code, now)?;
        if settings.default {
            currencies::set_default(conn, actor.org, &settings.code)?;
        }
        Ok(())
    }

    fn change(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        present: &Currency,
        settings: &CurrencySettings,
        _: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        let fault = if settings.code != present.settings.code {
            Some(("/code", "A code cannot be changed; delete the currency, and add another."))
        } else if present.settings.default && !settings.default {
            Some(("/default", "One currency is the default; make another the default instead."))
        } else {
            None
        };
        if let Some((pointer, message)) = fault {
            let fault = Fault::new(Code::InvalidValue, pointer, message);
            return Err(Problem::fields(vec![fault]).into());
        }
        if settings.default {
            currencies::set_default(conn, actor.org, &settings.code)?;
        }
        Ok(())
    }

    fn delete(&self, conn: &mut Conn, actor: &Actor, present: &Currency) -> Result<(), Refusal> {
        if present.settings.default {
            let remedy = "Make another the default first.";
            return Err(in_use("currency", "the org as its default", remedy).into());
        }
        unused(conn, actor.org, Referred::Currency, "currency", present.id)?;
        Ok(currencies::delete(conn, actor.org, present.id)?)
    }
}

super::operations::handlers! {
    resource: Currencies, paths: ("/api/v1/currencies", "/api/v1/currencies/{id}"),
    tag: "Currencies", one: "currency", several: "currencies", named: ("Currency", "Currencies"),
    entry: Currency, settings: CurrencySettings, change: CurrencyChange,
    filters: [("code" = Option<String>, Query, description = "With this code")]
}
