//! The commands of the `beeiq` program.

use anyhow::Context;
use beeiq::access::passwords::NewPassword;
use beeiq::access::secrets;
use beeiq::app::App;
use beeiq::cli::demo::{Demo, DemoSettings};
use beeiq::cli::import::{self, Ending, ImportError, ImportSettings};
use beeiq::config::{DatabaseSettings, OrgSettings, ServeSettings};
use beeiq::ingest::LaterWorkers;
use beeiq::service::orgs::{NewOrg, create_org};
use beeiq::service::settings::Edit;
use beeiq::service::settings::users::replace_password;
use beeiq::store::orgs;
use beeiq::store::pool::{Db, in_org, migrate, row_security_binds};
use beeiq::worker::retention::Retention;
use beeiq::{server, telemetry, tls};
use beeiq_core::values::email::Email;
use beeiq_core::values::slug::Slug;
use clap::{Args, Parser, Subcommand};
use std::io::{Read, Write};
use std::mem::ManuallyDrop;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The system's allocator keeps what each thread has freed, so that a few large bodies on different
/// threads add up; this one gives it back. In huge pages (hence `no_thp`) it would hold half as much
/// again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// BeeIQ: listener URLs in, clean customer records in Postgres out.
///
/// Settings come from flags, environment variables or a .env file.
#[derive(Parser)]
#[command(version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything at once: a private Postgres, an example org, the server in staging
    Demo(Box<DemoSettings>),
    /// Run the server
    Serve(Box<ServeSettings>),
    /// Apply pending migrations
    Migrate(DatabaseSettings),
    /// Ask a server on this machine whether it lives; for container health checks
    Healthcheck(HealthcheckSettings),
    /// Send the rows of a CSV or NDJSON file to a listener
    Import(Box<ImportSettings>),
    /// Organisations
    #[command(subcommand)]
    Org(OrgCommand),
    /// Users
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Subcommand)]
enum OrgCommand {
    /// Make an org and its owner
    Create(OrgCreate),
}

#[derive(Args)]
struct OrgCreate {
    /// What its people sign in with, such as acme
    #[arg(long)]
    slug: String,
    /// Its name
    #[arg(long)]
    name: String,
    /// The owner's e-mail
    #[arg(long)]
    owner_email: String,
    /// Read the owner's password from standard input instead of making one up
    #[arg(long)]
    owner_password_stdin: bool,
    #[command(flatten)]
    orgs: OrgSettings,
    #[command(flatten)]
    database: DatabaseSettings,
}

#[derive(Args)]
struct HealthcheckSettings {
    /// The address and port that the server listens on
    #[arg(long, env = "BEEIQ_BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    bind: SocketAddr,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Give a user another password, and end his sessions
    SetPassword(SetPassword),
}

#[derive(Args)]
struct SetPassword {
    /// The org's slug
    #[arg(long)]
    org: String,
    /// The user's e-mail
    #[arg(long)]
    email: String,
    /// Read the password from standard input
    #[arg(long, required = true)]
    password_stdin: bool,
    #[command(flatten)]
    database: DatabaseSettings,
}

/// A setting that is missing or malformed, as opposed to work that failed.
const USAGE: u8 = 2;

/// Stopped by Ctrl-C, as a shell reports it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        return fail(&format!("the .env file cannot be read: {error}"), USAGE);
    }
    let program = match Program::try_parse() {
        Ok(program) => program,
        Err(error) if error.use_stderr() && !shows_help(&error) => {
            return fail(&one_line(&error), USAGE);
        }
        Err(help) => help.exit(),
    };
    let done = match program.command {
        Command::Demo(settings) => demo(&settings),
        Command::Serve(settings) => return serve(&settings),
        Command::Migrate(settings) => apply_migrations(&settings),
        Command::Healthcheck(settings) => healthcheck(&settings),
        Command::Import(settings) => return import(&settings),
        Command::Org(OrgCommand::Create(order)) => org_create(&order),
        Command::User(UserCommand::SetPassword(order)) => set_password(&order),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}"), 1),
    }
}

