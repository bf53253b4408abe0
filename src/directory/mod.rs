//! Directories kept in memory, an org each.

use crate::store::error::StoreError;
use crate::store::pool::Db;
use crate::store::{directory, orgs};
use beeiq_core::directory::Directory;
use moka::sync::Cache;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use uuid::Uuid;

/// How many orgs' directories a process keeps.
const KEPT: u64 = 10_000;

/// How long to wait for somebody else who is reading the same directory.
const PATIENCE: Duration = Duration::from_secs(3);

/// The directories of the orgs that this process has lately served. Cheap to clone. Of many who ask
/// for one that is not there yet, one reads it and the others wait for him.
///
/// A cached directory may be behind: whoever decides by it compares its version within the
/// transaction, and whoever refuses by it asks for [`DirectoryCache::current`] first.
#[derive(Clone)]
pub struct DirectoryCache {
    db: Db,
    directories: Cache<Uuid, Arc<Directory>>,
    orgs: Cache<String, Uuid>,
    reading: Cache<Uuid, Arc<Mutex<()>>>,
}

impl DirectoryCache {
    /// An empty one.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self {
            db,
            directories: Cache::new(KEPT),
            orgs: Cache::new(KEPT),
            reading: Cache::new(KEPT),
        }
    }

    /// The org whose tokens start with `public_id`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn org_of(&self, public_id: &str) -> Result<Option<Uuid>, StoreError> {
        if let Some(org) = self.orgs.get(public_id) {
            return Ok(Some(org));
        }
        let key = public_id.to_owned();
        let org = self
            .db
            .run(move |conn| {
                Ok::<_, StoreError>(orgs::with_public_id(conn, &key)?.map(|org| org.id))
            })
            .await?;
        if let Some(org) = org {
            self.orgs.insert(public_id.to_owned(), org);
        }
        Ok(org)
    }

    /// The org's directory, as this process knows it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn get(&self, org: Uuid) -> Result<Arc<Directory>, StoreError> {
        if let Some(directory) = self.directories.get(&org) {
            return Ok(directory);
        }
        let reading = self.reading.get_with(org, Arc::default);
        let turn = tokio::time::timeout(PATIENCE, reading.lock()).await;
        let _turn = turn.map_err(|_| {
            StoreError::Unavailable("whoever reads the directory takes too long".to_owned())
        })?;
        match self.directories.get(&org) {
            Some(directory) => Ok(directory),
            None => self.load(org).await,
        }
    }

    /// The org's directory as it is now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn current(&self, org: Uuid) -> Result<Arc<Directory>, StoreError> {
        if let Some(known) = self.directories.get(&org) {
            let version = self.db.in_org(org, move |conn| directory::version(conn, org)).await?;
            if version == known.version {
                return Ok(known);
            }
        }
        self.load(org).await
    }

    async fn load(&self, org: Uuid) -> Result<Arc<Directory>, StoreError> {
        let loaded = self.db.in_org(org, move |conn| directory::load(conn, org)).await?;
        let directory = Arc::new(loaded);
        self.directories.insert(org, Arc::clone(&directory));
        Ok(directory)
    }
}
