//! Admitting a request before its body is read: its listener, its caller, its rate.

use super::admission::{Credentials, admit};
use super::pipeline::Pipeline;
use super::quotas::OverRate;
use super::rate::{Quota, Rate, whole_seconds};
use crate::access::secrets::{Token, TokenKind};
use crate::clock;
use crate::problem::Problem;
use beeiq_core::diagnostics::Code;
use beeiq_core::directory::{Directory, Listener, RateLimit};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A request that may send its body.
pub(crate) struct Admitted {
    pub(super) directory: Arc<Directory>,
    pub(super) listener: Uuid,
    pub(super) caller: IpAddr,
    pub(super) credentials: Credentials,
    /// How many actions the listener takes, where that is limited.
    pub(super) rate: Option<Rate>,
}

impl Pipeline {
    /// Finds the listener and asks whether it takes anything from this caller. A refusal is given
    /// only by the directory as it is now; a request that is let in by an older one is judged again
    /// where it is applied.
    pub(crate) async fn admit(
        &self,
        token: &str,
        caller: Option<IpAddr>,
    ) -> Result<Admitted, Problem> {
        let unknown = || Problem::not_found("listener");
        let parsed = Token::parse(TokenKind::Listener, token);
        // A malformed token takes the same way as an unknown one.
        let org = self.0.directories.org_of(parsed.as_ref().map_or("", Token::org)).await?;
        let (Some(token), Some(org)) = (parsed, org) else { return Err(unknown()) };
        let tokens = token.hashes(&self.0.key);
        let credentials = Credentials { tokens, caller, at: clock::now() };
        let mut directory = self.0.directories.get(org).await?;
        if admit(&directory, &credentials).is_err() {
            directory = self.0.directories.current(org).await?;
        }
        let (listener, caller) = admit(&directory, &credentials)?;
        let (rate, listener) = (self.rate_of(listener), listener.id);
        Ok(Admitted { directory, listener, caller, credentials, rate })
    }

    /// The org and the listener, by the settings as they are now in every process: for who reads, by
    /// the URL, what was delivered before.
    pub(crate) async fn admit_reader(
        &self,
        token: &str,
        caller: Option<IpAddr>,
    ) -> Result<(Uuid, Uuid), Problem> {
        let admitted = self.admit(token, caller).await?;
        let org = admitted.directory.org.id;
        let current = self.0.directories.current(org).await?;
        Ok((org, admit(&current, &admitted.credentials)?.0.id))
    }

    fn rate_of(&self, listener: &Listener) -> Option<Rate> {
        let RateLimit { per_second, burst } = listener.rate_limit?;
        Some(Rate::new(per_second, burst, self.0.processes))
    }

    /// Asks whether the listener's rate lets another request in. Where it does not, the settings
    /// are looked at again now and then: an admin may have raised the rate, or taken it away.
    pub(super) async fn within_rate(&self, admitted: &mut Admitted) -> Result<(), Problem> {
        let Some(rate) = admitted.rate else { return Ok(()) };
        let listener = admitted.listener;
        let take = |rate| self.0.quotas.take(listener, rate, clock::instant());
        let Err(OverRate { mut wait, look_again }) = take(rate) else { return Ok(()) };
        if look_again {
            let current = self.0.directories.current(admitted.directory.org.id).await?;
            let new = self.rate_of(admit(&current, &admitted.credentials)?.0);
            let taken = new.filter(|new| *new != rate).map(take);
            (admitted.directory, admitted.rate) = (current, new);
            match taken {
                None if new == Some(rate) => {}
                None | Some(Ok(())) => return Ok(()),
                Some(Err(over)) => wait = over.wait,
            }
        }
        Err(over_rate(wait))
    }

    /// Charges the actions that a body brings; the first was paid before it was read.
    pub(super) fn charge(&self, admitted: &Admitted, actions: u32) {
        if let Some(rate) = admitted.rate {
            let more = actions.saturating_sub(1);
            self.0.quotas.charge(admitted.listener, rate, clock::instant(), more);
        }
    }

    /// What is left of the listener's rate, where that is limited.
    pub(super) fn quota(&self, admitted: &Admitted) -> Option<(Rate, Quota)> {
        let rate = admitted.rate?;
        Some((rate, self.0.quotas.quota(admitted.listener, rate, clock::instant())))
    }
}

fn over_rate(wait: Duration) -> Problem {
    let detail = "The listener has taken as many actions as its rate allows for now; send again \
                  after the seconds that `Retry-After` names.";
    Problem::new(Code::RateLimited, detail).retry_after(whole_seconds(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_over_the_rate_is_told_to_wait_for_whole_seconds() {
        assert_eq!(over_rate(Duration::from_millis(1)).retry_after, Some(1));
        assert_eq!(over_rate(Duration::from_millis(1001)).retry_after, Some(2));
    }
}