fn demo(settings: &DemoSettings) -> anyhow::Result<()> {
    let Demo { app, listener, cluster, greeting } =
        Demo::prepare(settings, std::env::var_os("PATH"))?;
    // Where standard output is closed there is nobody to greet.
    let _ = std::io::stdout().write_all(greeting.as_bytes());
    let served = run(app, listener, None);
    if let Some(cluster) = cluster {
        cluster.stop()?;
    }
    served
}

fn serve(settings: &ServeSettings) -> ExitCode {
    let listener = match TcpListener::bind(settings.http.bind) {
        Ok(listener) => listener,
        Err(error) => return fail(&format!("cannot bind {}: {error}", settings.http.bind), 1),
    };
    let metrics = match settings.http.metrics_bind.map(TcpListener::bind).transpose() {
        Ok(metrics) => metrics,
        Err(error) => return fail(&format!("cannot bind BEEIQ_METRICS_BIND: {error}"), 1),
    };
    let prepared =
        telemetry::init(&settings.log).and_then(|()| App::new(settings, listener.local_addr()?));
    let app = match prepared {
        Ok(app) => app,
        Err(error) => return fail(&format!("{error:#}"), USAGE),
    };
    let served = if settings.no_migrate { Ok(()) } else { apply_migrations(&settings.database) }
        .and_then(|()| run(app, listener, metrics));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}"), 1),
    }
}

fn import(settings: &ImportSettings) -> ExitCode {
    match import::run(settings) {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::SomeFailed) => ExitCode::FAILURE,
        Ok(Ending::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(ImportError::Usage(error)) => fail(&format!("{error:#}"), USAGE),
        Err(ImportError::Stopped(error)) => fail(&format!("{error:#}"), 1),
    }
}

/// After SIGTERM, how long work may go on that no caller waits for: as long as requests may. The
/// program is to end within 30 s.
const FAREWELL: Duration = Duration::from_secs(25);

/// Serves until SIGTERM or SIGINT, and then lets what runs finish.
fn run(app: App, listener: TcpListener, metrics: Option<TcpListener>) -> anyhow::Result<()> {
    // Never dropped, for that would wait for work on the database however long it takes. It ends
    // with the process.
    let system = ManuallyDrop::new(actix_web::rt::System::new());
    system.block_on(async {
        // Nor is this: whoever drops the last one wakes the system, and a thread of the server that
        // ends later than this one would do so when it cannot any more, which aborts the process.
        let _last = ManuallyDrop::new(actix_web::rt::System::current());
        let url = app.public_url.clone();
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let app = Arc::new(app);
        let metrics_address = metrics.as_ref().map(TcpListener::local_addr).transpose()?;
        if let Some(metrics) = metrics {
            actix_web::rt::spawn(server::metrics_server(Arc::clone(&app), metrics)?);
        }
        let workers = app.outbox.start();
        let later = LaterWorkers::start(&app.pipeline, app.later_workers);
        let retention = Retention::start(app.db.clone(), app.retention_days);
        actix_web::rt::spawn(check_row_security(app.db.clone()));
        let server = server::server(app, listener)?;
        let handle = server.handle();
        let stopping = actix_web::rt::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping: what runs may finish");
            let others = async { tokio::join!(later.stop(), workers.stop(), retention.stop()) };
            let (ended, ()) =
                tokio::join!(tokio::time::timeout(FAREWELL, others), handle.stop(true));
            if ended.is_err() {
                // What is not committed rolls back, and is taken up again by whoever is next.
                tracing::warn!("work that has not ended is left undone");
            }
        });
        tracing::info!(url, "serving");
        if let Some(address) = metrics_address {
            tracing::info!(metrics = %format_args!("http://{address}/metrics"), "serving metrics");
        }
        server.await?;
        stopping.await.context("stopping failed")
    })
}

