//! `beeiq migrate`.

use crate::config::DatabaseSettings;
use crate::store::pool::migrate;
use anyhow::Context;

pub(crate) fn run(settings: &DatabaseSettings) -> anyhow::Result<()> {
    for migration in migrate(settings.url()?).context("the database cannot be migrated")? {
        tracing::info!(migration, "applied");
    }
    Ok(())
}
