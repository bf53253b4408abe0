//! Reading a `channel` (`listener.md` 7).

use crate::batch::Context;
use crate::diagnostics::{Code, UnknownName};
use crate::directory::Directory;
use crate::json::{Fields, Longest};
use uuid::Uuid;

/// What the documents call a channel in one place, and what it is called in all others.
const OTHER_NAMES: &[(&str, &str)] = &[("Web Contact Form", "Contact Form")];

/// The org's channel of the name in the field `channel`.
pub fn read_channel(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Option<Uuid> {
    let at = fields.place("channel");
    let name = fields.text("channel", Longest::LINE).set()?;
    let channel = channel_named(&name, context);
    if channel.is_none() {
        let (code, names) = (Code::UnknownChannel, context.directory.channels.all_names());
        context.references().unknown(
            fields.diagnostics,
            &at,
            UnknownName { code, what: "channel", name: &name },
            names,
        );
    }
    channel
}

/// The same for a note, which may also have come by one of the org's sources: the documents call
/// both a channel.
pub fn read_channel_or_source(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Option<Uuid> {
    let at = fields.place("channel");
    let name = fields.text("channel", Longest::LINE).set()?;
    let Directory { channels, sources, .. } = context.directory;
    let channel =
        channel_named(&name, context).or_else(|| sources.named(&name).map(|source| source.id));
    if channel.is_none() {
        let (code, what) = (Code::UnknownChannel, "channel or source");
        let names = channels.all_names().chain(sources.all_names());
        context.references().unknown(
            fields.diagnostics,
            &at,
            UnknownName { code, what, name: &name },
            names,
        );
    }
    channel
}

fn channel_named(name: &str, context: Context<'_>) -> Option<Uuid> {
    let channels = &context.directory.channels;
    let channel = channels.named(name).or_else(|| {
        let (_, usual) = OTHER_NAMES.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        channels.named(usual)
    });
    channel.map(|channel| channel.id)
}
