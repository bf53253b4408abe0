//! E-mail by SMTP (`listener.md` 8): what goes to the server, and what its replies mean.
//!
//! lettre writes the mail and speaks the protocol a command at a time; the time-outs of each command,
//! the pool, and the meaning of a refusal at each step are here, because lettre bounds the connecting alone
//! and does not tell in which step a server said no.

pub(crate) mod account;
pub(super) mod instance;
mod mail;
mod pool;
mod server;
mod wire;

pub(crate) use server::{Security, SmtpServer, SmtpTimeouts};

use beeiq_core::records::outgoing::{Email, Outcome};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use mail::Written;
use moka::sync::Cache;
use pool::Pool;
use secrecy::ExposeSecret;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};

/// How much of a server's words is kept, in characters.
const LONGEST_WORDS: usize = 500;

/// How many hosts' TLS settings are kept at hand: the system's certificates are read for each.
const TLS_HOSTS: u64 = 1_000;

/// Sends by SMTP; connections stay open for the next mail for some seconds.
pub(crate) struct Smtp {
    timeouts: SmtpTimeouts,
    hello: ClientId,
    pool: Arc<Pool>,
    tls: Cache<String, TlsParameters>,
}

/// An open connection, and whether it has carried mail before.
struct Line {
    connection: AsyncSmtpConnection,
    used: bool,
}

/// Why a mail did not go out.
enum Failure {
    /// As the outcome says.
    Outcome(Outcome),
    /// A connection that had been idle turned out to be closed: nothing was said on it yet.
    Stale,
}

impl Smtp {
    pub(crate) fn new(timeouts: SmtpTimeouts) -> Self {
        Self {
            timeouts,
            hello: ClientId::default(),
            pool: Arc::default(),
            tls: Cache::new(TLS_HOSTS),
        }
    }

    /// Gives a mail to a server. After a lost connection or a time-out at its end the server may have
    /// taken it all the same, so a repetition has the same `Message-ID`.
    pub(crate) async fn send(&self, server: &SmtpServer, email: &Email) -> Outcome {
        let written = match mail::write(server, email) {
            Ok(written) => written,
            Err(outcome) => return outcome,
        };
        match self.attempt(server, &written).await {
            Ok(words) => Outcome::Sent { words, provider_id: None },
            Err(outcome) => outcome,
        }
    }

    async fn attempt(&self, server: &SmtpServer, written: &Written) -> Result<String, Outcome> {
        if let Some(connection) = self.pool.take(server) {
            let line = Line { connection, used: true };
            match self.converse(server, line, written).await {
                Err(Failure::Stale) => {}
                Err(Failure::Outcome(outcome)) => return Err(outcome),
                Ok(words) => return Ok(words),
            }
        }
        let line = Line { connection: self.connect(server).await?, used: false };
        match self.converse(server, line, written).await {
            Ok(words) => Ok(words),
            Err(Failure::Outcome(outcome)) => Err(outcome),
            Err(Failure::Stale) => Err(Outcome::transient("the connection was closed")),
        }
    }

    /// One mail over an open connection, which is kept where it can carry another.
    async fn converse(
        &self,
        server: &SmtpServer,
        mut line: Line,
        written: &Written,
    ) -> Result<String, Failure> {
        match self.transfer(&mut line, written).await {
            Ok(response) => {
                self.pool.give_back(server, line.connection);
                Ok(words_of(&response))
            }
            Err(refusal) => {
                if refusal.keeps_connection
                    && bounded(self.timeouts.command, line.connection.command(Rset)).await.is_ok()
                {
                    self.pool.give_back(server, line.connection);
                }
                Err(refusal.failure)
            }
        }
    }

    async fn transfer(&self, line: &mut Line, written: &Written) -> Result<Response, Refusal> {
        let limit = self.timeouts.command;
        let connection = &mut line.connection;
        let from = Mail::new(Some(written.from.clone()), Vec::new());
        if let Err(trouble) = bounded(limit, connection.command(from)).await {
            let stale = line.used && !matches!(&trouble, Trouble::Refused(_));
            return Err(if stale { Refusal::stale() } else { Refusal::of(&trouble, Step::Sender) });
        }
        let to = Rcpt::new(written.to.clone(), Vec::new());
        bounded(limit, connection.command(to))
            .await
            .map_err(|trouble| Refusal::of(&trouble, Step::Mail))?;
        bounded(limit, connection.command(Data))
            .await
            .map_err(|trouble| Refusal::of(&trouble, Step::Mail))?;
        bounded(self.timeouts.end_of_data, connection.message(&written.bytes))
            .await
            .map_err(|trouble| Refusal::of(&trouble, Step::EndOfData))
    }

    async fn connect(&self, server: &SmtpServer) -> Result<AsyncSmtpConnection, Outcome> {
        let addresses = addresses(server, self.timeouts.connect).await?;
        let stream = self.connect_tcp(&addresses).await?;
        let limit = self.timeouts.command;
        let stream = match server.security {
            Security::Tls => bounded(limit, wire::encrypted(stream, self.tls(&server.host)?))
                .await
                .map_err(|trouble| trouble.as_transient())?,
            Security::StartTls | Security::None => wire::plain(stream),
        };
        let greeting = AsyncSmtpConnection::connect_with_transport(stream, &self.hello);
        let mut connection =
            bounded(limit, greeting).await.map_err(|trouble| trouble.as_transient())?;
        if server.security == Security::StartTls {
            if !connection.can_starttls() {
                let words = "the server does not offer STARTTLS; set `security` to \"tls\" or \
                             \"none\", or the port of its encrypted service";
                return Err(Outcome::AccountRefused { words: words.to_owned() });
            }
            let tls = self.tls(&server.host)?;
            bounded(limit, connection.starttls(tls, &self.hello))
                .await
                .map_err(|trouble| trouble.as_transient())?;
        }
        self.sign_in(server, &mut connection).await?;
        Ok(connection)
    }

