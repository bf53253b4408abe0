//! How often a sign-in may fail: for the user that is tried, and for the network it is tried from.

use crate::store::access::sign_in_failures::{self as failures, Attempt};
use crate::store::error::StoreError;
use crate::store::pool::Conn;
use chrono::{DateTime, Duration, Utc};
use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// So many failures in a row are looked at for a user.
const OF_A_USER: i32 = 10;
/// So many for a network within a quarter of an hour: more than an office has, and too few for
/// trying one password on many users.
const OF_A_NETWORK: i32 = 100;
/// A quarter of an hour, in seconds.
const WINDOW: i64 = 15 * 60;

/// What an attempt to sign in is counted for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subjects {
    user: [u8; 32],
    network: [u8; 32],
    window_end: DateTime<Utc>,
}

impl Subjects {
    /// Those of an attempt at `now`. Slug and e-mail are in the form in which they are compared;
    /// whether they exist makes no difference.
    pub(crate) fn new(slug: &str, email_key: &str, address: IpAddr, now: DateTime<Utc>) -> Self {
        let window = now.timestamp().div_euclid(WINDOW);
        Self {
            user: user(slug, email_key),
            network: hash(&format!("network\n{}\n{window}", network(address))),
            window_end: DateTime::from_timestamp((window + 1) * WINDOW, 0).unwrap_or(now),
        }
    }

    /// Counts an attempt before its password is looked at; how long to wait where there were too
    /// many.
    pub(crate) fn count(
        &self,
        conn: &mut Conn,
        now: DateTime<Utc>,
    ) -> Result<Option<Duration>, StoreError> {
        if let Attempt::Blocked(_) = failures::count(conn, &self.network, OF_A_NETWORK, now)? {
            return Ok(Some(self.window_end - now));
        }
        match failures::count(conn, &self.user, OF_A_USER, now)? {
            Attempt::Blocked(until) => Ok(Some(until - now)),
            Attempt::Counted => Ok(None),
        }
    }

    /// The attempt was none of a failure: the user's row of them ends. The network's other
    /// failures stay, or one known password would buy any number of guesses.
    pub(crate) fn succeeded(&self, conn: &mut Conn, now: DateTime<Utc>) -> Result<(), StoreError> {
        failures::take_back(conn, &self.network)?;
        failures::clear(conn, &self.user, now)
    }

    /// The attempt was not made: no password was looked at.
    pub(crate) fn not_made(&self, conn: &mut Conn) -> Result<(), StoreError> {
        failures::take_back(conn, &self.network)?;
        failures::take_back(conn, &self.user)
    }
}

/// Lets a user try again at once.
pub(crate) fn lift(
    conn: &mut Conn,
    slug: &str,
    email_key: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    failures::clear(conn, &user(slug, email_key), now)
}

fn user(slug: &str, email_key: &str) -> [u8; 32] {
    hash(&format!("user\n{slug}\n{email_key}"))
}

/// What one caller has alone: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpNetwork {
    match address {
        IpAddr::V4(address) => IpNetwork::V4(Ipv4Network::from(address)),
        IpAddr::V6(address) => Ipv6Network::new(address, 64).map_or_else(
            |_| IpNetwork::from(IpAddr::V6(address)),
            |it| IpNetwork::V6(Ipv6Network::new(it.network(), 64).unwrap_or(it)),
        ),
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(address: &str, second: i64) -> Subjects {
        let now = DateTime::from_timestamp(second, 0).unwrap();
        Subjects::new("acme", "ann@acme.test", address.parse().unwrap(), now)
    }

    #[test]
    fn a_network_is_an_address_of_ipv4_or_64_bits_of_ipv6_for_a_quarter_of_an_hour() {
        let first = |address| subjects(address, 0).network;
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8::1", "2001:db8::ffff:0:0:2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            assert_eq!(first(one) == first(other), same, "{one} {other}");
        }
        assert_eq!(first("192.0.2.1"), subjects("192.0.2.1", 899).network);
        assert_ne!(first("192.0.2.1"), subjects("192.0.2.1", 900).network);
        assert_eq!(subjects("192.0.2.1", 899).window_end.timestamp(), 900);
    }

    #[test]
    fn a_user_is_counted_wherever_the_attempt_comes_from() {
        assert_eq!(subjects("192.0.2.1", 0).user, subjects("2001:db8::1", 5000).user);
    }
}
