//! SMS through the provider that an org has an account with (`api.md` 4, `/settings/sms`).

mod account;
mod esms;
mod exchange;
mod http;
mod speedsms;
mod twilio;

pub(crate) use account::{Owner, Providers};

use super::guard::Guard;
use account::{Checked, Fields};
use beeiq_core::diagnostics::{Fault, Pointer};
use beeiq_core::records::outgoing::{Outcome, Sms};
use beeiq_core::values::masking::MASK;
use beeiq_core::values::template::Escape;
use beeiq_core::words;
use serde::de::DeserializeSeed;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The providers: the name of each, and what an account with it is.
macro_rules! providers {
    ($($Provider:ident($Account:ty) => $name:tt,)+) => {
        words! {
            pub(crate) enum Provider {
                $($Provider => $name,)+
            }
        }

        /// An account with a provider, its secrets in it.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(tag = "provider")]
        pub(crate) enum SmsAccount {
            $(#[serde(rename = $name)] $Provider($Account),)+
        }

        impl Provider {
            const fn fields(self) -> Fields {
                match self {
                    $(Self::$Provider => <$Account>::FIELDS,)+
                }
            }
        }

        /// Reads an account with it, field by field, so that what does not fit is told with its place.
        impl<'de> DeserializeSeed<'de> for Provider {
            type Value = SmsAccount;

            fn deserialize<D: Deserializer<'de>>(self, fields: D) -> Result<SmsAccount, D::Error> {
                match self {
                    $(Self::$Provider => Deserialize::deserialize(fields).map(SmsAccount::$Provider),)+
                }
            }
        }

        impl SmsAccount {
            pub(crate) fn check(&self, guard: &Guard) -> Vec<Fault> {
                let mut faults = Checked::default();
                match self {
                    $(Self::$Provider(account) => account.check(guard, &mut faults),)+
                }
                faults.0
            }

            fn secrets(&self) -> Vec<&str> {
                match self {
                    $(Self::$Provider(account) => account.secrets(),)+
                }
            }

            async fn send(&self, ways: &Providers, owner: Owner, sms: &Sms) -> Outcome {
                match self {
                    $(Self::$Provider(account) => account.send(ways, owner, sms).await,)+
                }
            }
        }
    };
}

providers! {
    Http(http::HttpAccount) => "http",
    Twilio(twilio::TwilioAccount) => "twilio",
    Esms(esms::EsmsAccount) => "esms",
    SpeedSms(speedsms::SpeedSmsAccount) => "speedsms",
}

impl Provider {
    /// The provider of an account as JSON.
    pub(crate) fn of(account: &Value) -> Option<Self> {
        account.get("provider")?.as_str()?.parse().ok()
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

impl Providers {
    /// Sends one message, and says what became of it; the account's secrets are in no word of it.
    pub(crate) async fn send(&self, account: &SmsAccount, owner: Owner, sms: &Sms) -> Outcome {
        let outcome = account.send(self, owner, sms).await;
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
        let error = <Provider as Deserialize>::deserialize(json!("?")).unwrap_err().to_string();
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
