//! Twilio: `POST /2010-04-01/Accounts/{sid}/Messages.json`, a form, with Basic authentication.
//!
//! The API has no idempotency key for messages: a crash between its yes and ours repeats one.

use super::account::{Checked, Fields, Owner, Providers};
use super::exchange::{Answer, ask};
use crate::send::guard::Guard;
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::outgoing::{Outcome, Sms};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TwilioAccount {
    account_sid: String,
    auth_token: SecretString,
    from: String,
}

impl TwilioAccount {
    pub(super) const FIELDS: Fields = Fields {
        blank: || json!({"accountSid": null, "authToken": null, "from": null}),
        secrets: &["/authToken"],
        destination: &["accountSid"],
    };

    pub(super) fn secrets(&self) -> Vec<&str> {
        vec![self.auth_token.expose_secret()]
    }

    pub(super) fn check(&self, _: &Guard, faults: &mut Checked) {
        let Self { account_sid, auth_token, from } = self;
        let hexadecimal =
            |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
        if !account_sid.strip_prefix("AC").is_some_and(hexadecimal) {
            let message = "An account SID is AC and 32 hexadecimal digits.";
            faults.push(Fault::new(Code::InvalidValue, "/accountSid", message));
        }
        faults.required_line(auth_token.expose_secret(), "/authToken", 255);
        faults.required_line(from, "/from", 64);
    }

    pub(super) async fn send(&self, ways: &Providers, _: Owner, sms: &Sms) -> Outcome {
        let Self { account_sid, auth_token, from } = self;
        let sender = if from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let url = &ways.twilio_url;
        let request = ways
            .trusted
            .post(format!("{url}/2010-04-01/Accounts/{account_sid}/Messages.json"))
            .basic_auth(account_sid, Some(auth_token.expose_secret()))
            .form(&[("To", sms.to.as_str()), (sender, from), ("Body", &sms.content)]);
        match ask(request).await {
            Ok(answer) => outcome(&answer),
            Err(outcome) => outcome,
        }
    }
}

fn outcome(answer: &Answer) -> Outcome {
    if answer.status().is_success() {
        let words = answer.with_words(&answer.text("/status").unwrap_or_default());
        return Outcome::Sent { words, provider_id: answer.text("/sid") };
    }
    let code = answer.text("/code").unwrap_or_default();
    let words = match answer.text("/message") {
        Some(message) => answer.with_words(&format!("{message} (code {code})")),
        None => answer.words(),
    };
    match code.as_str() {
        // Credentials; a suspended account; a sender that is not the account's.
        "20003" | "20005" | "21212" | "21603" | "21606" | "21659" | "21660" => {
            Outcome::AccountRefused { words }
        }
        // Too many at once; the sender's queue is full.
        "20429" | "21611" => answer.transient(words),
        _ => answer.refusal(words.clone()).unwrap_or(Outcome::Permanent { words }),
    }
}
