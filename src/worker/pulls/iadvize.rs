//! A run of a connection with iAdvize: its resources one after the other (`connections.md` 3).

use super::catalogue::{Catalogue, Visitors, list, sites};
use super::document::Document;
use super::report::Ended;
use super::run::{Asks, Run, window};
use crate::clock;
use crate::ingest::Cursor;
use crate::send::pull::{Failure, Iadvize, LIMITS, Listed, Listing, halves, text_of};
use crate::store::pool::Conn;
use crate::store::pulling::open_conversations;
use beeiq_core::records::connection::{IadvizeResource, IadvizeSettings, Window};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use std::collections::HashMap;

/// How far before the cursor a window begins.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// How long a conversation that is not closed is asked for again, and call-backs that have been.
const WEEK: TimeDelta = TimeDelta::days(7);
/// How far ahead call-backs are asked for.
const AHEAD: TimeDelta = TimeDelta::days(31);
/// A window with more items is halved, so that a run that ends soon has got somewhere.
const MANY_ITEMS: usize = 10_000;
/// A list that goes on after so many items does not come to an end.
const ENDLESS: usize = 1_000_000;
/// How often a list is begun anew that has become shorter meanwhile.
const RESTARTS: usize = 3;
/// How many conversations that are not closed are asked for again.
const MOST_OPEN: i64 = 5_000;
/// How many of those at once.
const AT_ONCE: usize = 4;

