//! How often a sign-in may fail: for the user from a network, for the network, and for the user.

use crate::store::access::sign_in_failures as failures;
use crate::store::error::StoreError;
use crate::store::pool::{Conn, signing_in};
use chrono::{DateTime, Duration, Utc};
use ipnetwork::{IpNetwork, Ipv4Network, Ipv6Network};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// So many failures in a row are looked at for a user from a network: who tries from elsewhere locks
/// nobody out.
const OF_A_USER_THERE: i32 = 10;
/// So many for a network within a quarter of an hour: more than an office has, and too few for
/// trying one password on many users.
const OF_A_NETWORK: i32 = 100;
/// From so many on, wherever they come from, a user's sign-ins are slowed down, but from where they
/// have signed in lately.
const OF_A_USER: i32 = 20;
/// By so much for each further one, up to the longest.
const SLOWER_BY: Duration = Duration::milliseconds(100);
const SLOWEST: Duration = Duration::seconds(3);
/// A quarter of an hour, in seconds.
const WINDOW: i64 = 15 * 60;

/// What an attempt to sign in is counted for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subjects {
    user: [u8; 16],
    user_there: [u8; 32],
    network: [u8; 32],
    window_end: DateTime<Utc>,
}

/// Whether an attempt is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// After so long. It counts as failed until it has succeeded; whether it is the last one.
    Allowed { after: Duration, last: bool },
    /// Not before so long.
    Blocked(Duration),
}

impl Subjects {
    /// Those of an attempt at `now`. Slug and e-mail are in the form in which they are compared;
    /// whether they exist makes no difference.
    pub(crate) fn new(slug: &str, email_key: &str, address: IpAddr, now: DateTime<Utc>) -> Self {
        let window = now.timestamp().div_euclid(WINDOW);
        let (user, network) = (user(slug, email_key), network(address));
        let mut user_there = [0; 32];
        let (who, from) = user_there.split_at_mut(16);
        who.copy_from_slice(&user);
        from.copy_from_slice(&half(&format!("network\n{network}")));
        Self {
            user,
            user_there,
            network: hash(&format!("network\n{network}\n{window}")),
            window_end: DateTime::from_timestamp((window + 1) * WINDOW, 0).unwrap_or(now),
        }
    }

    /// Counts an attempt before its password is looked at.
    pub(crate) fn count(&self, conn: &mut Conn, now: DateTime<Utc>) -> Result<Attempt, StoreError> {
        signing_in(conn, |conn| {
            let of_network = failures::count(conn, &self.network, OF_A_NETWORK, now)?;
            if of_network.blocked_until(OF_A_NETWORK).is_some() {
                return Ok(Attempt::Blocked(self.window_end - now));
            }
            let there = failures::count(conn, &self.user_there, OF_A_USER_THERE, now)?;
            if let Some(until) = there.blocked_until(OF_A_USER_THERE) {
                return Ok(Attempt::Blocked(until - now));
            }
            let anywhere = failures::count(conn, &self.user, i32::MAX - 1, now)?.failures;
            let is_known = failures::has_signed_in_from(conn, &self.user_there, now)?;
            let after = if is_known { Duration::zero() } else { slowed_down(anywhere) };
            Ok(Attempt::Allowed { after, last: there.failures == OF_A_USER_THERE })
        })
    }

    /// The attempt was none of a failure: the user's row of them ends. The network's other
    /// failures stay, or one known password would buy any number of guesses.
    pub(crate) fn succeeded(&self, conn: &mut Conn, now: DateTime<Utc>) -> Result<(), StoreError> {
        signing_in(conn, |conn| {
            failures::take_back(conn, &self.network)?;
            failures::clear(conn, &self.user_there)?;
            failures::clear(conn, &self.user)?;
            failures::signed_in_from(conn, &self.user_there, now)
        })
    }

    /// The attempt was not made: no password was looked at.
    pub(crate) fn not_made(&self, conn: &mut Conn) -> Result<(), StoreError> {
        signing_in(conn, |conn| {
            failures::take_back(conn, &self.network)?;
            failures::take_back(conn, &self.user_there)?;
            failures::take_back(conn, &self.user)
        })
    }
}

/// Lets a user try again at once, wherever they are; in a transaction of their org.
pub(crate) fn lift(conn: &mut Conn, slug: &str, email_key: &str) -> Result<(), StoreError> {
    failures::clear_all_of(conn, &user(slug, email_key))
}

/// How long a sign-in waits after so many failures.
fn slowed_down(failures: i32) -> Duration {
    (SLOWER_BY * (failures - OF_A_USER).clamp(0, 1000)).min(SLOWEST)
}

fn user(slug: &str, email_key: &str) -> [u8; 16] {
    half(&format!("user\n{slug}\n{email_key}"))
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

fn half(text: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(hash(text).split_at(16).0);
    half
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
    fn a_user_is_counted_from_each_network_and_from_all() {
        let (here, later) = (subjects("192.0.2.1", 0), subjects("192.0.2.1", 5000));
        let elsewhere = subjects("2001:db8::1", 0);
        assert_eq!(here.user, elsewhere.user);
        assert_eq!(here.user_there, later.user_there);
        assert_ne!(here.user_there, elsewhere.user_there);
        // By which all of a user's are found.
        assert!(here.user_there.starts_with(&here.user));
    }

    #[test]
    fn many_failures_slow_down_and_never_stop() {
        for (failures, millis) in
            [(1, 0), (20, 0), (21, 100), (30, 1000), (50, 3000), (i32::MAX, 3000)]
        {
            assert_eq!(slowed_down(failures), Duration::milliseconds(millis), "{failures}");
        }
    }
}
