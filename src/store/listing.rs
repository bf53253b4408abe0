//! What the lists of records have in common (`api.md` 5): filters, permits, pages.
//!
//! diesel types each table's queries apart, so the shared part is macros: [`listed`] for any record
//! with a permit, [`owned`] and [`numbered`] for those with an owner and a code.

use beeiq_core::records::connection::ExternalId;
use beeiq_core::records::identity::IdentityKind;
use chrono::{DateTime, Utc};

/// What a list is narrowed to; all that are given hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// In the form in which it is compared, as are `phone` and `passport`. Of notes and tickets
    /// these are their customer's.
    pub email: Option<String>,
    pub phone: Option<String>,
    pub passport: Option<String>,
    pub contact_id: Option<String>,
    /// Of customers.
    pub external_id: Option<ExternalId>,
    /// Folded.
    pub tag: Option<String>,
    /// Folded. Of customers the name alone, or with the lastname in either order.
    pub name: Option<String>,
    /// The owner's e-mail, in the form in which it is compared.
    pub owner: Option<String>,
    pub created_from: Option<DateTime<Utc>>,
    pub created_to: Option<DateTime<Utc>>,
    /// A text of which each word is found.
    pub q: Option<String>,
}

impl Filters {
    pub(super) fn identifiers(&self) -> impl Iterator<Item = (IdentityKind, &str)> {
        [
            (IdentityKind::ContactId, &self.contact_id),
            (IdentityKind::Passport, &self.passport),
            (IdentityKind::Email, &self.email),
            (IdentityKind::Phone, &self.phone),
        ]
        .into_iter()
        .filter_map(|(kind, value)| Some((kind, value.as_deref()?)))
    }
}

/// Rows of a table that an actor may see, and pages of them. The module says in `visible_to` what
/// that means; `by_permit` is the part that all records share.
macro_rules! listed {
    ($table:ident, $row:ident) => {
        pub(super) type Rows<'a> = $table::BoxedQuery<'a, diesel::pg::Pg>;
        pub(in crate::store) type Condition = Box<
            dyn diesel::BoxableExpression<
                    $table::table,
                    diesel::pg::Pg,
                    SqlType = diesel::sql_types::Nullable<diesel::sql_types::Bool>,
                >,
        >;

        pub(super) fn visible<'a>(actor: &crate::actor::Actor) -> Rows<'a> {
            $table::table
                .filter($table::org_id.eq(actor.org))
                .filter(visible_to(actor))
                .into_boxed()
        }

        /// Everything for the org's owner and admins. For a member what is for everybody, what is
        /// for a group of theirs, and what is `theirs`: their own, or meant for them by name.
        pub(super) fn by_permit(actor: &crate::actor::Actor, theirs: Condition) -> Condition {
            if actor.sees_all() {
                return Box::new(diesel::dsl::sql("TRUE"));
            }
            let for_group = $table::permit_group_id.eq_any(actor.groups.clone());
            Box::new(
                $table::permit_status
                    .eq(1)
                    .or(theirs)
                    .or($table::permit_status.eq(3).and(for_group)),
            )
        }

        /// A page of `rows`, newest first; `before` is the last id of the page before.
        pub(super) fn page(
            conn: &mut crate::store::pool::Conn,
            mut rows: Rows<'_>,
            filters: &crate::store::listing::Filters,
            before: Option<uuid::Uuid>,
            limit: i64,
        ) -> diesel::QueryResult<Vec<$row>> {
            if let Some(from) = filters.created_from {
                rows = rows.filter($table::created_at.ge(from));
            }
            if let Some(to) = filters.created_to {
                rows = rows.filter($table::created_at.le(to));
            }
            if let Some(before) = before {
                rows = rows.filter($table::id.lt(before));
            }
            rows.order($table::id.desc()).limit(limit).select($row::as_select()).load(conn)
        }
    };
}

/// Whose a row is.
macro_rules! owned {
    ($table:ident) => {
        pub(super) fn is_own(actor: &crate::actor::Actor) -> Condition {
            Box::new($table::owner_id.nullable().eq(actor.user()))
        }

        pub(super) fn is_owned_by(org: uuid::Uuid, email_key: &str) -> Condition {
            use crate::store::schema::users;
            let owners = users::table
                .filter(users::org_id.eq(org))
                .filter(users::email_key.eq(email_key.to_owned()))
                .select(users::id.nullable());
            Box::new($table::owner_id.nullable().eq_any(owners))
        }
    };
}

/// Whether a permit names the user.
macro_rules! for_users {
    ($table:ident) => {
        pub(super) fn is_for_user(actor: &crate::actor::Actor) -> Condition {
            let named = $table::permit_user_ids.overlaps_with(vec![actor.user()]);
            Box::new($table::permit_status.eq(4).and(named).nullable())
        }
    };
}

/// Rows that go by a number, and have tags in the table `$tagged`.
macro_rules! numbered {
    ($table:ident, $tagged:ident, $of:ident) => {
        pub(super) fn addressed(
            rows: Rows<'_>,
            id: beeiq_core::records::path_id::PathId,
        ) -> Rows<'_> {
            use beeiq_core::records::path_id::PathId;
            match id {
                PathId::Id(id) => rows.filter($table::id.eq(id)),
                PathId::Number(number) => rows.filter($table::number.eq(number)),
            }
        }

        pub(super) fn has_tag(org: uuid::Uuid, name_key: &str) -> Condition {
            use crate::store::schema::tags;
            let is_its_tag = tags::org_id.eq($tagged::org_id).and(tags::id.eq($tagged::tag_id));
            let tagged = $tagged::table
                .inner_join(tags::table.on(is_its_tag))
                .filter($tagged::org_id.eq(org))
                .filter(tags::name_key.eq(name_key.to_owned()))
                .select($tagged::$of.nullable());
            Box::new($table::id.nullable().eq_any(tagged))
        }

        /// The tags of each: id and name, in alphabetical order.
        pub(super) fn tags_of(
            conn: &mut crate::store::pool::Conn,
            org: uuid::Uuid,
            ids: impl IntoIterator<Item = uuid::Uuid>,
        ) -> diesel::QueryResult<std::collections::HashMap<uuid::Uuid, Vec<(uuid::Uuid, String)>>> {
            use crate::store::schema::tags;
            let is_its_tag = tags::org_id.eq($tagged::org_id).and(tags::id.eq($tagged::tag_id));
            let rows: Vec<(uuid::Uuid, uuid::Uuid, String)> = $tagged::table
                .inner_join(tags::table.on(is_its_tag))
                .filter($tagged::org_id.eq(org))
                .filter($tagged::$of.eq_any(ids))
                .order(tags::name_key)
                .select(($tagged::$of, tags::id, tags::name))
                .load(conn)?;
            let mut tags = std::collections::HashMap::<_, Vec<_>>::new();
            for (record, tag, name) in rows {
                tags.entry(record).or_default().push((tag, name));
            }
            Ok(tags)
        }
    };
}

pub(in crate::store) use {for_users, listed, numbered, owned};
