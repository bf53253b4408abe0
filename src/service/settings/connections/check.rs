//! How a connection's settings are checked when they are saved (`connections.md` 1 to 4).

use super::fields::ConnectionSettings;
use crate::problem::{Problem, Result};
use crate::send::guard::Guard;
use crate::service::settings::Edit;
use crate::service::validity;
use crate::store::directory;
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::directory::Directory;
use beeiq_core::records::connection::{
    IadvizeSettings, OktiumSettings, Source, SourceSettings, WolkvoxSettings,
};
use beeiq_core::values::custom_field::Model;
use beeiq_core::values::email::Email;
use beeiq_core::values::suggest::listed;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Of a text in the settings of a kind, and of a secret in bytes.
const LONGEST: usize = 255;
const LONGEST_SECRET: usize = 1024;
/// Of the entries of a list or map.
const MOST: usize = 100;
const MOST_CAMPAIGNS: usize = 50;
const SECONDS: std::ops::RangeInclusive<u32> = 60..=86_400;

/// What settings turned out to mean.
pub(super) struct Checked {
    pub(super) sender: Uuid,
    /// Those of the kind, without the secret.
    pub(super) own: SourceSettings,
    pub(super) secret: String,
}

/// The member of the settings of a kind that is a secret.
pub(super) const fn secret_of(kind: Source) -> &'static str {
    match kind {
        Source::Oktium => "secret",
        Source::Iadvize => "apiKey",
        Source::Wolkvox => "token",
    }
}

pub(super) fn checked(
    edit: &mut Edit<'_>,
    settings: &ConnectionSettings,
    guard: &Guard,
) -> Result<Checked> {
    let directory = directory::load(edit.conn, edit.org)?;
    let faults = validity::faults(settings);
    let mut check = Check { directory: &directory, guard, faults };
    if directory.listener(settings.listener_id).is_none() {
        check.fault(Code::NotFound, "/listenerId", "There is no listener of this id.");
    }
    let sender = Email::parse(&settings.sender_user).ok();
    let sender = sender.and_then(|email| directory.users.active(email.key()).map(|it| it.id));
    if sender.is_none() {
        let message = "`senderUser` is no active user of the org; name the e-mail of one.";
        check.fault(Code::UnknownSender, "/senderUser", message);
    }
    let secret_field = secret_of(settings.kind);
    let mut own = settings.settings.clone();
    let secret = own.as_object_mut().and_then(|own| own.remove(secret_field));
    let secret = secret.as_ref().and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    if secret.is_empty() || secret.len() > LONGEST_SECRET {
        let message =
            format!("The `{secret_field}` is required, of {LONGEST_SECRET} bytes at most.");
        check.fault(Code::Required, format!("/settings/{secret_field}"), message);
    }
    let own = match settings.kind {
        Source::Oktium => check.oktium(own).map(SourceSettings::Oktium),
        Source::Iadvize => check.iadvize(own).map(SourceSettings::Iadvize),
        Source::Wolkvox => check.wolkvox(own).map(SourceSettings::Wolkvox),
    };
    match (sender, own) {
        (Some(sender), Some(own)) if check.faults.is_empty() => Ok(Checked { sender, own, secret }),
        _ => Err(Problem::fields(check.faults)),
    }
}

