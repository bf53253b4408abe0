//! What the formats of sources have in common: drafts become actions, and what is wrong with those is
//! told of the places in the body that they were made of.

use super::draft::{Draft, Part};
use super::places::{Places, data_at};
use super::{Envelope, Item, Told, iadvize, oktium, wolkvox};
use crate::actions::{Action, ActionType};
use crate::batch::Context;
use crate::diagnostics::{Code, Refusal};
use crate::directory::User;
use crate::records::connection::{Connection, Source, SourceSettings};
use serde_json::Value;

pub(super) fn read<'a>(
    source: Source,
    told: Told<'_>,
    context: Context<'a>,
) -> Result<Envelope<'a>, Refusal> {
    let connection = context.connection.filter(|it| it.source() == source);
    let Some(connection) = connection else {
        let detail = "The connection that this came through is not there any more.";
        return Err(Refusal::new(Code::NotFound, detail));
    };
    let sender = sender(connection, context)?;
    let drafts = match &connection.settings {
        SourceSettings::Oktium(settings) => oktium::drafts(told, settings),
        SourceSettings::Iadvize(settings) => {
            iadvize::drafts(told, settings, context.directory.org.region)
        }
        SourceSettings::Wolkvox(settings) => {
            wolkvox::drafts(told, settings, &context.directory.org)
        }
    }?;
    let items = drafts.into_iter().map(|draft| item(draft, context)).collect();
    Ok(Envelope { sender, items, warnings: Vec::new() })
}

fn sender<'a>(connection: &Connection, context: Context<'a>) -> Result<&'a User, Refusal> {
    let user = context.directory.users.with_id(connection.sender).filter(|user| user.active);
    user.ok_or_else(|| {
        let detail = "The connection's `senderUser` is no active user any more; name another one in \
                      the connection.";
        Refusal::new(Code::UnknownSender, detail)
    })
}

fn item(draft: Draft, context: Context<'_>) -> Item {
    let action_type = match draft.part {
        Part::Contact => ActionType::AddContact,
        Part::Deal => ActionType::AddDeal,
        Part::Activity => ActionType::AddActivity,
        Part::Ticket => ActionType::AddTicket,
    };
    let Draft { item, at, part, data, heard, mut diagnostics } = draft;
    let action = diagnostics.faults.is_empty().then(|| {
        let value = Value::Object(data.fields.clone());
        Action::heard(action_type, &value, data_at(&at), heard, context, &mut diagnostics)
    });
    let places = Places::new(at, data);
    Item {
        index: item * Part::MOST + part.place(),
        action_type: Some(action_type.as_str().to_owned()),
        action: action.flatten(),
        diagnostics,
        places: Some(Box::new(places)),
    }
}

#[cfg(test)]
mod tests;
