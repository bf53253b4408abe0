//! An account with iAdvize: two websites, in Paris and in Ho Chi Minh City.

use super::{Answered, Asked, Feed, meant, name, shown};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::{Asia, Europe, Tz};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

const TIMES: &str = "%Y-%m-%d %H:%M:%S";

/// The websites: currency and time zone.
const WEBSITES: [(&str, Tz); 2] = [("EUR", Europe::Paris), ("VND", Asia::Ho_Chi_Minh)];

/// Of the conversations, each so many has one.
const TRANSACTIONS: u64 = 5;
const SATISFACTIONS: u64 = 3;
const CALLMEETINGS: u64 = 7;
/// Each so many visitors are not there any more.
const FORGOTTEN: u64 = 11;
/// Call-backs are planned so long ahead.
const PLANNED: TimeDelta = TimeDelta::days(20);

/// An account with conversations that go on and on.
#[derive(Debug)]
pub struct Iadvize {
    /// Its key.
    pub key: String,
    /// When somebody begins to speak.
    pub feed: Feed,
    /// How many visitors there are, who come back in turn.
    pub visitors: u64,
    /// Conversations that became known after those that follow them.
    late: Mutex<Vec<DateTime<Utc>>>,
}

/// A kind of item, all of which a website's visitor has brought about.
#[derive(Clone, Copy)]
struct Kind {
    /// Each so many conversations there is one.
    each: u64,
    /// How far ahead there are some.
    ahead: TimeDelta,
    make: fn(&Iadvize, u64, DateTime<Utc>) -> Value,
}

impl Iadvize {
    /// An account of that key.
    #[must_use]
    pub const fn new(key: String, feed: Feed, visitors: u64) -> Self {
        Self { key, feed, visitors, late: Mutex::new(Vec::new()) }
    }

