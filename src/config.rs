//! The settings: flags, environment variables and `--help` from one definition (`api.md` 1).

use crate::auth::sessions::Lifetime;
use crate::db::DbConfig;
use crate::secrets::{Secret, SecretKey};
use crate::senders::smtp::{Security, SmtpServer, SmtpTimeouts};
use actix_web::http::Uri;
use anyhow::Context;
use clap::{Args, ValueEnum};
use ipnetwork::IpNetwork;
use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use reqwest::Url;
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
    /// How much this process takes on at a time.
    #[command(flatten)]
    pub capacity: CapacitySettings,
    /// What new orgs are given.
    #[command(flatten)]
    pub orgs: OrgSettings,
    /// How messages leave the instance.
    #[command(flatten)]
    pub senders: SenderSettings,
    /// The instance's own mail server.
    #[command(flatten)]
    pub smtp: SmtpSettings,
    /// How messages are sent.
    #[command(flatten)]
    pub outbox: OutboxSettings,
    /// How many days deliveries are kept, with their bodies and answers
    #[arg(
        long,
        env = "BEEIQ_RETENTION_DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u16).range(7..=3650),
        value_name = "N"
    )]
    pub retention_days: u16,
    /// How many tasks apply deliveries that were kept for later; 0 leaves them to other processes
    #[arg(long, env = "BEEIQ_LATER_WORKERS", default_value_t = 2, value_name = "N")]
    pub later_workers: u8,
    /// How long a sign-in lasts.
    #[command(flatten)]
    pub sessions: SessionSettings,
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

/// How much this process takes on at a time, whatever is sent.
#[derive(Args, Clone, Copy, Debug)]
pub struct CapacitySettings {
    /// The most connections that are served at a time
    #[arg(
        long,
        env = "BEEIQ_MAX_CONNECTIONS",
        default_value_t = 2048,
        value_parser = clap::value_parser!(u32).range(8..=1_000_000),
        value_name = "N"
    )]
    pub max_connections: u32,
    /// The most bytes of bodies that are held at a time, beyond the first 16 KiB of each
    #[arg(
        long,
        env = "BEEIQ_MAX_INFLIGHT_BYTES",
        default_value_t = 128 * 1024 * 1024,
        value_name = "N"
    )]
    pub max_inflight_bytes: usize,
    /// The most memory for working on bodies, in bytes; one body may take half of it
    #[arg(
        long,
        env = "BEEIQ_MAX_WORKING_BYTES",
        default_value_t = 256 * 1024 * 1024,
        value_name = "N"
    )]
    pub max_working_bytes: usize,
    /// How long a request may wait for its turn before it is turned away, in seconds
    #[arg(
        long = "queue-seconds",
        env = "BEEIQ_QUEUE_SECONDS",
        default_value = "10",
        value_parser = seconds,
        value_name = "N"
    )]
    pub queue: Duration,
    /// How many server processes share the traffic: each grants its share of a listener's rate
    #[arg(
        long,
        env = "BEEIQ_PROCESSES",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=1000),
        value_name = "N"
    )]
    pub processes: u32,
}

impl CapacitySettings {
    /// The most memory that working on one body may take, in bytes.
    #[must_use]
    pub const fn working_bytes_of_one(&self) -> usize {
        self.max_working_bytes / 2
    }

