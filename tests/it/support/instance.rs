//! The whole app over HTTP, on a database of its own.

use super::cluster::{Template, TestDatabase};
use super::link::Link;
use super::org::{Org, seed_org};
use super::reply::Reply;
use actix_web::dev::ServerHandle;
use beeiq::app::App;
use beeiq::config::ServeSettings;
use beeiq::server::server;
use beeiq::store::pool::{Db, DbConfig, migrate};
use beeiq::worker::{Workers, deferred};
use clap::Parser;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::{PgConnection, sql_types};
use reqwest::Method;
use serde_json::Value;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// 32 bytes in base64.
pub(crate) const SECRET_KEY: &str = "dGVzdHMgYW5kIG5vdGhpbmcgYnV0IHRlc3RzISEhISE=";

/// A migrated database with the orgs acme and globex.
static TEMPLATE: Template = Template::new("app", |url| {
    migrate(url).unwrap();
    let db =
        Db::new(&DbConfig { url: url.to_owned(), pool_size: 1, wait: Duration::from_secs(10) })
            .unwrap();
    seed_org(&db, "acme");
    seed_org(&db, "globex");
});

/// What is kept of a delivery.
#[derive(QueryableByName)]
pub(crate) struct KeptDelivery {
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) answer: String,
    #[diesel(sql_type = sql_types::Binary)]
    pub(crate) body: Vec<u8>,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) caller: String,
    #[diesel(sql_type = sql_types::Text)]
    pub(crate) query: String,
    #[diesel(sql_type = sql_types::Jsonb)]
    pub(crate) headers: Value,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub(crate) sender_user: Option<String>,
}

#[derive(Parser)]
#[command(args_override_self = true)]
struct Flags {
    #[command(flatten)]
    settings: ServeSettings,
}

/// A running server, and the database under it.
pub(crate) struct Instance {
    pub(crate) url: String,
    pub(crate) app: Arc<App>,
    pub(crate) client: reqwest::Client,
    handle: ServerHandle,
    deferred: Option<Workers>,
    database: Arc<TestDatabase>,
}

impl Instance {
    /// A server in staging mode on a database of its own.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A server in production mode that sends to that mail server, when a test says so:
    /// `instance.app.outbox`.
    pub(crate) async fn sending(flags: Vec<String>) -> Self {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Self::with(&flags).await
    }

    /// The same with further flags of `beeiq serve`.
    pub(crate) async fn with(flags: &[&str]) -> Self {
        Self::on(Arc::new(TEMPLATE.database()), flags)
    }

    /// A server that sends messages, on a database of its own.
    pub(crate) async fn production(flags: &[&str]) -> Self {
        Self::with(&[&["--environment", "production"], flags].concat()).await
    }

    /// A server on a database elsewhere, which is made ready for it.
    pub(crate) async fn over(url: &str) -> Self {
        TEMPLATE.fill(url);
        // A name that the shared cluster has no database of.
        let database = TestDatabase { url: url.to_owned(), name: "elsewhere".to_owned() };
        Self::on(Arc::new(database), &[])
    }

    /// Another server on the same database, as another process would be: with nothing shared.
    pub(crate) fn another(&self) -> Self {
        self.another_with(&[])
    }

    /// The same with further flags.
    pub(crate) fn another_with(&self, flags: &[&str]) -> Self {
        Self::on(Arc::clone(&self.database), flags)
    }

    /// Another server on the same database, which it reaches over that link.
    pub(crate) fn through(&self, link: &Link, flags: &[&str]) -> Self {
        self.another_with(&[&["--database-url", &link.url(&self.database.url)], flags].concat())
    }