pub(super) async fn pull(
    run: &mut Run,
    account: &Iadvize,
    settings: &IadvizeSettings,
) -> Result<(), Ended> {
    // One for all: what is told of a conversation comes after it.
    let now = clock::now();
    let websites = list(account, Listed::Websites).await?;
    let sites = sites(settings, &websites);
    let mut lookups = Lookups { websites, ..Lookups::default() };
    let mut conversations_later = false;
    for resource in IadvizeResource::ALL {
        let waits = resource == IadvizeResource::Satisfactions && conversations_later;
        if waits || !settings.resources.contains(&resource) {
            continue;
        }
        let is_first = resource == IadvizeResource::Conversations;
        let window = window_of(resource, run, now);
        let again = if is_first { again(run).await? } else { Vec::new() };
        let (lookups, sites) = (&mut lookups, sites.as_slice());
        let mut list = List { account, resource, sites, lookups, again };
        // What ends the run has been noted with the resource.
        match run.resource(resource.as_str(), window, &mut list).await {
            Some(ended) if !ended.is_alone() => break,
            Some(Ended::Failed(Failure::Later { .. })) if is_first => conversations_later = true,
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// The conversations that are to be asked for again.
async fn again(run: &Run) -> Result<Vec<String>, Ended> {
    let (org, after) = (run.org, clock::now() - WEEK);
    let find = move |conn: &mut Conn| open_conversations(conn, org, after, MOST_OPEN);
    Ok(run.db.in_org(org, find).await?)
}

fn window_of(resource: IadvizeResource, run: &Run, now: DateTime<Utc>) -> Window {
    let since = run.claimed.since;
    let cursor = run.cursor(resource.as_str());
    match resource {
        IadvizeResource::Callmeetings => ahead(since, cursor, now),
        IadvizeResource::Conversations
        | IadvizeResource::Transactions
        | IadvizeResource::Satisfactions => window(since, cursor, OVERLAP, now),
    }
}

/// Call-backs are listed by when they are to be.
fn ahead(since: DateTime<Utc>, cursor: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Window {
    let Window { from, to } = window(since, cursor, OVERLAP, now);
    Window { from: since.max(from.min(to - WEEK)).min(to), to: to + AHEAD }
}

/// What items name beside themselves.
#[derive(Default)]
struct Lookups {
    websites: Catalogue,
    /// What conversations name, once it has been asked for.
    names: Option<[(&'static str, Catalogue); 3]>,
    visitors: Visitors,
}

struct List<'a> {
    account: &'a Iadvize,
    resource: IadvizeResource,
    sites: &'a [(Option<String>, Tz)],
    lookups: &'a mut Lookups,
    /// What is asked for by its id.
    again: Vec<String>,
}

impl Asks for List<'_> {
    async fn ask(&mut self, run: &mut Run, window: Window, cursor: Cursor) -> Result<(), Ended> {
        let mut document = Document::new(self.resource.as_str());
        if self.resource == IadvizeResource::Conversations {
            self.look_up_names().await?;
        }
        let account = self.account;
        for ids in std::mem::take(&mut self.again).chunks(LIMITS[0]) {
            let ask = |id: String| async move { account.conversation(&id).await };
            let asked = stream::iter(ids.to_vec()).map(ask).buffered(AT_ONCE);
            let found: Vec<Option<Value>> = asked.try_collect().await?;
            let found = found.into_iter().flatten().collect();
            self.put(run, &mut document, found).await?;
        }
        for (website, zone) in self.sites {
            self.site(run, &mut document, window, (website.as_deref(), *zone)).await?;
        }
        run.keep(&mut document, Some(cursor)).await
    }

    fn requests(&self) -> u32 {
        self.account.requests()
    }
}

impl List<'_> {
    /// All of a window that one website has, or all of them.
    async fn site(
        &self,
        run: &mut Run,
        document: &mut Document,
        window: Window,
        (website, zone): (Option<&str>, Tz),
    ) -> Result<(), Ended> {
        let what = Listed::Resource(self.resource);
        let (mut limits, mut begun, mut restarts) = (LIMITS.iter().copied().peekable(), 0, 0);
        let mut known = None;
        while let Some(&limit) = limits.peek() {
            let page = begun / limit + 1;
            let listing = Listing { what, window: Some((window, zone)), website, page, limit };
            let listed = match self.account.page(listing).await {
                Err(Failure::TooLarge) => {
                    limits.next();
                    continue;
                }
                listed => listed?,
            };
            let count = listed.count.unwrap_or(listed.pages.saturating_mul(limit));
            if known.is_none() && count > MANY_ITEMS && halves(window).is_some() {
                return Err(Failure::TooLarge.into());
            }
            let is_last = listed.items.is_empty() || page >= listed.pages;
            self.put(run, document, listed.items).await?;
            begun += limit;
            if begun > ENDLESS {
                let words = "The list does not come to an end.".to_owned();
                return Err(Failure::Fails(words).into());
            }
            // What has gone meanwhile has moved others to pages that have been asked for.
            if known.is_some_and(|known| count < known) && restarts < RESTARTS {
                (begun, restarts) = (0, restarts + 1);
            } else if is_last {
                return Ok(());
            }
            known = Some(count);
        }
        let words = "An item is too large to be taken.".to_owned();
        Err(Failure::Fails(words).into())
    }

    /// Operators, tags and skills, which conversations alone name.
    async fn look_up_names(&mut self) -> Result<(), Failure> {
        if self.lookups.names.is_none() {
            let operators = list(self.account, Listed::Operators).await?;
            let tags = list(self.account, Listed::Tags).await?;
            let skills = list(self.account, Listed::Skills).await?;
            self.lookups.names = Some([("operator", operators), ("tag", tags), ("skill", skills)]);
        }
        Ok(())
    }

    /// Puts items into a document, with what they name; full ones are kept.
    async fn put(
        &self,
        run: &mut Run,
        document: &mut Document,
        items: Vec<Value>,
    ) -> Result<(), Ended> {
        let uids = items.iter().filter_map(|item| id_in(item, "visitor_uid"));
        let visitors = self.lookups.visitors.find(self.account, uids).await?;
        for item in &items {
            if document.is_full() {
                run.keep(document, None).await?;
            }
            document.push(item);
            self.name(document, item, &visitors);
        }
        Ok(())
    }

    fn name(
        &self,
        document: &mut Document,
        item: &Value,
        visitors: &HashMap<String, (std::sync::Arc<Value>, usize)>,
    ) {
        let mut name = |kind, id: &str, found: &Catalogue| {
            if let Some((value, bytes)) = found.get(id) {
                document.look_up(kind, id, *bytes, value);
            }
        };
        if let Some(id) = id_in(item, "website_id") {
            name("website", &id, &self.lookups.websites);
        }
        if let Some(uid) = id_in(item, "visitor_uid") {
            name("visitor", &uid, visitors);
        }
        for (kind, found) in self.lookups.names.iter().flatten() {
            match *kind {
                "tag" => tags_of(item).iter().for_each(|id| name(kind, id, found)),
                kind => {
                    if let Some(id) = id_in(item, &format!("{kind}_id")) {
                        name(kind, &id, found);
                    }
                }
            }
        }
    }
}

/// The id in a field; 0 is none.
fn id_in(item: &Value, field: &str) -> Option<String> {
    item.get(field).and_then(text_of).filter(|id| id != "0")
}

/// The tags of an item: a list, or a text with commas.
fn tags_of(item: &Value) -> Vec<String> {
    match item.get("tag_list") {
        Some(Value::Array(ids)) => ids.iter().filter_map(text_of).collect(),
        Some(other) => {
            let text = text_of(other).unwrap_or_default();
            text.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn call_backs_are_asked_for_from_a_week_ago_to_a_month_ahead_and_not_before_since() {
        let at = |days| DateTime::UNIX_EPOCH + TimeDelta::days(days);
        for (since, cursor, from) in
            [(0, None, 0), (0, Some(99), 93), (0, Some(50), 50), (98, Some(99), 98), (98, None, 98)]
        {
            let Window { from: its, to } = ahead(at(since), cursor.map(at), at(100));
            assert_eq!((its + OVERLAP - at(from)).num_days(), 0, "{since} {cursor:?}");
            assert_eq!(to, at(131));
        }
    }

    #[test]
    fn items_name_others_by_numbers_and_texts() {
        for (item, tags) in [
            (json!({"tag_list": [1, "2", null]}), vec!["1", "2"]),
            (json!({"tag_list": "1, 2,"}), vec!["1", "2"]),
            (json!({"tag_list": 7}), vec!["7"]),
            (json!({"tag_list": null}), vec![]),
            (json!({}), vec![]),
        ] {
            assert_eq!(tags_of(&item), tags, "{item}");
        }
        assert_eq!(id_in(&json!({"website_id": 0}), "website_id"), None);
        assert_eq!(id_in(&json!({"website_id": 3}), "website_id").as_deref(), Some("3"));
    }
}