    /// Whether there is room for the largest body.
    ///
    /// # Errors
    /// Where there is not, naming the setting.
    pub fn check(&self, limits: &Limits) -> anyhow::Result<()> {
        let largest = limits.max_body_bytes;
        anyhow::ensure!(
            self.max_inflight_bytes / 2 >= largest,
            "BEEIQ_MAX_INFLIGHT_BYTES must be at least twice BEEIQ_MAX_BODY_BYTES"
        );
        anyhow::ensure!(
            self.max_working_bytes / 8 >= largest,
            "BEEIQ_MAX_WORKING_BYTES must be at least eight times BEEIQ_MAX_BODY_BYTES"
        );
        Ok(())
    }
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

const TWILIO: &str = "https://api.twilio.com";
const ESMS: &str = "https://rest.esms.vn";
const SPEEDSMS: &str = "https://api.speedsms.vn";

/// How messages leave the instance.
#[derive(Args, Clone, Debug)]
pub struct SenderSettings {
    /// Private networks that the mail and SMS servers of orgs may be in, comma separated
    #[arg(
        long,
        env = "BEEIQ_OUTBOUND_ALLOW",
        value_delimiter = ',',
        value_parser = network,
        value_name = "CIDR,…"
    )]
    pub outbound_allow: Vec<IpNetwork>,
    /// The SMS account of orgs without one of their own: JSON with the fields of /settings/sms
    #[arg(long, env = "BEEIQ_SMS_ACCOUNT", hide_env_values = true, value_name = "JSON")]
    pub sms_account: Option<Secret<String>>,
    /// How long an SMS provider may take to answer, in seconds
    #[arg(
        long = "sms-timeout-seconds",
        env = "BEEIQ_SMS_TIMEOUT_SECONDS",
        default_value = "20",
        value_parser = sms_seconds,
        value_name = "N"
    )]
    pub sms_timeout: Duration,
    /// Where Twilio's API is
    #[arg(
        long,
        env = "BEEIQ_TWILIO_URL",
        default_value = TWILIO,
        value_parser = public_url,
        value_name = "URL"
    )]
    pub twilio_url: String,
    /// Where the API of eSMS.vn is
    #[arg(
        long,
        env = "BEEIQ_ESMS_URL",
        default_value = ESMS,
        value_parser = public_url,
        value_name = "URL"
    )]
    pub esms_url: String,
    /// Where the API of SpeedSMS.vn is
    #[arg(
        long,
        env = "BEEIQ_SPEEDSMS_URL",
        default_value = SPEEDSMS,
        value_parser = public_url,
        value_name = "URL"
    )]
    pub speedsms_url: String,
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            outbound_allow: Vec::new(),
            sms_account: None,
            sms_timeout: Duration::from_secs(20),
            twilio_url: TWILIO.to_owned(),
            esms_url: ESMS.to_owned(),
            speedsms_url: SPEEDSMS.to_owned(),
        }
    }
}

/// How long a sign-in lasts (`api.md` 3).
#[derive(Args, Clone, Copy, Debug)]
pub struct SessionSettings {
    /// After how many hours without use a session ends
    #[arg(
        long,
        env = "BEEIQ_SESSION_IDLE_HOURS",
        default_value_t = 7 * 24,
        value_parser = clap::value_parser!(u32).range(1..=8760),
        value_name = "N"
    )]
    pub session_idle_hours: u32,
    /// After how many days a session ends, however much it is used
    #[arg(
        long,
        env = "BEEIQ_SESSION_DAYS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=365),
        value_name = "N"
    )]
    pub session_days: u32,
}

impl SessionSettings {
    /// The same as durations.
    #[must_use]
    pub fn lifetime(self) -> Lifetime {
        Lifetime {
            idle: chrono::Duration::hours(self.session_idle_hours.into()),
            longest: chrono::Duration::days(self.session_days.into()),
        }
    }
}

/// The instance's own mail server, for orgs that have set none.
#[derive(Args, Clone, Debug)]
pub struct SmtpSettings {
    /// The mail server, as smtp://user:password@host:port?security=starttls|tls|none or smtps://…
    #[arg(long, env = "BEEIQ_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<Secret<String>>,
    /// Whom its mail is from, as "BeeIQ <noreply@example.com>"
    #[arg(long, env = "BEEIQ_SMTP_FROM", value_name = "NAME <ADDRESS>")]
    pub smtp_from: Option<String>,
    /// How long a mail server may take to answer a command, in seconds; four times that for a mail
    #[arg(
        long = "smtp-timeout-seconds",
        env = "BEEIQ_SMTP_TIMEOUT_SECONDS",
        default_value = "30",
        value_parser = seconds,
        value_name = "N"
    )]
    pub smtp_timeout: Duration,
}

