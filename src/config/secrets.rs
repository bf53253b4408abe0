//! The instance's keys.

use crate::secrets::Keyring;
use anyhow::Context;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

#[derive(Args, Clone, Debug)]
pub struct SecretSettings {
    /// 32 bytes in base64, with which tokens are hashed and secrets sealed; several, comma separated:
    /// the first one seals, all of them open
    #[arg(long, env = "BEEIQ_SECRET_KEY", hide_env_values = true, value_name = "BASE64,…")]
    pub secret_key: Option<SecretString>,
}

impl SecretSettings {
    pub fn keys(&self) -> anyhow::Result<Keyring> {
        let set = self.secret_key.as_ref().filter(|text| !text.expose_secret().is_empty());
        let text = set.context(
            "BEEIQ_SECRET_KEY (--secret-key) is not set: it must be 32 bytes in base64; \
             `openssl rand -base64 32` makes one",
        )?;
        text.expose_secret().parse().context("BEEIQ_SECRET_KEY (--secret-key) is malformed")
    }
}

#[cfg(test)]
mod tests {
    use crate::config::testing::parse;

    #[test]
    fn a_missing_or_malformed_secret_key_is_said_without_showing_it() {
        let missing = parse(&[]).unwrap().secrets.keys().unwrap_err();
        assert!(missing.to_string().contains("BEEIQ_SECRET_KEY (--secret-key) is not set"));
        let settings = parse(&["--secret-key", "hunter2"]).unwrap();
        let malformed = format!("{:#}", settings.secrets.keys().unwrap_err());
        assert!(malformed.contains("32 bytes") && !malformed.contains("hunter2"), "{malformed}");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
