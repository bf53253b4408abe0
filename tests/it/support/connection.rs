//! A connection of an org, as its people use it.

use super::instance::Instance;
use super::org::Org;
use super::reply::Reply;
use super::sources::{Data, FakeSource};
use beeiq::secrets::Place;
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
        let (slug, id) = (org.slug, Uuid::now_v7());
        org.listener().await;
        let instance = org.instance;
        let org_id: Uuid =
            instance.db_text(&format!("id::text FROM orgs WHERE slug = '{slug}'")).parse().unwrap();
        let place =
            Place::new("connections", "secret_sealed", org_id, &id.to_string(), String::new());
        let sealed = instance.app.key.seal(&place, secret.as_bytes());
        let sealed: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        // Until external ids have a migration of their own.
        instance.db_execute(
            "ALTER TABLE customer_identities DROP CONSTRAINT IF EXISTS customer_identities_kind_check",
        );
        instance.db_execute(&format!(
            "INSERT INTO connections (org_id, id, kind, name, name_key, enabled, listener_id, sender_id, welcome, \
                 on_match, since, settings, secret_sealed, next_run_at, created_at, updated_at) \
             SELECT orgs.id, '{id}', '{kind}', '{id}', '{id}', true, listeners.id, users.id, false, 'fill', \
                 '{since}', '{settings}', '\\x{sealed}', now(), now(), now() \
             FROM orgs JOIN users ON users.org_id = orgs.id AND users.email = 'ann@{slug}.test' \
                 JOIN listeners ON listeners.org_id = orgs.id \
             WHERE slug = '{slug}' ORDER BY listeners.id DESC LIMIT 1; \
             UPDATE org_settings SET directory_version = directory_version + 1"
        ));
        Self { org, id }
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
