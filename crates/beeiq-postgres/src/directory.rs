//! Where a cluster's files are: the data directory, the lock, the socket directory.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::account::Account;
use super::error::{EmbeddedError, at, unless};
use super::programs::Programs;

/// Where root keeps the clusters of directories that PostgreSQL's user cannot get into.
const ELSEWHERE: &str = "/var/lib/beeiq";

/// The caller's directory, locked against other programs for as long as this lives.
#[derive(Debug)]
pub(super) struct Directory {
    dir: PathBuf,
    _lock: Lock,
}

impl Directory {
    /// Makes `dir` if it is missing, and locks it.
    pub(super) fn open(dir: &Path) -> Result<Self, EmbeddedError> {
        fs::create_dir_all(dir).map_err(at("cannot make", dir))?;
        let dir = fs::canonicalize(dir).map_err(at("cannot open", dir))?;
        let path = dir.join("lock");
        let file = File::options().append(true).create(true).open(&path);
        let lock = Lock::of(file.map_err(at("cannot open", &path))?, &dir)?;
        Ok(Self { dir, _lock: lock })
    }

    /// The name of the data directory, which may be a link to one elsewhere.
    fn pg(&self) -> PathBuf {
        self.dir.join("pg")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("postgres.log")
    }

    /// The data directory of an earlier start, locked too: a copy of the caller's directory can
    /// link to the same one.
    pub(super) fn data(&self) -> Result<Option<Data>, EmbeddedError> {
        let pg = self.pg();
        match fs::canonicalize(&pg) {
            Ok(path) => Data::open(path, &self.dir).map(Some),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(at("cannot open", &pg)(error)),
            Err(error) => match fs::read_link(&pg) {
                // What it pointed to went with the machine's /var, or was never finished.
                Ok(target) if target.starts_with(ELSEWHERE) => {
                    fs::remove_file(&pg).map_err(at("cannot remove", &pg)).map(|()| None)
                }
                // Somebody's own link, to a disk that is not there today.
                Ok(_) => Err(at("cannot follow", &pg)(error)),
                Err(_) => Ok(None),
            },
        }
    }

    /// Makes the data directory with `initdb(staging folder)`: all of it, or nothing.
    pub(super) fn make_data(
        &self,
        account: Account,
        programs: &Programs,
        initdb: impl FnOnce(&Path) -> Result<(), EmbeddedError>,
    ) -> Result<Data, EmbeddedError> {
        let pg = self.pg();
        let path =
            if account.reaches(&self.dir, programs) { pg.clone() } else { self.elsewhere()? };
        let staging = path.with_extension("new");
        remove_dir_if_there(&staging)?;
        make_private_dir(&staging, account)?;
        if let Err(error) = initdb(&staging) {
            remove_dir_if_there(&staging)?;
            return Err(error);
        }
        if path != pg {
            // First the link: a data directory that nothing links to would never be found again.
            symlink(&path, &pg).map_err(at("cannot make the link", &pg))?;
        }
        fs::rename(&staging, &path).map_err(at("cannot make", &path))?;
        Data::open(path, &self.dir)
    }

    /// A free name in [`ELSEWHERE`]. One that is taken belongs to a directory that was moved.
    fn elsewhere(&self) -> Result<PathBuf, EmbeddedError> {
        let parent = Path::new(ELSEWHERE);
        fs::create_dir_all(parent).map_err(at("cannot make", parent))?;
        let name = short_hash(&self.dir);
        let mut path = parent.join(&name);
        let mut count = 1;
        while path.exists() {
            count += 1;
            path = parent.join(format!("{name}-{count}"));
        }
        Ok(path)
    }

    /// The socket directory's path. It is short, because a socket's path has 107 bytes at most.
    pub(super) fn socket_path(&self) -> PathBuf {
        Path::new("/tmp").join(format!("beeiq-{}", short_hash(&self.dir)))
    }

    /// Makes the socket directory, empty and `account`'s alone: who can open a socket in it is the
    /// cluster's superuser.
    pub(super) fn make_socket_dir(&self, account: Account) -> Result<PathBuf, EmbeddedError> {
        let path = self.socket_path();
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(at("cannot open", &path)(error)),
            Ok(found) => {
                let private = found.is_dir() && found.mode() & 0o077 == 0;
                // Root's own is one that an earlier start had no time to hand over.
                let ours = found.uid() == account.uid() || found.uid() == Account::Caller.uid();
                if !(private && ours) {
                    return Err(EmbeddedError::SocketDir(path));
                }
                remove_dir_if_there(&path)?;
            }
        }
        make_private_dir(&path, account)?;
        Ok(path)
    }

    /// Removes what [`crate::Cluster`] put here, and the directory if nothing else is in it.
    pub(super) fn remove(self, data: Option<Data>) -> Result<(), EmbeddedError> {
        let pg = self.pg();
        if let Some(data) = data {
            remove_dir_if_there(&data.path)?;
        }
        remove_dir_if_there(&self.socket_path())?;
        remove_dir_if_there(&pg.with_extension("new"))?;
        for file in [pg, self.log(), self.dir.join("lock")] {
            unless(ErrorKind::NotFound, fs::remove_file(&file))
                .map_err(at("cannot remove", &file))?;
        }
        unless(ErrorKind::DirectoryNotEmpty, fs::remove_dir(&self.dir))
            .map_err(at("cannot remove", &self.dir))
    }
}