/// Says loudly where the database would show a server the rows of all orgs.
async fn check_row_security(db: Db) {
    match db.run(row_security_binds).await {
        Ok(true) => {}
        Ok(false) => tracing::error!(
            "row security does not bind this server, which keeps orgs apart by its queries alone: \
             connect as a role that is neither superuser nor BYPASSRLS, or run `beeiq migrate` as \
             one that may make the role beeiq_server"
        ),
        Err(error) => tracing::warn!(%error, "it is not known whether row security binds"),
    }
}

fn apply_migrations(settings: &DatabaseSettings) -> anyhow::Result<()> {
    for migration in migrate(settings.url()?).context("the database cannot be migrated")? {
        tracing::info!(migration, "applied");
    }
    Ok(())
}

fn healthcheck(settings: &HealthcheckSettings) -> anyhow::Result<()> {
    let mut address = settings.bind;
    // A server on all addresses is on the loopback one, too.
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    tls::use_ring();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(3)).build()?;
    let url = format!("http://{address}/healthz");
    let asked = async { client.get(url).send().await?.error_for_status() };
    actix_web::rt::System::new().block_on(asked)?;
    Ok(())
}

fn org_create(order: &OrgCreate) -> anyhow::Result<()> {
    let slug = Slug::parse(&order.slug)?;
    let email = Email::parse(&order.owner_email).context("--owner-email")?;
    let name = order.name.trim();
    anyhow::ensure!(!name.is_empty() && !name.contains('\0'), "--name is empty");
    let (password, generated) = if order.owner_password_stdin {
        (password_from_stdin()?, None)
    } else {
        let made = secrets::new_password();
        (checked_password(made.clone())?, Some(made))
    };
    let db = Db::new(&order.database.pool()?)?;
    let new = NewOrg {
        slug: &slug,
        name,
        owner: &email,
        password: &password,
        sms_credits: order.orgs.sms_trial_credits,
    };
    let org = create_org(&db, &new)?;
    let mut out = std::io::stdout();
    writeln!(out, "Made the org {} with the owner {}.", org.slug, email.value())?;
    if let Some(password) = generated {
        writeln!(out, "His password, shown this once: {password}")?;
    }
    Ok(())
}

fn set_password(order: &SetPassword) -> anyhow::Result<()> {
    let email = Email::parse(&order.email).context("--email")?;
    let hash = password_from_stdin()?.hash()?;
    let changed = Db::new(&order.database.pool()?)?.run_here(|conn| {
        let Some(org) = orgs::with_slug(conn, &order.org)? else {
            return Ok(false);
        };
        in_org(conn, org.id, |conn| {
            replace_password(&mut Edit::of_operator(conn, org.id), &org, &email, &hash)
        })
    })?;
    anyhow::ensure!(changed, "there is no user {} in an org \"{}\"", email.value(), order.org);
    writeln!(std::io::stdout(), "Changed the password; the user's sessions are ended.")?;
    Ok(())
}

/// A password as a line, whose end does not belong to it.
fn password_from_stdin() -> anyhow::Result<NewPassword> {
    let mut text = String::new();
    std::io::stdin().take(64 * 1024).read_to_string(&mut text).context("standard input")?;
    checked_password(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn checked_password(text: String) -> anyhow::Result<NewPassword> {
    NewPassword::parse(text, "").map_err(|fault| anyhow::anyhow!(fault.message))
}

/// `beeiq` alone shows the help, which clap counts as an error.
fn shows_help(error: &clap::Error) -> bool {
    error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

/// What is wrong, without the usage that clap adds.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let fault = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = fault.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

/// One line on standard error; where that is closed there is nobody to tell.
fn fail(message: &str, code: u8) -> ExitCode {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(std::io::stderr(), "error: {line}");
    ExitCode::from(code)
}
