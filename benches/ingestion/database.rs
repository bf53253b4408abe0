//! The private cluster and its databases: seeds, which are kept for the next run, and copies of them
//! to be measured on.

use crate::ceiling::{PRELOADED, Row, Template};
use crate::http::{self, Answer, Client};
use crate::load::{self, Target};
use crate::payloads::{self, digits};
use crate::scenario::Kind;
use crate::server::Server;
use anyhow::Context;
use beeiq::access::passwords::NewPassword;
use beeiq::service::orgs::{NewOrg, create_org};
use beeiq::store::pool::{Db, DbConfig, MIGRATIONS, migrate};
use beeiq_core::values::email::Email;
use beeiq_core::values::slug::Slug;
use beeiq_postgres::{Cluster, Options};
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

const ORGS: usize = 50;
const PASSWORD: &str = "correct horse battery";
/// The database that is measured on.
const MEASURED: &str = "measured";
/// The number of the first contact; those of the rounds are below.
const FIRST: u64 = 9_000_000;
/// How many customers one statement preloads.
const STEP: usize = 100_000;

/// What differs from Postgres' defaults: a server with a gigabyte for it, whose checkpoints do not
/// fall into a round. Commits are as durable as by default.
const SETTINGS: [(&str, &str); 4] = [
    ("shared_buffers", "1GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "30min"),
    ("wal_compression", "off"),
];

pub struct Databases {
    cluster: Cluster,
    dir: PathBuf,
}

impl Databases {
    /// Starts the cluster in `dir`, or makes it.
    pub fn start(dir: &Path) -> anyhow::Result<Self> {
        let options = Options {
            dir: dir.join("cluster"),
            durable: true,
            max_connections: 150,
            extra: SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            bindir: std::env::var_os("PG_BINDIR").map(PathBuf::from),
            path: std::env::var_os("PATH"),
        };
        Ok(Self { cluster: Cluster::start(&options)?, dir: dir.to_owned() })
    }

    /// The process whose children do the work.
    pub fn postmaster(&self) -> anyhow::Result<u32> {
        let text = std::fs::read_to_string(self.cluster.data_dir().join("postmaster.pid"))?;
        Ok(text.lines().next().context("an empty postmaster.pid")?.trim().parse()?)
    }

    pub fn url(&self) -> String {
        self.cluster.url(MEASURED)
    }

    pub fn connect(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::establish(&self.url())?)
    }

    /// Makes the database that is measured on anew, with so many customers in its first org.
    pub fn reset(&self, program: &Path, customers: usize) -> anyhow::Result<()> {
        let seed = self.seed(program, customers)?;
        self.admin(&format!("DROP DATABASE IF EXISTS {MEASURED} WITH (FORCE)"))?;
        self.admin(&format!("CREATE DATABASE {MEASURED} TEMPLATE {seed}"))?;
        self.admin("CHECKPOINT")
    }

    fn admin(&self, statement: &str) -> anyhow::Result<()> {
        PgConnection::establish(&self.cluster.url("postgres"))?.batch_execute(statement)?;
        Ok(())
    }

    fn is_complete(&self, seed: &str) -> anyhow::Result<bool> {
        let mut conn = PgConnection::establish(&self.cluster.url("postgres"))?;
        let found: Vec<NameRow> = diesel::sql_query(
            "SELECT datname::text AS name FROM pg_database WHERE datname = $1 AND datistemplate",
        )
        .bind::<Text, _>(seed)
        .load(&mut conn)?;
        Ok(found.iter().any(|it| it.name == seed))
    }

    /// The name of the seed with so many customers; makes it where there is none of this schema.
    fn seed(&self, program: &Path, customers: usize) -> anyhow::Result<String> {
        let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let name = format!("seed_{}_{customers}", migrations.len());
        if self.is_complete(&name)? {
            return Ok(name);
        }
        // Marked as a template when it is complete: what a run that was broken off left is not.
        self.admin(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        self.admin(&format!("CREATE DATABASE {name}"))?;
        let url = self.cluster.url(&name);
        migrate(&url)?;
        let mut conn = PgConnection::establish(&url)?;
        make_orgs(&url)?;
        let server = Server::start(program, &[], &url, &self.dir.join("seed.log"))?;
        let targets = make_listeners(&server, &mut conn)?;
        let target = targets.first().context("no listener")?;
        // The second finds the tag and has nothing to make but a contact.
        send(&server, target, Kind::Add, FIRST, 1)?;
        let sample = send(&server, target, Kind::Add, FIRST + 1, 1)?.context("refused")?;
        let rows = rows_of(&mut conn, sample)?;
        drop(server);
        preload(&mut conn, &rows, customers)?;
        drop(conn);
        self.admin(&format!("ALTER DATABASE {name} IS_TEMPLATE true"))?;
        Ok(name)
    }
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

fn make_orgs(url: &str) -> anyhow::Result<()> {
    let wait = Duration::from_secs(3);
    let db = Db::new(&DbConfig { url: url.to_owned(), pool_size: 1, wait })?;
    let password = password()?;
    for place in 0..ORGS {
        let slug = format!("org{place}");
        let new = NewOrg {
            slug: &Slug::parse(&slug)?,
            name: &slug,
            owner: &Email::parse(&owner(place))?,
            password: &password,
            sms_credits: 1_000_000_000_000,
        };
        create_org(&db, &new)?;
    }
    Ok(())
}

fn owner(place: usize) -> String {
    format!("owner@org{place}.test")
}

fn password() -> anyhow::Result<NewPassword> {
    NewPassword::parse(PASSWORD.to_owned(), "", &[]).map_err(|fault| anyhow::anyhow!(fault.message))
}

/// A listener for each org, made as its owner would, kept where the next run finds it.
fn make_listeners(server: &Server, conn: &mut PgConnection) -> anyhow::Result<Vec<Target>> {
    conn.batch_execute(
        "CREATE SCHEMA bench; \
         CREATE TABLE bench.targets (place int PRIMARY KEY, path text NOT NULL, sender text NOT NULL); \
         CREATE SEQUENCE bench.n START 5000000 CACHE 100",
    )?;
    let mut client = Client::connect(server.address)?;
    for place in 0..ORGS {
        let sender = owner(place);
        let sign_in = json!({"org": format!("org{place}"), "email": sender, "password": PASSWORD});
        let session = call(&mut client, "/api/v1/sessions", "", &sign_in)?;
        let token = text(&session, "token")?;
        let made = call(&mut client, "/api/v1/listeners", token, &json!({"name": "Bench"}))?;
        let url = text(&made, "url")?;
        let path = url.find("/listener/").and_then(|at| url.get(at..)).context("no path")?;
        diesel::sql_query(format!("INSERT INTO bench.targets VALUES ({place}, $1, $2)"))
            .bind::<Text, _>(path)
            .bind::<Text, _>(sender)
            .execute(conn)?;
    }
    targets(conn)
}

fn call(client: &mut Client, path: &str, token: &str, body: &Value) -> anyhow::Result<Value> {
    let (bearer, body) = (format!("Bearer {token}"), body.to_string());
    let request = http::head(path, ("authorization", &bearer), body.len()) + &body;
    let Answer { status, body } = client.exchange(request.as_bytes())?;
    let said = String::from_utf8_lossy(body);
    anyhow::ensure!((200..300).contains(&status), "{path}: {status}: {said}");
    Ok(serde_json::from_slice(body)?)
}

fn text<'v>(answer: &'v Value, member: &str) -> anyhow::Result<&'v str> {
    answer.get(member).and_then(Value::as_str).with_context(|| format!("no {member}"))
}

