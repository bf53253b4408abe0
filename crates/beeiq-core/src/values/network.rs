//! Networks of addresses, as callers are compared with them.

use ipnetwork::{IpNetwork, Ipv4Network};
use std::net::IpAddr;

/// Reads an address or a network: without host bits, and IPv4 that is mapped into IPv6 as IPv4, as
/// callers are compared.
pub fn parse(text: &str) -> Option<IpNetwork> {
    canonical(text.trim().parse().ok()?)
}

fn canonical(network: IpNetwork) -> Option<IpNetwork> {
    if let IpNetwork::V6(v6) = network
        && let Some(v4) = v6.ip().to_ipv4_mapped()
        && let Some(prefix) = v6.prefix().checked_sub(96)
    {
        return canonical(IpNetwork::V4(Ipv4Network::new(v4, prefix).ok()?));
    }
    IpNetwork::new(network.network(), network.prefix()).ok()
}

/// Whether an address is in one of the networks.
pub fn contains(networks: &[IpNetwork], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| canonical(*network).is_some_and(|known| known.contains(address)))
}

/// A network as it is shown: a single address without its length.
pub fn written(network: IpNetwork) -> String {
    let whole = match network.ip() {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    if network.prefix() == whole { network.ip().to_string() } else { network.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_without_host_bits_and_in_their_own_family() {
        for (typed, shown) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7/32 ", "203.0.113.7"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8::1", "2001:db8::1"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7/120", "203.0.113.0/24"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(parse(typed).map(written).as_deref(), Some(shown), "{typed}");
        }
    }

    #[test]
    fn what_is_no_network_is_none() {
        for typed in ["", "x", "10.0.0.1/33", "::1/129", "10.0.0", "10.0.0.1:80", "fe80::1%eth0"] {
            assert_eq!(parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_mapped_network_is_the_ipv4_network_that_it_maps() {
        let networks: Vec<IpNetwork> = vec!["::ffff:10.0.0.0/104".parse().unwrap()];
        assert!(contains(&networks, "10.9.9.9".parse().unwrap()));
        assert!(contains(&networks, "::ffff:10.9.9.9".parse().unwrap()));
        assert!(!contains(&networks, "11.0.0.1".parse().unwrap()));
    }
}
