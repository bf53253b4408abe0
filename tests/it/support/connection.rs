//! A connection of an org, as its people use it.

use super::instance::Instance;
use super::org::Org;
use super::reply::Reply;
use super::sources::{Data, FakeSource};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// A connection to a made-up system.
pub(crate) struct Connection<'i> {
    org: Org<'i>,
    pub(crate) id: Uuid,
}

impl<'i> Connection<'i> {
    /// One to iAdvize at that place, whose runs begin with what happened since then.
    pub(crate) async fn iadvize<D: Data>(
        org: Org<'i>,
        source: &FakeSource<D>,
        since: DateTime<Utc>,
    ) -> Self {
        let settings = json!({"baseUrl": source.url});
        Self::with(org, ("iadvize", "a key"), settings, since).await
    }

    /// The same of any kind.
    pub(crate) async fn with(
        org: Org<'i>,
        (kind, secret): (&str, &str),
        settings: Value,
        since: DateTime<Utc>,
    ) -> Self {
        let mut settings = settings;
        let name_of_secret = match kind {
            "iadvize" => "apiKey",
            "wolkvox" => "token",
            _ => "secret",
        };
        settings[name_of_secret] = json!(secret);
        let listener = org.listener().await.path();
        let listener = listener.rsplit('/').next().unwrap();
        let connection = json!({
            "kind": kind, "name": Uuid::now_v7(), "listenerId": listener, "since": since,
            "senderUser": format!("ann@{}.test", org.slug), "settings": settings,
        });
        let made = org.post("/connections", &connection).await;
        let id = made.expect(201).body["id"].as_str().unwrap().parse().unwrap();
        Self { org, id }
    }

    /// What is shown of it.
    pub(crate) async fn read(&self) -> Value {
        self.org.get(&format!("/connections/{}", self.id)).await.expect(200).body
    }

    pub(crate) async fn change(&self, patch: Value) {
        self.org.patch(&format!("/connections/{}", self.id), &patch).await.expect(200);
    }

    /// Is run now, and the run as it is told then.
    pub(crate) async fn run(&self) -> Value {
        self.ask_to_run().await.expect(202);
        self.org.instance.app.pulls.run_once().await.unwrap();
        self.last_run().await
    }

    pub(crate) async fn ask_to_run(&self) -> Reply {
        self.org.post(&format!("/connections/{}/run", self.id), &json!({})).await
    }

    pub(crate) async fn test(&self) -> Reply {
        self.org.post(&format!("/connections/{}/test", self.id), &json!({})).await
    }

    /// All its runs, newest first.
    pub(crate) async fn runs(&self) -> Vec<Value> {
        let reply = self.org.get(&format!("/connections/{}/runs?limit=100", self.id)).await;
        reply.expect(200).data().to_vec()
    }

    pub(crate) async fn last_run(&self) -> Value {
        self.runs().await.first().cloned().unwrap_or_default()
    }

    /// What a column of it holds, as text.
    pub(crate) fn db_column(&self, column: &str) -> String {
        let from =
            format!("coalesce({column}::text, '') FROM connections WHERE id = '{}'", self.id);
        self.org.instance.db_text(&from)
    }

    /// Its cursor of a resource.
    pub(crate) fn db_cursor(&self, resource: &str) -> Option<DateTime<Utc>> {
        let from = format!(
            "coalesce(max(to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')), '') \
             FROM connection_cursors WHERE connection_id = '{}' AND resource = '{resource}'",
            self.id
        );
        self.org.instance.db_text(&from).parse().ok()
    }
}

impl Instance {
    /// The flags of a server that may ask the made-up systems.
    pub(crate) const PULLING: [&str; 4] =
        ["--outbound-allow", "127.0.0.0/8", "--pull-timeout-seconds", "3"];
}
