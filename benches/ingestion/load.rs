//! A load generator: connections that each send one request after the other.

use crate::payloads;
use crate::scenario::{Kind, Scenario};
use beeiq::clock;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// A listener, and who sends to it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The path of its URL.
    pub path: String,
    /// The `senderUser`.
    pub sender: String,
}

/// What a round was like.
#[derive(Debug)]
pub struct Round {
    /// How many requests were answered.
    pub requests: u64,
    /// Within how long.
    pub elapsed: Duration,
    /// How long each took, in microseconds, ascending.
    pub latencies: Vec<u64>,
}

/// Where numbers come from: each is sent once.
pub struct Numbers(AtomicU64);

impl Numbers {
    /// Those from `first` on.
    pub fn from(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }

    fn take(&self, count: usize) -> u64 {
        self.0.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed)
    }
}

/// An HTTP/1.1 connection that stays.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Posts JSON, with a further header, and reads the answer.
    pub async fn post(
        &mut self,
        path: &str,
        (name, value): (&'static str, &str),
        body: String,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::post(path)
            .header(header::HOST, "127.0.0.1")
            .header(header::CONTENT_TYPE, "application/json")
            .header(name, value)
            .body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

/// The header that a kind of load has besides the usual ones.
pub fn header(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Async => ("prefer", "respond-async"),
        Kind::Add | Kind::Duplicate | Kind::Mix => ("user-agent", "bench"),
    }
}

/// Sends for that long. Every answer must have the right status, and the first of each connection
/// must say what is expected.
pub fn run(
    address: SocketAddr,
    scenario: &Scenario,
    targets: &[Target],
    numbers: &Numbers,
    length: Duration,
) -> anyhow::Result<Round> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let start = clock::instant();
        let until = start + length;
        let senders = (0..scenario.connections)
            .map(|place| connection(address, scenario, targets, numbers, (place, until)));
        let mut latencies = Vec::new();
        for of_connection in futures_util::future::try_join_all(senders).await? {
            latencies.extend(of_connection);
        }
        let elapsed = start.elapsed();
        latencies.sort_unstable();
        Ok(Round { requests: u64::try_from(latencies.len())?, elapsed, latencies })
    })
}

async fn connection(
    address: SocketAddr,
    scenario: &Scenario,
    targets: &[Target],
    numbers: &Numbers,
    (place, until): (usize, Instant),
) -> anyhow::Result<Vec<u64>> {
    let Scenario { kind, actions, orgs, customers, .. } = *scenario;
    let wanted = if kind == Kind::Async { StatusCode::ACCEPTED } else { StatusCode::OK };
    let expected = payloads::expected(kind, actions);
    let mut client = Client::connect(address).await?;
    let mut latencies = Vec::new();
    // Each connection begins with another org.
    let targets = targets.iter().take(orgs).cycle().skip(place);
    for Target { path, sender } in targets {
        let mut number = numbers.take(actions);
        if kind == Kind::Duplicate {
            number = 1 + number % u64::try_from(customers)?;
        }
        let body = payloads::body(kind, sender, number, actions);
        let sent = clock::instant();
        if sent >= until {
            break;
        }
        let (status, answer) = client.post(path, header(kind), body).await?;
        let right = status == wanted
            && (!latencies.is_empty() || String::from_utf8_lossy(&answer).contains(&expected));
        anyhow::ensure!(right, "{status}: {}", String::from_utf8_lossy(&answer));
        latencies.push(u64::try_from(sent.elapsed().as_micros())?);
    }
    Ok(latencies)
}
