//! Reading a `permit` (`listener.md` 5).

use crate::batch::Context;
use crate::diagnostics::{Code, Diagnostics, Pointer, UnknownName};
use crate::json::{Fields, Given, Longest};
use crate::records::permit::Permit;
use crate::values::email::Email;
use uuid::Uuid;

const MEANINGS: &[(i16, &str)] =
    &[(1, "everybody"), (2, "only me"), (3, "me and a group"), (4, "me and users")];

/// The permit of the record in `fields`, its names resolved. Where names that the org does not have
/// are dropped, what is left is never wider than what was meant.
pub fn read_permit(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Given<Permit> {
    let mut permit = match fields.object("permit", &["status", "group", "users"]) {
        Given::Absent => return Given::Absent,
        Given::Clear => return Given::Clear,
        Given::Set(permit) => permit,
    };
    let status = permit.number_choice("status", MEANINGS);
    permit.require("status", matches!(status, Given::Set(_)));
    let Given::Set(status) = status else {
        return Given::Absent;
    };
    if status != 3 {
        permit.ignore("group", "only the status 3 (me and a group) has a group.");
    }
    if status != 4 {
        permit.ignore("users", "only the status 4 (me and users) has users.");
    }
    Given::Set(match status {
        2 => Permit::OnlyMe,
        3 => read_group(&mut permit, context).map_or(Permit::OnlyMe, Permit::MeAndGroup),
        4 => match read_users(&mut permit, context) {
            users if users.is_empty() => Permit::OnlyMe,
            users => Permit::MeAndUsers(users),
        },
        _ => Permit::Everybody,
    })
}

fn read_group(permit: &mut Fields<'_, '_>, context: Context<'_>) -> Option<Uuid> {
    let at = permit.place("group");
    let Given::Set(name) = permit.text("group", Longest::LINE) else {
        let message = "A permit of status 3 needs `group`, the name of a group.";
        context.references().note(permit.diagnostics, Code::UnknownGroup, &at, message);
        return None;
    };
    resolve_group(&name, &at, context, permit.diagnostics)
}

/// The group of that name, which stands at `at`.
pub fn resolve_group(
    name: &str,
    at: &Pointer,
    context: Context<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Uuid> {
    let groups = &context.directory.groups;
    let group = groups.named(name).map(|group| group.id);
    if group.is_none() {
        let (code, names) = (Code::UnknownGroup, groups.all_names());
        context.references().unknown(
            diagnostics,
            at,
            UnknownName { code, what: "group", name },
            names,
        );
    }
    group
}

fn read_users(permit: &mut Fields<'_, '_>, context: Context<'_>) -> Vec<Uuid> {
    let at = permit.place("users");
    let Given::Set(entries) = permit.list("users", "[\"ann@example.com\"]") else {
        let message = "A permit of status 4 needs `users`, the e-mails of users.";
        context.references().note(permit.diagnostics, Code::UnknownUser, &at, message);
        return Vec::new();
    };
    let mut users = Vec::new();
    for (at, value) in entries {
        let Some(text) = permit.scalar(&at, value, Longest::LINE) else {
            continue;
        };
        let user = resolve_user(&text, &at, context, permit.diagnostics);
        users.extend(user.filter(|user| !users.contains(user)));
    }
    users
}

/// The active user of that e-mail, which stands at `at`.
pub fn resolve_user(
    email: &str,
    at: &Pointer,
    context: Context<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Uuid> {
    let user = Email::parse(email)
        .ok()
        .and_then(|email| context.directory.users.active(email.key()))
        .map(|user| user.id);
    if user.is_none() {
        let shown: String = email.chars().take(64).collect();
        let message = format!("The org has no active user \"{shown}\".");
        context.references().note(diagnostics, Code::UnknownUser, at, &message);
    }
    user
}
