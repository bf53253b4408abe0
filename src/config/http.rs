//! Where and as what the server is reached.

use super::values::{network, public_url};
use clap::Args;
use ipnetwork::IpNetwork;
use secrecy::SecretString;
use std::net::SocketAddr;

#[derive(Args, Clone, Debug)]
pub struct HttpSettings {
    /// The address and port to listen on
    #[arg(long, env = "BEEIQ_BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub bind: SocketAddr,
    /// What the URLs given out begin with [default: http://<bind>]
    #[arg(long, env = "BEEIQ_PUBLIC_URL", value_parser = public_url, value_name = "URL")]
    pub public_url: Option<String>,
    /// Where /metrics is served, if not with everything else
    #[arg(long, env = "BEEIQ_METRICS_BIND", value_name = "ADDRESS:PORT")]
    pub metrics_bind: Option<SocketAddr>,
    /// What has to be sent as `Authorization: Bearer …` for /metrics where it has no address of its own
    #[arg(long, env = "BEEIQ_METRICS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub metrics_token: Option<SecretString>,
    /// Networks of reverse proxies whose X-Forwarded-For is believed, comma separated
    #[arg(long, env = "BEEIQ_TRUSTED_PROXIES", value_name = "CIDR,…")]
    #[arg(value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNetwork>,
}

impl HttpSettings {
    /// What URLs begin with, without a slash at the end, for a server bound to that address.
    pub fn public_url(&self, bound: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{bound}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::parse;

    #[test]
    fn the_public_url_is_the_bound_address_unless_set() {
        let bound = "127.0.0.1:4711".parse().unwrap();
        let url = |flags: &[&str]| parse(flags).unwrap().http.public_url(bound);
        assert_eq!(url(&[]), "http://127.0.0.1:4711");
        assert_eq!(url(&["--public-url", "https://crm.example/in/"]), "https://crm.example/in");
    }

    #[test]
    fn networks_are_read_from_a_comma_separated_list() {
        let settings = parse(&["--trusted-proxies", "10.0.0.0/8, 192.0.2.1,2001:db8::/32"]);
        assert_eq!(settings.unwrap().http.trusted_proxies.len(), 3);
    }
}
