//! The instance's own mail server (`BEEIQ_SMTP_URL`), for orgs that have set none.

use super::{Security, SmtpServer};
use crate::access::secrets::Secret;
use crate::config::SmtpSettings;
use anyhow::Context;
use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// The mail server, where one is set. Its text has a password, so it is in no message.
pub(crate) fn server(settings: &SmtpSettings) -> anyhow::Result<Option<SmtpServer>> {
    let Some(url) = settings.smtp_url.as_ref().filter(|url| !url.expose().is_empty()) else {
        return Ok(None);
    };
    let from = settings.smtp_from.as_deref().filter(|from| !from.trim().is_empty());
    let from = from.context(
        "BEEIQ_SMTP_FROM (--smtp-from) is not set: it names the sender of the mail that goes \
         by BEEIQ_SMTP_URL, as \"BeeIQ <noreply@example.com>\"",
    )?;
    let from: Mailbox = from.trim().parse().context(
        "BEEIQ_SMTP_FROM (--smtp-from) is no sender such as \"BeeIQ <noreply@example.com>\"",
    )?;
    of_url(url.expose(), from).context("BEEIQ_SMTP_URL (--smtp-url) is malformed").map(Some)
}

fn of_url(url: &str, from: Mailbox) -> anyhow::Result<SmtpServer> {
    let url: Url = url.trim().parse().context("it is no URL such as smtp://host:587")?;
    let mut security = match url.scheme() {
        "smtp" => Security::StartTls,
        "smtps" => Security::Tls,
        _ => anyhow::bail!("it must begin with smtp:// or smtps://"),
    };
    for (name, value) in url.query_pairs() {
        security = match (name.as_ref(), value.as_ref()) {
            ("security", "starttls") => Security::StartTls,
            ("security", "tls") => Security::Tls,
            ("security", "none") => Security::None,
            _ => anyhow::bail!("after its ? there may be security=starttls, =tls or =none alone"),
        };
    }
    anyhow::ensure!(matches!(url.path(), "" | "/"), "it has a path, which mail servers have not");
    let host = url.host_str().filter(|host| !host.is_empty()).context("it has no host")?;
    let decoded = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().context("it is not UTF-8")?;
        anyhow::ensure!(!text.contains('\0'), "it contains U+0000");
        anyhow::Ok(text.into_owned())
    };
    let username = Some(decoded(url.username())?).filter(|name| !name.is_empty());
    let password = url.password().map(decoded).transpose()?.map(Secret::new);
    Ok(SmtpServer {
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: url.port().unwrap_or(security.usual_port()),
        security,
        username,
        password,
        from_address: from.email.to_string(),
        from_name: from.name,
        addresses: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::parse;

    fn mail_server(url: &str, from: &str) -> Result<SmtpServer, String> {
        let flags = [format!("--smtp-url={url}"), format!("--smtp-from={from}")];
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        server(&parse(&flags).unwrap().smtp)
            .map(Option::unwrap)
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_mail_server_is_read_from_a_url_with_its_encryption_and_default_port() {
        for (url, host, port, security) in [
            ("smtp://mail.test", "mail.test", 587, Security::StartTls),
            ("smtps://mail.test", "mail.test", 465, Security::Tls),
            ("smtp://mail.test?security=tls", "mail.test", 465, Security::Tls),
            ("smtp://mail.test/?security=none", "mail.test", 25, Security::None),
            ("smtp://[::1]:2525?security=none", "::1", 2525, Security::None),
        ] {
            let server = mail_server(url, "noreply@x.test").unwrap();
            assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
            assert_eq!(server.security, security, "{url}");
        }
        let server = mail_server("smtp://u%40x:p%3Aw%2F@h", "BeeIQ <noreply@x.test>").unwrap();
        assert_eq!(server.username.as_deref(), Some("u@x"));
        assert_eq!(server.password.unwrap().expose(), "p:w/");
        assert_eq!(server.from_name.as_deref(), Some("BeeIQ"));
        assert_eq!(server.from_address, "noreply@x.test");
    }

    #[test]
    fn what_is_no_mail_server_is_said_without_its_password() {
        for (url, from, words) in [
            ("mail.test", "a@x.test", "BEEIQ_SMTP_URL (--smtp-url) is malformed"),
            ("https://u:hunter2@h", "a@x.test", "smtp://"),
            ("smtp://u:hunter2@h?tls=yes", "a@x.test", "security=starttls"),
            ("smtp://u:hunter2@h/inbox", "a@x.test", "path"),
            ("smtp://u:hunter2@h", "nobody", "BEEIQ_SMTP_FROM (--smtp-from)"),
            ("smtp://u:hunter2@h", "", "BEEIQ_SMTP_FROM (--smtp-from) is not set"),
        ] {
            let error = mail_server(url, from).unwrap_err();
            assert!(error.contains(words) && !error.contains("hunter2"), "{url}: {error}");
        }
        assert!(server(&parse(&[]).unwrap().smtp).unwrap().is_none());
    }
}
