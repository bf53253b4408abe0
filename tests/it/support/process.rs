//! Servers as processes of their own.

use super::instance::{Instance, SECRET_KEY};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};

/// A `beeiq serve` on the database of an instance, killed at the end.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
    log: Receiver<String>,
}

impl Process {
    /// Starts one in staging mode, and waits until it says where it serves.
    pub(crate) fn start(instance: &Instance) -> Self {
        Self::with(instance, &["--environment=staging".to_owned()])
    }

    /// The same with these flags.
    pub(crate) fn with(instance: &Instance, flags: &[String]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_beeiq"))
            .args(["serve", "--no-migrate"])
            .args(flags)
            .env("BEEIQ_BIND", "127.0.0.1:0")
            .env("DATABASE_URL", instance.database_url())
            .env("BEEIQ_SECRET_KEY", SECRET_KEY)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // What it logs is read at once, so that it never waits for a reader.
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).all(|line| sender.send(line).is_ok());
        });
        let mut process = Self { child, url: String::new(), log };
        process.url = process.logged("url");
        process
    }

    /// Waits for the next line of its log with that field, which holds a text; that text.
    pub(crate) fn logged(&self, field: &str) -> String {
        self.log
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .find_map(|line| line[field].as_str().map(str::to_owned))
            .unwrap_or_else(|| panic!("the server has ended without a log line with {field}"))
    }

    /// Stops it as an operator does; what it has logged that has not been waited for.
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.terminate();
        self.wait();
        self.log.iter().collect()
    }

    /// The most memory that it has had in use, in bytes.
    pub(crate) fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: usize = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib * 1024
    }

    /// Asks it to stop, as an operator does.
    pub(crate) fn terminate(&self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, Signal::SIGTERM).unwrap();
    }

    /// Ends it as a crash does: nothing of it runs any more when this returns.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
