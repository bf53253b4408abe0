//! Rounds: the server, then the ceiling, then the server again …

use crate::ceiling::{self, Row, Template};
use crate::cpu;
use crate::database::{self, Databases};
use crate::load::{Load, Target};
use crate::payloads::digits;
use crate::scenario::{Kind, Scenario};
use crate::server::Server;
use anyhow::Context;
use beeiq::clock;
use diesel::pg::PgConnection;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The number of the first request of a scenario; those of the rounds are below, those of the seed
/// beside it.
const SAMPLE: u64 = 9_100_000;

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pace {
    pub rounds: usize,
    pub seconds: u64,
}

/// One side's figures: medians over its rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// `server`, `compared`, `ceiling`.
    pub name: &'static str,
    pub requests: f64,
    pub actions: f64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Microseconds of processor time of the server an action.
    pub server_cpu: f64,
    /// Microseconds of processor time of Postgres an action.
    pub postgres_cpu: f64,
    /// Microseconds of processor time of what makes the load an action.
    pub client_cpu: f64,
    /// MiB, at most.
    pub peak_memory: f64,
    /// Milliseconds from the start until it was ready.
    pub ready_after: f64,
}

impl Side {
    /// Microseconds of processor time an action, all in all.
    pub fn cpu(&self) -> f64 {
        self.server_cpu + self.postgres_cpu + self.client_cpu
    }
}

/// What the rounds of a scenario came to.
pub struct Measured {
    /// The server, the one that it is compared with, the ceiling: the medians of each.
    pub sides: Vec<Side>,
    /// For each round, the server's requests a second divided by those of the one that it is
    /// compared with, and the processor time an action the other way round.
    pub pairs: Vec<(f64, f64)>,
}

