//! Which customers a query finds: those that a caller may see, of a name, an owner, a tag.

use super::row::CustomerRow;
use crate::actor::Actor;
use crate::store::listing::{for_users, listed, numbered, owned};
use crate::store::schema::{customer_tags, customers};
use diesel::prelude::*;

listed!(customers, CustomerRow);
owned!(customers);
for_users!(customers);
numbered!(customers, customer_tags, customer_id);

/// A member sees what they own and what the permit admits them to.
pub(super) fn visible_to(actor: &Actor) -> Condition {
    by_permit(actor, Box::new(is_own(actor).or(is_for_user(actor))))
}

/// By the name alone, or with the lastname in either order.
pub(super) fn is_named(folded: &str) -> Condition {
    let name = || customers::name_key.nullable();
    let forwards = name().concat(" ").concat(customers::lastname_key);
    let backwards = customers::lastname_key.concat(" ").concat(name());
    Box::new(
        name()
            .eq(folded.to_owned())
            .or(forwards.eq(folded.to_owned()))
            .or(backwards.eq(folded.to_owned())),
    )
}