impl Default for SmtpSettings {
    fn default() -> Self {
        Self { smtp_url: None, smtp_from: None, smtp_timeout: Duration::from_secs(30) }
    }
}

impl SmtpSettings {
    /// How long mail servers may take.
    #[must_use]
    pub fn timeouts(&self) -> SmtpTimeouts {
        SmtpTimeouts::of_command(self.smtp_timeout)
    }

    /// The mail server, where one is set.
    ///
    /// # Errors
    /// When it is malformed, or has no sender; its text, which has a password, is not in the message.
    pub fn server(&self) -> anyhow::Result<Option<SmtpServer>> {
        let Some(url) = self.smtp_url.as_ref().filter(|url| !url.expose().is_empty()) else {
            return Ok(None);
        };
        let from = self.smtp_from.as_deref().filter(|from| !from.trim().is_empty());
        let from = from.context(
            "BEEIQ_SMTP_FROM is not set: it names the sender of the mail that goes by \
             BEEIQ_SMTP_URL, as \"BeeIQ <noreply@example.com>\"",
        )?;
        let from: Mailbox = from
            .trim()
            .parse()
            .context("BEEIQ_SMTP_FROM is no sender such as \"BeeIQ <noreply@example.com>\"")?;
        smtp_server(url.expose(), from).context("BEEIQ_SMTP_URL is malformed").map(Some)
    }
}

fn smtp_server(url: &str, from: Mailbox) -> anyhow::Result<SmtpServer> {
    let url: Url = url.trim().parse().context("it is no URL such as smtp://host:587")?;
    let mut security = match url.scheme() {
        "smtp" => Security::StartTls,
        "smtps" => Security::Tls,
        _ => anyhow::bail!("it must begin with smtp:// or smtps://"),
    };
    for (name, value) in url.query_pairs() {
        security = match (name.as_ref(), value.as_ref()) {
            ("security", "starttls") => Security::StartTls,
            ("security", "tls") => Security::Tls,
            ("security", "none") => Security::None,
            _ => anyhow::bail!("after its ? there may be security=starttls, =tls or =none alone"),
        };
    }
    anyhow::ensure!(matches!(url.path(), "" | "/"), "it has a path, which mail servers have not");
    let host = url.host_str().filter(|host| !host.is_empty()).context("it has no host")?;
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().context("it is not UTF-8")?;
        anyhow::ensure!(!text.contains('\0'), "it contains U+0000");
        anyhow::Ok(text.into_owned())
    };
    let username = Some(decoded(url.username())?).filter(|name| !name.is_empty());
    let password = url.password().map(decoded).transpose()?.map(Secret::new);
    Ok(SmtpServer {
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: url.port().unwrap_or(security.usual_port()),
        security,
        username,
        password,
        from_address: from.email.to_string(),
        from_name: from.name,
        addresses: None,
    })
}

/// How messages are sent (`listener.md` 8).
#[derive(Args, Clone, Copy, Debug)]
pub struct OutboxSettings {
    /// How many messages this process sends at once; 0: it sends none
    #[arg(
        long,
        env = "BEEIQ_OUTBOX_WORKERS",
        default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(0..=1000),
        value_name = "N"
    )]
    pub outbox_workers: u16,
    /// How long after a process's death its messages are another's, in seconds
    #[arg(
        long = "outbox-lease-seconds",
        env = "BEEIQ_OUTBOX_LEASE_SECONDS",
        default_value = "60",
        value_parser = seconds,
        value_name = "N"
    )]
    pub outbox_lease: Duration,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self { outbox_workers: 16, outbox_lease: Duration::from_secs(60) }
    }
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

