//! An org's own mail server, as it is set up (`api.md` 4, `/settings/email`).

use super::server::Security;
use crate::send::guard::Guard;
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::values::email::Email;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest name of a host (RFC 1035).
const LONGEST_HOST: usize = 253;
/// The longest user name, password and name of the sender, in characters.
const LONGEST_LINE: usize = 255;

/// An account with a mail server, its password in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SmtpAccount {
    pub host: String,
    /// Absent: the usual one of the security.
    pub port: Option<u16>,
    #[serde(default)]
    pub security: Security,
    /// Absent: without signing in.
    pub username: Option<String>,
    /// Set together with the user name.
    pub password: Option<SecretString>,
    pub from_address: String,
    pub from_name: Option<String>,
}

/// An account of which nothing is set: every field that there is.
pub(crate) fn blank() -> Value {
    json!({
        "host": null, "port": null, "security": null, "username": null, "password": null,
        "fromAddress": null, "fromName": null,
    })
}

/// Where the secrets of an account as JSON are.
pub(crate) fn secret_places() -> Vec<String> {
    vec!["/password".to_owned()]
}

/// Where, and as whom, the password of an account as JSON is shown: it is asked for anew where
/// that changes.
pub(crate) fn destination(account: &Value) -> [Option<&Value>; 4] {
    ["host", "port", "security", "username"].map(|field| account.get(field))
}

impl SmtpAccount {
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(self.security.usual_port())
    }

    pub(crate) fn check(&self, guard: &Guard) -> Vec<Fault> {
        let mut faults = Vec::new();
        let Self { host, port, security: _, username, password, from_address, from_name } = self;
        let mut fault = |code, at: &str, message: &str| {
            faults.push(Fault::new(code, at, message));
        };
        if !is_host(host) {
            fault(Code::InvalidValue, "/host", "It must be a host such as smtp.example.com.");
        } else if let Err(error) = guard.check_host(host) {
            fault(Code::InvalidValue, "/host", &format!("{error}."));
        }
        if *port == Some(0) {
            fault(Code::OutOfRange, "/port", "A port is a number from 1 to 65535.");
        }
        if Email::parse(from_address).is_err() {
            fault(Code::InvalidEmail, "/fromAddress", "It must be an e-mail address.");
        }
        match (username, password) {
            (Some(_), None) => {
                fault(Code::Required, "/password", "A user name goes with a password.");
            }
            (None, Some(_)) => {
                fault(Code::Required, "/username", "A password goes with a user name.");
            }
            _ => {}
        }
        let password = password.as_ref().map(ExposeSecret::expose_secret);
        for (text, at) in [
            (username.as_deref(), "/username"),
            (password, "/password"),
            (from_name.as_deref(), "/fromName"),
        ] {
            let Some(text) = text else { continue };
            if text.is_empty() || text.contains(|c: char| c.is_control()) {
                fault(Code::InvalidValue, at, "It must be one line of text; null: none.");
            } else if text.chars().nth(LONGEST_LINE).is_some() {
                fault(Code::TooLong, at, &format!("It has at most {LONGEST_LINE} characters."));
            }
        }
        faults
    }
}

/// A name of letters, digits, hyphens and dots, or an address without brackets.
fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    host.parse::<std::net::IpAddr>().is_ok()
        || (host.len() <= LONGEST_HOST && name.split('.').all(is_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(fields: &Value) -> Vec<(Code, String)> {
        let mut account = json!({"host": "smtp.example.com", "fromAddress": "crm@example.com"});
        account.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let account: SmtpAccount = serde_json::from_value(account).unwrap();
        let faults = account.check(&Guard::new(&[]));
        faults.into_iter().map(|fault| (fault.code, fault.pointer)).collect()
    }

    #[test]
    fn a_host_and_a_sender_make_an_account() {
        assert_eq!(faults(&json!({})), []);
        assert_eq!(faults(&json!({"host": "2a00::1", "port": 465, "security": "tls"})), []);
        assert_eq!(faults(&json!({"username": "u", "password": "p", "fromName": "CRM"})), []);
    }

    #[test]
    fn faults_are_told_with_their_place() {
        for (fields, code, place) in [
            (json!({"host": ""}), Code::InvalidValue, "/host"),
            (json!({"host": "smtp://example.com"}), Code::InvalidValue, "/host"),
            (json!({"host": "example.com:25"}), Code::InvalidValue, "/host"),
            (json!({"host": "a..b"}), Code::InvalidValue, "/host"),
            (json!({"host": "127.0.0.1"}), Code::InvalidValue, "/host"),
            (json!({"host": "localhost"}), Code::InvalidValue, "/host"),
            (json!({"host": "::ffff:10.0.0.1"}), Code::InvalidValue, "/host"),
            (json!({"port": 0}), Code::OutOfRange, "/port"),
            (json!({"fromAddress": "crm"}), Code::InvalidEmail, "/fromAddress"),
            (json!({"fromName": "a\r\nBcc: x@y.z"}), Code::InvalidValue, "/fromName"),
            (json!({"fromName": "x".repeat(256)}), Code::TooLong, "/fromName"),
            (json!({"username": "u"}), Code::Required, "/password"),
            (json!({"password": "p"}), Code::Required, "/username"),
        ] {
            assert_eq!(faults(&fields), [(code, place.to_owned())], "{fields}");
        }
    }

    #[test]
    fn the_port_is_the_usual_one_of_the_security() {
        for (security, port) in [("starttls", 587), ("tls", 465), ("none", 25)] {
            let account = json!({"host": "h", "security": security, "fromAddress": "a@b.co"});
            let account: SmtpAccount = serde_json::from_value(account).unwrap();
            assert_eq!(account.port(), port);
        }
    }
}