    async fn connect_tcp(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Outcome> {
        let mut last = Outcome::transient("the host has no address");
        for address in addresses {
            match tokio::time::timeout(self.timeouts.connect, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Without it each mail waits some 40 ms for an acknowledgement.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(error)) => {
                    last = Outcome::transient(format!("cannot connect to {address}: {error}"));
                }
                Err(_) => {
                    last = Outcome::transient(format!(
                        "cannot connect to {address}: it takes too long"
                    ));
                }
            }
        }
        Err(last)
    }

    async fn sign_in(
        &self,
        server: &SmtpServer,
        connection: &mut AsyncSmtpConnection,
    ) -> Result<(), Outcome> {
        let Some(username) = &server.username else { return Ok(()) };
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
            let words = "the server offers no way to sign in that is known here (PLAIN, LOGIN)";
            return Err(Outcome::AccountRefused { words: words.to_owned() });
        }
        let password =
            server.password.as_ref().map(|it| it.expose_secret().to_owned()).unwrap_or_default();
        let credentials = Credentials::new(username.clone(), password);
        match bounded(self.timeouts.command, connection.auth(&mechanisms, &credentials)).await {
            Ok(_) => Ok(()),
            Err(Trouble::Refused(error)) if error.is_permanent() => {
                Err(Outcome::AccountRefused { words: words_of_error(&error) })
            }
            Err(trouble) => Err(trouble.as_transient()),
        }
    }

    fn tls(&self, host: &str) -> Result<TlsParameters, Outcome> {
        if let Some(known) = self.tls.get(host) {
            return Ok(known);
        }
        let made = TlsParameters::new(host.to_owned())
            .map_err(|error| Outcome::transient(format!("TLS cannot be set up: {error}")))?;
        self.tls.insert(host.to_owned(), made.clone());
        Ok(made)
    }
}

async fn addresses(server: &SmtpServer, limit: Duration) -> Result<Vec<SocketAddr>, Outcome> {
    if let Some(addresses) = &server.addresses {
        return Ok(addresses.iter().map(|ip| SocketAddr::new(*ip, server.port)).collect());
    }
    let unknown =
        |why: String| Outcome::transient(format!("{} has no address: {why}", server.host));
    match tokio::time::timeout(limit, lookup_host((server.host.as_str(), server.port))).await {
        Ok(Ok(found)) => Ok(found.collect()),
        Ok(Err(error)) => Err(unknown(error.to_string())),
        Err(_) => Err(unknown("asking for it takes too long".to_owned())),
    }
}

/// What a step ends in besides a positive reply.
enum Trouble {
    /// The server said no.
    Refused(Error),
    /// The connection failed, or what came was no SMTP.
    Broken(Error),
    /// It took too long.
    TooLong(Duration),
}

impl Trouble {
    fn as_transient(&self) -> Outcome {
        Outcome::transient(self.words())
    }

    fn words(&self) -> String {
        match self {
            Self::Refused(error) => words_of_error(error),
            Self::Broken(error) => shortened(&error.to_string()),
            Self::TooLong(limit) => format!("no answer within {} s", limit.as_secs()),
        }
    }
}

/// Runs a step of the conversation, for so long at most.
async fn bounded<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, step).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) if error.status().is_some() => Err(Trouble::Refused(error)),
        Ok(Err(error)) => Err(Trouble::Broken(error)),
        Err(_) => Err(Trouble::TooLong(limit)),
    }
}

/// What of a mail was being said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Whom it is from: the account's, the same for every mail.
    Sender,
    /// Whom it is to, and that it comes.
    Mail,
    /// The mail itself.
    EndOfData,
}

/// A mail that was not taken.
struct Refusal {
    failure: Failure,
    keeps_connection: bool,
}

impl Refusal {
    fn stale() -> Self {
        Self { failure: Failure::Stale, keeps_connection: false }
    }

    fn of(trouble: &Trouble, step: Step) -> Self {
        let mut words = trouble.words();
        let Trouble::Refused(error) = trouble else {
            if step == Step::EndOfData {
                words.push_str(" after the mail was sent; the server may have taken it");
            }
            return Self {
                failure: Failure::Outcome(Outcome::transient(words)),
                keeps_connection: false,
            };
        };
        let code = error.status().map(u16::from).unwrap_or_default();
        let outcome = match (code, step) {
            // It wants a sign-in, or a better one.
            (530 | 534 | 535, _) => Outcome::AccountRefused { words },
            // Every mail of the account has this sender, so it is not this mail that is at fault.
            (500.., Step::Sender) => Outcome::AccountRefused { words },
            (500.., _) => Outcome::Permanent { words },
            _ => Outcome::transient(words),
        };
        // 421: it closes the connection.
        Self { failure: Failure::Outcome(outcome), keeps_connection: code != 421 }
    }
}

fn words_of(response: &Response) -> String {
    let text: Vec<&str> = response.message().collect();
    shortened(&format!("{} {}", response.code(), text.join(" ")))
}

/// What the server said, as it said it: the code and its text.
fn words_of_error(error: &Error) -> String {
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    match error.status() {
        Some(code) => shortened(&format!("{code} {text}")),
        None => shortened(&text),
    }
}

/// One line, cut where it is long.
fn shortened(words: &str) -> String {
    mail::one_line(words).chars().take(LONGEST_WORDS).collect()
}
