//! `beeiq demo`: a private Postgres cluster, an example org, and the server in staging mode
//! (`api.md` 1).

mod seed;
pub mod sources;

use crate::access::passwords::NewPassword;
use crate::access::secrets;
use crate::app::App;
use crate::config::{
    self, CapacitySettings, DatabaseSettings, Environment, HttpSettings, Limits, LogSettings,
    OrgSettings, SecretSettings, ServeSettings, SessionSettings,
};
use crate::service::settings::Edit;
use crate::service::settings::users::replace_password;
use crate::store::pool::{in_org, migrate};
use crate::store::settings::users;
use crate::{clock, server, telemetry};
use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use beeiq_core::values::email::Email;
use beeiq_postgres::{Cluster, Options};
use clap::Args;
use secrecy::SecretString;
use seed::Seeded;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const DATABASE: &str = "beeiq";

#[derive(Args, Clone, Debug)]
pub(crate) struct DemoSettings {
    /// Where the demo keeps its Postgres cluster, its key and its password
    #[arg(long, env = "BEEIQ_DATA_DIR", default_value = ".beeiq", value_name = "DIR")]
    data_dir: PathBuf,
    /// Where PostgreSQL's programs are, if not in one of the usual places
    #[arg(long, env = "PG_BINDIR", value_name = "DIR")]
    pg_bindir: Option<PathBuf>,
    #[command(flatten)]
    http: HttpSettings,
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    capacity: CapacitySettings,
    #[command(flatten)]
    orgs: OrgSettings,
    #[command(flatten)]
    sessions: SessionSettings,
    #[command(flatten)]
    log: LogSettings,
}

pub(crate) fn run(settings: &DemoSettings) -> anyhow::Result<()> {
    let bind = settings.http.bind;
    let listener = TcpListener::bind(bind)
        .with_context(|| format!("cannot bind BEEIQ_BIND (--bind) {bind}; choose another"))?;
    telemetry::init(&settings.log)?;
    let dir = &settings.data_dir;
    fs::create_dir_all(dir)
        .with_context(|| format!("BEEIQ_DATA_DIR (--data-dir): cannot make {}", dir.display()))?;
    let (url, cluster) = database(settings)?;
    migrate(&url).context("the database cannot be migrated")?;
    let app = App::new(&serve_settings(settings, url)?, listener.local_addr()?)?;
    let password = kept(&dir.join("admin.password"), secrets::new_password)?;
    let greeting = greet(&app, &password)?;
    // Where standard output is closed there is nobody to greet.
    let _ = std::io::stdout().write_all(greeting.as_bytes());
    let served = server::run(app, listener, None);
    if let Some(cluster) = cluster {
        cluster.stop()?;
    }
    served
}

fn serve_settings(settings: &DemoSettings, url: String) -> anyhow::Result<ServeSettings> {
    let key = kept(&settings.data_dir.join("secret.key"), || {
        STANDARD.encode(clock::random_bytes::<32>())
    })?;
    Ok(ServeSettings {
        http: settings.http.clone(),
        database: DatabaseSettings {
            database_url: Some(SecretString::from(url)),
            pool_size: settings.database.pool_size,
        },
        limits: settings.limits,
        capacity: settings.capacity,
        orgs: settings.orgs,
        // Staging sends nothing, so there is nothing to set.
        senders: config::defaults()?,
        smtp: config::defaults()?,
        outbox: config::defaults()?,
        pulls: config::defaults()?,
        sessions: settings.sessions,
        log: settings.log.clone(),
        secrets: SecretSettings { secret_key: Some(SecretString::from(key)) },
        retention_days: 30,
        message_retention_days: 90,
        later_workers: 1,
        environment: Environment::Staging,
        without_row_security: false,
        no_migrate: true,
    })
}

/// The database that was named, or a private one.
fn database(settings: &DemoSettings) -> anyhow::Result<(String, Option<Cluster>)> {
    if let Ok(url) = settings.database.url() {
        return Ok((url.to_owned(), None));
    }
    let cluster = Cluster::start(&Options {
        dir: settings.data_dir.clone(),
        durable: true,
        max_connections: 100,
        extra: Vec::new(),
        bindir: settings.pg_bindir.clone(),
        path: std::env::var_os("PATH"),
    })?;
    cluster.create_database_if_missing(DATABASE)?;
    Ok((cluster.url(DATABASE), Some(cluster)))
}

/// The secret in a file that only its owner may read, made where it is not there yet.
fn kept(file: &Path, make: impl FnOnce() -> String) -> anyhow::Result<String> {
    let complaint = || format!("{} cannot be used", file.display());
    match fs::read_to_string(file) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => fs::remove_file(file).with_context(complaint)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(complaint),
    }
    let text = make();
    let mut new = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(complaint)?;
    writeln!(new, "{text}").with_context(complaint)?;
    Ok(text)
}

/// Seeds the org and sees to it that the admin's password is the one that is printed, also on a
/// database that another demo has filled.
fn greet(app: &App, password: &str) -> anyhow::Result<String> {
    let chosen = NewPassword::parse(password.to_owned(), "", &[])
        .map_err(|fault| anyhow::anyhow!("admin.password: {}", fault.message))?;
    let Seeded { org, listener_url } = seed::seed(app, &chosen)?;
    let admin = Email::parse(seed::ADMIN)?;
    app.db.run_here(|conn| {
        in_org(conn, org.id, |conn| {
            // Where it is that already, the admin stays signed in.
            let known = users::credentials(conn, org.id, admin.key())?;
            if known.and_then(|(_, hash)| hash).is_some_and(|hash| chosen.is_that_of(&hash)) {
                return Ok(());
            }
            let hash = chosen.hash()?;
            replace_password(&mut Edit::of_operator(conn, org.id), &org, &admin, &hash, None)?;
            anyhow::Ok(())
        })
    })?;
    Ok(greeting(&app.public_url, &listener_url, password))
}

fn greeting(base: &str, listener_url: &str, password: &str) -> String {
    let (slug, admin, sender) = (seed::SLUG, seed::ADMIN, seed::SENDER);
    format!(
        r#"
BeeIQ runs at {base} in staging: messages are kept in the outbox, and none is sent.

  Listener URL  {listener_url}
  Sign-in       org {slug}, e-mail {admin}, password {password}
  API document  {base}/docs/

Send a contact with their company (and once more, to see a duplicate):

curl -sS '{listener_url}' -H 'Content-Type: application/json' -d '{{
  "senderUser": "{sender}",
  "data": [{{"actionType": "add-contact", "data": {{
    "name": "Huy", "lastname": "Nguyen", "dateOfBirth": "1993-01-01",
    "emails": [{{"type": "Work", "value": "huy.nguyen@example.com"}}],
    "phones": [{{"type": "Mobile", "value": "0905000001"}}],
    "addresses": [{{"street": "58 Ton That Dam", "city": "Da Nang", "country": "VN"}}],
    "companyContact": {{"name": "Example Trading", "websites": [{{"value": "example.com"}}]}}
  }}}}]
}}'

See what became of it:

TOKEN=$(curl -sS '{base}/api/v1/sessions' -H 'Content-Type: application/json' \
  -d '{{"org": "{slug}", "email": "{admin}", "password": "{password}"}}' | sed 's/.*"token":"\([^"]*\)".*/\1/')
curl -sS -H "Authorization: Bearer $TOKEN" '{base}/api/v1/contacts'
curl -sS -H "Authorization: Bearer $TOKEN" '{base}/api/v1/contacts/PID-1/history'

Ctrl-C stops it; the data stays, and the next start finds it.
"#
    )
}
