//! A customer or lead who has to be there, named by a code or by single fields (`listener.md` 7).

use super::customer_type::{ContactKind, read_contact_type};
use super::linked_customer::{NamedCode, read_code};
use super::named_person::read_named_person;
use crate::batch::context::Context;
use crate::batch::customers::KnownCustomer;
use crate::batch::keys::Keys;
use crate::batch::snapshot::Overlay;
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::json::Fields;
use crate::records::identity::{Identity, World};

/// What a customer may be found by.
pub const CUSTOMER_IDENTIFIERS: &[&str] =
    &["customerId", "contactId", "passport", "email", "emails", "phone", "phones"];

/// Who is meant: by `customerId`, else by `contactId`, `passport`, e-mails and phones, in that order.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedCustomer {
    world: World,
    code: Option<NamedCode>,
    identities: Vec<Identity>,
}

impl NamedCustomer {
    /// Reads them; `None` where no field names anybody.
    pub fn read(fields: &mut Fields<'_, '_>, context: Context<'_>) -> Option<Self> {
        let contact_kind = read_contact_type(fields).set().unwrap_or(ContactKind::Customer);
        if !CUSTOMER_IDENTIFIERS.iter().any(|name| fields.has(name)) {
            return None;
        }
        let world = contact_kind.world();
        Some(Self {
            world,
            code: read_code(fields, contact_kind),
            identities: read_named_person(fields, context).identities(world),
        })
    }

    /// What has to be known before they can be found; `for_update` where they may be changed.
    pub fn collect_keys(&self, keys: &mut Keys, for_update: bool) {
        let code = self.code.as_ref().and_then(|code| code.as_ref().ok());
        keys.codes.extend(code);
        keys.identities.extend(self.identities.iter().cloned());
        if for_update {
            keys.for_update.codes.extend(code);
            keys.for_update.identities.extend(self.identities.iter().cloned());
        }
    }

    /// Who it is. A code that nobody has is not made up for by the other fields.
    #[must_use]
    pub fn search<'w>(&self, overlay: &'w Overlay<'_>) -> Option<&'w KnownCustomer> {
        match &self.code {
            Some(code) => code.as_ref().ok().and_then(|code| overlay.customers.with_code(*code)),
            None => self.identities.iter().find_map(|one| overlay.customers.holder(one)),
        }
    }

    /// Who it is; a fault of the object `at` where nobody is. `what` is being added: "a note on".
    pub fn find<'w>(
        &self,
        what: &str,
        at: &Pointer,
        overlay: &'w Overlay<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<&'w KnownCustomer> {
        let found = self.search(overlay);
        if found.is_some() {
            return found;
        }
        match &self.code {
            Some(code) => {
                diagnostics.fault(Code::NotFound, at.member("customerId"), no_such_code(code));
            }
            // Nothing that could be read: that is a fault already.
            None if self.identities.is_empty() => {}
            None => diagnostics.fault(Code::NotFound, at, nobody_holds_these(self.world, what)),
        }
        None
    }
}

fn nobody_holds_these(world: World, what: &str) -> String {
    match world {
        World::Customer => format!(
            "No contact or account has this contactId, passport, e-mail or phone; for {what} a \
             lead add `\"contactType\": \"lead\"`."
        ),
        World::Lead => "No lead has this contactId, passport, e-mail or phone.".to_owned(),
    }
}

fn no_such_code(code: &NamedCode) -> String {
    match code {
        Ok(code) => format!("There is no {code}."),
        Err(text) => {
            let shown: String = text.chars().take(64).collect();
            format!(
                "\"{shown}\" is no customer's code: these are PID-n, CID-n, and of leads LID-n."
            )
        }
    }
}
