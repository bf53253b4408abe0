//! What this process takes on at a time, so that memory is bounded whatever is sent, and no org has
//! all of it (`listener.md` 2, 503).
//!
//! - A body is **held** from its first bytes to its answer. Its bytes are counted as they arrive;
//!   where there is no room for more the request is turned away at once, which makes room. The first
//!   16 KiB of each are free, so that small bodies always get through; they are bounded by the
//!   number of connections. A slow sender has nothing but the bytes that came.
//! - It is **worked on** when it is there: heavy ones by the memory that they take (see
//!   [`beeiq_core::json::Meter`]), quick ones in a lane of their own that no heavy one can fill. Who
//!   waits too long for a permit is turned away.
//!   Small ones that share a transaction (`group_commit.rs`) share one permit.
//! - The management API has a quarter of the connections to the database, and holds bodies as
//!   deliveries do.
//! - Of everything an org has three quarters at most; of the heavy ones half, since more of them at a
//!   time get into each other's way at the same rows, and of the management's connections half.

use crate::config::CapacitySettings;
use crate::problem::Problem;
use beeiq_core::diagnostics::Code;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// What of each body is not counted, in bytes.
const FREE: usize = 16 * 1024;
/// In which portions the rest is, in KiB.
const PORTION: u32 = 64;
/// The most memory that a quick one takes, in bytes.
const QUICK: usize = 1024 * 1024;
/// When to come back, in seconds.
const RETRY_AFTER: u64 = 5;
/// How many orgs' shares are kept before those not in use are dropped.
const FIRST_SWEEP: usize = 256;

/// How much there is of everything.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    requests: usize,
    /// Of bodies, beyond what is free of each.
    held_bytes: usize,
    /// Of memory for heavy ones.
    working_bytes: usize,
    quick: usize,
    heavy: usize,
    /// Connections to the database for the management API.
    management: usize,
}

impl Sizes {
    /// What one org may have of it.
    const fn share(self) -> Self {
        const fn of(all: usize) -> usize {
            let share = all - all / 4;
            if share == 0 { 1 } else { share }
        }
        Self {
            requests: of(self.requests),
            held_bytes: of(self.held_bytes),
            working_bytes: of(self.working_bytes),
            quick: of(self.quick),
            heavy: self.heavy.div_ceil(2),
            management: self.management.div_ceil(2),
        }
    }
}

/// What there is of everything, for all or for one org.
#[derive(Debug)]
struct Pools {
    requests: Arc<Semaphore>,
    /// In KiB.
    held: Arc<Semaphore>,
    /// In KiB.
    working: Arc<Semaphore>,
    quick: Arc<Semaphore>,
    heavy: Arc<Semaphore>,
    management: Arc<Semaphore>,
}

impl Pools {
    fn new(sizes: Sizes) -> Self {
        let pool = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        let Sizes { requests, held_bytes, working_bytes, quick, heavy, management } = sizes;
        Self {
            requests: pool(requests),
            held: pool(held_bytes / 1024),
            working: pool(working_bytes / 1024),
            quick: pool(quick),
            heavy: pool(heavy),
            management: pool(management),
        }
    }
}

/// What this process takes on at a time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Capacity(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    sizes: Sizes,
    patience: Duration,
    all: Pools,
    shares: Mutex<Shares>,
}

#[derive(Debug)]
struct Shares {
    of: HashMap<Uuid, Weak<Pools>>,
    sweep_at: usize,
}

/// There is no room for it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overloaded;

impl From<Overloaded> for Problem {
    fn from(Overloaded: Overloaded) -> Self {
        let detail =
            "More is being worked on than there is room for; nothing was applied. Try again.";
        Self::new(Code::Overloaded, detail).retry_after(RETRY_AFTER)
    }
}

impl From<AcquireError> for Overloaded {
    fn from(_: AcquireError) -> Self {
        Self
    }
}

