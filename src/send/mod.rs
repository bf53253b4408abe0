//! What leaves the instance, and what those said whom it was given to.

mod exchange;
pub(crate) mod guard;
pub(crate) mod pull;
pub(crate) mod sms;
pub(crate) mod smtp;
pub(crate) mod trials;

pub use beeiq_core::records::outgoing::{Email, Outcome, Sms};

use crate::config::{SenderSettings, SmtpSettings};
use crate::secrets::Keyring;
use crate::store::error::StoreError;
use crate::store::mail_quotas;
use crate::store::pool::{Conn, Db};
use crate::store::settings::message_accounts::{self, AccountRow};
use beeiq_core::records::message::Channel;
use beeiq_core::values::masking::{self, Secrets};
use guard::{Guard, Unreachable};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sms::{Owner, Providers, SmsAccount};
use smtp::account::{self, SmtpAccount};
use smtp::{Smtp, SmtpServer, SmtpTimeouts, instance};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// How long the name of an org's mail server may take to be resolved.
const RESOLVING: Duration = Duration::from_secs(10);

/// Where the secrets of an account as JSON are: JSON Pointers.
pub(crate) fn secret_places(channel: Channel, settings: &Value) -> Vec<String> {
    match channel {
        Channel::Email => account::secret_places(),
        Channel::Sms => sms::secret_places(settings),
    }
}

/// What sends messages, each org's through its own account or else the instance's.
pub struct Senders {
    db: Db,
    key: Keyring,
    guard: Guard,
    smtp: Smtp,
    instance_smtp: Option<SmtpServer>,
    /// How many e-mails of an org go through that in a day.
    daily_quota: u32,
    providers: Providers,
    instance_sms: Option<SmsAccount>,
}

/// Where e-mails of an org go.
pub(crate) enum MailAccount {
    Org(SmtpAccount),
    Instance(SmtpServer),
}