#[derive(QueryableByName)]
struct TargetRow {
    #[diesel(sql_type = Text)]
    path: String,
    #[diesel(sql_type = Text)]
    sender: String,
}

/// The listeners of the orgs, in order.
pub fn targets(conn: &mut PgConnection) -> anyhow::Result<Vec<Target>> {
    let rows: Vec<TargetRow> =
        diesel::sql_query("SELECT path, sender FROM bench.targets ORDER BY place").load(conn)?;
    Ok(rows.into_iter().map(|TargetRow { path, sender }| Target { path, sender }).collect())
}

/// Sends one request outside of all rounds, and gives its id; `None` where the server does not
/// take such requests.
pub fn send(
    server: &Server,
    target: &Target,
    kind: Kind,
    number: u64,
    actions: usize,
) -> anyhow::Result<Option<Uuid>> {
    let body = payloads::body(kind, &target.sender, number, actions);
    let request = http::head(&target.path, load::header(kind), body.len()) + &body;
    let mut client = Client::connect(server.address)?;
    let Answer { status, body } = client.exchange(request.as_bytes())?;
    if kind == Kind::Async && status != 202 {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(body);
    anyhow::ensure!(said.contains(&payloads::expected(kind, actions)), "{status}: {said}");
    let answer: Value = serde_json::from_slice(body)?;
    Ok(Some(text(&answer, "requestId")?.parse()?))
}

#[derive(QueryableByName)]
struct TableRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Array<Text>)]
    columns: Vec<String>,
    #[diesel(sql_type = Array<Text>)]
    types: Vec<String>,
}