/// Shorter than the time after which a message may be taken over by another process.
fn sms_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=45) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds from 1 to 45".to_owned()),
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
            ("--max-connections", "7"),
            ("--processes", "0"),
            ("--sms-trial-credits", "-1"),
            ("--outbound-allow", "10.0.0.0/8,intranet"),
            ("--sms-timeout-seconds", "46"),
            ("--twilio-url", "api.twilio.com"),
            ("--session-idle-hours", "0"),
            ("--session-days", "366"),
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

    fn mail_server(url: &str, from: &str) -> Result<SmtpServer, String> {
        let flags = [format!("--smtp-url={url}"), format!("--smtp-from={from}")];
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let server = parse(&flags).unwrap().smtp.server();
        server.map(Option::unwrap).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_mail_server_is_read_from_a_url_with_its_encryption_and_default_port() {
        for (url, host, port, security) in [
            ("smtp://mail.test", "mail.test", 587, Security::StartTls),
            ("smtps://mail.test", "mail.test", 465, Security::Tls),
            ("smtp://mail.test?security=tls", "mail.test", 465, Security::Tls),
            ("smtp://mail.test/?security=none", "mail.test", 25, Security::None),
            ("smtp://[::1]:2525?security=none", "::1", 2525, Security::None),
        ] {
            let server = mail_server(url, "noreply@x.test").unwrap();
            assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
            assert_eq!(server.security, security, "{url}");
        }
        let server = mail_server("smtp://u%40x:p%3Aw%2F@h", "BeeIQ <noreply@x.test>").unwrap();
        assert_eq!(server.username.as_deref(), Some("u@x"));
        assert_eq!(server.password.unwrap().expose(), "p:w/");
        assert_eq!(server.from_name.as_deref(), Some("BeeIQ"));
        assert_eq!(server.from_address, "noreply@x.test");
    }

    #[test]
    fn what_is_no_mail_server_is_said_without_its_password() {
        for (url, from, words) in [
            ("mail.test", "a@x.test", "BEEIQ_SMTP_URL is malformed"),
            ("https://u:hunter2@h", "a@x.test", "smtp://"),
            ("smtp://u:hunter2@h?tls=yes", "a@x.test", "security=starttls"),
            ("smtp://u:hunter2@h/inbox", "a@x.test", "path"),
            ("smtp://u:hunter2@h", "nobody", "BEEIQ_SMTP_FROM"),
            ("smtp://u:hunter2@h", "", "BEEIQ_SMTP_FROM is not set"),
        ] {
            let error = mail_server(url, from).unwrap_err();
            assert!(error.contains(words) && !error.contains("hunter2"), "{url}: {error}");
        }
        assert!(parse(&[]).unwrap().smtp.server().unwrap().is_none());
    }

    /// A body within the limit that could never be taken would be refused for ever.
    #[test]
    fn there_has_to_be_room_for_the_largest_body() {
        for (flags, complaint) in [
            (vec![], None),
            (vec!["--max-body-bytes=70000000"], Some("BEEIQ_MAX_INFLIGHT_BYTES")),
            (vec!["--max-inflight-bytes=1000000"], Some("BEEIQ_MAX_INFLIGHT_BYTES")),
            (vec!["--max-working-bytes=80000000"], Some("BEEIQ_MAX_WORKING_BYTES")),
        ] {
            let settings = parse(&flags).unwrap();
            let checked = settings.capacity.check(&settings.limits);
            let said = checked.err().map(|error| error.to_string());
            assert_eq!(said.is_some(), complaint.is_some(), "{flags:?}: {said:?}");
            assert!(said.unwrap_or_default().starts_with(complaint.unwrap_or_default()));
        }
    }

    #[test]
    fn networks_are_read_from_a_comma_separated_list() {
        let settings = parse(&["--trusted-proxies", "10.0.0.0/8, 192.0.2.1,2001:db8::/32"]);
        assert_eq!(settings.unwrap().http.trusted_proxies.len(), 3);
    }
}