/// Why there is no account to send through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// Neither has the org one, nor the instance.
    #[error("there is no account to send through")]
    None,
    /// Its secrets were sealed with another key.
    #[error("the account's secrets cannot be read with this instance's key; set them anew")]
    Unreadable,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Senders {
    pub(crate) fn new(
        settings: &SenderSettings,
        smtp: &SmtpSettings,
        db: Db,
        key: Keyring,
    ) -> anyhow::Result<Self> {
        let guard = Guard::new(&settings.outbound_allow);
        let providers = Providers::new(settings, guard.clone())?;
        let set = settings.sms_account.as_ref().map(ExposeSecret::expose_secret);
        let instance_sms = set.filter(|text| !text.trim().is_empty()).map(instance_account);
        Ok(Self {
            db,
            key,
            guard,
            smtp: Smtp::new(SmtpTimeouts::of_command(smtp.smtp_timeout)),
            instance_smtp: instance::server(smtp)?,
            daily_quota: smtp.smtp_daily_quota,
            providers,
            instance_sms: instance_sms.transpose()?,
        })
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    pub async fn email(&self, org: Uuid, email: &Email) -> Outcome {
        match self.mail_account(org).await {
            Ok(account @ MailAccount::Org(_)) => self.email_through(account, email).await,
            Ok(account @ MailAccount::Instance(_)) => {
                Box::pin(self.within_quota(org, self.email_through(account, email))).await
            }
            Err(AccountError::None) => Outcome::AccountRefused {
                words: "There is no mail server: set the org's under /settings/email, or the \
                        instance's with BEEIQ_SMTP_URL and BEEIQ_SMTP_FROM."
                    .to_owned(),
            },
            Err(error) => no_account(&error),
        }
    }

    /// Sends by the instance's mail server where the org has not sent what it may in a day. What does
    /// not go out does not count.
    async fn within_quota(&self, org: Uuid, sending: impl Future<Output = Outcome>) -> Outcome {
        let most = self.daily_quota;
        match self.db.in_org(org, move |conn| mail_quotas::take(conn, org, most)).await {
            Ok(true) => {}
            Ok(false) => {
                let words = format!(
                    "It waits for tomorrow: the org has sent the {most} e-mails of a day that go \
                     through the instance's mail server. With a mail server of its own under \
                     /settings/email it has no such quota."
                );
                return Outcome::QuotaUsedUp { words };
            }
            Err(error) => return no_account(&error.into()),
        }
        let outcome = sending.await;
        if !matches!(outcome, Outcome::Sent { .. })
            && let Err(error) =
                self.db.in_org(org, move |conn| mail_quotas::give_back(conn, org)).await
        {
            tracing::warn!(%org, %error, "an e-mail that was not sent counts as one of its org's day");
        }
        outcome
    }

    pub(crate) async fn email_through(&self, account: MailAccount, email: &Email) -> Outcome {
        match account {
            MailAccount::Instance(server) => {
                self.smtp.send(&server, email).await.reworded(|words| {
                    tracing::debug!(words, "the instance's mail server");
                    without_addresses(words, &server.host)
                })
            }
            MailAccount::Org(account) => match self.server_of(account).await {
                Ok(server) => self.smtp.send(&server, email).await,
                Err(outcome) => outcome,
            },
        }
    }

    /// The account that e-mails of the org go through.
    pub(crate) async fn mail_account(&self, org: Uuid) -> Result<MailAccount, AccountError> {
        match self.own(org, Channel::Email).await? {
            Some(account) => Ok(MailAccount::Org(account)),
            None => self.instance_smtp.clone().map(MailAccount::Instance).ok_or(AccountError::None),
        }
    }

    /// The server of an org's account, to be connected to at addresses that were looked at.
    async fn server_of(&self, account: SmtpAccount) -> Result<SmtpServer, Outcome> {
        let addresses = match timeout(RESOLVING, self.guard.resolve(&account.host)).await {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(refused @ Unreachable::NotPublic(_))) => {
                return Err(Outcome::AccountRefused { words: format!("{refused}.") });
            }
            Ok(Err(unknown @ Unreachable::Unknown(_))) => {
                return Err(Outcome::transient(format!("{unknown}.")));
            }
            Err(_) => {
                let words = format!("\"{}\" takes too long to be found.", account.host);
                return Err(Outcome::transient(words));
            }
        };
        let port = account.port();
        let SmtpAccount { host, port: _, security, username, password, from_address, from_name } =
            account;
        let addresses = Some(addresses);
        Ok(SmtpServer {
            host,
            port,
            security,
            username,
            password,
            from_address,
            from_name,
            addresses,
        })
    }

    pub async fn sms(&self, org: Uuid, sms: &Sms) -> Outcome {
        match self.sms_account(org).await {
            Ok((account, owner)) => self.providers.send(&account, owner, sms).await,
            Err(AccountError::None) => Outcome::AccountRefused {
                words: "There is no SMS account: set the org's under /settings/sms, or the \
                        instance's with BEEIQ_SMS_ACCOUNT."
                    .to_owned(),
            },
            Err(error) => no_account(&error),
        }
    }

    pub(crate) async fn sms_through(
        &self,
        account: &SmsAccount,
        owner: Owner,
        sms: &Sms,
    ) -> Outcome {
        self.providers.send(account, owner, sms).await
    }

    /// The account that SMS of the org go through.
    pub(crate) async fn sms_account(&self, org: Uuid) -> Result<(SmsAccount, Owner), AccountError> {
        match self.own(org, Channel::Sms).await? {
            Some(account) => Ok((account, Owner::Org)),
            None => match &self.instance_sms {
                Some(account) => Ok((account.clone(), Owner::Instance)),
                None => Err(AccountError::None),
            },
        }
    }

    async fn own<T: DeserializeOwned>(
        &self,
        org: Uuid,
        channel: Channel,
    ) -> Result<Option<T>, AccountError> {
        let find = move |conn: &mut Conn| message_accounts::find(conn, org, channel);
        let Some(row) = self.db.in_org(org, find).await? else { return Ok(None) };
        let secrets = opened(&self.key, org, channel, &row).ok_or(AccountError::Unreadable)?;
        let places = secret_places(channel, &row.settings);
        let (account, _) = masking::joined(row.settings, &places, &secrets);
        let account =
            serde_json::from_value(account).map_err(|error| StoreError::unreadable(&error))?;
        Ok(Some(account))
    }
}

