//! How the values of several settings are read.

use ipnetwork::IpNetwork;
use reqwest::Url;
use std::time::Duration;

/// An http or https URL, without a slash at its end.
pub fn public_url(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let url: Url = text.parse().ok().filter(|_| plain).ok_or("not a URL")?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        return Err("must be an http or https URL without a query".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A network, or an address alone.
pub fn network(text: &str) -> Result<IpNetwork, String> {
    text.trim().parse().map_err(|_| "must be an address or a network such as 10.0.0.0/8".to_owned())
}

/// From a second to an hour.
pub fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds from 1 to 3600".to_owned()),
    }
}
