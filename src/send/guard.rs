//! Which addresses the servers that an org names may have. Without it an org could have this
//! instance call what only the instance can reach: its own network, the cloud's metadata.

use beeiq_core::values::network;
use ipnetwork::IpNetwork;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// Lets orgs reach public addresses, and the networks that the operator allows
/// (`BEEIQ_OUTBOUND_ALLOW`). Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    allowed: Arc<[IpNetwork]>,
    open: bool,
}

/// Why a host is not called. It does not say which address a name has: that may be the secret of a
/// private network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreachable {
    /// It is, also, at an address that is not public.
    #[error("\"{0}\" is not at a public address, and the operator does not allow it")]
    NotPublic(String),
    /// Its name is not known, now.
    #[error("\"{0}\" has no address")]
    Unknown(String),
}

impl Guard {
    /// A guard that lets these networks through, too.
    pub(crate) fn new(allowed: &[IpNetwork]) -> Self {
        Self { allowed: allowed.into(), open: false }
    }

    /// One that lets everything through: for what the operator set up.
    pub(crate) fn open() -> Self {
        Self { allowed: [].into(), open: true }
    }

    /// Whether an org may reach that address.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        self.open || is_public(address) || network::contains(&self.allowed, address)
    }

    /// Whether a host is, by itself, an address in one of the networks that the operator allows.
    pub(crate) fn is_of_operator(&self, host: &str) -> bool {
        literal(host).is_some_and(|address| network::contains(&self.allowed, address))
    }

    /// Checks a host as far as it can be told without asking for its name's addresses.
    pub(crate) fn check_host(&self, host: &str) -> Result<(), Unreachable> {
        match literal(host) {
            Some(address) if !self.permits(address) => Err(Unreachable::NotPublic(host.to_owned())),
            _ => Ok(()),
        }
    }

    /// Reads a URL that an org may have called: http or https, without user and password, and not
    /// literally at an address that it may not reach.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub(crate) fn check_url(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| format!("It is not a URL: {error}."))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("It must begin with https:// or http://.".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("A URL has no user and password here; use a header instead.".to_owned());
        }
        let host = url.host_str().ok_or("It names no host.")?;
        self.check_host(host).map_err(|error| format!("{error}."))?;
        Ok(url)
    }

    /// The addresses of a host, all of which an org may reach. Connect to these, and to none that
    /// a second look-up gives: it may be another.
    pub(crate) async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Unreachable> {
        let addresses: Vec<IpAddr> = match literal(host) {
            Some(address) => vec![address],
            None => tokio::net::lookup_host((host, 0))
                .await
                .map_err(|_| Unreachable::Unknown(host.to_owned()))?
                .map(|found| found.ip())
                .collect(),
        };
        if addresses.is_empty() {
            return Err(Unreachable::Unknown(host.to_owned()));
        }
        if !addresses.iter().all(|address| self.permits(*address)) {
            return Err(Unreachable::NotPublic(host.to_owned()));
        }
        Ok(addresses)
    }
}

/// So that an HTTP client connects to addresses that have been checked.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = Self::resolve(&guard, name.as_str()).await?;
            let sockets: Addrs =
                Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(sockets)
        })
    }
}

/// The address that a host is by itself: `10.0.0.1`, `::1`, `[::1]`, `localhost`.
fn literal(host: &str) -> Option<IpAddr> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host == "localhost" || host.ends_with(".localhost") {
        return Some(Ipv4Addr::LOCALHOST.into());
    }
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether an address is one of the public internet (the IANA special-purpose registries).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // This network, private, loopback
        [0 | 10 | 127, ..]
            // Shared by carriers (CGNAT)
            | [100, 64..=127, ..]
            // Link-local, with the metadata of clouds
            | [169, 254, ..]
            | [172, 16..=31, ..]
            // Protocol assignments, documentation, 6to4 relays, private
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            // Benchmarks, documentation
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            // Multicast, reserved, broadcast
            | [224..=255, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let [[w, x], [y, z]] = [high.to_be_bytes(), low.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match a {
        // NAT64
        0x64 => [b, c, d, e, f] == [0xff9b, 0, 0, 0, 0] && embedded(g, h),
        // 6to4
        0x2002 => embedded(b, c),
        // Protocol assignments (Teredo, benchmarks, ORCHID …), documentation
        0x2001 => b >= 0x200 && b != 0xdb8,
        // Documentation
        0x3fff => b >= 0x1000,
        // The only block that is given out; all others are loopback, local, multicast …
        0x2000..=0x3ffe => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &[&str]) -> Guard {
        let allowed: Vec<IpNetwork> = allowed.iter().map(|text| text.parse().unwrap()).collect();
        Guard::new(&allowed)
    }

    #[test]
    fn public_addresses_are_let_through() {
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(guard(&[]).permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn all_others_are_not() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!guard(&[]).permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_the_operator_allows_is_let_through_and_no_more() {
        let guard = guard(&["10.1.0.0/16", "fd00::/8"]);
        for (address, permitted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("fd00::1", true),
            ("fc00::1", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(guard.permits(address.parse().unwrap()), permitted, "{address}");
        }
    }

    /// Other notations of the same addresses are what such filters usually miss.
    #[test]
    fn urls_of_private_addresses_are_refused_however_they_are_written() {
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://a.localhost/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "https://169.254.169.254/latest/meta-data/",
            "http://127.0.0.1\\@example.com/",
            "http://１２７.0.0.1/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "http://user@example.com/",
            "http://:secret@example.com/",
            "example.com",
            "",
        ] {
            assert!(guard(&[]).check_url(url).is_err(), "{url}");
        }
        for url in ["https://example.com/sms?to=1", "http://8.8.8.8:8080/", "https://[2a00::1]/"] {
            assert!(guard(&[]).check_url(url).is_ok(), "{url}");
        }
        assert!(guard(&["127.0.0.0/8"]).check_url("http://127.0.0.1:9/").is_ok());
    }

    #[tokio::test]
    async fn a_name_is_judged_by_its_addresses() {
        let refused = Err(Unreachable::NotPublic("localhost".to_owned()));
        assert_eq!(guard(&[]).resolve("localhost").await, refused);
        let refused = Err(Unreachable::NotPublic("10.0.0.1".to_owned()));
        assert_eq!(guard(&[]).resolve("10.0.0.1").await, refused);
        let allowed = guard(&["127.0.0.0/8"]).resolve("localhost").await;
        assert_eq!(allowed, Ok(vec!["127.0.0.1".parse().unwrap()]));
    }
}
