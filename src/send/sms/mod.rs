//! SMS through the provider that an org has an account with (`api.md` 4, `/settings/sms`).

mod esms;
mod exchange;
mod http;
mod speedsms;
mod twilio;

pub use esms::EsmsAccount;
pub use http::HttpAccount;
pub use speedsms::SpeedSmsAccount;
pub use twilio::TwilioAccount;

use super::guard::Guard;
use super::{Outcome, Owner, Sms};
use crate::config::SenderSettings;
use beeiq_core::diagnostics::{Code, Fault, Pointer};
use beeiq_core::values::masking::MASK;
use beeiq_core::values::template::Escape;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a connection that nobody uses stays open.
const IDLE: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// An account with a provider, its secrets in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "provider", rename_all = "lowercase")]
pub enum SmsAccount {
    /// Any provider with an HTTP API.
    Http(HttpAccount),
    /// Twilio.
    Twilio(TwilioAccount),
    /// eSMS.vn.
    Esms(EsmsAccount),
    /// SpeedSMS.vn.
    SpeedSms(SpeedSmsAccount),
}

/// Which provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Any provider with an HTTP API.
    Http,
    /// Twilio.
    Twilio,
    /// eSMS.vn.
    Esms,
    /// SpeedSMS.vn.
    SpeedSms,
}

impl Provider {
    /// All that there are.
    pub const ALL: [Self; 4] = [Self::Http, Self::Twilio, Self::Esms, Self::SpeedSms];

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Twilio => "twilio",
            Self::Esms => "esms",
            Self::SpeedSms => "speedsms",
        }
    }

    /// The provider of an account as JSON.
    #[must_use]
    pub fn of(account: &Value) -> Option<Self> {
        let name = account.get("provider")?.as_str()?;
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }

    /// An account with it of which nothing is set: every field that there is.
    #[must_use]
    pub fn blank(self) -> Value {
        let provider = self.as_str();
        match self {
            Self::Http => json!({
                "provider": provider, "url": null, "method": "POST", "headers": {}, "body": null,
                "messageIdPointer": null, "from": null, "secret": null,
            }),
            Self::Twilio => {
                json!({"provider": provider, "accountSid": null, "authToken": null, "from": null})
            }
            Self::Esms => {
                json!({"provider": provider, "apiKey": null, "secretKey": null, "brandname": null})
            }
            Self::SpeedSms => json!({"provider": provider, "accessToken": null, "sender": null}),
        }
    }
}

/// Where the secrets of an account as JSON are.
#[must_use]
pub fn secret_places(account: &Value) -> Vec<String> {
    let places: &[&str] = match Provider::of(account) {
        Some(Provider::Twilio) => &["/authToken"],
        Some(Provider::Esms) => &["/apiKey", "/secretKey"],
        Some(Provider::SpeedSms) => &["/accessToken"],
        Some(Provider::Http) => &["/secret"],
        None => &[],
    };
    let headers =
        account.get("headers").and_then(Value::as_object).into_iter().flat_map(|it| it.keys());
    let in_headers = headers
        .filter(|name| !http::is_open(name))
        .map(|name| Pointer::root().member("headers").member(name).into());
    places.iter().map(|&place| place.to_owned()).chain(in_headers).collect()
}

/// Where, and as whom, the secrets of an account as JSON are shown: they are asked for anew where
/// it changes.
#[must_use]
pub fn destination(account: &Value) -> [Option<&Value>; 3] {
    ["provider", "url", "accountSid"].map(|field| account.get(field))
}

impl SmsAccount {
    /// What is wrong with it, with pointers.
    #[must_use]
    pub fn check(&self, guard: &Guard) -> Vec<Fault> {
        let mut faults = Checked::default();
        match self {
            Self::Http(account) => account.check(guard, &mut faults),
            Self::Twilio(account) => account.check(&mut faults),
            Self::Esms(account) => account.check(&mut faults),
            Self::SpeedSms(account) => account.check(&mut faults),
        }
        faults.0
    }

    fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Http(account) => account.secrets(),
            Self::Twilio(account) => account.secrets(),
            Self::Esms(account) => account.secrets(),
            Self::SpeedSms(account) => account.secrets(),
        }
    }
}

/// The faults of an account that is checked.
#[derive(Debug, Default)]
struct Checked(Vec<Fault>);

impl Checked {
    fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// One line, or absent.
    fn line(&mut self, text: Option<&str>, at: &str, longest: usize) {
        let Some(text) = text else { return };
        if text.contains(|c: char| c.is_control()) {
            self.push(Fault::new(Code::InvalidValue, at, "This is one line of text."));
        } else if text.chars().nth(longest).is_some() {
            let message = format!("It has at most {longest} characters.");
            self.push(Fault::new(Code::TooLong, at, message));
        }
    }

