//! The ceiling: what the server wrote for a request, turned into one statement that writes the same
//! rows with other numbers, for pgbench to run.

use crate::scenario::Scenario;
use anyhow::Context;
use beeiq::clock;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How the ids of preloaded records begin, up to the place of the table.
pub const PRELOADED: &str = "01000000-0000";

/// A row that the server wrote.
#[derive(Clone, Debug)]
pub struct Row {
    pub table: String,
    /// Name, type, and the value as text.
    pub columns: Vec<(String, String, Option<String>)>,
}

/// The rows of a request: those of each action, and those of the request as a whole.
#[derive(Clone, Debug)]
pub struct Template {
    pub each: Vec<Row>,
    pub once: Vec<Row>,
    /// The digits of the number that `each` was written for.
    pub sample: String,
}

impl Template {
    /// The statement that writes the rows for every number that the query `numbers` gives as `n`.
    /// `prefix` is what new ids begin with.
    pub fn statement(&self, numbers: &str, prefix: &str) -> String {
        let new_ids = self.new_ids();
        let rows =
            self.each.iter().map(|row| (row, "n")).chain(self.once.iter().map(|row| (row, "one")));
        let inserts: Vec<String> = rows
            .enumerate()
            .map(|(place, (row, source))| {
                let columns: Vec<String> =
                    row.columns.iter().map(|(name, _, _)| format!("\"{name}\"")).collect();
                let values: Vec<String> = row
                    .columns
                    .iter()
                    .map(|column| self.expression(column, place, &new_ids, prefix))
                    .collect();
                let (table, columns, values) = (&row.table, columns.join(", "), values.join(", "));
                format!(
                    "i{place} AS (INSERT INTO {table} ({columns}) SELECT {values} FROM {source})"
                )
            })
            .collect();
        let inserts = inserts.join(", ");
        format!(
            "WITH n AS MATERIALIZED ({numbers}), one AS (SELECT n FROM n LIMIT 1), {inserts} SELECT 1"
        )
    }

    /// The ids that came with the rows, and the place of the row of each.
    fn new_ids(&self) -> HashMap<&str, usize> {
        let mut ids = HashMap::new();
        for (place, row) in self.each.iter().chain(&self.once).enumerate() {
            for (name, _, value) in &row.columns {
                if let ("id", Some(value)) = (name.as_str(), value) {
                    ids.insert(value.as_str(), place);
                }
            }
        }
        ids
    }

    /// The value of a column in terms of `n`.
    fn expression(
        &self,
        (name, kind, value): &(String, String, Option<String>),
        place: usize,
        new_ids: &HashMap<&str, usize>,
        prefix: &str,
    ) -> String {
        let Some(value) = value else { return format!("NULL::{kind}") };
        if name == "number" {
            // Several rows of a request may be of one kind.
            format!("(n * 16 + {place})")
        } else if let Some(&place) = new_ids.get(value.as_str()) {
            id(prefix, place, "n")
        } else if kind == "uuid" && value.starts_with(PRELOADED) {
            let place = value.get(15..18).and_then(|place| usize::from_str_radix(place, 16).ok());
            id(PRELOADED, place.unwrap_or(0), "1 + n % 10000")
        } else if kind != "bytea" && value.contains(&self.sample) {
            let (text, sample) = (literal(value), &self.sample);
            format!("replace({text}, '{sample}', lpad(n::text, 7, '0'))::{kind}")
        } else {
            format!("{}::{kind}", literal(value))
        }
    }
}

fn id(prefix: &str, place: usize, n: &str) -> String {
    format!("('{prefix}-7{place:03x}-8000-' || lpad(to_hex({n}), 12, '0'))::uuid")
}

/// A literal without colons, which pgbench would take for its variables.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "''");
    format!("E'{}'", escaped.replace(':', "\\072").replace('\n', "\\n"))
}

/// What a round of the ceiling was like.
#[derive(Debug)]
pub struct Round {
    pub rate: f64,
    /// Microseconds of a part of the requests, ascending.
    pub latencies: Vec<u64>,
}

pub fn run(
    dir: &Path,
    url: &str,
    scenario: &Scenario,
    template: &Template,
    length: Duration,
) -> anyhow::Result<Round> {
    // As UUID v7 do, ids begin with the time, so that they go to the end of an index.
    let millis = format!("{:012x}", clock::now().timestamp_millis());
    let (high, low) = millis.split_at_checked(8).context("a time of another length")?;
    let numbers = if template.once.is_empty() {
        "SELECT nextval('bench.n') AS n".to_owned()
    } else {
        format!("SELECT nextval('bench.n') AS n FROM generate_series(1, {})", scenario.actions)
    };
    let statement = template.statement(&numbers, &format!("{high}-{low}"));
    let logs = dir.join("pgbench");
    let _ = fs::remove_dir_all(&logs);
    fs::create_dir_all(&logs)?;
    fs::write(logs.join("script.sql"), format!("{statement};\n"))?;
    // Beside the server's programs, or wherever it is installed.
    let program = std::env::var_os("PG_BINDIR")
        .map(|dir| Path::new(&dir).join("pgbench"))
        .filter(|program| program.exists())
        .unwrap_or_else(|| "pgbench".into());
    let output = Command::new(program)
        .current_dir(&logs)
        .args(["--no-vacuum", "--protocol=prepared", "--file=script.sql"])
        .args(["--log", "--log-prefix=latency", "--sampling-rate=0.25"])
        .arg(format!("--client={}", scenario.connections))
        .arg(format!("--jobs={}", scenario.connections.min(2)))
        .arg(format!("--time={}", length.as_secs()))
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .context("cannot run pgbench")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "pgbench failed: {complaint}");
    let rate = said
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok())
        .with_context(|| format!("pgbench told no rate: {said}{complaint}"))?;
    Ok(Round { rate, latencies: latencies(&logs)? })
}

fn latencies(logs: &Path) -> anyhow::Result<Vec<u64>> {
    let mut latencies = Vec::new();
    for entry in fs::read_dir(logs)? {
        let path = entry?.path();
        if path.extension().is_none_or(|it| it != "sql") {
            let text = fs::read_to_string(path)?;
            let third = |line: &str| line.split_whitespace().nth(2)?.parse::<u64>().ok();
            latencies.extend(text.lines().filter_map(third));
        }
    }
    latencies.sort_unstable();
    Ok(latencies)
}
