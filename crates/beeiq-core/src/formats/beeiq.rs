//! The envelope: who sends, and which actions (`listener.md` 1).

use crate::actions::Action;
use crate::batch::Context;
use crate::diagnostics::{Code, Diagnostics, Fault, Pointer, Refusal, Warning};
use crate::directory::{Directory, User};
use crate::json::{self, Fields, Given, Longest, Malformed, Mode};
use crate::values::email::Email;
use serde_json::Value;

/// What a payload may be at most (`listener.md` 1).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Actions.
    pub actions: usize,
    /// Levels of nesting; the outer object is the first.
    pub depth: usize,
}

/// A payload whose envelope is right.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// The `senderUser`.
    pub sender: &'a User,
    /// The actions, in order.
    pub items: Vec<Item>,
    /// What is odd about the top level.
    pub warnings: Vec<Warning>,
}

impl Envelope<'_> {
    /// Whether applying it may queue a message.
    #[must_use]
    pub fn may_queue_messages(&self, context: Context<'_>) -> bool {
        let listener = context.listener;
        listener.welcome_email.is_some()
            || listener.welcome_sms.is_some()
            || self.items.iter().any(|item| matches!(item.action, Some(Action::SendSms(_))))
    }
}

/// One entry of `data`.
#[derive(Debug)]
pub struct Item {
    /// Where it stands in `data`.
    pub index: usize,
    /// Its `actionType` as sent, where it is a text.
    pub action_type: Option<String>,
    /// The action, as far as there is something to decide about.
    pub action: Option<Action>,
    /// What was found while reading it.
    pub diagnostics: Diagnostics,
}

/// Reads a body.
///
/// # Errors
/// The problem of the whole request: not JSON, over a limit, a wrong envelope.
pub fn read<'a>(
    body: &[u8],
    limits: Limits,
    context: Context<'a>,
) -> Result<Envelope<'a>, Refusal> {
    open(body, limits, context, |entries| {
        let item = |(index, entry)| read_item(entry, index, context);
        entries.iter().enumerate().map(item).collect()
    })
}

/// Reads a body as far as it takes to know that its actions can be read later.
///
/// # Errors
/// As [`read`].
pub fn check<'a>(
    body: &[u8],
    limits: Limits,
    context: Context<'a>,
) -> Result<Envelope<'a>, Refusal> {
    open(body, limits, context, |_| Vec::new())
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
    let at = &Pointer::root().member("data").index(index);
    let mut diagnostics = Diagnostics::default();
    let mut item =
        Item { index, action_type: None, action: None, diagnostics: Diagnostics::default() };
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

fn malformed(malformed: &Malformed) -> Refusal {
    let code = match malformed {
        Malformed::TooDeep { .. } => Code::TooDeep,
        _ => Code::NotJson,
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
