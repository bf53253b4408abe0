//! Processor time and memory of processes, from `/proc`.

use anyhow::Context;
use std::fs;

/// `USER_HZ`: what `/proc` counts in on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// The numbers after the program's name in `/proc/PID/stat`, the first of them the parent.
fn stat(pid: u32) -> anyhow::Result<Vec<f64>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name is in parentheses and may hold some itself.
    let (_, rest) = text.rsplit_once(')').context("a stat without a name")?;
    Ok(rest.split_whitespace().skip(1).map(|word| word.parse().unwrap_or(0.0)).collect())
}

fn sum(stat: &[f64], from: usize, count: usize) -> f64 {
    stat.iter().skip(from).take(count).sum::<f64>() / TICKS_PER_SECOND
}

/// Seconds of processor time of a process.
pub fn of(pid: u32) -> anyhow::Result<f64> {
    Ok(sum(&stat(pid)?, 10, 2))
}

/// Seconds of this process, and of its children that have ended.
pub fn own() -> anyhow::Result<(f64, f64)> {
    let stat = stat(std::process::id())?;
    Ok((sum(&stat, 10, 2), sum(&stat, 12, 2)))
}

/// Seconds of a process and of all children that it has or had.
pub fn of_family(parent: u32) -> anyhow::Result<f64> {
    loop {
        let before = sum(&stat(parent)?, 12, 2);
        let children = of_children(parent)?;
        let own = stat(parent)?;
        // Those of a child that ended meanwhile would be missing, or be there twice.
        if (sum(&own, 12, 2) - before).abs() < f64::EPSILON {
            return Ok(sum(&own, 10, 4) + children);
        }
    }
}

fn of_children(parent: u32) -> anyhow::Result<f64> {
    let mut seconds = 0.0;
    for entry in fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse() else { continue };
        // It may have ended since.
        let Ok(stat) = stat(pid) else { continue };
        if stat.first().is_some_and(|it| (it - f64::from(parent)).abs() < 0.5) {
            seconds += sum(&stat, 10, 2);
        }
    }
    Ok(seconds)
}

/// The most memory that a process has had, in MiB.
pub fn peak_memory(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