struct Check<'a> {
    directory: &'a Directory,
    guard: &'a Guard,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn fault(&mut self, code: Code, place: impl Into<String>, message: impl Into<String>) {
        self.faults.push(Fault::new(code, place.into(), message));
    }

    fn oktium(&mut self, own: Value) -> Option<OktiumSettings> {
        let own: OktiumSettings = self.read(own)?;
        self.texts("/settings/businessId", own.business_id.iter());
        self.texts("/settings/stages", own.stages.keys());
        for (status, stage) in &own.stages {
            self.stage(&format!("/settings/stages/{status}"), stage);
        }
        if let Some(stage) = &own.default_stage {
            self.stage("/settings/defaultStage", stage);
        }
        Some(own)
    }

    fn iadvize(&mut self, own: Value) -> Option<IadvizeSettings> {
        let own: IadvizeSettings = self.read(own)?;
        self.url(&own.base_url);
        self.texts("/settings/websiteIds", own.website_ids.iter());
        if own.resources.is_empty() {
            let message = "Name at least one resource, or leave `resources` out for all.";
            self.fault(Code::Required, "/settings/resources", message);
        }
        self.seconds(own.every_seconds);
        if let Some(stage) = &own.stage {
            self.stage("/settings/stage", stage);
        }
        Some(own)
    }

    fn wolkvox(&mut self, own: Value) -> Option<WolkvoxSettings> {
        let own: WolkvoxSettings = self.read(own)?;
        let server = own.server.as_bytes();
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        if !(1..=32).contains(&server.len()) || !server.iter().all(fits) {
            let message = "`server` is required: 1 to 32 letters, digits and hyphens.";
            self.fault(Code::InvalidValue, "/settings/server", message);
        }
        if let Some(url) = &own.base_url {
            self.url(url);
        }
        if !(1..=MOST_CAMPAIGNS).contains(&own.campaign_ids.len()) {
            let message = "Name 1 to 50 campaigns.";
            self.fault(Code::OutOfRange, "/settings/campaignIds", message);
        }
        self.texts("/settings/campaignIds", own.campaign_ids.iter());
        self.texts("/settings/documentTypes", own.document_types.iter());
        self.seconds(own.every_seconds);
        self.fields(&own.fields);
        self.texts("/settings/resultTags", own.result_tags.keys());
        for (result, tag) in &own.result_tags {
            if tag.trim().is_empty() || tag.contains(',') || tag.chars().count() > LONGEST {
                let place = format!("/settings/resultTags/{result}");
                let message = "This is one tag's name: not empty, without a comma.";
                self.fault(Code::InvalidValue, place, message);
            }
        }
        Some(own)
    }

    fn fields(&mut self, fields: &BTreeMap<String, String>) {
        self.texts("/settings/fields", fields.keys());
        for (opt, field) in fields {
            let place = format!("/settings/fields/{opt}");
            let number = opt.strip_prefix("opt").unwrap_or_default();
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                let message =
                    "The fields of a row that can be mapped are `opt1`, `opt2` and so on.";
                self.fault(Code::InvalidChoice, place, message);
                continue;
            }
            let custom = field.strip_prefix("cusFields.");
            let custom_fields = &self.directory.custom_fields;
            match custom {
                Some(name) if custom_fields.named(Model::Contact, name).is_none() => {
                    let message = format!("Contacts have no custom field \"{name}\".");
                    self.fault(Code::UnknownCustomField, place, message);
                }
                None if !["email", "passport", "bgInfo"].contains(&field.as_str()) => {
                    let message = "It can be `email`, `passport`, `bgInfo` or `cusFields.<name>`.";
                    self.fault(Code::InvalidChoice, place, message);
                }
                Some(_) | None => {}
            }
        }
    }

    fn read<T: DeserializeOwned>(&mut self, own: Value) -> Option<T> {
        if !own.is_object() {
            self.fault(Code::WrongType, "/settings", "The `settings` are an object.");
            return None;
        }
        let read = serde_json::from_value(own);
        read.map_err(|error| {
            let message = format!("These settings do not fit: {error}.");
            self.fault(Code::InvalidValue, "/settings", message);
        })
        .ok()
    }

    fn stage(&mut self, place: &str, stage: &str) {
        let stages = &self.directory.deal_stages;
        if stages.named(stage).is_none() {
            let known = listed(stages.all_names(), 20);
            let message = format!("There is no deal stage \"{stage}\"; there are {known}.");
            self.fault(Code::UnknownStage, place, message);
        }
    }

    /// A list or the keys of a map.
    fn texts<'t>(&mut self, place: &str, texts: impl ExactSizeIterator<Item = &'t String>) {
        if texts.len() > MOST {
            let message = format!("There are {MOST} of these at most.");
            self.fault(Code::OutOfRange, place, message);
        }
        for text in texts {
            if text.trim().is_empty() || text.chars().count() > LONGEST || text.contains('\0') {
                let message = format!("A text here has 1 to {LONGEST} characters.");
                self.fault(Code::InvalidValue, place, message);
            }
        }
    }

    fn seconds(&mut self, seconds: u32) {
        if !SECONDS.contains(&seconds) {
            let message = "It can be from 60 to 86400.";
            self.fault(Code::OutOfRange, "/settings/everySeconds", message);
        }
    }

    /// Without TLS only where the operator says that the address is theirs.
    fn url(&mut self, url: &str) {
        let place = "/settings/baseUrl";
        match self.guard.check_url(url) {
            Err(message) => self.fault(Code::InvalidValue, place, message),
            Ok(parsed) if parsed.scheme() != "https" => {
                let host = parsed.host_str().unwrap_or_default();
                if !self.guard.is_of_operator(host) {
                    let message = "It must begin with https://.";
                    self.fault(Code::InvalidValue, place, message);
                }
            }
            Ok(_) => {}
        }
    }
}
