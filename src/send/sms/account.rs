//! What the accounts with all providers have in common.

use crate::config::SenderSettings;
use crate::send::exchange::{client, guarded_client};
use crate::send::guard::Guard;
use beeiq_core::diagnostics::{Code, Fault};
use reqwest::Client;
use serde_json::Value;

/// Whose account it is: the instance's servers are trusted, an org's are guarded against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Org,
    /// The instance's, for orgs without one.
    Instance,
}

/// The fields of a provider's accounts.
pub(super) struct Fields {
    /// All of them, unset.
    pub(super) blank: fn() -> Value,
    /// Where the secrets are, but those in headers: JSON Pointers.
    pub(super) secrets: &'static [&'static str],
    /// Where, and as whom, the secrets are shown: they are asked for anew where that changes.
    pub(super) destination: &'static [&'static str],
}

/// The faults of an account that is checked.
#[derive(Debug, Default)]
pub(super) struct Checked(pub(super) Vec<Fault>);

impl Checked {
    pub(super) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// One line, or absent.
    pub(super) fn line(&mut self, text: Option<&str>, at: &str, longest: usize) {
        let Some(text) = text else { return };
        if text.contains(|c: char| c.is_control()) {
            self.push(Fault::new(Code::InvalidValue, at, "This is one line of text."));
        } else if text.chars().nth(longest).is_some() {
            let message = format!("It has at most {longest} characters.");
            self.push(Fault::new(Code::TooLong, at, message));
        }
    }

    pub(super) fn required_line(&mut self, text: &str, at: &str, longest: usize) {
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

/// A number as the Vietnamese providers want it.
pub(super) fn without_plus(e164: &str) -> &str {
    e164.trim_start_matches('+')
}

/// The ways to the providers.
#[derive(Debug)]
pub(crate) struct Providers {
    /// For URLs that orgs give: connects to what the guard lets through, past any proxy.
    pub(super) guarded: Client,
    /// For URLs that the operator gives.
    pub(super) trusted: Client,
    pub(super) guard: Guard,
    pub(super) twilio_url: String,
    pub(super) esms_url: String,
    pub(super) speedsms_url: String,
}

impl Providers {
    /// With these settings.
    pub(crate) fn new(settings: &SenderSettings, guard: Guard) -> anyhow::Result<Self> {
        Ok(Self {
            guarded: guarded_client(settings.sms_timeout, &guard)?,
            trusted: client(settings.sms_timeout).build()?,
            guard,
            twilio_url: settings.twilio_url.clone(),
            esms_url: settings.esms_url.clone(),
            speedsms_url: settings.speedsms_url.clone(),
        })
    }
}
