//! How a listener's settings are checked when they are saved (`api.md` 4): what stands on the
//! fields, and what the org's names decide.

use super::fields::ListenerSettings;
use crate::clock;
use crate::problem::{Problem, Result};
use crate::service::settings::Edit;
use crate::service::validity;
use crate::store::settings::custom_fields;
use crate::store::settings::listeners::{self, ListenerValues, WelcomeEmail, WelcomeSms};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::values::template::{Markup, MessageTemplate};
use beeiq_core::values::text::fold;
use beeiq_core::values::{network, suggest};
use serde_json::json;
use uuid::Uuid;

/// How many names a message lists.
const LISTED: usize = 20;

/// What is to be kept of settings; makes the tag where it is new.
pub(super) fn checked(edit: &mut Edit<'_>, settings: &ListenerSettings) -> Result<ListenerValues> {
    let fields = custom_fields::names(edit.conn, edit.org)?;
    let sources = listeners::sources(edit.conn, edit.org)?;
    let (mut values, tag) = settings.clone().check(&fields, &sources).map_err(Problem::fields)?;
    if let Some(tag) = tag {
        let id = listeners::tag(edit.conn, edit.org, &tag, clock::new_id(), edit.now)?;
        values.default_tag_id = Some(id);
    }
    Ok(values)
}

impl ListenerSettings {
    /// What is to be kept, but the tag's id; and the tag. `sources` and `custom_fields` are those
    /// of the org. Otherwise all faults there are.
    fn check(
        self,
        custom_fields: &[String],
        sources: &[(Uuid, String)],
    ) -> Result<(ListenerValues, Option<String>), Vec<Fault>> {
        let mut faults = validity::faults(&self);
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
        let contact_source_id = source(contact_source, "/contactSource", sources, &mut faults);
        let lead_source_id = source(lead_source, "/leadSource", sources, &mut faults);
        if let Some(WelcomeEmail { enabled, subject, body, text }) = &welcome_email {
            let mut check = |source: &str, markup, required, pointer| {
                faults.extend(template(source, markup, required, pointer, custom_fields));
            };
            check(subject, Markup::Line, *enabled, "/welcomeEmail/subject");
            check(body, Markup::Html, *enabled, "/welcomeEmail/body");
            if let Some(text) = text {
                check(text, Markup::Text, false, "/welcomeEmail/text");
            }
        }
        if let Some(WelcomeSms { enabled, content }) = &welcome_sms {
            let pointer = "/welcomeSms/content";
            faults.extend(template(content, Markup::Text, *enabled, pointer, custom_fields));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut networks: Vec<_> =
            allowed_ips.iter().filter_map(|text| network::parse(text)).collect();
        let mut seen = std::collections::HashSet::new();
        networks.retain(|network| seen.insert(*network));
        let values = ListenerValues {
            name_key: fold(&name),
            name,
            enabled,
            mode: mode.as_str().to_owned(),
            allowed_ips: networks,
            default_tag_id: None,
            contact_source_id,
            lead_source_id,
            welcome_email: welcome_email.map(|email| json!(email)),
            welcome_sms: welcome_sms.map(|sms| json!(sms)),
            unknown_references: unknown_references.as_str().to_owned(),
            rate_per_second: rate_limit.map(|rate| rate.per_second),
            rate_burst: rate_limit.map(|rate| rate.burst),
        };
        Ok((values, default_tag))
    }
}

fn template(
    source: &str,
    markup: Markup,
    required: bool,
    pointer: &str,
    fields: &[String],
) -> Option<Fault> {
    if required && source.trim().is_empty() {
        let message = "It is empty, so it cannot be sent; write it, or switch the message off.";
        return Some(Fault::new(Code::Required, pointer, message));
    }
    let error = MessageTemplate::compile(source, markup, fields).err()?;
    let message = format!("Line {}, column {}: {}", error.line, error.column, error.message);
    Some(Fault::new(Code::InvalidTemplate, pointer, message))
}

fn source(
    name: Option<String>,
    pointer: &str,
    sources: &[(Uuid, String)],
    faults: &mut Vec<Fault>,
) -> Option<Uuid> {
    let name = name?;
    let key = fold(&name);
    let found = sources.iter().find(|(_, known)| fold(known) == key).map(|(id, _)| *id);
    if found.is_none() {
        let known = suggest::listed(sources.iter().map(|(_, known)| known), LISTED);
        let message = format!("There is no source \"{name}\"; there are {known}.");
        faults.push(Fault::new(Code::UnknownSource, pointer, message));
    }
    found
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