/// What a request may hold; free for others when it is dropped.
#[derive(Debug)]
pub struct Permit {
    parts: Arc<Parts>,
    share: Arc<Pools>,
    counted: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

/// Leave to run one of some; over when it is dropped.
#[derive(Debug)]
pub struct LanePermit {
    // Kept with its permits, so that others of the org count against the same share.
    _share: Arc<Pools>,
    _permits: [OwnedSemaphorePermit; 2],
}

impl Capacity {
    /// Of the `connections` to the database deliveries have three quarters at most, so that there
    /// are some left for looking up whose a request is, and for the management API.
    pub(super) fn of(settings: &CapacitySettings, connections: u32) -> Self {
        let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let connections = whole(connections);
        let sizes = Sizes {
            requests: whole(settings.max_connections),
            held_bytes: settings.max_inflight_bytes,
            working_bytes: settings.max_working_bytes,
            quick: (connections / 2).max(1),
            heavy: (connections / 4).max(1),
            management: (connections / 4).max(1),
        };
        Self::new(sizes, settings.queue)
    }

    /// Who waits longer than `patience` is turned away.
    fn new(sizes: Sizes, patience: Duration) -> Self {
        let shares = Shares { of: HashMap::new(), sweep_at: FIRST_SWEEP };
        let all = Pools::new(sizes);
        Self(Arc::new(Parts { sizes, patience, all, shares: Mutex::new(shares) }))
    }

    /// Begins to hold a request of that org.
    pub fn hold(&self, org: Uuid) -> Result<Permit, Overloaded> {
        let share = self.0.share(org);
        let mut permits = Vec::new();
        for pools in [share.as_ref(), &self.0.all] {
            permits.push(Arc::clone(&pools.requests).try_acquire_owned().map_err(|_| Overloaded)?);
        }
        Ok(Permit { parts: Arc::clone(&self.0), share, counted: FREE, permits })
    }

    /// Waits until the org may work on something quick.
    pub(super) async fn quick(&self, org: Uuid) -> Result<LanePermit, Overloaded> {
        self.lane(org, |pools| &pools.quick).await
    }

    /// Waits until the org's management may use a connection to the database.
    ///
    /// # Errors
    /// Where that takes too long.
    pub async fn management(&self, org: Uuid) -> Result<LanePermit, Overloaded> {
        self.lane(org, |pools| &pools.management).await
    }

    async fn lane(
        &self,
        org: Uuid,
        lane: fn(&Pools) -> &Arc<Semaphore>,
    ) -> Result<LanePermit, Overloaded> {
        let share = self.0.share(org);
        let both = self.0.in_time(async {
            // The org's own first: only who has a place in it waits for one among all.
            let own = Arc::clone(lane(&share)).acquire_owned().await?;
            Ok([own, Arc::clone(lane(&self.0.all)).acquire_owned().await?])
        });
        let permits = both.await?;
        Ok(LanePermit { _share: share, _permits: permits })
    }
}

impl Parts {
    async fn in_time<T>(
        &self,
        permits: impl Future<Output = Result<T, Overloaded>>,
    ) -> Result<T, Overloaded> {
        tokio::time::timeout(self.patience, permits).await.map_err(|_| Overloaded)?
    }

    fn share(&self, org: Uuid) -> Arc<Pools> {
        // Nothing in here panics while it holds the lock; even so the shares stay usable.
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.of.get(&org).and_then(Weak::upgrade) {
            return share;
        }
        if shares.of.len() >= shares.sweep_at {
            shares.of.retain(|_, share| share.strong_count() > 0);
            shares.sweep_at = FIRST_SWEEP.max(shares.of.len() * 2);
        }
        let share = Arc::new(Pools::new(self.sizes.share()));
        shares.of.insert(org, Arc::downgrade(&share));
        share
    }
}

impl Permit {
    /// Makes room for a body of which `received` bytes have come.
    pub fn grow(&mut self, received: usize) -> Result<(), Overloaded> {
        while received > self.counted {
            let portion = |pools: &Pools| {
                let held = Arc::clone(&pools.held);
                held.try_acquire_many_owned(PORTION).map_err(|_| Overloaded)
            };
            let both = [portion(&self.share)?, portion(&self.parts.all)?];
            self.permits.extend(both);
            self.counted += 1024 * usize::try_from(PORTION).unwrap_or_default();
        }
        Ok(())
    }

    /// Waits for so many bytes of memory to work in.
    ///
    /// # Errors
    /// Where there are none in time.
    pub async fn charge(&mut self, bytes: usize) -> Result<(), Overloaded> {
        let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
        let (share, all) = (Arc::clone(&self.share), &self.parts.all);
        let both = async {
            let own = Arc::clone(&share.working).acquire_many_owned(kib).await?;
            Ok([own, Arc::clone(&all.working).acquire_many_owned(kib).await?])
        };
        let permits = self.parts.in_time(both).await?;
        self.permits.extend(permits);
        Ok(())
    }