/// What the rounds are run with.
pub struct Bench {
    databases: Databases,
    dir: PathBuf,
    servers: Vec<(&'static str, PathBuf)>,
    pace: Pace,
}

impl Bench {
    pub fn start(
        dir: &Path,
        servers: Vec<(&'static str, PathBuf)>,
        pace: Pace,
    ) -> anyhow::Result<Self> {
        Ok(Self { databases: Databases::start(dir)?, dir: dir.to_owned(), servers, pace })
    }

    /// Measures a scenario; `None` where the server does not take what it sends.
    pub fn measure(&self, scenario: &Scenario) -> anyhow::Result<Option<Measured>> {
        let (_, program) = self.servers.first().context("no server")?;
        self.databases.reset(program, scenario.customers)?;
        let mut conn = self.databases.connect()?;
        let targets = database::targets(&mut conn)?;
        let mut servers = Vec::new();
        for (name, program) in &self.servers {
            let log = self.dir.join(format!("{name}.log"));
            let server = Server::start(program, scenario.options(), &self.databases.url(), &log)?;
            servers.push((*name, server));
        }
        let (_, server) = servers.first().context("no server")?;
        let target = targets.first().context("no listener")?;
        let Some(template) = template(&mut conn, server, target, scenario)? else {
            return Ok(None);
        };
        let load = Load::new(scenario, &targets, 2_000_000)?;
        let mut rounds: Vec<Vec<Side>> = Vec::new();
        for (_, server) in &servers {
            load.run(server.address, Duration::from_secs(1))?;
        }
        for round in 0..self.pace.rounds {
            // Neither of two servers always goes first.
            if round > 0 {
                servers.reverse();
            }
            let mut sides = Vec::new();
            for (name, server) in &servers {
                sides.push(self.server_round(name, server, scenario, &load)?);
            }
            if round % 2 == 1 {
                sides.reverse();
            }
            sides.push(self.ceiling_round(scenario, &template)?);
            rounds.push(sides);
        }
        let sides = (0..=servers.len())
            .map(|place| median(&rounds.iter().filter_map(|it| it.get(place)).collect::<Vec<_>>()))
            .collect::<Option<Vec<_>>>();
        let pairs = rounds.iter().filter_map(|sides| match sides.as_slice() {
            [new, old, _ceiling] => Some((new.requests / old.requests, old.cpu() / new.cpu())),
            _ => None,
        });
        Ok(Some(Measured { sides: sides.context("no rounds")?, pairs: pairs.collect() }))
    }

    fn server_round(
        &self,
        name: &'static str,
        server: &Server,
        scenario: &Scenario,
        load: &Load<'_>,
    ) -> anyhow::Result<Side> {
        let postmaster = self.databases.postmaster()?;
        let before = (cpu::of(server.pid())?, cpu::of_family(postmaster)?, cpu::own()?.0);
        let length = Duration::from_secs(self.pace.seconds);
        let round = load.run(server.address, length)?;
        let after = (cpu::of(server.pid())?, cpu::of_family(postmaster)?, cpu::own()?.0);
        let actions = as_f64(round.requests) * as_f64(u64::try_from(scenario.actions)?);
        let micros = |seconds: f64| seconds * 1e6 / actions.max(1.0);
        Ok(Side {
            name,
            requests: as_f64(round.requests) / round.elapsed.as_secs_f64(),
            actions: actions / round.elapsed.as_secs_f64(),
            p50: percentile(&round.latencies, 50),
            p99: percentile(&round.latencies, 99),
            server_cpu: micros(after.0 - before.0),
            postgres_cpu: micros(after.1 - before.1),
            client_cpu: micros(after.2 - before.2),
            peak_memory: cpu::peak_memory(server.pid())?,
            ready_after: server.ready_after.as_secs_f64() * 1e3,
        })
    }

    fn ceiling_round(&self, scenario: &Scenario, template: &Template) -> anyhow::Result<Side> {
        let postmaster = self.databases.postmaster()?;
        let before = (cpu::of_family(postmaster)?, cpu::own()?.1);
        let length = Duration::from_secs(self.pace.seconds);
        let started = clock::instant();
        let round = ceiling::run(&self.dir, &self.databases.url(), scenario, template, length)?;
        let elapsed = started.elapsed().min(length + Duration::from_secs(1));
        let after = (cpu::of_family(postmaster)?, cpu::own()?.1);
        let actions = round.rate * as_f64(u64::try_from(scenario.actions)?);
        let micros = |seconds: f64| seconds * 1e6 / (actions * elapsed.as_secs_f64()).max(1.0);
        Ok(Side {
            name: "ceiling",
            requests: round.rate,
            actions,
            p50: percentile(&round.latencies, 50),
            p99: percentile(&round.latencies, 99),
            server_cpu: 0.0,
            postgres_cpu: micros(after.0 - before.0),
            client_cpu: micros(after.1 - before.1),
            peak_memory: 0.0,
            ready_after: 0.0,
        })
    }
}

/// What the server writes for a request of the scenario, found in the tables after it.
fn template(
    conn: &mut PgConnection,
    server: &Server,
    target: &Target,
    scenario: &Scenario,
) -> anyhow::Result<Option<Template>> {
    let Scenario { kind, actions, .. } = *scenario;
    let mut send = |number: u64, actions| {
        let number = if kind == Kind::Duplicate { 1 } else { number };
        let delivery = database::send(server, target, kind, number, actions)?;
        let rows = delivery.map(|delivery| database::rows_of(conn, delivery)).transpose()?;
        anyhow::Ok(rows.map(|rows| rows.into_iter().partition(|row| row.table == "deliveries")))
    };
    // What only the first such request makes (a company that all name) is there afterwards.
    let Some::<(Vec<Row>, Vec<Row>)>(_) = send(SAMPLE, 1)? else { return Ok(None) };
    let (mut delivery, rows) = send(SAMPLE + 1, actions)?.context("refused")?;
    Ok(Some(match kind {
        // The rows of one contact, again and again, and the delivery of all.
        Kind::Add if actions > 1 => {
            let (_, each) = send(SAMPLE + 100_000, 1)?.context("refused")?;
            Template { each, once: delivery, sample: digits(SAMPLE + 100_000) }
        }
        Kind::Add | Kind::Duplicate | Kind::Mix | Kind::Async => {
            delivery.extend(rows);
            Template { each: delivery, once: Vec::new(), sample: digits(SAMPLE + 1) }
        }
    }))
}

pub fn middle(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

/// The medians of one side's rounds, each figure by itself.
fn median(rounds: &[&Side]) -> Option<Side> {
    let middle =
        |figure: fn(&Side) -> f64| middle(rounds.iter().map(|round| figure(round)).collect());
    Some(Side {
        name: rounds.first()?.name,
        requests: middle(|it| it.requests)?,
        actions: middle(|it| it.actions)?,
        p50: middle(|it| it.p50)?,
        p99: middle(|it| it.p99)?,
        server_cpu: middle(|it| it.server_cpu)?,
        postgres_cpu: middle(|it| it.postgres_cpu)?,
        client_cpu: middle(|it| it.client_cpu)?,
        peak_memory: rounds.iter().map(|it| it.peak_memory).fold(0.0, f64::max),
        ready_after: middle(|it| it.ready_after)?,
    })
}

/// In milliseconds, of microseconds that ascend.
fn percentile(latencies: &[u64], percent: usize) -> f64 {
    let micros = latencies.get(latencies.len() * percent / 100).copied().unwrap_or(0);
    as_f64(micros) / 1e3
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
