//! An operation with wolkvox, whose campaigns call somebody again and again.

use super::{Answered, Asked, Feed, meant, name, shown};
use chrono_tz::Tz;
use serde_json::{Value, json};

/// An answer has no more rows than that, and does not say so.
const MOST_ROWS: usize = 50_000;

/// An operation, each of whose campaigns calls somebody else at the same times.
#[derive(Clone, Debug)]
pub struct Wolkvox {
    /// Its token.
    pub token: String,
    /// Its campaigns.
    pub campaigns: Vec<String>,
    /// When somebody is called.
    pub feed: Feed,
    /// How many customers there are, who are called in turn.
    pub customers: u64,
    /// Where it is.
    pub zone: Tz,
}

impl Wolkvox {
    /// What it answers.
    pub fn answer(&self, asked: &Asked<'_>) -> Answered {
        let told = |status: u16, message: &str| {
            let body = json!({"code": status.to_string(), "error": message, "msg": message});
            Answered { status, body }
        };
        if asked.secret != Some(&self.token) {
            return told(401, "invalid token");
        }
        if asked.path != "/api/v2/reports_manager.php" || asked.field("api") != Some("campaign_3") {
            return told(400, "unknown report");
        }
        let time = |field, last| meant(asked.field(field)?, self.zone, "%Y%m%d%H%M%S", last);
        let (Some(from), Some(to)) = (time("date_ini", false), time("date_end", true)) else {
            return told(400, "the dates are wrong");
        };
        let campaign = asked.field("campaign_id").unwrap_or_default();
        let Some(place) = self.campaigns.iter().position(|id| id == campaign) else {
            return told(404, "no data");
        };
        let place = u64::try_from(place).unwrap_or_default();
        let numbers = self.feed.between(from, to.min(asked.now)).take(MOST_ROWS);
        let rows: Vec<Value> = numbers.map(|number| self.row(campaign, place, number)).collect();
        if rows.is_empty() {
            return told(404, "no data");
        }
        Answered {
            status: 200,
            body: json!({"code": "200", "error": null, "msg": "ok", "data": rows}),
        }
    }

    fn row(&self, campaign: &str, place: u64, number: u64) -> Value {
        let customer = (number + 7 * place) % self.customers;
        let (first, last) = name(customer);
        let result = ["ANSWER", "NO-ANSWER", "BUSY", "ANSWER-MACHINE"];
        let result = usize::try_from(number % 4).ok().and_then(|at| result.get(at).copied());
        json!({
            "campaign_id": campaign,
            "customer_name": first,
            "customer_last_name": last,
            "id_type": "CC",
            "customer_id": format!("{}", 10_000_000 + customer),
            "date": shown(self.feed.time(number), self.zone, "%Y-%m-%d %H:%M:%S"),
            "telephone": format!("+57300{customer:07}"),
            "result": result,
            "opt1": format!("customer{customer}@calls.example"),
            "opt2": "Bogotá",
            "opt3": "",
            "conn_id": format!("{campaign}-{number}"),
        })
    }
}
