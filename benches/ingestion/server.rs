//! The server as a process of its own.

use anyhow::Context;
use beeiq::clock;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

/// The key of the benchmark's databases: 32 bytes that are no secret.
const SECRET_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// How long it may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it is stopped when this is dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From its start until `/readyz` was 200.
    pub ready_after: Duration,
}

impl Server {
    /// Starts one with default settings but for `options` on that database, its log in a file, and
    /// waits until it is ready.
    pub fn start(
        program: &Path,
        options: &[&str],
        database_url: &str,
        log: &Path,
    ) -> anyhow::Result<Self> {
        // Free until a moment ago, and nobody else is after it.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let started = clock::instant();
        let child = Command::new(program)
            .args(["serve", "--environment", "staging", "--bind", &address.to_string()])
            .args(options)
            .env("DATABASE_URL", database_url)
            .env("BEEIQ_SECRET_KEY", SECRET_KEY)
            .stderr(File::create(log)?)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut server = Self { child, address, ready_after: Duration::ZERO };
        while !server.is_ready() {
            let ended = server.child.try_wait()?;
            anyhow::ensure!(ended.is_none(), "the server ended: see {}", log.display());
            anyhow::ensure!(started.elapsed() < PATIENCE, "the server is not ready");
            std::thread::sleep(Duration::from_millis(5));
        }
        server.ready_after = started.elapsed();
        Ok(server)
    }

    fn is_ready(&self) -> bool {
        let answer = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.address)?;
            stream
                .write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        answer().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Not yet waited for, so the number is still this child's.
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