/// The secrets of an account; none where they were sealed with another key.
pub(crate) fn opened(
    key: &Keyring,
    org: Uuid,
    channel: Channel,
    row: &AccountRow,
) -> Option<Secrets> {
    let place = message_accounts::secrets_place(org, channel);
    let json = key.open(&place, &row.secrets_sealed).inspect_err(|error| {
        tracing::error!(%org, channel = channel.as_str(), "the secrets of an account: {error}");
    });
    serde_json::from_slice(&json.ok()?).ok()
}

/// What an org may read of the instance's mail server: not where the operator has it.
fn without_addresses(words: &str, host: &str) -> String {
    let is_address = |word: &str| {
        let word = word.trim_matches(|c: char| ".,;:()".contains(c));
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok()
    };
    let words = words.replace(host, "the mail server");
    let shown =
        words.split(' ').map(|word| if is_address(word) { "the mail server" } else { word });
    shown.collect::<Vec<_>>().join(" ")
}

fn no_account(error: &AccountError) -> Outcome {
    match error {
        AccountError::Store(error) => {
            tracing::error!(cause = %error, "an account cannot be looked up");
            Outcome::transient("The account could not be looked up.")
        }
        AccountError::None | AccountError::Unreadable => {
            Outcome::AccountRefused { words: error.to_string() }
        }
    }
}

/// The account of `BEEIQ_SMS_ACCOUNT`. What is wrong with it is told without its text, which has
/// secrets in it.
fn instance_account(text: &str) -> anyhow::Result<SmsAccount> {
    const NAME: &str = "BEEIQ_SMS_ACCOUNT (--sms-account) is malformed";
    let account: SmsAccount = serde_json::from_str(text).map_err(|error| {
        let words = error.to_string();
        let cause = if words.starts_with("missing field") {
            words
        } else {
            format!("line {}, column {} does not fit", error.line(), error.column())
        };
        anyhow::anyhow!("{NAME}: it must be JSON with the fields of /settings/sms; {cause}")
    })?;
    if let Some(fault) = account.check(&Guard::open()).first() {
        anyhow::bail!("{NAME}: {}: {}", fault.pointer, fault.message);
    }
    Ok(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_org_is_not_told_where_the_operators_mail_server_is() {
        for (words, shown) in [
            (
                "cannot connect to 10.1.2.3:587: refused",
                "cannot connect to the mail server refused",
            ),
            (
                "cannot connect to [fd00::1]:25: refused",
                "cannot connect to the mail server refused",
            ),
            ("mx.internal has no address: unknown", "the mail server has no address: unknown"),
            ("550 no such user (10.1.2.3)", "550 no such user the mail server"),
            ("250 2.0.0 Ok: queued as 4711", "250 2.0.0 Ok: queued as 4711"),
        ] {
            assert_eq!(without_addresses(words, "mx.internal"), shown);
        }
    }

    #[test]
    fn what_is_wrong_with_the_instances_account_is_told_without_its_secrets() {
        for (text, words) in [
            (r#"{"provider": "twilio", "authToken": "hunter2"}"#, "missing field"),
            (r#"{"provider": "speedsms", "accessToken": ["hunter2"]}"#, "does not fit"),
            (r#"{"provider": "hunter2"}"#, "does not fit"),
            (r#"{"provider": "speedsms", "accessToken": "hunter2\n"}"#, "/accessToken"),
            ("hunter2", "line 1"),
        ] {
            let error = instance_account(text).unwrap_err().to_string();
            assert!(error.contains("BEEIQ_SMS_ACCOUNT") && error.contains(words), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(instance_account(r#"{"provider": "speedsms", "accessToken": "t"}"#).is_ok());
    }
}
