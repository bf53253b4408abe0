//! What of iAdvize is looked up, and how often.

use crate::send::pull::{Failure, Iadvize, LIMITS, Listed, Listing, text_of};
use beeiq_core::records::connection::IadvizeSettings;
use chrono_tz::Tz;
use futures_util::{StreamExt, TryStreamExt, stream};
use moka::sync::Cache;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// The most bytes of names that a run keeps.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// The most bytes of visitors that it keeps, in case that they come again.
const VISITOR_BYTES: u64 = 16 * 1024 * 1024;
/// How many visitors are asked for at once.
const AT_ONCE: usize = 8;

/// What was found, and how many bytes it has.
pub(super) type Found = (Arc<Value>, usize);

/// Everything that was listed of a kind, by id.
pub(super) type Catalogue = HashMap<String, Found>;

/// Lists all of a kind.
pub(super) async fn list(account: &Iadvize, what: Listed) -> Result<Catalogue, Failure> {
    let mut all = Catalogue::new();
    let (mut page, mut bytes) = (1, 0);
    loop {
        let [limit, ..] = LIMITS;
        let listing = Listing { what, window: None, website: None, page, limit };
        let listed = account.page(listing).await?;
        let is_last = listed.items.is_empty() || page >= listed.pages;
        for item in listed.items {
            let Some(id) = item.get("id").and_then(text_of) else { continue };
            let found = found(item);
            bytes += found.1;
            all.insert(id, found);
        }
        if bytes > MOST_BYTES {
            let words = format!("There are too many of them: more than {MOST_BYTES} bytes.");
            return Err(Failure::Fails(words));
        }
        if is_last {
            return Ok(all);
        }
        page += 1;
    }
}

fn found(value: Value) -> Found {
    let bytes = value.to_string().len();
    (Arc::new(value), bytes)
}

/// The websites that are asked for, one by one where that matters, each with its time zone.
pub(super) fn sites(settings: &IadvizeSettings, websites: &Catalogue) -> Vec<(Option<String>, Tz)> {
    let zone = |id: &str| {
        let website = websites.get(id).and_then(|(website, _)| website.get("timezone")?.as_str());
        website.and_then(|name| name.trim().parse().ok()).unwrap_or(Tz::UTC)
    };
    let mut ids: Vec<&String> = websites.keys().collect();
    if !settings.website_ids.is_empty() {
        ids = settings.website_ids.iter().collect();
    }
    ids.sort();
    let zones: Vec<Tz> = ids.iter().map(|id| zone(id)).collect();
    match zones.as_slice() {
        [] => vec![(None, Tz::UTC)],
        [first, others @ ..]
            if settings.website_ids.is_empty() && others.iter().all(|zone| zone == first) =>
        {
            vec![(None, *first)]
        }
        _ => ids.into_iter().map(|id| Some(id.clone())).zip(zones).collect(),
    }
}

/// The visitors that a run has asked for.
pub(super) struct Visitors(Cache<String, Found>);

impl Default for Visitors {
    fn default() -> Self {
        let weight =
            |uid: &String, (_, bytes): &Found| u32::try_from(uid.len() + bytes).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(VISITOR_BYTES).weigher(weight).build())
    }
}

impl Visitors {
    /// The visitors of these ids: null where they are not there.
    pub(super) async fn find(
        &self,
        account: &Iadvize,
        uids: impl IntoIterator<Item = String>,
    ) -> Result<HashMap<String, Found>, Failure> {
        let mut all = HashMap::new();
        let mut missing = Vec::new();
        for uid in uids {
            match self.0.get(&uid) {
                Some(known) => drop(all.insert(uid, known)),
                None => missing.push(uid),
            }
        }
        missing.sort();
        missing.dedup();
        let ask = |uid: String| async move {
            let visitor = account.visitor(&uid).await?;
            Ok::<_, Failure>((uid, found(visitor.unwrap_or_default())))
        };
        let mut asked = stream::iter(missing).map(ask).buffer_unordered(AT_ONCE);
        while let Some((uid, visitor)) = asked.try_next().await? {
            self.0.insert(uid.clone(), visitor.clone());
            all.insert(uid, visitor);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn websites_of_different_zones_are_asked_one_by_one() {
        let website = |id: &str, zone: Value| (id.to_owned(), found(json!({"timezone": zone})));
        let (paris, hanoi) = ("Europe/Paris", "Asia/Ho_Chi_Minh");
        for (websites, only, expected) in [
            (vec![], vec![], vec![(None, "UTC")]),
            (vec![("1", json!(paris)), ("2", json!(paris))], vec![], vec![(None, paris)]),
            (
                vec![("2", json!(hanoi)), ("1", json!(paris)), ("3", json!("Nowhere/At"))],
                vec![],
                vec![(Some("1"), paris), (Some("2"), hanoi), (Some("3"), "UTC")],
            ),
            (
                vec![("1", json!(paris)), ("2", json!(paris))],
                vec!["2", "9"],
                vec![(Some("2"), paris), (Some("9"), "UTC")],
            ),
            (vec![("1", json!(null))], vec![], vec![(None, "UTC")]),
        ] {
            let catalogue = websites.into_iter().map(|(id, zone)| website(id, zone)).collect();
            let website_ids = only.into_iter().map(str::to_owned).collect();
            let settings = IadvizeSettings { website_ids, ..IadvizeSettings::default() };
            let sites = sites(&settings, &catalogue);
            let told: Vec<_> =
                sites.iter().map(|(id, zone)| (id.as_deref(), zone.name())).collect();
            assert_eq!(told, expected);
        }
    }
}