    /// Waits until it may be worked on, which takes so many bytes of memory.
    pub(super) async fn work(&mut self, bytes: usize) -> Result<(), Overloaded> {
        let kib = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
        let (share, all) = (Arc::clone(&self.share), &self.parts.all);
        let quick = bytes <= QUICK;
        // The org's own first: only who has a place in it waits for one among all.
        let both = async {
            let mut permits = Vec::new();
            for pools in [share.as_ref(), all] {
                let lane = if quick { &pools.quick } else { &pools.heavy };
                permits.push(Arc::clone(lane).acquire_owned().await?);
                if !quick {
                    permits.push(Arc::clone(&pools.working).acquire_many_owned(kib).await?);
                }
            }
            Ok(permits)
        };
        let permits = self.parts.in_time(both).await?;
        self.permits.extend(permits);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);
    const MIB: usize = 1024 * 1024;

    fn limits() -> Capacity {
        let sizes = Sizes {
            requests: 8,
            held_bytes: 4 * MIB,
            working_bytes: 8 * MIB,
            quick: 4,
            heavy: 4,
            management: 4,
        };
        Capacity::new(sizes, Duration::from_millis(1))
    }

    #[test]
    fn an_org_holds_three_quarters_at_most_and_another_has_the_rest() {
        let limits = limits();
        let mut large = limits.hold(ONE).unwrap();
        large.grow(3 * MIB + FREE).unwrap();
        assert_eq!(large.grow(3 * MIB + FREE + 1), Err(Overloaded));
        let mut others = limits.hold(OTHER).unwrap();
        others.grow(MIB + FREE).unwrap();
        assert_eq!(others.grow(MIB + FREE + 1), Err(Overloaded), "now there is no more at all");
        drop(large);
        others.grow(3 * MIB).unwrap();
    }

    #[test]
    fn small_bodies_have_room_where_there_is_none_for_others() {
        let limits = limits();
        let mut all: Vec<Permit> =
            [ONE, OTHER].map(|org| limits.hold(org).unwrap()).into_iter().collect();
        all[0].grow(3 * MIB).unwrap();
        all[1].grow(MIB).unwrap();
        limits.hold(ONE).unwrap().grow(FREE).unwrap();
    }

    #[test]
    fn an_org_has_three_quarters_of_the_requests() {
        let limits = limits();
        let of_one: Vec<Permit> = (0..6).map(|_| limits.hold(ONE).unwrap()).collect();
        assert!(limits.hold(ONE).is_err());
        let of_other: Vec<Permit> = (0..2).map(|_| limits.hold(OTHER).unwrap()).collect();
        assert!(limits.hold(OTHER).is_err());
        drop((of_one, of_other));
        assert!(limits.hold(ONE).is_ok());
    }

    /// With one queue for all, a quick one would wait behind heavy ones for memory that it does
    /// not need.
    #[tokio::test]
    async fn quick_ones_do_not_wait_for_heavy_ones_nor_one_org_for_another() {
        let limits = limits();
        let mut heavy = limits.hold(ONE).unwrap();
        heavy.work(6 * MIB).await.unwrap();
        assert_eq!(limits.hold(ONE).unwrap().work(2 * MIB).await, Err(Overloaded));
        limits.hold(ONE).unwrap().work(1000).await.unwrap();
        limits.hold(OTHER).unwrap().work(2 * MIB).await.unwrap();
        drop(heavy);
        limits.hold(ONE).unwrap().work(6 * MIB).await.unwrap();
    }

    #[tokio::test]
    async fn an_orgs_management_leaves_connections_to_others() {
        let limits = limits();
        let own = [limits.management(ONE).await.unwrap(), limits.management(ONE).await.unwrap()];
        assert!(limits.management(ONE).await.is_err());
        limits.management(OTHER).await.unwrap();
        drop(own);
        limits.management(ONE).await.unwrap();
    }

    #[test]
    fn shares_not_in_use_are_dropped() {
        let limits = limits();
        for n in 0..10 * FIRST_SWEEP as u128 {
            drop(limits.hold(Uuid::from_u128(n)));
        }
        assert!(limits.0.shares.lock().unwrap().of.len() <= FIRST_SWEEP);
    }
}
