//! The reports of wolkvox (`connections.md` 4).

use super::windows::written;
use super::{Answer, Door, Failure, Sources, text_of};
use beeiq_core::records::connection::Window;
use chrono_tz::Tz;
use reqwest::StatusCode;
use secrecy::SecretString;
use serde_json::Value;

/// An answer with so many rows may have left some out.
pub(crate) const MOST_ROWS: usize = 50_000;

const TIMES: &str = "%Y%m%d%H%M%S";

/// An operation with wolkvox. Its token is never to be used twice at once.
pub(crate) struct Wolkvox(Door);

impl Wolkvox {
    pub(crate) fn new(sources: Sources, base_url: &str, token: SecretString) -> Self {
        Self(Door::new(sources, "wolkvox", base_url, ("wolkvox-token", token)))
    }

    pub(crate) fn requests(&self) -> u32 {
        self.0.requests()
    }

    /// What became of a campaign's calls.
    pub(crate) async fn campaign(
        &self,
        id: &str,
        window: Window,
        zone: Tz,
    ) -> Result<Vec<Value>, Failure> {
        let [from, to] = written(window, zone, TIMES);
        let query =
            [("api", "campaign_3"), ("campaign_id", id), ("date_ini", &from), ("date_end", &to)];
        let answer = self.0.ask("/api/v2/reports_manager.php", &query).await?;
        let status = answer.status;
        read(answer)
            .unwrap_or_else(|| Err(self.0.unusable(status)))
            .map_err(|failure| self.0.without_secret(failure))
    }
}

/// What wolkvox answered; none where that is no JSON of its form.
fn read(answer: Answer) -> Option<Result<Vec<Value>, Failure>> {
    let Answer { status, json } = answer;
    if status == StatusCode::NOT_FOUND {
        return Some(Ok(Vec::new()));
    }
    let mut fields = match json? {
        Value::Array(rows) if status.is_success() => return Some(Ok(rows)),
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return None;
        }
    };
    let words = || {
        let said = ["msg", "error"].map(|field| fields.get(field).and_then(text_of));
        let said: Vec<String> = said.into_iter().flatten().collect();
        super::one_line(&said.join(": "))
    };
    // As HTTP's own statuses; without one that of the answer counts.
    let code = fields.get("code").and_then(text_of).and_then(|code| code.parse().ok());
    match code.unwrap_or(status.as_u16()) {
        200..=299 => {}
        404 => return Some(Ok(Vec::new())),
        401 | 403 => return Some(Err(Failure::CredentialsRefused(words()))),
        code @ (408 | 429 | 500..) => {
            let words = format!("code {code}: {}", words());
            return Some(Err(Failure::Later { words, retry_after: None, alone: code != 429 }));
        }
        code => return Some(Err(Failure::Fails(format!("code {code}: {}", words())))),
    }
    match fields.remove("data") {
        Some(Value::Array(rows)) => Some(Ok(rows)),
        None | Some(Value::Null) => Some(Ok(Vec::new())),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(status: u16, json: Value) -> Option<Result<Vec<Value>, Failure>> {
        read(Answer { status: StatusCode::from_u16(status).unwrap(), json: Some(json) })
    }

    #[test]
    fn an_answer_is_rows_none_or_a_failure() {
        let row = json!({"conn_id": "1"});
        let rows = Some(Ok(vec![row.clone()]));
        let none = Some(Ok(Vec::new()));
        let fails = |words: &str| Some(Err(Failure::Fails(words.to_owned())));
        let refused = |words: &str| Some(Err(Failure::CredentialsRefused(words.to_owned())));
        let later = |words: &str, alone| {
            let words = words.to_owned();
            Some(Err(Failure::Later { words, retry_after: None, alone }))
        };
        for (status, answer, expected) in [
            (200, json!({"code": "200", "error": null, "msg": "ok", "data": [row]}), rows.clone()),
            (200, json!({"code": 200, "data": [row]}), rows.clone()),
            (200, json!({"data": [row]}), rows.clone()),
            (200, json!([row]), rows),
            (200, json!([]), none.clone()),
            (200, json!({"code": "404", "msg": "no data"}), none.clone()),
            (200, json!({"code": "200", "msg": "no data"}), none.clone()),
            (404, json!("nothing"), none.clone()),
            (404, json!({"code": 500}), none),
            (200, json!({"code": "401", "msg": "bad token"}), refused("bad token")),
            (200, json!({"code": 403, "error": "a", "msg": "b"}), refused("b: a")),
            (200, json!({"code": 429, "msg": "busy"}), later("code 429: busy", false)),
            (200, json!({"code": 500, "msg": "down"}), later("code 500: down", true)),
            (200, json!({"code": 400, "msg": "bad date"}), fails("code 400: bad date")),
            (400, json!({"msg": "bad date"}), fails("code 400: bad date")),
            (200, json!("text"), None),
            (200, json!({"data": "text"}), None),
            (400, json!([row]), None),
        ] {
            assert_eq!(told(status, answer.clone()), expected, "{status} {answer}");
        }
        assert_eq!(read(Answer { status: StatusCode::OK, json: None }), None);
        let gone = Answer { status: StatusCode::NOT_FOUND, json: None };
        assert_eq!(read(gone), Some(Ok(Vec::new())));
    }
}
