//! How far an import has come: a small file beside the imported one, written before each request,
//! so that after any end the same requests go out under the same keys.

use super::tally::Tally;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Checkpoint {
    /// What is imported how: the hash of the file's content and of what makes its rows actions.
    pub(crate) fingerprint: String,
    /// What makes it another import than an earlier one of the same; mostly empty.
    pub(crate) nonce: String,
    /// The rows whose answer is known.
    pub(crate) rows: u64,
    /// How many rows the request has that was sent next; its answer is not known.
    pub(crate) under_way: usize,
    pub(crate) batch: usize,
    pub(crate) tally: Tally,
    pub(crate) failures_bytes: u64,
}

/// The file that keeps it. Without a path nothing is kept.
pub(crate) struct CheckpointFile(Option<PathBuf>);

impl CheckpointFile {
    pub(crate) const fn new(path: Option<PathBuf>) -> Self {
        Self(path)
    }

    pub(crate) fn load(&self) -> anyhow::Result<Option<Checkpoint>> {
        let Some(path) = &self.0 else { return Ok(None) };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let kept = serde_json::from_slice(&text).with_context(|| {
            format!("{} is damaged; begin again with --restart", path.display())
        })?;
        Ok(Some(kept))
    }

    /// Keeps a checkpoint, whole or not at all.
    pub(crate) fn save(&self, checkpoint: &Checkpoint) -> anyhow::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        write_whole(path, &serde_json::to_vec(checkpoint)?)
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    pub(crate) fn remove(&self) -> anyhow::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        match fs::remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.with_context(|| path.display().to_string()),
        }
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.to_owned().into_os_string();
    beside.push(".new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv.beeiq-import");
        let file = CheckpointFile::new(Some(path.clone()));
        assert_eq!(file.load().unwrap(), None);
        let kept =
            Checkpoint { nonce: "x".to_owned(), rows: 7, under_way: 3, ..Checkpoint::default() };
        file.save(&kept).unwrap();
        assert_eq!(file.load().unwrap(), Some(kept));
        fs::write(&path, "{").unwrap();
        assert!(format!("{:#}", file.load().unwrap_err()).contains("--restart"));
        file.remove().unwrap();
        file.remove().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