    /// A conversation of then becomes known now: it stands first in every list of that time.
    pub fn arrive(&self, at: DateTime<Utc>) {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).push(at);
    }

    /// What it answers.
    pub fn answer(&self, asked: &Asked<'_>) -> Answered {
        if asked.secret != Some(&self.key) {
            let body = json!({"meta": {"status": "error", "message": "Forbidden"}});
            return Answered { status: 403, body };
        }
        let body = match asked.path {
            "/website" => all(&websites()),
            "/operator" => all(&operators()),
            "/tag" => all(&tags()),
            "/skill" => all(&skills()),
            "/visitor" => all(&self.visitor(asked.field("filters[unique_id]").unwrap_or_default())),
            "/conversation.json-unicode" => self.list(asked, CONVERSATION),
            "/transaction" => self.list(asked, TRANSACTION),
            "/satisfaction" => self.list(asked, SATISFACTION),
            "/callmeeting" => self.list(asked, CALLMEETING),
            path => self.one(path, asked.now),
        };
        Answered { status: 200, body }
    }

    /// Those of a window, the newest first, a page of them.
    fn list(&self, asked: &Asked<'_>, kind: Kind) -> Value {
        let website = asked.field("filters[website_id]").and_then(|id| id.parse().ok());
        let (_, zone) = of_website(website.unwrap_or(1));
        let latest = asked.now + kind.ahead;
        let bound = |field, last| meant(asked.field(field)?, zone, TIMES, last);
        let to = bound("filters[to]", true).unwrap_or(latest);
        let from = bound("filters[from]", false).unwrap_or(to - TimeDelta::days(90));
        if to - from > TimeDelta::days(92) {
            return fail("The period cannot exceed 3 months.");
        }
        let numbers = self.feed.each(times(kind.each)).between(from, to.min(latest));
        let is_theirs = |number: &u64| website.is_none_or(|website| website_of(*number) == website);
        let mut numbers: Vec<u64> = numbers.map(|it| it * kind.each).filter(is_theirs).collect();
        if kind.each == 1 {
            numbers.extend(self.late_ones(from, to).filter(is_theirs));
        }
        let (page, limit) =
            (asked.number("page", 1).max(1), asked.number("limit", 20).clamp(1, 100));
        let count = u64::try_from(numbers.len()).unwrap_or_default();
        let on_page = numbers
            .iter()
            .rev()
            .skip(usize::try_from((page - 1) * limit).unwrap_or(usize::MAX))
            .take(usize::try_from(limit).unwrap_or_default());
        let items: Vec<Value> =
            on_page.map(|&number| (kind.make)(self, number, asked.now)).collect();
        json!({
            "meta": {"status": "success"},
            "data": items,
            "pagination": {
                "page": page, "pages": count.div_ceil(limit), "limit": limit, "count": count,
            },
        })
    }

    /// The numbers of those that became known late, by when they were.
    fn late_ones(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = u64> {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers = (LATE..).zip(late.iter());
        let within = numbers.filter(|&(_, at)| from <= *at && *at <= to);
        within.map(|(number, _)| number).collect::<Vec<_>>().into_iter()
    }

    fn one(&self, path: &str, now: DateTime<Utc>) -> Value {
        let id = path.strip_prefix("/conversation.json-unicode/");
        match id.and_then(|id| id.parse::<u64>().ok()) {
            Some(id @ 1..) if self.began(id - 1) <= now => {
                json!({"meta": {"status": "success"}, "data": self.conversation(id - 1, now)})
            }
            Some(id) => fail(&format!("Unknown 'conversation' with 'id' {id}.")),
            None => fail("Unknown resource."),
        }
    }

    fn began(&self, number: u64) -> DateTime<Utc> {
        let Some(late) = number.checked_sub(LATE) else { return self.feed.time(number) };
        let known = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let at = usize::try_from(late).ok().and_then(|late| known.get(late).copied());
        at.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn conversation(&self, number: u64, now: DateTime<Utc>) -> Value {
        let (_, zone) = of_website(website_of(number));
        let start = self.began(number);
        let end = start + TimeDelta::minutes(1 + i64::try_from(number % 20).unwrap_or_default());
        let closed = (end <= now).then(|| shown(end, zone, TIMES));
        let entry = |kind: u8, seconds: i64, text: &str| {
            let at = start + TimeDelta::seconds(seconds);
            json!([kind, shown(at, zone, TIMES), text, at.timestamp_millis()])
        };
        let history = [
            entry(5, 0, "https://shop.example/shoes"),
            entry(3, 1, "The chat rule has been activated."),
            entry(2, 5, "Hello! Do you have these in size 42?"),
            entry(1, 20, "Good morning. Yes, we do, in black and in brown."),
            entry(2, 40, "Brown it is. Thank you!"),
        ];
        let channel = match number % 3 {
            0 => "chat",
            1 => "call",
            _ => "video",
        };
        json!({
            "id": number + 1,
            "channel": channel,
            "visitor_uid": self.visitor_of(number),
            "history": history,
            "operator_answer": !number.is_multiple_of(4),
            "operator_closed": closed.is_some(),
            "waitinglist": false,
            "created_at": shown(start, zone, TIMES),
            "closed_at": closed,
            "website_id": website_of(number),
            "operator_id": 1 + number % 3,
            "skill_id": 1 + number % 2,
            "tag_list": [1 + number % 4],
        })
    }

    fn transaction(&self, number: u64) -> Value {
        let website = website_of(number);
        let (currency, zone) = of_website(website);
        let amount = if currency == "VND" { 250_000 } else { 49 } + number % 50;
        json!({
            "id": number + 1,
            "external_id": format!("T-{}", number + 1),
            "visitor_uid": self.visitor_of(number),
            "amount": amount,
            "created_at": shown(self.began(number), zone, TIMES),
            "website_id": website,
            "operator_id": 1 + number % 3,
            "conversation_id": number + 1,
        })
    }

    fn satisfaction(&self, number: u64) -> Value {
        let (_, zone) = of_website(website_of(number));
        json!({
            "id": number + 1,
            "note_welcome": 80, "note_resolution": 100, "node_delay": 60 + number % 40,
            "comment": "Very kind",
            "created_at": shown(self.began(number), zone, TIMES),
            "website_id": website_of(number),
            "conversation_id": number + 1,
        })
    }

    fn callmeeting(&self, number: u64, now: DateTime<Utc>) -> Value {
        let (_, zone) = of_website(website_of(number));
        let start = self.began(number);
        json!({
            "id": number + 1,
            "phone_number": phone(number % self.visitors),
            "visitor_uid": self.visitor_of(number),
            "status": if start > now { "pending" } else { "done" },
            "start_at": shown(start, zone, TIMES),
            "website_id": website_of(number),
        })
    }

    fn visitor_of(&self, number: u64) -> String {
        uid(number % self.visitors)
    }

    /// The visitor of that id, where they are there.
    fn visitor(&self, wanted: &str) -> Vec<Value> {
        let number = wanted.strip_prefix("uid").and_then(|digits| digits.parse::<u64>().ok());
        let known = number.filter(|number| *number < self.visitors && number % FORGOTTEN != 10);
        known.map(visitor).into_iter().collect()
    }
}

/// From here on are the numbers of those that became known late.
const LATE: u64 = 1_000_000_000;

const CONVERSATION: Kind = Kind {
    each: 1,
    ahead: TimeDelta::zero(),
    make: |it, number, now| it.conversation(number, now),
};
const TRANSACTION: Kind = Kind {
    each: TRANSACTIONS,
    ahead: TimeDelta::zero(),
    make: |it, number, _| it.transaction(number),
};
const SATISFACTION: Kind = Kind {
    each: SATISFACTIONS,
    ahead: TimeDelta::zero(),
    make: |it, number, _| it.satisfaction(number),
};
const CALLMEETING: Kind = Kind {
    each: CALLMEETINGS,
    ahead: PLANNED,
    make: |it, number, now| it.callmeeting(number, now),
};

fn times(each: u64) -> i32 {
    i32::try_from(each).unwrap_or(i32::MAX)
}

fn uid(number: u64) -> String {
    format!("uid{number:012}")
}

fn phone(number: u64) -> String {
    format!("+336{number:08}")
}

fn visitor(number: u64) -> Value {
    let (first, last) = name(number);
    json!({
        "id": number + 1,
        "unique_id": uid(number),
        "external_id": "",
        "firstname": first,
        "lastname": last,
        "address": format!("{} rue de la Paix", number % 90 + 1),
        "city": "Paris", "zip": "75002", "country": "FR",
        "phone": phone(number),
        "email": format!("visitor{number}@shop.example"),
        "browser": "Firefox",
        "website_id": [1, 2],
    })
}

/// The website of what has that number.
const fn website_of(number: u64) -> u64 {
    number % 2 + 1
}

fn of_website(id: u64) -> (&'static str, Tz) {
    let at = usize::try_from(id.saturating_sub(1)).unwrap_or_default();
    WEBSITES.get(at).copied().unwrap_or(("EUR", Tz::UTC))
}

fn websites() -> Vec<Value> {
    let website = |(id, (currency, zone)): (u64, &(&str, Tz))| {
        json!({
            "id": id, "url": format!("https://shop{id}.example"), "label": format!("Shop {id}"),
            "client_id": 1, "currency": currency, "language_admin": "en", "timezone": zone.name(),
        })
    };
    (1..).zip(&WEBSITES).map(website).collect()
}

fn operators() -> Vec<Value> {
    let operator = |(id, name): (u64, &str)| json!({"id": id, "name": name, "email": format!("{}@shop.example", name.to_lowercase())});
    (1..).zip(["Alice", "Bao", "Chloe"]).map(operator).collect()
}

fn tags() -> Vec<Value> {
    let tag = |(id, name): (u64, &str)| json!({"id": id, "name": name, "website_id": [1, 2]});
    (1..).zip(["Shoes", "Returns", "Delivery", "Wholesale"]).map(tag).collect()
}

fn skills() -> Vec<Value> {
    (1..)
        .zip(["Sales", "Service"])
        .map(|(id, name): (u64, _)| json!({"id": id, "name": name}))
        .collect()
}

fn all(items: &[Value]) -> Value {
    let count = items.len();
    json!({
        "meta": {"status": "success"},
        "data": items,
        "pagination": {"page": 1, "pages": 1, "limit": 100, "count": count},
    })
}

fn fail(message: &str) -> Value {
    json!({"meta": {"status": "fail", "message": message}})
}
