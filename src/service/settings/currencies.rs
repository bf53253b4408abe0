//! Currencies (`api.md` 4). One is named by its code in paths, and has no other field to change but
//! whether it is the default.

use super::{
    Changing, Edit, Entry, ListFilter, Parameters, Resource, Settings, UnfitFilter, Written, in_use,
};
use crate::problem::{Problem, Result};
use crate::service::validity;
use crate::store::pool::Conn;
use crate::store::settings::references::Referred;
use crate::store::settings::{Rows, currencies};
use beeiq_core::diagnostics::{Code, Fault};
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
    pub code: String,
    /// Whether deals that name none are in it. One is: making another the default ends this one's.
    #[serde(default)]
    pub default: bool,
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
}

#[derive(Default)]
pub struct ByCode(Option<String>);

impl ListFilter for ByCode {
    const PARAMETERS: &'static [&'static str] = &["code"];

    fn of(parameters: Parameters<'_>) -> Result<Self, UnfitFilter> {
        Ok(Self(parameters("code").map(|code| code.to_uppercase())))
    }
}

#[derive(Clone)]
pub struct Currencies;

impl Resource for Currencies {
    type Settings = CurrencySettings;
    type Extra = ();
    type Filter = ByCode;

    fn path(&self) -> &'static str {
        "currencies"
    }

    fn load(
        &self,
        conn: &mut Conn,
        org: Uuid,
        rows: Rows,
        ByCode(code): &ByCode,
    ) -> Result<Vec<Entry<CurrencySettings>>> {
        let found = currencies::list(conn, org, rows, code.as_deref())?;
        let entry = |currencies::Currency { id, code, created_at, default_code }| {
            Entry::new(id, CurrencySettings { default: code == default_code, code }, created_at)
        };
        Ok(found.into_iter().map(entry).collect())
    }

    fn named(&self, conn: &mut Conn, org: Uuid, code: &str) -> Result<Option<Uuid>> {
        let rows = Rows::page(None, 1);
        let found = currencies::list(conn, org, rows, Some(&code.to_uppercase()))?;
        Ok(found.first().map(|currency| currency.id))
    }

    fn name_in_path(entry: &Entry<CurrencySettings>) -> String {
        entry.settings.code.clone()
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &CurrencySettings) -> Written {
        currencies::create(edit.conn, edit.org, id, &settings.code, edit.now)?;
        if settings.default {
            currencies::set_default(edit.conn, edit.org, &settings.code)?;
        }
        Ok(())
    }

    fn delete(&self, edit: &mut Edit<'_>, present: &Entry<CurrencySettings>) -> Written {
        if present.settings.default {
            let remedy = "Make another the default first.";
            return Err(in_use("currency", "the org as its default", remedy).into());
        }
        edit.unused(Referred::Currency, "currency", present.id)?;
        Ok(currencies::delete(edit.conn, edit.org, present.id)?)
    }
}

impl Changing for Currencies {
    fn change(
        &self,
        edit: &mut Edit<'_>,
        present: &Entry<CurrencySettings>,
        settings: &CurrencySettings,
    ) -> Written {
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
            currencies::set_default(edit.conn, edit.org, &settings.code)?;
        }
        Ok(())
    }
}
