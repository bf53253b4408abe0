//! The settings: flags, environment variables and `--help` from one definition (`api.md` 1).

use crate::db::DbConfig;
use crate::secrets::{Secret, SecretKey};
use actix_web::http::Uri;
use anyhow::Context;
use clap::{Args, ValueEnum};
use ipnetwork::IpNetwork;
use std::net::SocketAddr;
use std::time::Duration;

/// What `beeiq serve` is told.
#[derive(Args, Clone, Debug)]
pub struct ServeSettings {
    /// Where and as what the server is reached.
    #[command(flatten)]
    pub http: HttpSettings,
    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// How much a request may ask for.
    #[command(flatten)]
    pub limits: Limits,
    /// What new orgs are given.
    #[command(flatten)]
    pub orgs: OrgSettings,
    /// What is logged how.
    #[command(flatten)]
    pub log: LogSettings,
    /// 32 bytes in base64; tokens are hashed and secrets sealed with keys derived from it
    #[arg(long, env = "BEEIQ_SECRET_KEY", hide_env_values = true, value_name = "BASE64")]
    pub secret_key: Option<Secret<String>>,
    /// Whether messages are sent, or captured in the outbox only (staging)
    #[arg(long, env = "BEEIQ_ENVIRONMENT", value_enum, default_value_t = Environment::Production)]
    pub environment: Environment,
    /// Start without applying pending migrations
    #[arg(long)]
    pub no_migrate: bool,
}

impl ServeSettings {
    /// The secret key.
    ///
    /// # Errors
    /// When it is missing or malformed; its text is not in the message.
    pub fn secret_key(&self) -> anyhow::Result<SecretKey> {
        let set = self.secret_key.as_ref().filter(|text| !text.expose().is_empty());
        let text = set.context(
            "BEEIQ_SECRET_KEY is not set: it must be 32 bytes in base64; \
             `openssl rand -base64 32` makes one",
        )?;
        text.expose().parse().context("BEEIQ_SECRET_KEY is malformed")
    }
}

/// Where and as what the server is reached.
#[derive(Args, Clone, Debug)]
pub struct HttpSettings {
    /// The address and port to listen on
    #[arg(long, env = "BEEIQ_BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub bind: SocketAddr,
    /// What the URLs given out begin with [default: http://<bind>]
    #[arg(long, env = "BEEIQ_PUBLIC_URL", value_parser = public_url, value_name = "URL")]
    pub public_url: Option<String>,
    /// Where /metrics is served, if not with everything else
    #[arg(long, env = "BEEIQ_METRICS_BIND", value_name = "ADDRESS:PORT")]
    pub metrics_bind: Option<SocketAddr>,
    /// Networks of reverse proxies whose X-Forwarded-For is believed, comma separated
    #[arg(
        long,
        env = "BEEIQ_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_parser = network,
        value_name = "CIDR,…"
    )]
    pub trusted_proxies: Vec<IpNetwork>,
}

impl HttpSettings {
    /// What URLs begin with, without a slash at the end, for a server bound to that address.
    #[must_use]
    pub fn public_url(&self, bound: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{bound}"))
    }
}

/// Where the data is.
#[derive(Args, Clone, Debug)]
pub struct DatabaseSettings {
    /// The Postgres database, as a libpq URL
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<Secret<String>>,
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
        let set = self.database_url.as_ref().filter(|url| !url.expose().is_empty());
        let url = set.context(
            "DATABASE_URL is not set: it names the Postgres database, as in \
             postgres://user:password@host/database",
        )?;
        Ok(url.expose())
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

/// How much a request to a listener may ask for (`listener.md` 1).
#[derive(Args, Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body that a listener takes, in bytes
    #[arg(long, env = "BEEIQ_MAX_BODY_BYTES", default_value_t = 10 * 1024 * 1024, value_name = "N")]
    pub max_body_bytes: usize,
    /// The most actions in a body
    #[arg(long, env = "BEEIQ_MAX_ACTIONS", default_value_t = 5000, value_name = "N")]
    pub max_actions: usize,
    /// The deepest nesting of a body; the outer object is the first level
    #[arg(
        long,
        env = "BEEIQ_MAX_NESTING",
        default_value_t = 32,
        value_parser = clap::value_parser!(u32).range(3..=100),
        value_name = "N"
    )]
    pub max_nesting: u32,
    /// How long a body may take to arrive, in seconds
    #[arg(
        long = "body-deadline-seconds",
        env = "BEEIQ_BODY_DEADLINE_SECONDS",
        default_value = "30",
        value_parser = seconds,
        value_name = "N"
    )]
    pub body_deadline: Duration,
    /// The least a body has to arrive by, in bytes a second
    #[arg(long, env = "BEEIQ_MIN_BODY_RATE", default_value_t = 1024, value_name = "N")]
    pub min_body_rate: u64,
    /// From when on a body has to arrive that fast, in seconds
    #[arg(
        long = "body-grace-seconds",
        env = "BEEIQ_BODY_GRACE_SECONDS",
        default_value = "5",
        value_parser = seconds,
        value_name = "N"
    )]
    pub body_grace: Duration,
}

