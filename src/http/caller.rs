//! Who is calling: the peer, or behind trusted proxies the address that they name.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use beeiq_core::values::network::contains;
use ipnetwork::IpNetwork;
use std::net::{IpAddr, Ipv4Addr};

/// The address that a request comes from, see [`caller`].
pub(crate) fn address_of(request: &HttpRequest, trusted: &[IpNetwork]) -> Option<IpAddr> {
    caller(request.peer_addr()?.ip(), request.headers(), trusted)
}

/// The same, or the proxy's where that does not tell: then the proxy is who tries.
pub(crate) fn address_or_peer(request: &HttpRequest, trusted: &[IpNetwork]) -> IpAddr {
    address_of(request, trusted)
        .or_else(|| request.peer_addr().map(|peer| peer.ip()))
        .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// The caller's address. A peer that is no trusted proxy is the caller, whatever its headers say;
/// behind trusted ones, `X-Forwarded-For` is walked from the right past further trusted ones.
/// `None` where a trusted proxy names no address that can be read: better refused than believed.
fn caller(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNetwork]) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    let is_trusted = |address: IpAddr| contains(trusted, address);
    if !is_trusted(peer) {
        return Some(peer);
    }
    let mut forwarded = Vec::new();
    for value in headers.get_all("x-forwarded-for") {
        forwarded.extend(value.to_str().ok()?.split(','));
    }
    let mut nearest = peer;
    for hop in forwarded.into_iter().rev() {
        nearest = parse_hop(hop)?;
        if !is_trusted(nearest) {
            break;
        }
    }
    Some(nearest)
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let address = hop
        .parse()
        .or_else(|_| hop.parse().map(|socket: std::net::SocketAddr| socket.ip()))
        .or_else(|_| hop.trim_start_matches('[').trim_end_matches(']').parse())
        .ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(
                HeaderName::from_static("x-forwarded-for"),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let trusted: Vec<IpNetwork> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        caller(peer.parse().unwrap(), &headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies: &[&str] = &["10.0.0.0/8", "fd00::/8"];
        for (peer, forwarded, address) in [
            ("203.0.113.7", &[][..], Some("203.0.113.7")),
            ("203.0.113.7", &["198.51.100.1"], Some("203.0.113.7")),
            ("10.0.0.1", &["198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["6.6.6.6, 198.51.100.1"], Some("198.51.100.1")),
            ("10.0.0.1", &["198.51.100.1, 10.0.0.2"], Some("198.51.100.1")),
            ("10.0.0.1", &["198.51.100.1", "10.0.0.2"], Some("198.51.100.1")),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], Some("10.0.0.3")),
            ("10.0.0.1", &[], Some("10.0.0.1")),
            ("10.0.0.1", &["nonsense"], None),
            ("10.0.0.1", &["nonsense, 198.51.100.1"], Some("198.51.100.1")),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], Some("198.51.100.1")),
            ("fd00::1", &["[2001:db8::1]:443"], Some("2001:db8::1")),
            ("10.0.0.1", &["198.51.100.1:5123"], Some("198.51.100.1")),
        ] {
            assert_eq!(seen(peer, forwarded, proxies).as_deref(), address, "{peer} {forwarded:?}");
        }
    }
}