#[derive(QueryableByName)]
struct Values {
    #[diesel(sql_type = Array<Nullable<Text>>)]
    row: Vec<Option<String>>,
}

/// All rows that the transaction wrote which keeps that delivery, of whatever tables there are. What
/// an org has one row of is left out: it is changed, not added.
pub fn rows_of(conn: &mut PgConnection, delivery: Uuid) -> anyhow::Result<Vec<Row>> {
    let tables: Vec<TableRow> = diesel::sql_query(
        "SELECT c.relname::text AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns, \
             array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types \
         FROM pg_class c \
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' \
           AND c.relname NOT IN ('org_settings', 'org_counters') \
         GROUP BY c.relname HAVING bool_or(a.attname = 'org_id') ORDER BY c.relname",
    )
    .load(conn)?;
    let mut rows = Vec::new();
    for TableRow { name: table, columns, types } in tables {
        let texts: Vec<String> =
            columns.iter().map(|column| format!("\"{column}\"::text")).collect();
        let written: Vec<Values> = diesel::sql_query(format!(
            "SELECT ARRAY[{}] AS row FROM {table} \
             WHERE xmin = (SELECT xmin FROM deliveries WHERE id = $1)",
            texts.join(", ")
        ))
        .bind::<SqlUuid, _>(delivery)
        .load(conn)?;
        for Values { row } in written {
            let columns = columns.iter().cloned().zip(types.iter().cloned()).zip(row);
            let columns = columns.map(|((name, kind), value)| (name, kind, value)).collect();
            rows.push(Row { table: table.clone(), columns });
        }
    }
    anyhow::ensure!(!rows.is_empty(), "the delivery {delivery} is not there");
    Ok(rows)
}

/// Gives the first org so many customers, with what the server writes for each.
fn preload(conn: &mut PgConnection, sample: &[Row], customers: usize) -> anyhow::Result<()> {
    // Foreign keys are checked row by row, which takes most of the time, and these hold.
    conn.batch_execute("SET session_replication_role = replica")?;
    let of_customer: Vec<Row> =
        sample.iter().filter(|row| row.table != "deliveries").cloned().collect();
    for first in (1..=customers).step_by(STEP) {
        let last = (first + STEP - 1).min(customers);
        let n = format!("SELECT n::bigint AS n FROM generate_series({first}, {last}) AS n");
        let template =
            Template { each: of_customer.clone(), once: Vec::new(), sample: digits(FIRST + 1) };
        conn.batch_execute(&template.statement(&n, PRELOADED))?;
    }
    conn.batch_execute("UPDATE org_counters SET next_value = 1000000000")?;
    conn.batch_execute("VACUUM ANALYZE")?;
    Ok(conn.batch_execute("CHECKPOINT")?)
}
