//! What the actions on contacts, accounts and leads share.

pub(crate) mod changes;
pub(crate) mod company;
pub(crate) mod company_creation;
pub(crate) mod customer_data;
pub(crate) mod customer_revision;
pub(crate) mod customer_search;
pub(crate) mod customer_type;
pub(crate) mod customer_update;
pub(crate) mod display_names;
pub(crate) mod field_changes;
pub(crate) mod field_kinds;
pub(crate) mod heard_customer;
pub(crate) mod linked_customer;
pub(crate) mod lists;
pub(crate) mod named_customer;
pub(crate) mod named_person;
pub(crate) mod new_customer;
pub(crate) mod new_or_duplicate;
pub(crate) mod person;