/// A data directory, locked for as long as this lives.
#[derive(Debug)]
pub(super) struct Data {
    /// Without links.
    pub(super) path: PathBuf,
    /// The major version of PostgreSQL that made it.
    pub(super) major: u32,
    _lock: Lock,
}

impl Data {
    /// Opens and locks the data directory `path` of the caller's `dir`.
    fn open(path: PathBuf, dir: &Path) -> Result<Self, EmbeddedError> {
        let version = path.join("PG_VERSION");
        let text = fs::read_to_string(&version).map_err(at("cannot read", &version))?;
        let major = text.trim().parse().map_err(|_| EmbeddedError::NotACluster(path.clone()))?;
        let lock = Lock::of(File::open(&path).map_err(at("cannot open", &path))?, dir)?;
        Ok(Self { path, major, _lock: lock })
    }

    pub(super) fn metadata(&self) -> Result<fs::Metadata, EmbeddedError> {
        fs::metadata(&self.path).map_err(at("cannot open", &self.path))
    }
}

/// A locked file. It is unlocked when this is dropped, and not merely closed: a program that
/// another thread is starting just then has a copy of it until it runs, and the copy would keep it
/// locked.
#[derive(Debug)]
struct Lock(File);

impl Lock {
    fn of(file: File, dir: &Path) -> Result<Self, EmbeddedError> {
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(EmbeddedError::Locked(dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(at("cannot lock", dir)(error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "a lock is left to be closed");
        }
    }
}

/// Makes a directory that only `account` may look into.
fn make_private_dir(path: &Path, account: Account) -> Result<(), EmbeddedError> {
    DirBuilder::new()
        .mode(0o700)
        .create(path)
        .and_then(|()| account.give(path))
        .map_err(at("cannot make", path))
}

pub(super) fn remove_dir_if_there(path: &Path) -> Result<(), EmbeddedError> {
    unless(ErrorKind::NotFound, fs::remove_dir_all(path)).map_err(at("cannot remove", path))
}

/// Twelve hexadecimal digits that stand for a path.
fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    fn open(dir: &tempfile::TempDir) -> Directory {
        Directory::open(dir.path()).unwrap()
    }

    #[test]
    fn a_socket_path_is_short_and_differs_by_directory() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (first, second) = (open(&first).socket_path(), open(&second).socket_path());
        assert_eq!(first.as_os_str().len(), "/tmp/beeiq-0123456789ab".len());
        assert_ne!(first, second);
    }

    #[test]
    fn a_directory_is_locked_until_its_holder_lets_go() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(&dir);
        let refused = Directory::open(dir.path()).unwrap_err();
        assert!(matches!(refused, EmbeddedError::Locked(_)), "{refused}");
        assert_eq!(refused.to_string().lines().count(), 1);
        drop(first);
        open(&dir);
    }

    /// Such a copy is in every program that is being started at that moment.
    #[test]
    fn a_lock_that_is_let_go_of_is_free_although_a_copy_of_the_file_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let lock = Lock::of(File::create(&path).unwrap(), dir.path()).unwrap();
        let copy = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(Lock::of(File::open(&path).unwrap(), dir.path()).is_ok());
        drop(copy);
    }

    #[test]
    fn a_data_directory_is_locked_whatever_links_to_it() {
        let (original, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(original.path().join("pg")).unwrap();
        fs::write(original.path().join("pg/PG_VERSION"), "15\n").unwrap();
        symlink(original.path().join("pg"), copy.path().join("pg")).unwrap();

        let data = open(&original).data().unwrap().unwrap();
        assert_eq!(data.major, 15);
        let refused = open(&copy).data().unwrap_err();
        assert!(matches!(refused, EmbeddedError::Locked(_)), "{refused}");
    }

    #[test]
    fn a_link_to_a_missing_disk_is_an_error_and_not_a_fresh_start() {
        let dir = tempfile::tempdir().unwrap();
        symlink("/nonexistent/disk/pg", dir.path().join("pg")).unwrap();
        assert!(open(&dir).data().is_err());
        assert!(dir.path().join("pg").is_symlink());
    }

    #[test]
    fn a_link_to_where_root_keeps_clusters_that_is_gone_is_a_fresh_start() {
        let dir = tempfile::tempdir().unwrap();
        symlink(Path::new(ELSEWHERE).join("gone"), dir.path().join("pg")).unwrap();
        assert!(open(&dir).data().unwrap().is_none());
        assert!(!dir.path().join("pg").is_symlink());
    }

    #[test]
    fn a_socket_directory_that_others_can_look_into_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let directory = open(&dir);
        let path = directory.make_socket_dir(Account::Caller).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        let refused = directory.make_socket_dir(Account::Caller).unwrap_err();
        fs::remove_dir(&path).unwrap();
        assert!(matches!(refused, EmbeddedError::SocketDir(_)), "{refused}");
    }

    #[test]
    fn a_failed_initdb_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let directory = open(&dir);
        let Ok(programs) = crate::programs::find(None, std::env::var_os("PATH").as_deref(), None)
        else {
            panic!("these tests need PostgreSQL's server programs");
        };
        let made = directory.make_data(Account::Caller, &programs, |staging| {
            fs::write(staging.join("half"), "made").unwrap();
            Err(EmbeddedError::NoAccount)
        });
        assert!(made.is_err());
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().collect();
        assert_eq!(left.iter().map(|entry| entry.file_name()).collect::<Vec<_>>(), ["lock"]);
    }
}
