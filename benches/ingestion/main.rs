//! The benchmark, by `scripts/bench`: a private Postgres with `fsync` on, the server as a process of
//! its own, and in the same run, alternating, the ceiling: pgbench writing the same rows with one
//! prepared statement a request. `docs/performance.md` says how to read what it prints.

mod ceiling;
mod cpu;
mod database;
mod http;
mod load;
mod payloads;
mod report;
mod rounds;
mod scenario;
mod server;

use anyhow::Context;
use clap::Parser;
use report::Report;
use rounds::{Bench, Pace};
use scenario::{SCENARIOS, Scenario};
use std::io::Write;
use std::path::PathBuf;

/// Measures the server against what Postgres itself can do on this machine.
#[derive(Parser)]
struct Options {
    /// Two minutes: fewer, shorter rounds, and no million of customers
    #[arg(long)]
    quick: bool,
    /// Only these scenarios, comma separated
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    only: Vec<String>,
    /// Say which scenarios there are
    #[arg(long)]
    list: bool,
    /// Rounds of each side
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Seconds of a round
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// The server to measure
    #[arg(long, default_value = env!("CARGO_BIN_EXE_beeiq"), value_name = "PROGRAM")]
    server: PathBuf,
    /// Another server (an earlier build), measured in the same rounds
    #[arg(long, value_name = "PROGRAM")]
    compare: Option<PathBuf>,
    /// What `cargo bench` passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn scenarios(&self) -> anyhow::Result<Vec<&'static Scenario>> {
        for name in &self.only {
            anyhow::ensure!(
                SCENARIOS.iter().any(|scenario| scenario.name == name),
                "there is no scenario {name}; --list shows those that there are"
            );
        }
        let wanted = |scenario: &&Scenario| {
            if self.only.is_empty() {
                !self.quick || scenario.quick
            } else {
                self.only.iter().any(|name| name == scenario.name)
            }
        };
        Ok(SCENARIOS.iter().filter(wanted).collect())
    }

    fn pace(&self) -> Pace {
        let (rounds, seconds) = if self.quick { (2, 3) } else { (3, 8) };
        Pace { rounds: self.rounds.unwrap_or(rounds), seconds: self.seconds.unwrap_or(seconds) }
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut out = std::io::stdout();
    if options.list {
        for Scenario { name, about, .. } in SCENARIOS {
            writeln!(out, "{name:<14} {about}")?;
        }
        return Ok(());
    }
    let scenarios = options.scenarios()?;
    let dir =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().context("no target")?.join("bench");
    std::fs::create_dir_all(&dir)?;
    let mut servers = vec![("server", options.server.clone())];
    servers.extend(options.compare.clone().map(|program| ("compared", program)));
    let bench = Bench::start(&dir, servers, options.pace())?;
    let mut report = Report::new(options.pace());
    writeln!(out, "{}", report::HEADING)?;
    for scenario in scenarios {
        match bench.measure(scenario).with_context(|| format!("scenario {}", scenario.name))? {
            Some(measured) => {
                write!(out, "{}", report.add(scenario, measured))?;
                out.flush()?;
            }
            None => writeln!(out, "{:<14} skipped: the server does not take it", scenario.name)?,
        }
    }
    let written = report.write(&dir)?;
    writeln!(out, "\nWritten: {} and .svg", written.display())?;
    Ok(())
}
