//! How a listener's settings are checked when they are saved (`api.md` 4).

use super::input::{ListenerSettings, RateLimit, WelcomeEmail, WelcomeSms};
use crate::store::settings::listeners::ListenerValues;
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::values::template::{Markup, MessageTemplate};
use beeiq_core::values::text::{clean, fold};
use beeiq_core::values::{network, suggest};
use ipnetwork::IpNetwork;
use uuid::Uuid;

/// The longest name, in characters.
const LONGEST_NAME: usize = 255;
/// The most networks.
const MOST_NETWORKS: usize = 1000;
/// The highest rate.
const HIGHEST_RATE: i32 = 10_000;
/// How many names a message lists.
const LISTED: usize = 20;

impl ListenerSettings {
    /// What is to be kept, but the tag's id; and the tag. `sources` and `custom_fields` are those
    /// of the org.
    ///
    /// # Errors
    /// All faults there are, with pointers.
    pub(super) fn check(
        self,
        custom_fields: &[String],
        sources: &[(Uuid, String)],
    ) -> Result<(ListenerValues, Option<String>), Vec<Fault>> {
        let mut faults = Vec::new();
        let Self {
            name,
            enabled,
            mode,
            allowed_ips,
            default_tag,
            contact_source,
            lead_source,
            welcome_email,
            welcome_sms,
            unknown_references,
            rate_limit,
        } = self;
        let name = checked_name(&name, "/name", &mut faults);
        let allowed_ips = allowed_networks(&allowed_ips, &mut faults);
        let tag = given(default_tag).map(|tag| checked_tag(&tag, &mut faults));
        let contact_source_id = source(contact_source, "/contactSource", sources, &mut faults);
        let lead_source_id = source(lead_source, "/leadSource", sources, &mut faults);
        if let Some(email) = &welcome_email {
            email.check(custom_fields, &mut faults);
        }
        if let Some(sms) = &welcome_sms {
            sms.check(custom_fields, &mut faults);
        }
        if let Some(rate) = &rate_limit {
            rate.check(&mut faults);
        }
        let values = ListenerValues {
            name_key: fold(&name),
            name,
            enabled,
            mode: mode.as_str().to_owned(),
            allowed_ips,
            default_tag_id: None,
            contact_source_id,
            lead_source_id,
            welcome_email: welcome_email.map(WelcomeEmail::into_json),
            welcome_sms: welcome_sms.map(WelcomeSms::into_json),
            unknown_references: unknown_references.as_str().to_owned(),
            rate_per_second: rate_limit.map(|rate| rate.per_second),
            rate_burst: rate_limit.map(|rate| rate.burst),
        };
        if faults.is_empty() { Ok((values, tag)) } else { Err(faults) }
    }
}

impl WelcomeEmail {
    fn check(&self, fields: &[String], faults: &mut Vec<Fault>) {
        let Self { enabled, subject, body, text } = self;
        template(subject, Markup::Line, *enabled, "/welcomeEmail/subject", fields, faults);
        template(body, Markup::Html, *enabled, "/welcomeEmail/body", fields, faults);
        if let Some(text) = text {
            template(text, Markup::Text, false, "/welcomeEmail/text", fields, faults);
        }
    }
}

impl WelcomeSms {
    fn check(&self, fields: &[String], faults: &mut Vec<Fault>) {
        let Self { enabled, content } = self;
        template(content, Markup::Text, *enabled, "/welcomeSms/content", fields, faults);
    }
}

impl RateLimit {
    fn check(&self, faults: &mut Vec<Fault>) {
        let Self { per_second, burst } = *self;
        for (number, pointer) in [(per_second, "/rateLimit/perSecond"), (burst, "/rateLimit/burst")]
        {
            if !(1..=HIGHEST_RATE).contains(&number) {
                let message = format!("A rate is a number from 1 to {HIGHEST_RATE}.");
                faults.push(Fault::new(Code::OutOfRange, pointer, message));
            }
        }
    }
}

fn template(
    source: &str,
    markup: Markup,
    required: bool,
    pointer: &str,
    fields: &[String],
    faults: &mut Vec<Fault>,
) {
    if required && source.trim().is_empty() {
        let message = "It is empty, so it cannot be sent; write it, or switch the message off.";
        faults.push(Fault::new(Code::Required, pointer, message));
    } else if let Err(error) = MessageTemplate::compile(source, markup, fields) {
        let message = format!("Line {}, column {}: {}", error.line, error.column, error.message);
        faults.push(Fault::new(Code::InvalidTemplate, pointer, message));
    }
}

fn checked_name(name: &str, pointer: &str, faults: &mut Vec<Fault>) -> String {
    let name = clean(name);
    if name.is_empty() {
        faults.push(Fault::new(Code::Required, pointer, "The name is empty."));
    } else if name.chars().nth(LONGEST_NAME).is_some() {
        let message = format!("A name has at most {LONGEST_NAME} characters.");
        faults.push(Fault::new(Code::TooLong, pointer, message));
    }
    name
}

/// One tag: payloads separate several by commas.
fn checked_tag(tag: &str, faults: &mut Vec<Fault>) -> String {
    if tag.contains(',') {
        let message = "This is one tag; a tag has no comma in it.";
        faults.push(Fault::new(Code::InvalidValue, "/defaultTag", message));
    }
    checked_name(tag, "/defaultTag", faults)
}

