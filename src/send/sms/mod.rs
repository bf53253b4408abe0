//! SMS through the provider that an org has an account with (`api.md` 4, `/settings/sms`).

mod account;
mod esms;
mod exchange;
mod http;
mod speedsms;
mod twilio;

pub(crate) use account::Owner;
pub(crate) use esms::EsmsAccount;
pub(crate) use http::HttpAccount;
pub(crate) use speedsms::SpeedSmsAccount;
pub(crate) use twilio::TwilioAccount;

use super::guard::Guard;
use crate::config::SenderSettings;
use account::{Checked, Fields};
use beeiq_core::diagnostics::{Fault, Pointer};
use beeiq_core::records::outgoing::{Outcome, Sms};
use beeiq_core::values::masking::MASK;
use beeiq_core::values::template::Escape;
use beeiq_core::words;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// How long a connection that nobody uses stays open.
const IDLE: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// An account with a provider, its secrets in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "provider", rename_all = "lowercase")]
pub(crate) enum SmsAccount {
    Http(HttpAccount),
    Twilio(TwilioAccount),
    Esms(EsmsAccount),
    SpeedSms(SpeedSmsAccount),
}

words! {
    pub(crate) enum Provider {
        Http => "http",
        Twilio => "twilio",
        Esms => "esms",
        SpeedSms => "speedsms",
    }
}

impl Provider {
    /// The provider of an account as JSON.
    pub(crate) fn of(account: &Value) -> Option<Self> {
        Self::deserialize(account.get("provider")?).ok()
    }

    const fn fields(self) -> Fields {
        match self {
            Self::Http => http::FIELDS,
            Self::Twilio => twilio::FIELDS,
            Self::Esms => esms::FIELDS,
            Self::SpeedSms => speedsms::FIELDS,
        }
    }

    /// An account with it of which nothing is set: every field that there is.
    pub(crate) fn blank(self) -> Value {
        let mut blank = (self.fields().blank)();
        if let Some(fields) = blank.as_object_mut() {
            fields.insert("provider".to_owned(), self.as_str().into());
        }
        blank
    }
}

/// Where the secrets of an account as JSON are.
pub(crate) fn secret_places(account: &Value) -> Vec<String> {
    let places = Provider::of(account).map_or(&[][..], |provider| provider.fields().secrets);
    let headers =
        account.get("headers").and_then(Value::as_object).into_iter().flat_map(|it| it.keys());
    let in_headers = headers
        .filter(|name| !http::is_open(name))
        .map(|name| Pointer::root().member("headers").member(name).into());
    places.iter().map(|&place| place.to_owned()).chain(in_headers).collect()
}

/// Where, and as whom, the secrets of an account as JSON are shown.
pub(crate) fn destination(account: &Value) -> Vec<Option<&Value>> {
    let fields = Provider::of(account).map_or(&[][..], |provider| provider.fields().destination);
    ["provider"].iter().chain(fields).map(|field| account.get(*field)).collect()
}

impl SmsAccount {
    pub(crate) fn check(&self, guard: &Guard) -> Vec<Fault> {
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

/// The ways to the providers.
#[derive(Debug)]
pub(crate) struct Providers {
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
    pub(crate) fn new(settings: &SenderSettings, guard: Guard) -> anyhow::Result<Self> {
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
    pub(crate) async fn send(&self, account: &SmsAccount, owner: Owner, sms: &Sms) -> Outcome {
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
    use serde_json::json;

    #[test]
    fn every_provider_is_in_the_list_of_all() {
        let names = Provider::ALL.map(|provider| format!("`{}`", provider.as_str())).join(", ");
        let error = Provider::deserialize(json!("?")).unwrap_err().to_string();
        assert!(error.ends_with(&format!("expected one of {names}")), "{error}");
    }

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
