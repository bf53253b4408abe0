//! The activities that a batch can see: those loaded, as its earlier actions left them.

use crate::records::activity::{Activity, ActivityKey};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// The state of activities, and what of it the batch has changed.
#[derive(Debug, Default)]
pub struct Activities {
    records: HashMap<Uuid, Activity>,
    by_key: HashMap<ActivityKey, Uuid>,
    created: BTreeSet<Uuid>,
    changed: BTreeSet<Uuid>,
}

/// What a batch does to activities, ready to be written: each in id order.
#[derive(Debug, Default)]
pub struct PendingActivities {
    /// Those made, as the batch leaves them.
    pub created: Vec<Activity>,
    /// Those changed, as the batch leaves them.
    pub changed: Vec<Activity>,
}

impl Activities {
    /// The state as loaded.
    #[must_use]
    pub fn new(loaded: Vec<Activity>) -> Self {
        let mut activities = Self::default();
        loaded.into_iter().for_each(|activity| activities.take(activity));
        activities
    }

    /// The activity that a sender means by this key.
    #[must_use]
    pub fn with_key(&self, key: &ActivityKey) -> Option<&Activity> {
        self.records.get(self.by_key.get(key)?)
    }

    /// An activity comes to be.
    pub fn create(&mut self, activity: Activity) {
        self.created.insert(activity.id);
        self.take(activity);
    }

    /// An activity is from now on like this.
    pub fn change(&mut self, activity: Activity) {
        if !self.created.contains(&activity.id) {
            self.changed.insert(activity.id);
        }
        self.take(activity);
    }

    /// What of it the batch has changed.
    #[must_use]
    pub fn into_pending(mut self) -> PendingActivities {
        let mut taken =
            |ids: &BTreeSet<Uuid>| ids.iter().filter_map(|id| self.records.remove(id)).collect();
        PendingActivities { created: taken(&self.created), changed: taken(&self.changed) }
    }

    fn take(&mut self, activity: Activity) {
        if let Some(key) = activity.key() {
            self.by_key.insert(key, activity.id);
        }
        self.records.insert(activity.id, activity);
    }
}
