//! Where PostgreSQL's server programs are, and of which version.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::error::{EmbeddedError, OLDEST_MAJOR};

/// A directory that holds `initdb` and `postgres` of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Programs {
    bindir: PathBuf,
    pub(super) major: u32,
}

impl Programs {
    pub(super) fn initdb(&self) -> PathBuf {
        self.bindir.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.bindir.join("postgres")
    }

    /// The programs in `bindir`, if both are there and run.
    fn probe(bindir: &Path) -> Option<Self> {
        if !bindir.join("initdb").is_file() {
            return None;
        }
        let version = output_of(&bindir.join("postgres"), "--version")?;
        Some(Self { bindir: bindir.to_owned(), major: major_version(&version)? })
    }
}

/// Finds the programs: in `bindir` and nowhere else when it is given; else in the directories of
/// `path` (the value of `PATH`), where `pg_config` says, and where packages put them, the newest first.
///
/// `wanted` is the major version of an existing cluster: only programs of that version can open it.
pub(super) fn find(
    bindir: Option<&Path>,
    path: Option<&OsStr>,
    wanted: Option<u32>,
) -> Result<Programs, EmbeddedError> {
    let found: Vec<Programs> = match bindir {
        Some(bindir) => {
            let programs = Programs::probe(bindir);
            vec![programs.ok_or_else(|| EmbeddedError::BadBindir(bindir.to_owned()))?]
        }
        None => candidates(path).iter().filter_map(|dir| Programs::probe(dir)).collect(),
    };
    choose(found, wanted)
}

/// The first of `found` that fits.
fn choose(found: Vec<Programs>, wanted: Option<u32>) -> Result<Programs, EmbeddedError> {
    let newest = found.iter().map(|programs| programs.major).max();
    let fits = |major: u32| wanted.map_or(major >= OLDEST_MAJOR, |wanted| major == wanted);
    match (found.into_iter().find(|programs| fits(programs.major)), newest, wanted) {
        (Some(programs), _, _) => Ok(programs),
        (None, Some(found), Some(wanted)) => Err(EmbeddedError::OtherVersion { found, wanted }),
        (None, Some(found), None) => Err(EmbeddedError::TooOld { found }),
        (None, None, _) => Err(EmbeddedError::NoPrograms),
    }
}

fn candidates(path: Option<&OsStr>) -> Vec<PathBuf> {
    let path: Vec<PathBuf> = path.map(|path| env::split_paths(path).collect()).unwrap_or_default();
    let configured = path
        .iter()
        .find_map(|dir| output_of(&dir.join("pg_config"), "--bindir"))
        .map(|bindir| PathBuf::from(bindir.trim()));
    let mut dirs = path;
    dirs.extend(configured);
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),          // Debian, Ubuntu
        ("/usr", "pgsql-"),                   // Red Hat, from postgresql.org
        ("/opt/homebrew/opt", "postgresql@"), // Homebrew on Apple silicon
        ("/usr/local/opt", "postgresql@"),    // Homebrew on Intel
        ("/Library/PostgreSQL", ""),          // the installer for macOS
    ] {
        dirs.extend(versioned(Path::new(parent), prefix));
    }
    dirs.extend(["/opt/homebrew/bin", "/usr/local/bin", "/usr/local/pgsql/bin"].map(PathBuf::from));
    dirs
}

/// The `bin` folders of `parent`'s children that are named `prefix` and a version, the newest first.
fn versioned(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut versions: Vec<u32> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok())
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.iter().map(|version| parent.join(format!("{prefix}{version}")).join("bin")).collect()
}

/// What `program argument` prints, if it runs and succeeds.
fn output_of(program: &Path, argument: &str) -> Option<String> {
    if !program.is_file() {
        return None;
    }
    let output = Command::new(program).arg(argument).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The major version in what `postgres --version` prints.
fn major_version(text: &str) -> Option<u32> {
    text.split_whitespace().find_map(|word| {
        let digits = word.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(major: u32) -> Programs {
        Programs { bindir: PathBuf::from(format!("/pg/{major}")), major }
    }

    #[test]
    fn the_major_version_is_read_from_releases_and_pre_releases() {
        for (text, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 14.0\n", Some(14)),
            ("postgres (PostgreSQL) 19devel\n", Some(19)),
            ("postgres (PostgreSQL) 18beta1\n", Some(18)),
            ("bash: postgres: not found", None),
            ("", None),
        ] {
            assert_eq!(major_version(text), major, "{text:?}");
        }
    }

    #[test]
    fn the_first_programs_that_are_new_enough_are_chosen() {
        let found = vec![programs(13), programs(15), programs(17)];
        assert_eq!(choose(found, None).unwrap(), programs(15));
    }

    #[test]
    fn an_existing_cluster_is_opened_by_programs_of_its_own_version() {
        let found = vec![programs(18), programs(15)];
        assert_eq!(choose(found.clone(), Some(15)).unwrap(), programs(15));
        assert!(matches!(
            choose(found, Some(16)),
            Err(EmbeddedError::OtherVersion { found: 18, wanted: 16 })
        ));
    }

    #[test]
    fn programs_that_are_too_old_are_refused() {
        assert!(matches!(
            choose(vec![programs(13)], None),
            Err(EmbeddedError::TooOld { found: 13 })
        ));
    }

    #[test]
    fn without_programs_one_line_says_what_to_install_or_set() {
        let text = choose(vec![], None).unwrap_err().to_string();
        for choice in ["DATABASE_URL", "PG_BINDIR", "apt-get install postgresql", "npm", "pip"] {
            assert!(text.contains(choice), "{choice} is missing in: {text}");
        }
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_bindir_that_is_given_is_not_passed_over_in_silence() {
        let error = find(Some(Path::new("/nonexistent")), None, None).unwrap_err();
        assert!(matches!(error, EmbeddedError::BadBindir(_)), "{error}");
    }

    #[test]
    fn folders_of_versions_are_tried_from_the_newest_by_number() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["pgsql-9", "pgsql-15", "pgsql-16", "pgsql-", "other-20", "pgsql-latest"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let expected = ["pgsql-16/bin", "pgsql-15/bin", "pgsql-9/bin"];
        assert_eq!(versioned(parent.path(), "pgsql-"), expected.map(|dir| parent.path().join(dir)));
    }
}
