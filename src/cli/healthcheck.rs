//! `beeiq healthcheck`.

use crate::tls;
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

#[derive(Args)]
pub(crate) struct HealthcheckSettings {
    /// The address and port that the server listens on
    #[arg(long, env = "BEEIQ_BIND", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    bind: SocketAddr,
}

pub(crate) fn run(settings: &HealthcheckSettings) -> anyhow::Result<()> {
    let mut address = settings.bind;
    // A server on all addresses is on the loopback one, too.
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    tls::use_ring();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(3)).build()?;
    let url = format!("http://{address}/healthz");
    let asked = async { client.get(url).send().await?.error_for_status() };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(asked)?;
    Ok(())
}
