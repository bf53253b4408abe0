//! Where the data is.

use crate::store::pool::DbConfig;
use anyhow::Context;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub struct DatabaseSettings {
    /// The Postgres database, as a libpq URL
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<SecretString>,
    /// The most connections that this process opens
    #[arg(
        long,
        env = "BEEIQ_POOL_SIZE",
        default_value_t = 16,
        value_parser = clap::value_parser!(u32).range(1..=1000),
        value_name = "N"
    )]
    pub pool_size: u32,
}

impl DatabaseSettings {
    /// The URL.
    ///
    /// # Errors
    /// When none is set.
    pub fn url(&self) -> anyhow::Result<&str> {
        let set = self.database_url.as_ref().filter(|url| !url.expose_secret().is_empty());
        let url = set.context(
            "DATABASE_URL is not set: it names the Postgres database, as in \
             postgres://user:password@host/database",
        )?;
        Ok(url.expose_secret())
    }

    /// What the pool needs to know.
    ///
    /// # Errors
    /// As [`DatabaseSettings::url`].
    pub fn pool(&self) -> anyhow::Result<DbConfig> {
        Ok(DbConfig {
            url: self.url()?.to_owned(),
            pool_size: self.pool_size,
            wait: Duration::from_secs(3),
        })
    }
}
