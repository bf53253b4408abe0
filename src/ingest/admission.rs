//! Whether a listener takes anything from a caller (`listener.md` 1, 2).

use crate::problem::Problem;
use crate::secrets::TokenHash;
use beeiq_core::diagnostics::Code;
use beeiq_core::directory::{Directory, Listener};
use beeiq_core::records::connection::Connection;
use beeiq_core::values::network::contains;
use chrono::{DateTime, Utc};
use std::net::IpAddr;

/// What a request shows before its body is read. It is judged by the directory that the request is
/// applied under, and again where that turns out to be out of date.
#[derive(Clone)]
pub(super) struct Credentials {
    /// The URL's token as it may be kept.
    pub(super) tokens: Vec<TokenHash>,
    /// `None` where a trusted proxy does not tell.
    pub(super) caller: Option<IpAddr>,
    pub(super) at: DateTime<Utc>,
}

/// The listener that takes the request, and from where it comes: else 404 where the token leads
/// nowhere, 403 where the address is not allowed, 410 where the listener is disabled, in this order.
pub(super) fn admit<'d>(
    directory: &'d Directory,
    credentials: &Credentials,
) -> Result<(&'d Listener, IpAddr), Problem> {
    let Credentials { tokens, caller, at } = credentials;
    let listener = tokens
        .iter()
        .find_map(|token| directory.listener_of_token(&token.hash, *at))
        .ok_or_else(|| Problem::not_found("listener"))?;
    let allowed = |address: &IpAddr| {
        listener.allowed_ips.is_empty() || contains(&listener.allowed_ips, *address)
    };
    let Some(caller) = caller.filter(allowed) else {
        let which =
            caller.map_or_else(|| "it comes from".to_owned(), |address| address.to_string());
        let detail = format!(
            "The address {which} is not on the listener's list of allowed addresses; an admin can add it."
        );
        return Err(Problem::new(Code::AddressNotAllowed, detail));
    };
    if !listener.enabled {
        let detail = "The listener is disabled; an admin can enable it.";
        return Err(Problem::new(Code::ListenerDisabled, detail));
    }
    Ok((listener, caller))
}

/// The connection that takes what is pushed: else 404 where the token leads nowhere, 410 where the
/// connection is disabled.
pub(super) fn admit_push<'d>(
    directory: &'d Directory,
    tokens: &[TokenHash],
    at: DateTime<Utc>,
) -> Result<&'d Connection, Problem> {
    let connection = tokens
        .iter()
        .find_map(|token| directory.connection_of_token(&token.hash, at))
        .ok_or_else(|| Problem::not_found("connection"))?;
    if !connection.enabled {
        let detail = "The connection is disabled; an admin can enable it.";
        return Err(Problem::new(Code::ConnectionDisabled, detail));
    }
    Ok(connection)
}
