//! What a source knows of an action beyond its data, resolved: whose it is, and how new
//! (`connections.md` 1, "Who it is").

use crate::batch::activities::Activities;
use crate::batch::change::{Decision, Outcome, Status};
use crate::batch::context::Context;
use crate::batch::customers::KnownCustomer;
use crate::batch::keys::Keys;
use crate::batch::snapshot::Overlay;
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::formats::{Heard, Whose};
use crate::records::activity::{Activity, ActivityKey};
use crate::records::connection::{OnMatch, Source};
use crate::records::identity::{Identity, IdentityKind, World};
use crate::values::email::Email;
use crate::values::phone::Phone;
use chrono::{DateTime, Utc};

/// What the source knows.
#[derive(Clone, Debug, PartialEq)]
pub struct OfSource {
    pub source: Source,
    pub on_match: OnMatch,
    whose: Vec<Way>,
    /// When that was so which it tells.
    pub as_of: Option<DateTime<Utc>>,
    /// The activities that it is about.
    pub activities: Vec<ActivityKey>,
    pub placeholder: Option<String>,
}

/// How somebody is found.
#[derive(Clone, Debug, PartialEq)]
enum Way {
    Identity(Identity),
    OfActivity(ActivityKey),
}

impl OfSource {
    /// What `heard` says in an org; an address or number that is none finds nobody.
    pub fn new(heard: Heard, source: Source, on_match: OnMatch, context: Context<'_>) -> Self {
        let Heard { whose, placeholder, as_of, activities, new_deal_stage: _ } = heard;
        let region = context.directory.org.region;
        let identity = |kind, key: &str| Way::Identity(Identity::new(World::Customer, kind, key));
        let way = |whose| match whose {
            Whose::External(id) => {
                let value = format!("{source}:{id}");
                Some(identity(IdentityKind::External, &value))
            }
            Whose::OfActivity(key) => Some(Way::OfActivity(key)),
            Whose::Email(email) => {
                Email::parse(&email).ok().map(|email| identity(IdentityKind::Email, email.key()))
            }
            Whose::Phone(phone) => Phone::parse(&phone, region)
                .ok()
                .map(|phone| identity(IdentityKind::Phone, phone.key())),
        };
        let whose = whose.into_iter().filter_map(way).collect();
        Self { source, on_match, whose, as_of, activities, placeholder }
    }

    /// What has to be known before it can be decided.
    pub fn collect_keys(&self, keys: &mut Keys) {
        keys.activities.extend(self.activities.iter().cloned());
        for way in &self.whose {
            match way {
                Way::Identity(identity) => {
                    keys.identities.insert(identity.clone());
                }
                Way::OfActivity(key) => {
                    keys.activities.insert(key.clone());
                    keys.customers_of_activities = true;
                }
            }
        }
    }

    /// Whether it says at all whose it is.
    pub fn names_anybody(&self) -> bool {
        !self.whose.is_empty()
    }

    /// Whose it is.
    pub fn find<'w>(&self, overlay: &'w Overlay<'_>) -> Option<&'w KnownCustomer> {
        self.whose.iter().find_map(|way| match way {
            Way::Identity(identity) => overlay.customers.holder(identity),
            Way::OfActivity(key) => {
                overlay.customers.get(overlay.activities.with_key(key)?.customer)
            }
        })
    }

    /// Whose it is; a fault of the item where nobody is.
    pub fn find_or_tell<'w>(
        &self,
        at: &Pointer,
        overlay: &'w Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'w KnownCustomer> {
        let found = self.find(overlay);
        if found.is_none() {
            let message = "The customer that this is about is not there; see what is wrong with \
                           them, and replay it then.";
            diagnostics.fault(Code::NotFound, at, message);
        }
        found
    }

    /// The ids that the source itself has for the customer.
    pub fn external_ids(&self) -> impl Iterator<Item = &Identity> {
        self.whose.iter().filter_map(|way| match way {
            Way::Identity(identity) if identity.kind == IdentityKind::External => Some(identity),
            Way::Identity(_) | Way::OfActivity(_) => None,
        })
    }

    /// What becomes of what is told of somebody who has been erased: nothing.
    pub fn erased(
        &self,
        at: &Pointer,
        overlay: &Overlay<'_>,
        diagnostics: &Diagnostics,
    ) -> Option<Decision> {
        if !self.external_ids().any(|id| overlay.is_erased(id)) {
            return None;
        }
        let Diagnostics { faults: _, mut warnings } = diagnostics.clone();
        let mut erased = Diagnostics::default();
        let message = "This customer has been erased; what is told of them is not taken any more.";
        erased.warn(Code::Erased, at, message);
        warnings.extend(erased.warnings);
        Some(Decision {
            outcome: Outcome::without_record(Status::Unchanged, warnings),
            changes: Vec::new(),
        })
    }

    /// Whether something newer is known by now.
    pub fn is_old(&self, activities: &Activities) -> bool {
        let known = self.activities.first().and_then(|key| activities.with_key(key));
        known.is_some_and(|known| self.is_older_than(known))
    }

    /// Whether that activity was told of by something newer.
    pub fn is_older_than(&self, known: &Activity) -> bool {
        self.as_of.zip(known.as_of).is_some_and(|(this, known)| this < known)
    }
}
