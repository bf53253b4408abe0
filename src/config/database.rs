//! Where the data is.

use crate::access::secrets::Secret;
use anyhow::Context;
use clap::Args;

#[derive(Args, Clone, Debug)]
pub struct DatabaseSettings {
    /// The Postgres database, as a libpq URL
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<Secret<String>>,
    /// The most connections that this process opens
    #[arg(long, env = "BEEIQ_POOL_SIZE", default_value_t = 16, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub pool_size: u32,
}

impl DatabaseSettings {
    pub fn url(&self) -> anyhow::Result<&str> {
        let set = self.database_url.as_ref().filter(|url| !url.expose().is_empty());
        let url = set.context(
            "DATABASE_URL (--database-url) is not set: it names the Postgres database, as in \
             postgres://user:password@host/database",
        )?;
        anyhow::ensure!(
            names_postgres(url.expose()),
            "DATABASE_URL (--database-url) is malformed: it must be as in \
             postgres://user:password@host/database"
        );
        Ok(url.expose())
    }
}

/// Whether it is in one of libpq's forms: a URL, or `host=… dbname=…`. Each has many variants, which
/// libpq itself judges.
fn names_postgres(text: &str) -> bool {
    let text = text.trim_start();
    match text.split_once("://") {
        Some((scheme, _)) if !scheme.contains('=') => matches!(scheme, "postgres" | "postgresql"),
        _ => text.contains('='),
    }
}

#[cfg(test)]
mod tests {
    use super::names_postgres;

    #[test]
    fn what_libpq_takes_is_told_from_what_it_never_takes() {
        for (text, expected) in [
            ("postgres://u:p@h/d", true),
            ("postgresql://h1:1,h2:2/d?target_session_attrs=any", true),
            ("postgres:///d?host=/run/postgresql", true),
            ("host=/run/postgresql dbname=d", true),
            ("dbname=d passfile=file://x", true),
            ("mysql://u:p@h/d?a=b", false),
            ("u:p@h/d", false),
            ("beeiq", false),
        ] {
            assert_eq!(names_postgres(text), expected, "{text}");
        }
    }
}