fn source(
    name: Option<String>,
    pointer: &str,
    sources: &[(Uuid, String)],
    faults: &mut Vec<Fault>,
) -> Option<Uuid> {
    let name = given(name)?;
    let key = fold(&name);
    let found = sources.iter().find(|(_, known)| fold(known) == key).map(|(id, _)| *id);
    if found.is_none() {
        let known = suggest::listed(sources.iter().map(|(_, known)| known), LISTED);
        let message = format!("There is no source \"{name}\"; there are {known}.");
        faults.push(Fault::new(Code::UnknownSource, pointer, message));
    }
    found
}

/// A text without surrounding space; an empty one is absent.
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| clean(&text)).filter(|text| !text.is_empty())
}

fn allowed_networks(texts: &[String], faults: &mut Vec<Fault>) -> Vec<IpNetwork> {
    if texts.len() > MOST_NETWORKS {
        let message = format!("There are at most {MOST_NETWORKS} networks.");
        faults.push(Fault::new(Code::TooLong, "/allowedIps", message));
        return Vec::new();
    }
    let mut allowed = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match network::parse(text) {
            Some(network) if allowed.contains(&network) => {}
            Some(network) => allowed.push(network),
            None => faults.push(Fault::new(
                Code::InvalidValue,
                format!("/allowedIps/{index}"),
                "It must be an address or a network such as 203.0.113.7, 203.0.113.0/24 or \
                 2001:db8::/32.",
            )),
        }
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn check(fields: &Value) -> Result<(ListenerValues, Option<String>), Vec<Fault>> {
        let mut all = json!({"name": "Web form"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let settings: ListenerSettings = serde_json::from_value(all).unwrap();
        let sources = [(Uuid::from_u128(7), "Website".to_owned())];
        settings.check(&["Referred By".to_owned()], &sources)
    }

    #[test]
    fn a_name_alone_makes_an_open_synchronous_listener() {
        let (values, tag) = check(&json!({})).unwrap();
        assert!(values.enabled && values.allowed_ips.is_empty() && tag.is_none());
        assert_eq!((values.mode.as_str(), values.unknown_references.as_str()), ("sync", "reject"));
    }

    fn places(fields: &Value) -> Vec<(Code, String)> {
        let faults = check(fields).unwrap_err();
        faults.into_iter().map(|it| (it.code, it.pointer)).collect()
    }

    #[test]
    fn faults_of_names_and_networks_are_told_with_their_place() {
        for (fields, code, place) in [
            (json!({"name": " \u{a0}"}), Code::Required, "/name"),
            (json!({"name": "x".repeat(256)}), Code::TooLong, "/name"),
            (json!({"allowedIps": ["::1", "x"]}), Code::InvalidValue, "/allowedIps/1"),
            (json!({"allowedIps": ["10.0.0.1/33"]}), Code::InvalidValue, "/allowedIps/0"),
            (json!({"allowedIps": vec!["::1"; 1001]}), Code::TooLong, "/allowedIps"),
            (json!({"defaultTag": "a, b"}), Code::InvalidValue, "/defaultTag"),
            (json!({"contactSource": "Web"}), Code::UnknownSource, "/contactSource"),
            (json!({"leadSource": "Web"}), Code::UnknownSource, "/leadSource"),
        ] {
            assert_eq!(places(&fields), [(code, place.to_owned())], "{fields}");
        }
    }

    #[test]
    fn faults_of_messages_and_rates_are_told_with_their_place() {
        for (name, value, code, place) in [
            ("welcomeEmail", json!({"subject": "", "body": "b"}), Code::Required, "subject"),
            ("welcomeEmail", json!({"subject": "s", "body": " "}), Code::Required, "body"),
            (
                "welcomeEmail",
                json!({"subject": "s", "body": "{{ nam }}"}),
                Code::InvalidTemplate,
                "body",
            ),
            (
                "welcomeSms",
                json!({"content": "{% x %}", "enabled": false}),
                Code::InvalidTemplate,
                "content",
            ),
            ("rateLimit", json!({"perSecond": 0, "burst": 1}), Code::OutOfRange, "perSecond"),
            ("rateLimit", json!({"perSecond": 1, "burst": 10_001}), Code::OutOfRange, "burst"),
        ] {
            assert_eq!(places(&json!({name: value})), [(code, format!("/{name}/{place}"))]);
        }
    }

    #[test]
    fn several_faults_are_told_at_once() {
        assert_eq!(check(&json!({"name": "", "leadSource": "x"})).unwrap_err().len(), 2);
    }

    #[test]
    fn an_unknown_source_is_told_the_known_ones() {
        let faults = check(&json!({"leadSource": "Web"})).unwrap_err();
        assert!(faults[0].message.contains("\"Website\""), "{}", faults[0].message);
    }

    #[test]
    fn a_source_is_found_in_any_case_and_a_tag_is_trimmed() {
        let (values, tag) =
            check(&json!({"leadSource": " WEBSITE", "defaultTag": " vip "})).unwrap();
        assert_eq!(values.lead_source_id, Some(Uuid::from_u128(7)));
        assert_eq!(tag.as_deref(), Some("vip"));
    }

    #[test]
    fn empty_names_of_tag_and_source_are_absent() {
        let (values, tag) = check(&json!({"leadSource": "", "defaultTag": " "})).unwrap();
        assert_eq!((values.lead_source_id, tag), (None, None));
    }

    #[test]
    fn a_message_that_is_off_may_be_empty() {
        assert!(check(&json!({"welcomeSms": {"content": "", "enabled": false}})).is_ok());
    }

    #[test]
    fn a_network_is_kept_once() {
        let (values, _) = check(&json!({"allowedIps": ["10.0.0.1/8", "10.0.0.0/8"]})).unwrap();
        assert_eq!(values.allowed_ips, ["10.0.0.0/8".parse().unwrap()]);
    }
}
