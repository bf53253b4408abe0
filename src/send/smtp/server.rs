//! A mail server, whoever set it.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;
use utoipa::ToSchema;

/// A mail server, and as whom to send by it.
#[derive(Clone, Debug)]
pub struct SmtpServer {
    /// Its name: what its certificate is for.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// Whom to sign in as; nobody: without signing in.
    pub username: Option<String>,
    /// The password.
    pub password: Option<SecretString>,
    /// The address that mail comes from.
    pub from_address: String,
    /// The name beside it.
    pub from_name: Option<String>,
    /// Where to connect instead of what the host's name resolves to: addresses that were found
    /// allowed.
    pub addresses: Option<Vec<IpAddr>>,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// By STARTTLS, which the server must offer.
    #[default]
    StartTls,
    /// From the first byte.
    Tls,
    /// Not at all.
    None,
}

impl Security {
    /// The port that servers usually have for it.
    #[must_use]
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// How long a mail server may take.
#[derive(Clone, Copy, Debug)]
pub struct SmtpTimeouts {
    /// To accept the connection.
    pub connect: Duration,
    /// To answer a command, or to agree on TLS.
    pub command: Duration,
    /// To say that it has taken the mail. RFC 5321 would give it ten minutes; to give up early here
    /// is to send twice.
    pub end_of_data: Duration,
}

impl SmtpTimeouts {
    /// The time-outs of a server that may take so long to answer a command.
    #[must_use]
    pub fn of_command(command: Duration) -> Self {
        Self {
            connect: command.min(Duration::from_secs(10)),
            command,
            end_of_data: command.saturating_mul(4),
        }
    }
}