/// What new orgs are given.
#[derive(Args, Clone, Copy, Debug)]
pub struct OrgSettings {
    /// Trial SMS segments of a new org
    #[arg(
        long,
        env = "BEEIQ_SMS_TRIAL_CREDITS",
        default_value_t = 20,
        value_parser = clap::value_parser!(i64).range(0..),
        value_name = "N"
    )]
    pub sms_trial_credits: i64,
}

/// What is logged how.
#[derive(Args, Clone, Debug)]
pub struct LogSettings {
    /// How log lines look
    #[arg(long, env = "BEEIQ_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
    /// What is logged: a level, or target=level pairs
    #[arg(
        long,
        env = "BEEIQ_LOG",
        default_value = "info,actix_server=warn",
        value_name = "FILTER"
    )]
    pub log_filter: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A JSON object a line.
    Json,
    /// Text for people.
    Text,
}

/// Whether messages leave this instance (`api.md` 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// Messages are sent.
    Production,
    /// Messages are captured in the outbox.
    Staging,
}

impl Environment {
    /// Its name in settings and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
        }
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let uri: Uri = text.parse().map_err(|_| "not a URL".to_owned())?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !web || uri.authority().is_none() || uri.query().is_some() {
        return Err("must be an http or https URL without a query".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn network(text: &str) -> Result<IpNetwork, String> {
    text.trim().parse().map_err(|_| "must be an address or a network such as 10.0.0.0/8".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds from 1 to 3600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        settings: ServeSettings,
    }

    fn parse(flags: &[&str]) -> Result<ServeSettings, String> {
        Program::try_parse_from([&["beeiq"], flags].concat())
            .map(|program| program.settings)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_public_url_is_the_bound_address_unless_set() {
        let bound = "127.0.0.1:4711".parse().unwrap();
        let url = |flags: &[&str]| parse(flags).unwrap().http.public_url(bound);
        assert_eq!(url(&[]), "http://127.0.0.1:4711");
        assert_eq!(url(&["--public-url", "https://crm.example/in/"]), "https://crm.example/in");
    }

    #[test]
    fn invalid_settings_are_refused_by_name() {
        for (flag, value) in [
            ("--bind", "localhost"),
            ("--public-url", "ftp://x"),
            ("--public-url", "/listener"),
            ("--public-url", "http://x/?a=b"),
            ("--trusted-proxies", "10.0.0.0/8,proxy"),
            ("--pool-size", "0"),
            ("--max-body-bytes", "-1"),
            ("--body-deadline-seconds", "0"),
            ("--sms-trial-credits", "-1"),
            ("--environment", "test"),
        ] {
            let argument = format!("{flag}={value}");
            assert!(parse(&[&argument]).unwrap_err().contains(flag), "{argument}");
        }
    }

    #[test]
    fn a_missing_or_malformed_secret_key_is_said_without_showing_it() {
        let missing = parse(&[]).unwrap().secret_key().unwrap_err();
        assert!(missing.to_string().contains("BEEIQ_SECRET_KEY is not set"));
        let settings = parse(&["--secret-key", "hunter2"]).unwrap();
        let malformed = format!("{:#}", settings.secret_key().unwrap_err());
        assert!(malformed.contains("32 bytes") && !malformed.contains("hunter2"), "{malformed}");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn networks_are_read_from_a_comma_separated_list() {
        let settings = parse(&["--trusted-proxies", "10.0.0.0/8, 192.0.2.1,2001:db8::/32"]);
        assert_eq!(settings.unwrap().http.trusted_proxies.len(), 3);
    }
}
