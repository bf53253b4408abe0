//! The server process: starting it, stopping it, and clearing away what a killed program left.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, io, thread};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid, getppid, setsid};

use super::error::{EmbeddedError, at, unless};

/// How long to wait between two looks at a process.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running server, which the system stops when this program dies.
#[derive(Debug)]
pub(super) struct Postmaster {
    child: Child,
    /// Keeps the thread alive that started the child: see [`Postmaster::spawn`].
    _owner: mpsc::Sender<()>,
}

impl Postmaster {
    /// Starts `command` in a session of its own, so that Ctrl-C in a terminal does not reach it.
    ///
    /// The system's signal to it on this program's death is sent when the *thread* that started it
    /// ends, so a thread of its own does that and then waits until the `Postmaster` is dropped.
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        detach(&mut command);
        let (owner, until_dropped) = mpsc::channel::<()>();
        let (started, child) = mpsc::channel();
        thread::Builder::new().name("postgres-owner".to_owned()).spawn(move || {
            if started.send(command.spawn()).is_ok() {
                // Nothing is ever sent: this returns when the sender is dropped.
                let _ = until_dropped.recv();
            }
        })?;
        let child = child.recv().map_err(io::Error::other)??;
        Ok(Self { child, _owner: owner })
    }

    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Stops it: sessions are broken off and everything is written (a "fast shutdown"); by force if
    /// that takes more than 30 s. Does nothing when it has ended.
    pub(super) fn stop(&mut self) -> io::Result<()> {
        for (signal, seconds) in [(Signal::SIGINT, 30), (Signal::SIGQUIT, 10)] {
            if self.ended()?.is_some() {
                return Ok(());
            }
            // Not yet waited for, so the number is still this child's.
            kill(Pid::from_raw(self.child.id().cast_signed()), signal)?;
            if wait_until(seconds, || self.ended().map(|status| status.is_some()))? {
                return Ok(());
            }
        }
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(%error, "could not stop the private PostgreSQL server");
        }
    }
}

/// Puts the child into its own session, and lets the system stop it when its parent dies (Linux).
fn detach(command: &mut Command) {
    let parent = getpid();
    // SAFETY: between fork and exec only async-signal-safe system calls are made (setsid, prctl,
    // getppid), and no memory is allocated.
    unsafe {
        command.pre_exec(move || {
            setsid()?;
            #[cfg(target_os = "linux")]
            nix::sys::prctl::set_pdeathsig(Signal::SIGINT)?;
            // The parent may have died before the line above.
            if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
        });
    }
}

/// Looks whether `done` until it is, `seconds` long. Returns whether it was.
pub(super) fn wait_until<E>(
    seconds: u32,
    mut done: impl FnMut() -> Result<bool, E>,
) -> Result<bool, E> {
    for _ in 0..seconds * 50 {
        if done()? {
            return Ok(true);
        }
        thread::sleep(LOOK_EVERY);
    }
    done()
}

/// Clears away what a killed program left in the data directory `data`: stops its server if that
/// still runs, and removes the file that names the server's process.
///
/// Call it with the directory locked: then no server that runs there has an owner.
pub(super) fn clear_orphan(data: &Path) -> Result<(), EmbeddedError> {
    let path = data.join("postmaster.pid");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at("cannot read", &path)(error)),
    };
    if let Some(pid) = first_pid(&text) {
        stop_orphan(pid, data)?;
    }
    unless(io::ErrorKind::NotFound, fs::remove_file(&path)).map_err(at("cannot remove", &path))
}

/// Stops the process if it is a server of the data directory.
fn stop_orphan(pid: Pid, data: &Path) -> Result<(), EmbeddedError> {
    for (signal, seconds) in [(Signal::SIGINT, 20), (Signal::SIGQUIT, 10)] {
        if !serves(pid, data) {
            return Ok(());
        }
        match kill(pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(_) => {
                return Err(EmbeddedError::Orphan { pid: pid.as_raw(), data: data.to_owned() });
            }
        }
        if wait_until(seconds, || Ok::<_, EmbeddedError>(!serves(pid, data)))? {
            return Ok(());
        }
    }
    Err(EmbeddedError::Orphan { pid: pid.as_raw(), data: data.to_owned() })
}

/// The process that the first line of a `postmaster.pid` names. A number that stands for more than
/// one process (0, 1, negative ones but for a single-user server's) is none.
fn first_pid(text: &str) -> Option<Pid> {
    let number: i32 = text.lines().next()?.trim().parse().ok()?;
    number.checked_abs().filter(|&pid| pid > 1).map(Pid::from_raw)
}

/// Whether `pid` is a PostgreSQL server of the data directory, and not another program that was
/// given its number.
fn serves(pid: Pid, data: &Path) -> bool {
    let process = Path::new("/proc").join(pid.to_string());
    if Path::new("/proc/self").exists() {
        // A server's working directory is its data directory; a process that has ended has none.
        return fs::read_to_string(process.join("comm"))
            .is_ok_and(|name| name.trim() == "postgres")
            && fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == data);
    }
    // No /proc (macOS). The data directory is in the server's arguments.
    Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| {
            let line = String::from_utf8_lossy(&output.stdout);
            line.contains("postgres") && line.contains(&*data.to_string_lossy())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_names_one_process_or_none() {
        for (text, pid) in [
            ("4711\n/srv/pg\n1700000000\n5432\n", Some(4711)),
            ("-4711\n", Some(4711)),
            ("0\n", None),
            ("1\n", None),
            ("-1\n", None),
            ("-2147483648\n", None),
            ("", None),
            ("half writ", None),
        ] {
            assert_eq!(first_pid(text).map(Pid::as_raw), pid, "{text:?}");
        }
    }

    #[test]
    fn another_program_with_the_servers_number_is_not_the_server() {
        let here = std::env::current_dir().unwrap();
        assert!(!serves(getpid(), &here));
    }

    #[test]
    fn a_child_is_in_a_session_of_its_own() {
        let mut command = Command::new("sleep");
        command.arg("600");
        let mut child = Postmaster::spawn(command).unwrap();
        let pid = Pid::from_raw(child.child.id().cast_signed());
        assert_eq!(nix::unistd::getsid(Some(pid)).unwrap(), pid);
        child.stop().unwrap();
        assert!(child.ended().unwrap().is_some());
    }

    #[test]
    fn a_child_outlives_the_thread_that_asked_for_it() {
        let spawn = || {
            let mut command = Command::new("sleep");
            command.arg("600");
            Postmaster::spawn(command).unwrap()
        };
        let mut child = thread::spawn(spawn).join().unwrap();
        assert!(child.ended().unwrap().is_none());
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        assert!(Postmaster::spawn(Command::new("/nonexistent/postgres")).is_err());
    }
}
