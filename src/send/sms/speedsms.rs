//! SpeedSMS.vn: `POST /index.php/sms/send`, Basic authentication with the token as user.
//!
//! The API has no idempotency key: a crash between its yes and ours repeats a message.

use super::account::{Checked, Fields, Owner, Providers, without_plus};
use super::exchange::{Answer, ask};
use crate::send::guard::Guard;
use beeiq_core::records::outgoing::{Outcome, Sms};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SpeedSmsAccount {
    access_token: SecretString,
    sender: Option<String>,
}

impl SpeedSmsAccount {
    pub(super) const FIELDS: Fields = Fields {
        blank: || json!({"accessToken": null, "sender": null}),
        secrets: &["/accessToken"],
        destination: &[],
    };

    pub(super) fn secrets(&self) -> Vec<&str> {
        vec![self.access_token.expose_secret()]
    }

    pub(super) fn check(&self, _: &Guard, faults: &mut Checked) {
        let Self { access_token, sender } = self;
        faults.required_line(access_token.expose_secret(), "/accessToken", 255);
        faults.line(sender.as_deref(), "/sender", 64);
    }

    pub(super) async fn send(&self, ways: &Providers, _: Owner, sms: &Sms) -> Outcome {
        let sender = self.sender.as_deref().unwrap_or_default();
        let body = json!({
             "to": [without_plus(&sms.to)],
             "content": sms.content,
             "sms_type": sms_type(sender),
             "sender": sender,
        });
        let request = ways
            .trusted
            .post(format!("{}/index.php/sms/send", ways.speedsms_url))
            .basic_auth(self.access_token.expose_secret(), Some("x"))
            .json(&body);
        match ask(request).await {
            Ok(answer) => outcome(&answer),
            Err(outcome) => outcome,
        }
    }
}

/// 2: from any number; 3: by the org's brandname; 4: by one of the provider's own.
fn sms_type(sender: &str) -> u8 {
    match sender {
        "" => 2,
        "Verify" | "Notify" => 4,
        _ => 3,
    }
}

fn outcome(answer: &Answer) -> Outcome {
    let code = answer.text("/code").unwrap_or_default();
    let message = answer.text("/message").unwrap_or_default();
    let words = match code.as_str() {
        "" => answer.words(),
        code => answer.with_words(&format!("code {code} {message}")),
    };
    let taken = answer.status().is_success();
    match (answer.text("/status").as_deref(), code.as_str()) {
        (Some("success"), _) if taken && answer.lists_something("/data/invalidPhone") => {
            Outcome::Permanent { words: answer.with_words("the number is invalid") }
        }
        (Some("success"), _) if taken => {
            Outcome::Sent { words, provider_id: answer.text("/data/tranId") }
        }
        // The caller's address, the account, its rights, its balance.
        (_, "007" | "7" | "008" | "8" | "009" | "9" | "300") => Outcome::AccountRefused { words },
        (_, "500") => answer.transient(words),
        (Some("error"), _) if taken => Outcome::Permanent { words },
        // An answer that is none of the API's.
        _ => answer.refusal(words.clone()).unwrap_or_else(|| answer.transient(words)),
    }
}
