//! What refers to a setting. It is exact while deliveries are held back
//! ([`crate::store::directory::hold_deliveries`]).

use crate::store::error::Result;
use crate::store::pool::Conn;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Uuid as SqlUuid};
use uuid::Uuid;

/// Counting stops here: it is told as "1000 or more".
const MOST: i64 = 1000;

/// One and several of what refers, and where those are that do: `$1` is the org, `$2` the id.
type Place = ((&'static str, &'static str), &'static str);

const CUSTOMERS: (&str, &str) = ("customer", "customers");
const DEALS: (&str, &str) = ("deal", "deals");
const TICKETS: (&str, &str) = ("ticket", "tickets");
const NOTES: (&str, &str) = ("note", "notes");
const ACTIVITIES: (&str, &str) = ("activity", "activities");
const LISTENERS: (&str, &str) = ("listener", "listeners");

const PLACES_OF_USERS: &[Place] = &[
    (CUSTOMERS, "customers WHERE org_id = $1 AND owner_id = $2"),
    (
        CUSTOMERS,
        "customers WHERE org_id = $1 AND permit_status = 4 AND permit_user_ids @> ARRAY[$2]",
    ),
    (DEALS, "deal_owners WHERE org_id = $1 AND user_id = $2"),
    (DEALS, "deals WHERE org_id = $1 AND permit_status = 4 AND permit_user_ids @> ARRAY[$2]"),
    (NOTES, "notes WHERE org_id = $1 AND owner_id = $2"),
    (NOTES, "notes WHERE org_id = $1 AND permit_status = 4 AND permit_user_ids @> ARRAY[$2]"),
    (TICKETS, "tickets WHERE org_id = $1 AND owner_id = $2"),
    (ACTIVITIES, "activities WHERE org_id = $1 AND $2 IN (owner_id, operator_id)"),
    (
        ACTIVITIES,
        "activities WHERE org_id = $1 AND permit_status = 4 AND permit_user_ids @> ARRAY[$2]",
    ),
    (("connection", "connections"), "connections WHERE org_id = $1 AND sender_id = $2"),
    (("message", "messages"), "outbox WHERE org_id = $1 AND sender_id = $2"),
    (
        ("line of records' history", "lines of records' history"),
        "history WHERE org_id = $1 AND actor_id = $2",
    ),
];

/// A setting that may be referred to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Referred {
    Tag,
    PicklistEntry,
    Group,
    User,
    Sla,
    CustomField,
    Currency,
}

impl Referred {
    const fn places(self) -> &'static [Place] {
        match self {
            Self::Tag => &[
                (LISTENERS, "listeners WHERE org_id = $1 AND default_tag_id = $2"),
                (CUSTOMERS, "customer_tags WHERE org_id = $1 AND tag_id = $2"),
                (TICKETS, "ticket_tags WHERE org_id = $1 AND tag_id = $2"),
            ],
            Self::PicklistEntry => &[
                (
                    LISTENERS,
                    "listeners WHERE org_id = $1 AND $2 IN (contact_source_id, lead_source_id)",
                ),
                (CUSTOMERS, "customers WHERE org_id = $1 AND source_id = $2"),
                (DEALS, "deals WHERE org_id = $1 AND stage_id = $2"),
                (DEALS, "deals WHERE org_id = $1 AND category_id = $2"),
                (DEALS, "deals WHERE org_id = $1 AND package_id = $2"),
                (NOTES, "notes WHERE org_id = $1 AND channel_id = $2"),
                (TICKETS, "tickets WHERE org_id = $1 AND channel_id = $2"),
            ],
            Self::Group => &[
                (CUSTOMERS, "customers WHERE org_id = $1 AND permit_group_id = $2"),
                (DEALS, "deals WHERE org_id = $1 AND permit_group_id = $2"),
                (DEALS, "deal_owners WHERE org_id = $1 AND group_id = $2"),
                (NOTES, "notes WHERE org_id = $1 AND permit_group_id = $2"),
                (TICKETS, "tickets WHERE org_id = $1 AND permit_group_id = $2"),
                (ACTIVITIES, "activities WHERE org_id = $1 AND permit_group_id = $2"),
            ],
            Self::User => PLACES_OF_USERS,
            Self::Sla => &[(TICKETS, "tickets WHERE org_id = $1 AND sla_id = $2")],
            // No index: values of all fields are in one column, and an index on it would cost every
            // delivery more than the rare deletion of a field does, which reads the org's records.
            Self::CustomField => &[
                (CUSTOMERS, "customers WHERE org_id = $1 AND cus_fields ? $2::text"),
                (DEALS, "deals WHERE org_id = $1 AND cus_fields ? $2::text"),
                (TICKETS, "tickets WHERE org_id = $1 AND cus_fields ? $2::text"),
            ],
            Self::Currency => &[(
                DEALS,
                "deals WHERE org_id = $1 AND currency = \
                 (SELECT code FROM org_currencies WHERE org_id = $1 AND id = $2)",
            )],
        }
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Integer)]
    place: i32,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What refers to a setting, in words: "3 customers, 1 listener"; none where nothing does.
pub(crate) fn referring(
    conn: &mut Conn,
    org: Uuid,
    what: Referred,
    id: Uuid,
) -> Result<Option<String>> {
    let places = what.places();
    let counts: Vec<String> = places
        .iter()
        .enumerate()
        .map(|(place, (_, from))| {
            format!(
                "SELECT {place} AS place, count(*) AS count \
                 FROM (SELECT FROM {from} LIMIT {MOST}) AS found"
            )
        })
        .collect();
    let query = format!("{} ORDER BY place", counts.join(" UNION ALL "));
    let counts: Vec<Count> =
        diesel::sql_query(query).bind::<SqlUuid, _>(org).bind::<SqlUuid, _>(id).load(conn)?;
    let told: Vec<String> = counts
        .iter()
        .filter(|it| it.count > 0)
        .filter_map(|it| {
            let ((one, several), _) = places.get(usize::try_from(it.place).ok()?)?;
            Some(match it.count {
                1 => format!("1 {one}"),
                MOST.. => format!("{MOST} or more {several}"),
                count => format!("{count} {several}"),
            })
        })
        .collect();
    Ok((!told.is_empty()).then(|| told.join(", ")))
}
