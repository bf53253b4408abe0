//! API keys (`api.md` 3): how programs call the management API. Deliveries know nothing of them.

use super::{Deliveries, Edit, Entry, Resource, Settings, Written, create};
use crate::access::Role;
use crate::access::secrets::{Keyring, TokenHash, TokenKind, new_token};
use crate::clock;
use crate::problem::{Problem, Result};
use crate::service::validity;
use crate::store::access::api_keys::{self, ApiKeyRow, NewApiKey};
use crate::store::orgs;
use crate::store::pool::Conn;
use crate::store::settings::Rows;
use crate::store::word::Stored;
use beeiq_core::diagnostics::Code;
use beeiq_core::values::text::fold;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// An API key to be made.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewKey)]
pub struct ApiKeySettings {
    /// Unique in the org, in any case.
    #[serde(deserialize_with = "validity::cleaned")]
    #[validate(custom(function = "validity::name"))]
    #[schema(min_length = 1, max_length = 255, example = "Nightly report")]
    name: String,
    /// What it may do. A member's key reads what everybody may read.
    role: Role,
    /// When it ends, in the future; null: when it is deleted.
    #[validate(custom(function = "in_the_future"))]
    expires_at: Option<DateTime<Utc>>,
}

fn in_the_future(end: &DateTime<Utc>) -> Result<(), ValidationError> {
    if *end > clock::now() {
        return Ok(());
    }
    let message = "It would have expired already; give a time in the future, or none.";
    Err(validity::broken(Code::OutOfRange, message))
}

impl Settings for ApiKeySettings {
    const NAME: &'static str = "ApiKey";
    const WHAT: &'static str = "API key";

    fn key(&self) -> &str {
        &self.name
    }
}

/// What is shown of an API key besides.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyUse {
    /// When it was used last, to five minutes; null: never.
    last_used_at: Option<DateTime<Utc>>,
}

pub type ApiKey = Entry<ApiKeySettings, ApiKeyUse>;

#[derive(Clone, Default)]
pub struct ApiKeys {
    /// Of the key that is to be made.
    token: Option<TokenHash>,
}

impl Resource for ApiKeys {
    type Settings = ApiKeySettings;
    type Extra = ApiKeyUse;
    type Filter = ();
    const DELIVERIES: Deliveries = Deliveries::Unaware;

    fn path(&self) -> &'static str {
        "api-keys"
    }

    fn load(&self, conn: &mut Conn, org: Uuid, rows: Rows, (): &()) -> Result<Vec<ApiKey>> {
        let entry =
            |ApiKeyRow { id, name, role: Stored(role), expires_at, last_used_at, created_at }| {
                let settings = ApiKeySettings { name, role, expires_at };
                Ok(Entry { id, settings, created_at, extra: ApiKeyUse { last_used_at } })
            };
        api_keys::list(conn, org, rows)?.into_iter().map(entry).collect()
    }

    fn create(&self, edit: &mut Edit<'_>, id: Uuid, settings: &ApiKeySettings) -> Written {
        let ApiKeySettings { name, role, expires_at } = settings;
        may_hold(edit, *role)?;
        let token = self.token.ok_or_else(|| Problem::not_found("key"))?;
        let key = NewApiKey {
            id,
            name,
            name_key: &fold(name),
            role: role.as_str(),
            token_hash: &token.hash,
            key_id: &token.key_id,
            expires_at: *expires_at,
            created_at: edit.now,
        };
        Ok(api_keys::create(edit.conn, edit.org, &key)?)
    }

    /// It ends at once.
    fn delete(&self, edit: &mut Edit<'_>, present: &ApiKey) -> Written {
        may_hold(edit, present.settings.role)?;
        Ok(api_keys::delete(edit.conn, edit.org, present.id)?)
    }
}

/// Makes a key, which is shown this once.
pub(crate) fn make(
    edit: &mut Edit<'_>,
    secret: &Keyring,
    settings: &ApiKeySettings,
) -> Result<(String, ApiKey)> {
    let org = orgs::with_id(edit.conn, edit.org)?.ok_or_else(|| Problem::not_found("org"))?;
    let key = new_token(TokenKind::ApiKey, &org.public_id);
    let token = Some(secret.token_hash(TokenKind::ApiKey, &key));
    let shown = create(edit, &ApiKeys { token }, settings)?;
    Ok((key, shown))
}

/// Whether the actor may make, and end, keys of that role.
fn may_hold(edit: &Edit<'_>, role: Role) -> Result<()> {
    if role == Role::Owner && !edit.is_owner() {
        let detail = "Only an owner may make or delete an owner's key.";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(())
}
