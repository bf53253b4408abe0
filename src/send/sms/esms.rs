//! eSMS.vn: `SendMultipleMessage_V4_post_json`, customer care by brandname. What became of a
//! message is in `CodeResult`, whatever the status of HTTP.

use super::account::{Checked, Fields, Owner, Providers, without_plus};
use super::exchange::{Answer, ask};
use crate::send::guard::Guard;
use beeiq_core::records::outgoing::{Outcome, Sms};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

/// "Customer care", the kind of message to people who are customers.
const CUSTOMER_CARE: &str = "2";

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EsmsAccount {
    api_key: SecretString,
    secret_key: SecretString,
    brandname: String,
}

impl EsmsAccount {
    pub(super) const FIELDS: Fields = Fields {
        blank: || json!({"apiKey": null, "secretKey": null, "brandname": null}),
        secrets: &["/apiKey", "/secretKey"],
        destination: &[],
    };

    pub(super) fn secrets(&self) -> Vec<&str> {
        vec![self.api_key.expose_secret(), self.secret_key.expose_secret()]
    }

    pub(super) fn check(&self, _: &Guard, faults: &mut Checked) {
        let Self { api_key, secret_key, brandname } = self;
        faults.required_line(api_key.expose_secret(), "/apiKey", 255);
        faults.required_line(secret_key.expose_secret(), "/secretKey", 255);
        faults.required_line(brandname, "/brandname", 64);
    }

    /// Sends one. `RequestId` has the provider refuse a repetition for a day.
    pub(super) async fn send(&self, ways: &Providers, _: Owner, sms: &Sms) -> Outcome {
        let body = json!({
             "ApiKey": self.api_key.expose_secret(),
             "SecretKey": self.secret_key.expose_secret(),
             "Brandname": self.brandname,
             "SmsType": CUSTOMER_CARE,
             "Phone": without_plus(&sms.to),
             "Content": sms.content,
             // Without it the provider takes the marks off letters, also off those that GSM-7 has.
             "IsUnicode": if sms.content.is_ascii() { "0" } else { "1" },
             "RequestId": sms.id,
        });
        let path = "MainService.svc/json/SendMultipleMessage_V4_post_json";
        match ask(ways.trusted.post(format!("{}/{path}/", ways.esms_url)).json(&body)).await {
            Ok(answer) => outcome(&answer),
            Err(outcome) => outcome,
        }
    }
}

fn outcome(answer: &Answer) -> Outcome {
    if let Some(refusal) = answer.refusal(answer.words()) {
        return refusal;
    }
    let code = answer.text("/CodeResult").unwrap_or_default();
    let message = answer.text("/ErrorMessage").unwrap_or_default();
    let words = answer.with_words(&format!("CodeResult {code} {message}"));
    match code.as_str() {
        "100" => Outcome::Sent { words, provider_id: answer.text("/SMSID") },
        // The RequestId is known: an earlier attempt got through, and its answer got lost.
        "124" => Outcome::Sent { words, provider_id: None },
        // Keys, price list, balance, brandname, address of the caller.
        "101" | "102" | "103" | "104" | "140" => Outcome::AccountRefused { words },
        // 99 is told of unknown errors; no code, of an answer that is none of the API's.
        "99" | "" => answer.transient(answer.words()),
        _ => Outcome::Permanent { words },
    }
}
