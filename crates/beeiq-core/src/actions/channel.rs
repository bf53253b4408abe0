//! Reading a `channel` (`listener.md` 7).

use crate::batch::context::Context;
use crate::diagnostics::Code;
use crate::json::{Fields, Longest};
use uuid::Uuid;

/// What the documents call a channel in one place, and what it is called in all others.
const OTHER_NAMES: &[(&str, &str)] = &[("Web Contact Form", "Contact Form")];

/// The org's channel of the name in the field `channel`.
pub fn read_channel(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Option<Uuid> {
    let at = fields.place("channel");
    let name = fields.text("channel", Longest::LINE).set()?;
    let channels = &context.directory.channels;
    let channel = channels.named(&name).or_else(|| {
        let (_, usual) = OTHER_NAMES.iter().find(|(other, _)| other.eq_ignore_ascii_case(&name))?;
        channels.named(usual)
    });
    if channel.is_none() {
        context.references().unknown(
            fields.diagnostics,
            Code::UnknownChannel,
            &at,
            "channel",
            &name,
            channels.iter().map(|channel| channel.name.as_str()),
        );
    }
    channel.map(|channel| channel.id)
}
