//! What takes deliveries.

use super::capacity::Capacity;
use super::codes::CodeAllocator;
use super::group_queue::GroupQueues;
use super::quotas::Quotas;
use crate::clock;
use crate::config::{CapacitySettings, Environment, Limits};
use crate::directory::DirectoryCache;
use crate::secrets::Keyring;
use crate::store::pool::Db;
use crate::store::writes::Outgoing;
use crate::telemetry::metrics::Counters;
use crate::worker::Wake;
use beeiq_core::formats;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What takes deliveries. Cheap to clone.
#[derive(Clone)]
pub struct Pipeline(pub(super) Arc<Parts>);

pub(super) struct Parts {
    pub(super) db: Db,
    pub(super) directories: DirectoryCache,
    pub(super) key: Keyring,
    pub(super) limits: Limits,
    /// The most memory that working on one body may take.
    pub(super) working_bytes: usize,
    /// How many server processes share a listener's rate.
    pub(super) processes: u32,
    pub(super) capacity: Capacity,
    pub(super) quotas: Quotas,
    pub(super) group_queues: GroupQueues,
    pub(super) codes: CodeAllocator,
    /// Woken when a delivery has been deferred.
    pub(super) deferred: Wake,
    pub(super) messages: Messages,
    pub(super) counters: Counters,
    /// How many deliveries this process has applied.
    pub(super) applied: AtomicU64,
}

/// What becomes of the messages that deliveries cause.
pub(crate) struct Messages {
    /// Whether they are sent or captured.
    pub(crate) environment: Environment,
    /// What `Message-ID`s end in.
    pub(crate) mail_domain: String,
    /// Woken when some were queued.
    pub(crate) wake: Wake,
}

/// How much is taken, and at a time.
pub(crate) struct Bounds {
    pub(crate) limits: Limits,
    pub(crate) capacity: CapacitySettings,
    /// To the database.
    pub(crate) connections: u32,
}

impl Parts {
    pub(super) fn outgoing(&self) -> Outgoing<'_> {
        let Messages { environment, mail_domain, wake: _ } = &self.messages;
        Outgoing { staging: *environment == Environment::Staging, mail_domain }
    }

    pub(super) fn format_limits(&self) -> formats::Limits {
        formats::Limits { actions: self.limits.max_actions, depth: self.deepest() }
    }

    pub(super) fn deepest(&self) -> usize {
        usize::try_from(self.limits.max_nesting).unwrap_or(usize::MAX)
    }
}

impl Pipeline {
    pub(crate) fn new(
        db: Db,
        directories: DirectoryCache,
        key: Keyring,
        Bounds { limits, capacity, connections }: Bounds,
        messages: Messages,
        counters: Counters,
    ) -> Self {
        Self(Arc::new(Parts {
            db,
            directories,
            key,
            limits,
            working_bytes: capacity.working_bytes_of_one(),
            processes: capacity.processes,
            capacity: Capacity::of(&capacity, connections),
            quotas: Quotas::new(clock::instant()),
            group_queues: GroupQueues::default(),
            codes: CodeAllocator::default(),
            deferred: Wake::default(),
            messages,
            counters,
            applied: AtomicU64::default(),
        }))
    }

    /// How much is taken on at a time.
    #[must_use]
    pub fn capacity(&self) -> &Capacity {
        &self.0.capacity
    }
}
