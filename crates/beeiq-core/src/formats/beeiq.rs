//! The envelope of BeeIQ: who sends, and which actions (`listener.md` 1).

use super::{Envelope, Item, Limits};
use crate::actions::Action;
use crate::batch::Context;
use crate::diagnostics::{Code, Diagnostics, Fault, Pointer, Refusal};
use crate::directory::{Directory, User};
use crate::json::{self, Fields, Given, Longest, Malformed, Mode};
use crate::values::email::Email;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Deeper than any body that was taken.
const DEEPEST_KEPT: usize = 128;

pub(super) fn read<'a>(
    body: &[u8],
    limits: Limits,
    context: Context<'a>,
) -> Result<Envelope<'a>, Refusal> {
    open(body, limits, context, |entries| {
        let item = |(index, entry)| read_item(entry, index, context);
        entries.iter().enumerate().map(item).collect()
    })
}

pub(super) fn check<'a>(
    body: &[u8],
    limits: Limits,
    context: Context<'a>,
) -> Result<Envelope<'a>, Refusal> {
    open(body, limits, context, |_| Vec::new())
}

pub(super) fn pointer_to(index: usize) -> Pointer {
    Pointer::root().member("data").index(index)
}

pub(super) fn action_at(pointer: &str) -> Option<usize> {
    pointer.strip_prefix("/data/")?.split('/').next()?.parse().ok()
}

pub(super) fn actions_that(body: &[u8], is_so: impl Fn(&Value) -> bool) -> Option<BTreeSet<usize>> {
    let body = json::parse(body, DEEPEST_KEPT).ok()?;
    let actions = body.get("data")?.as_array()?.iter().enumerate();
    Some(actions.filter(|(_, action)| is_so(action)).map(|(index, _)| index).collect())
}

pub(super) fn redacted(body: &[u8], actions: &BTreeSet<usize>) -> Option<Vec<u8>> {
    let mut body = json::parse(body, DEEPEST_KEPT).ok()?;
    let data = body.get_mut("data")?.as_array_mut()?;
    for &index in actions {
        *data.get_mut(index)?.get_mut("data")? = json!({});
    }
    Some(body.to_string().into_bytes())
}

fn open<'a>(
    body: &[u8],
    limits: Limits,
    context: Context<'a>,
    items: impl FnOnce(&[Value]) -> Vec<Item>,
) -> Result<Envelope<'a>, Refusal> {
    let root = json::parse(body, limits.depth).map_err(|error| malformed(&error))?;
    let mut diagnostics = Diagnostics::default();
    let Some(mut fields) =
        Fields::open(&root, Pointer::root(), Mode::Add, &["senderUser", "data"], &mut diagnostics)
    else {
        return Err(envelope_problem(diagnostics.faults));
    };
    let sender = read_sender(&mut fields, context.directory);
    let entries = read_data(&mut fields);
    if entries.len() > limits.actions {
        let detail = format!(
            "The request has {} actions; the limit is {}. Send them in several requests.",
            entries.len(),
            limits.actions
        );
        return Err(Refusal::new(Code::TooManyActions, detail));
    }
    let Diagnostics { faults, warnings } = diagnostics;
    let Some(sender) = sender.filter(|_| faults.is_empty()) else {
        return Err(envelope_problem(faults));
    };
    Ok(Envelope { sender, items: items(entries), warnings })
}

fn read_sender<'a>(fields: &mut Fields<'_, '_>, directory: &'a Directory) -> Option<&'a User> {
    let at = fields.place("senderUser");
    let text = fields.text("senderUser", Longest::LINE);
    fields.require("senderUser", matches!(text, Given::Set(_)));
    let text = text.set()?;
    // Most write it as it is known, which takes no reading.
    if let Some(user) = directory.users.active(&text.to_ascii_lowercase()) {
        return Some(user);
    }
    let email = match Email::parse(&text) {
        Ok(email) => email,
        Err(error) => {
            fields.diagnostics.fault(Code::InvalidEmail, &at, format!("`senderUser`: {error}"));
            return None;
        }
    };
    let user = directory.users.active(email.key());
    if user.is_none() {
        let message = "`senderUser` is no active user of the org; name the e-mail of one.";
        fields.diagnostics.fault(Code::UnknownSender, &at, message);
    }
    user
}

/// The entries of `data`; absent or null: none. Blank entries are not passed over: an action is
/// asked for, and which one is missing.
fn read_data<'v>(fields: &mut Fields<'v, '_>) -> &'v [Value] {
    match fields.raw("data") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            let at = fields.place("data");
            let message =
                "`data` has to be an array of actions: [{\"actionType\": \"…\", \"data\": {…}}].";
            fields.diagnostics.fault(Code::WrongType, &at, message);
            &[]
        }
    }
}

fn read_item(entry: &Value, index: usize, context: Context<'_>) -> Item {
    let at = &pointer_to(index);
    let mut diagnostics = Diagnostics::default();
    let mut item = Item {
        index,
        action_type: None,
        action: None,
        diagnostics: Diagnostics::default(),
        places: None,
    };
    if let Some(mut fields) =
        Fields::open(entry, at.clone(), Mode::Add, &["actionType", "data"], &mut diagnostics)
    {
        let action_type = fields.text("actionType", Longest::LINE);
        fields.require("actionType", matches!(action_type, Given::Set(_)));
        let data = fields.raw("data").filter(|data| !data.is_null());
        fields.require("data", data.is_some());
        item.action_type = action_type.set();
        if let (Some(action_type), Some(data)) = (&item.action_type, data) {
            item.action = Action::read(action_type, data, at, context, &mut diagnostics);
        }
    }
    item.diagnostics = diagnostics;
    item
}

pub(super) fn malformed(malformed: &Malformed) -> Refusal {
    let code = match malformed {
        Malformed::TooDeep { .. } => Code::TooDeep,
        Malformed::Empty
        | Malformed::NotUtf8 { .. }
        | Malformed::FormEncoded
        | Malformed::Syntax { .. } => Code::NotJson,
    };
    Refusal::new(code, malformed.to_string())
}

fn envelope_problem(faults: Vec<Fault>) -> Refusal {
    let code = match faults.as_slice() {
        [only] if only.code == Code::UnknownSender => Code::UnknownSender,
        _ => Code::InvalidEnvelope,
    };
    Refusal::of(code, faults)
}