    fn required_line(&mut self, text: &str, at: &str, longest: usize) {
        if text.trim().is_empty() {
            self.push(Fault::new(Code::Required, at, "It is empty; the provider asks for it."));
        }
        self.line(Some(text), at, longest);
    }
}

impl IntoIterator for Checked {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The ways to the providers.
#[derive(Debug)]
pub struct Providers {
    /// For URLs that orgs give: connects to what the guard lets through, past any proxy.
    guarded: Client,
    /// For URLs that the operator gives.
    trusted: Client,
    guard: Guard,
    twilio_url: String,
    esms_url: String,
    speedsms_url: String,
}

impl Providers {
    /// With these settings.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(settings: &SenderSettings, guard: Guard) -> anyhow::Result<Self> {
        let client = || {
            Client::builder()
                .redirect(Policy::none())
                .timeout(settings.sms_timeout)
                .connect_timeout(CONNECT.min(settings.sms_timeout))
                .pool_idle_timeout(IDLE)
                .user_agent("BeeIQ")
        };
        Ok(Self {
            guarded: client().no_proxy().dns_resolver(guard.clone()).build()?,
            trusted: client().build()?,
            guard,
            twilio_url: settings.twilio_url.clone(),
            esms_url: settings.esms_url.clone(),
            speedsms_url: settings.speedsms_url.clone(),
        })
    }

    /// Sends one message, and says what became of it; the account's secrets are in no word of it.
    pub async fn send(&self, account: &SmsAccount, owner: Owner, sms: &Sms) -> Outcome {
        let outcome = match account {
            SmsAccount::Http(account) => match owner {
                Owner::Org => account.send(&self.guarded, &self.guard, sms).await,
                Owner::Instance => account.send(&self.trusted, &Guard::open(), sms).await,
            },
            SmsAccount::Twilio(account) => account.send(&self.trusted, &self.twilio_url, sms).await,
            SmsAccount::Esms(account) => account.send(&self.trusted, &self.esms_url, sms).await,
            SmsAccount::SpeedSms(account) => {
                account.send(&self.trusted, &self.speedsms_url, sms).await
            }
        };
        without_secrets(outcome, &account.secrets())
    }
}

/// A number as the Vietnamese providers want it.
fn without_plus(e164: &str) -> &str {
    e164.trim_start_matches('+')
}

/// Some providers say in their errors what they were sent, and in which URL.
fn without_secrets(outcome: Outcome, secrets: &[&str]) -> Outcome {
    let given = secrets.iter().filter(|secret| !secret.is_empty());
    let mut forms: Vec<String> = given
        .flat_map(|secret| [(*secret).to_owned(), Escape::Percent.apply(secret).into_owned()])
        .collect();
    // A secret may be part of another.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    outcome.reworded(|words| {
        forms.iter().fold(words.to_owned(), |words, form| words.replace(form, MASK))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_is_read_from_its_own_fields() {
        for (account, places) in [
            (json!({"provider": "http", "url": "u", "headers": {"A": "b", "Accept": "c"}}), 2),
            (json!({"provider": "twilio", "accountSid": "a", "authToken": "b", "from": "c"}), 1),
            (json!({"provider": "esms", "apiKey": "a", "secretKey": "b", "brandname": "c"}), 2),
            (json!({"provider": "speedsms", "accessToken": "a"}), 1),
        ] {
            let provider = Provider::of(&account).unwrap();
            let blank = provider.blank();
            for field in account.as_object().unwrap().keys() {
                assert!(blank.get(field).is_some(), "{field} of {provider:?}");
            }
            assert_eq!(secret_places(&account).len(), places, "{account}");
            serde_json::from_value::<SmsAccount>(account).unwrap();
        }
    }

    #[test]
    fn secrets_that_a_provider_repeats_are_masked() {
        let account = json!({
            "provider": "http", "url": "https://sms.example/?k={{ secret }}", "secret": "a/b+c",
            "headers": {"Authorization": "Bearer abcdefgh", "X-Key": "{{ secret }}"},
        });
        let account: SmsAccount = serde_json::from_value(account).unwrap();
        for (told, masked) in [
            ("key a/b+c is bad", "key ******** is bad"),
            ("GET /?k=a%2Fb%2Bc", "GET /?k=********"),
            ("Bearer abcdefgh", "********"),
            ("Bearer token abcdefgh", "Bearer token ********"),
            ("the secret is bad", "the secret is bad"),
        ] {
            let outcome = Outcome::Permanent { words: told.to_owned() };
            let expected = Outcome::Permanent { words: masked.to_owned() };
            assert_eq!(without_secrets(outcome, &account.secrets()), expected);
        }
    }
}
