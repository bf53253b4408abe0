//! What was measured: as a table, as JSON, as a plot.

use crate::rounds::{Measured, Pace, Side, middle};
use crate::scenario::Scenario;
use beeiq::clock;
use serde::Serialize;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

pub const HEADING: &str = "scenario       side       requests/s  actions/s  of ceiling   by CPU   p50 ms   p99 ms  \
    µs CPU an action: server postgres client   peak MiB  ready ms";

#[derive(Serialize)]
struct Entry {
    scenario: &'static str,
    about: &'static str,
    sides: Vec<Side>,
    /// Requests a second of each side, divided by the ceiling's.
    ratios: Vec<f64>,
    /// The ceiling's processor time an action, divided by each side's, what makes the load
    /// included: what the ratio is where only the processor limits both. It hardly depends on what
    /// else the machine does.
    cpu_ratios: Vec<f64>,
    /// For each round, what [`Measured`] says of a server that another is compared with.
    pairs: Vec<(f64, f64)>,
}

#[derive(Serialize)]
pub struct Report {
    finished: String,
    pace: Pace,
    scenarios: Vec<Entry>,
}

impl Report {
    pub fn new(pace: Pace) -> Self {
        Self { finished: String::new(), pace, scenarios: Vec::new() }
    }

    /// Adds a scenario, and gives its lines of the table.
    pub fn add(&mut self, scenario: &Scenario, measured: Measured) -> String {
        let Measured { sides, pairs } = measured;
        let ceiling = sides.last().map_or(0.0, |side| side.requests);
        let ratios: Vec<f64> = sides.iter().map(|side| side.requests / ceiling).collect();
        let of_ceiling = sides.last().map_or(0.0, Side::cpu);
        let cpu_ratios: Vec<f64> = sides.iter().map(|side| of_ceiling / side.cpu()).collect();
        let mut lines = String::new();
        for ((side, ratio), by_cpu) in sides.iter().zip(&ratios).zip(&cpu_ratios) {
            // Writing to a text cannot fail.
            let _ = writeln!(
                lines,
                "{:<14} {:<9} {:>11.0} {:>10.0} {ratio:>11.2} {by_cpu:>8.2} {:>8.2} {:>8.2} {:>24.0} {:>8.0} {:>6.0} {:>10.0} {:>9.0}",
                scenario.name,
                side.name,
                side.requests,
                side.actions,
                side.p50,
                side.p99,
                side.server_cpu,
                side.postgres_cpu,
                side.client_cpu,
                side.peak_memory,
                side.ready_after,
            );
        }
        let (name, about) = (scenario.name, scenario.about);
        let each = |figure: fn(&(f64, f64)) -> f64| pairs.iter().map(figure).collect();
        if let (Some(ratio), Some(by_cpu)) = (middle(each(|it| it.0)), middle(each(|it| it.1))) {
            let rounds: Vec<String> = pairs.iter().map(|it| format!("{:.2}", it.0)).collect();
            let _ = writeln!(
                lines,
                "{name:<14} server / compared: {ratio:.3} ({by_cpu:.3} by CPU); rounds {}",
                rounds.join(" ")
            );
        }
        self.scenarios.push(Entry { scenario: name, about, sides, ratios, cpu_ratios, pairs });
        lines
    }

    /// Writes the JSON and the plot, named after the time.
    pub fn write(mut self, dir: &Path) -> anyhow::Result<PathBuf> {
        let now = clock::now();
        self.finished = now.to_rfc3339();
        let path = dir.join(now.format("%Y-%m-%dT%H%M%SZ.json").to_string());
        fs::write(&path, serde_json::to_string_pretty(&self)?)?;
        fs::write(path.with_extension("svg"), self.plot())?;
        Ok(path)
    }

    /// A bar for each side of each scenario: requests a second, of the ceiling's.
    fn plot(&self) -> String {
        let bars: Vec<(String, &str, f64, f64)> = self
            .scenarios
            .iter()
            .flat_map(|it| {
                it.sides.iter().zip(&it.ratios).map(|(side, ratio)| {
                    let name = format!("{} {}", it.scenario, side.name);
                    (name, side.name, side.actions, *ratio)
                })
            })
            .collect();
        let height = 40 + 22 * bars.len();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"10\" y=\"20\">Requests a second as a part of the ceiling's; actions a second</text>\n"
        );
        for (place, (name, side, actions, ratio)) in bars.iter().enumerate() {
            let (top, length) = (34 + 22 * place, ratio * 400.0);
            let colour = if *side == "ceiling" { "#b0b0b0" } else { "#3b7dd8" };
            let _ = writeln!(
                svg,
                "<text x=\"10\" y=\"{}\">{name}</text><rect x=\"200\" y=\"{top}\" width=\"{length:.0}\" \
                 height=\"16\" fill=\"{colour}\"/><text x=\"{:.0}\" y=\"{}\">{ratio:.2} ({actions:.0}/s)</text>",
                top + 13,
                length + 208.0,
                top + 13,
            );
        }
        svg + "</svg>\n"
    }
}
