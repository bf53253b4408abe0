//! What the tests stand on: a database each, the whole app over HTTP, and people in two orgs.

pub(crate) mod cluster;
mod conformance;
mod connection;
mod endless;
mod instance;
pub(crate) mod link;
mod org;
mod process;
mod provider;
mod reply;
mod smtp_sink;
mod sources;

pub(crate) use connection::Connection;
pub(crate) use endless::Endless;
pub(crate) use instance::{Instance, SECRET_KEY};
pub(crate) use org::{Listener, Org, PASSWORD, seed_org};
pub(crate) use process::Process;
pub(crate) use provider::{Provider, Reaction};
pub(crate) use reply::Reply;
pub(crate) use smtp_sink::{Act, Mail, SmtpSink};
pub(crate) use sources::{FakeSource, Fault};

use serde_json::{Value, json};

/// The sender of payloads: a member of the org acme.
pub(crate) const ANN: &str = "ann@acme.test";

/// An action of a payload.
pub(crate) fn action(action_type: &str, data: Value) -> Value {
    json!({"actionType": action_type, "data": data})
}

/// An add-contact of a person with that name and e-mail.
pub(crate) fn person(name: &str, email: &str) -> Value {
    action("add-contact", json!({"name": name, "emails": [{"value": email}]}))
}

/// The payload of Ann with these actions.
pub(crate) fn payload(actions: &[Value]) -> Value {
    json!({"senderUser": ANN, "data": actions})
}

/// A client of HTTP.
pub(crate) fn http_client() -> reqwest::Client {
    // Its TLS wants a provider of this process, though no test speaks TLS.
    beeiq::tls::use_ring();
    reqwest::Client::new()
}
