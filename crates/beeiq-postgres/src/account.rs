//! The user that PostgreSQL's programs run as: it refuses to run as root.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use super::error::EmbeddedError;
use super::programs::Programs;

/// Who owns the cluster and runs its programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// Whoever started this program, and is not root.
    Caller,
    /// An unprivileged user that root drops to, with that user's primary group alone.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// The caller; for root the owner of the existing data directory, or else `postgres` or `nobody`.
    pub(super) fn choose(existing: Option<(&Path, &Metadata)>) -> Result<Self, EmbeddedError> {
        if !geteuid().is_root() {
            return Ok(Self::Caller);
        }
        if let Some((data, owner)) = existing {
            return match owner.uid() {
                0 => Err(EmbeddedError::OwnedByRoot(data.to_owned())),
                uid => Ok(Self::Other { uid, gid: owner.gid() }),
            };
        }
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .filter(|user| !user.uid.is_root())
            .map(|user| Self::Other { uid: user.uid.as_raw(), gid: user.gid.as_raw() })
            .ok_or(EmbeddedError::NoAccount)
    }

    pub(super) fn uid(self) -> u32 {
        match self {
            Self::Caller => geteuid().as_raw(),
            Self::Other { uid, .. } => uid,
        }
    }

    /// Gives `path`, which the caller has just made, to this user.
    pub(super) fn give(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Caller => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid)),
        }
    }

    /// `program`, to be run as this user in `dir`, with nothing of the caller's environment
    /// (`PGPORT`, `PGDATA`, `TZ` … change what PostgreSQL does).
    pub(super) fn command(self, program: impl AsRef<OsStr>, dir: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(dir)
            .env_clear()
            .envs([("PATH", "/usr/local/bin:/usr/bin:/bin"), ("LC_ALL", "C"), ("TZ", "UTC")])
            .stdin(Stdio::null());
        if let Self::Other { uid, gid } = self {
            // With a uid set, the standard library drops root's supplementary groups too.
            command.gid(gid).uid(uid);
        }
        command
    }

    /// Whether this user can get into `dir`: asked of the system, by running a program there.
    pub(super) fn reaches(self, dir: &Path, programs: &Programs) -> bool {
        self == Self::Caller
            || self
                .command(programs.postgres(), dir)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
    }
}