    fn on(database: Arc<TestDatabase>, flags: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let bind = address.to_string();
        let fixed = [
            "serve",
            "--bind",
            &bind,
            "--database-url",
            &database.url,
            "--secret-key",
            SECRET_KEY,
            "--pool-size",
            "8",
            // They would ask the database of themselves, and statements are counted.
            "--later-workers",
            "0",
        ];
        let staging: &[&str] =
            if flags.contains(&"--environment") { &[] } else { &["--environment", "staging"] };
        let Flags { settings } = Flags::parse_from(fixed.iter().chain(staging).chain(flags));
        let app = Arc::new(App::new(&settings, address).unwrap());
        let deferred = deferred::start(&app.pipeline, app.later_workers);
        let server = server(Arc::clone(&app), listener).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            url: format!("http://{address}"),
            app,
            client: super::http_client(),
            handle,
            deferred: Some(deferred),
            database,
        }
    }

    /// The org acme, seen by this server.
    pub(crate) fn acme(&self) -> Org<'_> {
        Org::named(self, "acme")
    }

    /// Another org.
    pub(crate) fn globex(&self) -> Org<'_> {
        Org::named(self, "globex")
    }

    /// Gets a path without signing in.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::to(self.request(Method::GET, path)).await
    }

    /// A request to a path, to be added to.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// The URL of the database, for programs that are started beside this one.
    pub(crate) fn database_url(&self) -> &str {
        &self.database.url
    }

    /// A connection of one's own, past the app.
    pub(crate) fn db_connection(&self) -> PgConnection {
        PgConnection::establish(&self.database.url).unwrap()
    }

    /// A delivery as it is kept, past the app.
    pub(crate) fn db_delivery(&self, id: &str) -> KeptDelivery {
        diesel::sql_query(
            "SELECT answer, body, host(caller) AS caller, query, headers, sender_user \
              FROM deliveries WHERE id = $1::uuid",
        )
        .bind::<sql_types::Text, _>(id)
        .get_result(&mut self.db_connection())
        .unwrap()
    }

    /// Runs statements, past the app.
    pub(crate) fn db_execute(&self, statements: &str) {
        self.db_connection().batch_execute(statements).unwrap();
    }

    /// The database goes away, connections and all.
    pub(crate) fn db_take_away(&self) {
        super::cluster::drop_database(&self.database.name);
    }

    /// Nobody gets a connection to the database any more, and those that there are break off.
    pub(crate) fn db_lock_out(&self) {
        super::cluster::lock_out(&self.database.name);
    }

    /// Takes [`Instance::db_lock_out`] back.
    pub(crate) fn db_let_in(&self) {
        super::cluster::let_in(&self.database.name);
    }

    /// Asks until a query counts no rows, which another process brings about.
    pub(crate) async fn db_until_none(&self, from_where: &str) {
        self.db_asked_until(from_where, |count| count == 0).await;
    }

    /// Asks until a query counts rows, which another process brings about.
    pub(crate) async fn db_until(&self, from_where: &str) {
        self.db_asked_until(from_where, |count| count > 0).await;
    }

    /// Asks until a request waits for a lock. What else may wait for it, such as a vacuum, has no
    /// request's name.
    pub(crate) async fn db_until_a_request_waits(&self) {
        let waiting = "pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock' AND application_name LIKE 'beeiq/%'";
        self.db_until(waiting).await;
    }

    async fn db_asked_until(&self, from_where: &str, enough: impl Fn(i64) -> bool) {
        let done = async {
            let mut ask = tokio::time::interval(Duration::from_millis(20));
            while !enough(self.db_count(from_where)) {
                ask.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), done).await.expect("it comes about");
    }

    /// The text that a query has, past the app.
    pub(crate) fn db_text(&self, select: &str) -> String {
        #[derive(QueryableByName)]
        struct Found {
            #[diesel(sql_type = sql_types::Text)]
            text: String,
        }
        let query = format!("SELECT text FROM (SELECT {select}) AS found (text)");
        diesel::sql_query(query).get_result::<Found>(&mut self.db_connection()).unwrap().text
    }

    /// How many rows a query counts, past the app.
    pub(crate) fn db_count(&self, from_where: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = sql_types::BigInt)]
            count: i64,
        }
        let query = format!("SELECT count(*) AS count FROM {from_where}");
        diesel::sql_query(query).get_result::<Count>(&mut self.db_connection()).unwrap().count
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        actix_web::rt::spawn(self.handle.stop(false));
        if let Some(deferred) = self.deferred.take() {
            actix_web::rt::spawn(deferred.stop());
        }
    }
}
