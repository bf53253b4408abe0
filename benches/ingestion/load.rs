//! A load generator: connections that each send one request after the other.

use crate::http::{self, Client};
use crate::payloads::{self, Template};
use crate::scenario::{Kind, Scenario};
use beeiq::clock;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A listener, and who sends to it.
#[derive(Clone, Debug)]
pub struct Target {
    pub path: String,
    pub sender: String,
}

impl Target {
    /// The requests to it, head and body.
    fn template(&self, kind: Kind, actions: usize) -> anyhow::Result<Template> {
        let head = |length| http::head(&self.path, header(kind), length);
        Template::new(head, kind, &self.sender, actions)
    }
}

/// What a round was like.
#[derive(Debug)]
pub struct Round {
    pub requests: u64,
    pub elapsed: Duration,
    /// How long each took, in microseconds, ascending.
    pub latencies: Vec<u64>,
}

/// The header that a kind of load has besides the usual ones.
pub fn header(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Async => ("prefer", "respond-async"),
        Kind::Add | Kind::Duplicate | Kind::Mix => ("user-agent", "bench"),
    }
}

/// The load of a scenario, made ready.
pub struct Load<'s> {
    scenario: &'s Scenario,
    templates: Vec<Template>,
    /// The number that is sent next: each is sent once.
    next: AtomicU64,
}

impl<'s> Load<'s> {
    /// The load of that scenario on those targets, with numbers from `first` on.
    pub fn new(scenario: &'s Scenario, targets: &[Target], first: u64) -> anyhow::Result<Self> {
        let templates = targets
            .iter()
            .take(scenario.orgs)
            .map(|target| target.template(scenario.kind, scenario.actions))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { scenario, templates, next: AtomicU64::new(first) })
    }

    /// Sends for that long. Every answer must have the right status, and the first of each
    /// connection must say what is expected.
    pub fn run(&self, address: SocketAddr, length: Duration) -> anyhow::Result<Round> {
        let clients = (0..self.scenario.connections)
            .map(|_| Client::connect(address))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let start = clock::instant();
        let until = start + length;
        // A loop over ready sockets takes as much of the processor for a request as threads that
        // block: measured, with 16 connections and with 64.
        let of_connections = thread::scope(|scope| {
            let threads: Vec<_> = clients
                .into_iter()
                .enumerate()
                .map(|(place, client)| scope.spawn(move || self.connection(client, place, until)))
                .collect();
            threads
                .into_iter()
                .map(|thread| {
                    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a connection panicked")))
                })
                .collect::<anyhow::Result<Vec<_>>>()
        })?;
        let elapsed = start.elapsed();
        let mut latencies = of_connections.concat();
        latencies.sort_unstable();
        Ok(Round { requests: u64::try_from(latencies.len())?, elapsed, latencies })
    }

    fn connection(
        &self,
        mut client: Client,
        place: usize,
        until: Instant,
    ) -> anyhow::Result<Vec<u64>> {
        let Scenario { kind, actions, .. } = *self.scenario;
        let wanted = if kind == Kind::Async { 202 } else { 200 };
        let expected = payloads::expected(kind, actions);
        let mut latencies = Vec::new();
        // Each connection begins with another org.
        let mut templates = self.templates.clone();
        templates.rotate_left(place % self.templates.len().max(1));
        let mut turn = 0;
        while let Some(template) = templates.get_mut(turn) {
            let request = template.request(self.take()?)?;
            let sent = clock::instant();
            if sent >= until {
                break;
            }
            let answer = client.exchange(request)?;
            latencies.push(u64::try_from(sent.elapsed().as_micros())?);
            let said = || String::from_utf8_lossy(answer.body);
            let right =
                answer.status == wanted && (latencies.len() > 1 || said().contains(&expected));
            anyhow::ensure!(right, "{}: {}", answer.status, said());
            turn = (turn + 1) % self.templates.len();
        }
        Ok(latencies)
    }

    /// The number of the next request's first action.
    fn take(&self) -> anyhow::Result<u64> {
        let Scenario { kind, actions, customers, .. } = *self.scenario;
        let number = self.next.fetch_add(u64::try_from(actions)?, Ordering::Relaxed);
        Ok(if kind == Kind::Duplicate { 1 + number % u64::try_from(customers)? } else { number })
    }
}
