//! Servers as processes of their own.

use super::instance::{Instance, SECRET_KEY};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A `beeiq serve` on the database of an instance, killed at the end.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    /// Starts one in staging mode, and waits until it says where it serves.
    pub(crate) fn start(instance: &Instance) -> Self {
        Self::with(instance, &["--environment=staging".to_owned()])
    }

    /// The same with these flags.
    pub(crate) fn with(instance: &Instance, flags: &[String]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_beeiq"))
            .args(["serve", "--bind", "127.0.0.1:0", "--no-migrate"])
            .args(flags)
            .env("DATABASE_URL", instance.database_url())
            .env("BEEIQ_SECRET_KEY", SECRET_KEY)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut lines = lines.map(Result::unwrap);
        let url = lines
            .by_ref()
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .find_map(|line| line["url"].as_str().map(str::to_owned))
            .expect("the server says where it serves");
        // What it logs from now on is read away, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
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
