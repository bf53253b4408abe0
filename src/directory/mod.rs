//! Directories kept in memory, an org each.

use crate::store::error::StoreError;
use crate::store::pool::{Conn, Db};
use crate::store::{directory, orgs};
use beeiq_core::directory::Directory;
use moka::{future, sync};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// How many orgs' ids a process keeps by the beginning of their tokens.
const IDS: u64 = 10_000;

/// How many bytes of directories a process keeps.
const KEPT: u64 = 128 * 1024 * 1024;

/// How long to wait for somebody else who is reading the same directory.
const PATIENCE: Duration = Duration::from_secs(3);

/// The directories of the orgs that this process has lately served. Cheap to clone. Of many who ask
/// for one that is not there yet, one reads it and the others wait for that.
///
/// A cached directory may be behind: whoever decides by it compares its version within the
/// transaction, and whoever refuses by it asks for [`DirectoryCache::current`] first.
#[derive(Clone)]
pub struct DirectoryCache {
    db: Db,
    directories: future::Cache<Uuid, Arc<Directory>>,
    orgs: sync::Cache<String, Uuid>,
}

impl DirectoryCache {
    pub(crate) fn new(db: Db) -> Self {
        let bytes = |_: &Uuid, directory: &Arc<Directory>| {
            u32::try_from(directory.bytes()).unwrap_or(u32::MAX)
        };
        let directories = future::Cache::builder().max_capacity(KEPT).weigher(bytes).build();
        Self { db, directories, orgs: sync::Cache::new(IDS) }
    }

    /// The org whose tokens start with `public_id`.
    pub(crate) async fn org_of(&self, public_id: &str) -> Result<Option<Uuid>, StoreError> {
        if let Some(org) = self.orgs.get(public_id) {
            return Ok(Some(org));
        }
        let key = public_id.to_owned();
        let find = move |conn: &mut Conn| {
            Ok::<_, StoreError>(orgs::with_public_id(conn, &key)?.map(|org| org.id))
        };
        let org = self.db.run(find).await?;
        if let Some(org) = org {
            self.orgs.insert(public_id.to_owned(), org);
        }
        Ok(org)
    }

    /// The org's directory, as this process knows it.
    pub async fn get(&self, org: Uuid) -> Result<Arc<Directory>, StoreError> {
        let reads_it = AtomicBool::new(false);
        let read = async {
            reads_it.store(true, Ordering::Relaxed);
            self.read(org).await
        };
        let mut get = pin!(self.directories.try_get_with(org, read));
        let got = match tokio::time::timeout(PATIENCE, &mut get).await {
            Ok(got) => got,
            Err(_) if reads_it.load(Ordering::Relaxed) => get.await,
            Err(_) => {
                let cause = "whoever reads the directory takes too long";
                return Err(StoreError::Unavailable(cause.to_owned()));
            }
        };
        got.map_err(shared)
    }

    /// The org's directory as it is now.
    pub(crate) async fn current(&self, org: Uuid) -> Result<Arc<Directory>, StoreError> {
        if let Some(known) = self.directories.get(&org).await {
            let version = self.db.in_org(org, move |conn| directory::version(conn, org)).await?;
            if version == known.version {
                return Ok(known);
            }
            // Of many who find it old one reads it.
            self.directories.invalidate(&org).await;
            let read = self.get(org).await?;
            if read.version >= version {
                return Ok(read);
            }
        }
        let directory = self.read(org).await?;
        self.directories.insert(org, Arc::clone(&directory)).await;
        Ok(directory)
    }

    async fn read(&self, org: Uuid) -> Result<Arc<Directory>, StoreError> {
        self.db.in_org(org, move |conn| directory::load(conn, org)).await.map(Arc::new)
    }
}

/// What reading ended in, for each of those who waited for it.
fn shared(error: Arc<StoreError>) -> StoreError {
    Arc::try_unwrap(error).unwrap_or_else(|error| match &*error {
        StoreError::Conflict => StoreError::Conflict,
        StoreError::Unavailable(cause) => StoreError::Unavailable(cause.clone()),
        StoreError::OutcomeUnknown { backend } => StoreError::OutcomeUnknown { backend: *backend },
        StoreError::Taken(of) => StoreError::Taken(of.clone()),
        StoreError::Reference(of) => StoreError::Reference(of.clone()),
        StoreError::Refused(error) => StoreError::unreadable(error),
    })
}
