//! How far it is: a bar on a terminal, else a line now and then.

use super::tally::Tally;
use crate::clock;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    total_bytes: Option<u64>,
    started: Instant,
    /// Rows that were done before this start, and their bytes.
    before: (u64, u64),
    next_line: Duration,
}

impl Progress {
    /// Shows nothing yet. `total_bytes` is the length of the file, where it is known; `before` are
    /// the rows and bytes that were done before.
    pub(crate) fn new(total_bytes: Option<u64>, before: (u64, u64)) -> Self {
        let bar = stderr().is_terminal().then(|| bar(total_bytes));
        let started = clock::instant();
        Self { bar, total_bytes, started, before, next_line: LINE_EVERY }
    }

    pub(crate) fn show(&mut self, tally: &Tally, bytes_read: u64) {
        let elapsed = self.started.elapsed();
        let rows = tally.total();
        let rate = rows.saturating_sub(self.before.0) * 1000
            / u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        let state = format!(
            "{} rows, {} rows/s, {} failed",
            HumanCount(rows),
            HumanCount(rate),
            HumanCount(tally.failed())
        );
        if let Some(bar) = &self.bar {
            bar.set_position(bytes_read);
            bar.set_message(state);
        } else if elapsed >= self.next_line {
            self.next_line = elapsed + LINE_EVERY;
            let share = self
                .total_bytes
                .map(|total| share(self.before.1, bytes_read, total, elapsed))
                .unwrap_or_default();
            write_line(&format!("{state}{share}"));
        }
    }

    pub(crate) fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => write_line(text),
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total_bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match total_bytes {
        Some(total) => (ProgressBar::new(total), "{bar:30} {percent} %  {msg}, {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// How much of the file is done, and how long the rest takes where it goes on as since the start.
fn share(before: u64, read: u64, total: u64, elapsed: Duration) -> String {
    let percent = read.saturating_mul(100) / total.max(1);
    let (done, rest) = (read.saturating_sub(before), total.saturating_sub(read));
    let seconds = u128::from(elapsed.as_secs()) * u128::from(rest) / u128::from(done.max(1));
    let left = Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX));
    format!(" ({percent} %, {} left)", HumanDuration(left))
}

/// Where standard error is closed there is nobody to tell.
fn write_line(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_what_was_read_since_the_start() {
        for (before, read, total, elapsed, shown) in [
            (0, 25, 100, 60, " (25 %, 3 minutes left)"),
            (0, 100, 100, 60, " (100 %, 0 seconds left)"),
            // What was done before a resume took no time of this one.
            (50, 75, 100, 60, " (75 %, 60 seconds left)"),
            (0, 0, 0, 5, " (0 %, 0 seconds left)"),
        ] {
            let elapsed = Duration::from_secs(elapsed);
            assert_eq!(share(before, read, total, elapsed), shown);
        }
    }
}
