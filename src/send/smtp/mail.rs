//! A queued e-mail as the bytes that a mail server is given.

use super::server::SmtpServer;
use beeiq_core::records::outgoing::{Email, Outcome};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use lettre::{Address, Message};
use std::time::SystemTime;

/// A mail, and whom the envelope names.
pub(super) struct Written {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
}

/// Writes a mail. What is in it cannot become a header: lines are one line each, and bodies are
/// encoded.
pub(super) fn write(server: &SmtpServer, email: &Email) -> Result<Written, Outcome> {
    let from = address(&server.from_address).ok_or_else(|| Outcome::AccountRefused {
        words: format!("\"{}\" is no address to send from", one_line(&server.from_address)),
    })?;
    let to = address(&email.to).ok_or_else(|| Outcome::Permanent {
        words: format!("\"{}\" is no e-mail address", one_line(&email.to)),
    })?;
    if !to.to_string().is_ascii() {
        let words = format!("\"{to}\" has letters that mail servers do not take before the @");
        return Err(Outcome::Permanent { words });
    }
    let name = server.from_name.as_deref().map(one_line).filter(|name| !name.is_empty());
    let builder = Message::builder()
        .from(Mailbox::new(name, from.clone()))
        .to(Mailbox::new(None, to.clone()))
        .subject(one_line(&email.subject))
        .message_id(Some(one_line(&email.message_id)))
        .date(SystemTime::from(email.date));
    let message = with_body(builder, email)
        .map_err(|error| Outcome::transient(format!("the mail cannot be written: {error}")))?;
    Ok(Written { from, to, bytes: message.formatted() })
}

fn with_body(builder: MessageBuilder, email: &Email) -> Result<Message, lettre::error::Error> {
    match (&email.text, &email.html) {
        (Some(text), Some(html)) => {
            builder.multipart(MultiPart::alternative_plain_html(text.clone(), html.clone()))
        }
        (None, Some(html)) => builder.singlepart(SinglePart::html(html.clone())),
        (text, None) => builder
            .header(ContentType::TEXT_PLAIN)
            .singlepart(SinglePart::plain(text.clone().unwrap_or_default())),
    }
}

/// The address with its domain in IDNA ASCII: that is what every mail server takes.
fn address(text: &str) -> Option<Address> {
    let (local, domain) = text.trim().rsplit_once('@')?;
    Address::new(local, idna::domain_to_ascii_strict(domain).ok()?).ok()
}

/// The text without what would end a header's line; lettre panics on some of it.
pub(super) fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::smtp::server::Security;
    use chrono::{TimeZone, Utc};

    fn server(from_name: Option<&str>) -> SmtpServer {
        SmtpServer {
            host: "mail.test".to_owned(),
            port: 25,
            security: Security::None,
            username: None,
            password: None,
            from_address: "noreply@acme.test".to_owned(),
            from_name: from_name.map(str::to_owned),
            addresses: None,
        }
    }

    fn email(to: &str, subject: &str) -> Email {
        Email {
            to: to.to_owned(),
            subject: subject.to_owned(),
            html: Some("<p>Xin chào</p>".to_owned()),
            text: None,
            message_id: "<1@beeiq.test>".to_owned(),
            date: Utc.with_ymd_and_hms(2026, 11, 21, 8, 30, 0).unwrap(),
        }
    }

    fn headers(bytes: &[u8]) -> Vec<String> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        head.replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_mail_has_the_message_id_and_date_that_it_was_queued_with() {
        let written = write(&server(Some("Acme")), &email("ann@x.com", "Hi")).ok().unwrap();
        let headers = headers(&written.bytes);
        for line in [
            "From: Acme <noreply@acme.test>",
            "To: ann@x.com",
            "Subject: Hi",
            "Message-ID: <1@beeiq.test>",
            "Date: Sat, 21 Nov 2026 08:30:00 +0000",
        ] {
            assert!(headers.iter().any(|header| header == line), "{line}: {headers:#?}");
        }
        assert!(written.bytes.is_ascii(), "the body is encoded");
    }

    /// Whoever chooses a name could else send mail to anybody in our name.
    #[test]
    fn no_text_becomes_a_header_of_its_own() {
        let nasty = "Ann <script> \"& Co\"\r\nBcc: x@y.z\0";
        let mut mail = email("ann@x.com", nasty);
        mail.message_id = format!("<1@beeiq.test>{nasty}");
        let written = write(&server(Some(nasty)), &mail).ok().unwrap();
        let names: Vec<String> = headers(&written.bytes)
            .iter()
            .map(|line| line.split(':').next().unwrap_or_default().to_ascii_lowercase())
            .collect();
        assert!(!names.contains(&"bcc".to_owned()), "{names:?}");
        assert_eq!(names.iter().filter(|name| *name == "subject").count(), 1);
    }

    #[test]
    fn an_internationalised_domain_is_written_in_ascii() {
        let written = write(&server(None), &email("huy@Exämple.com", "Hi")).ok().unwrap();
        assert_eq!(written.to.to_string(), "huy@xn--exmple-cua.com");
    }

    #[test]
    fn what_is_no_address_fails_for_good_and_an_accounts_own_is_the_accounts_fault() {
        for to in ["", "ann", "ann@", "a b@x.com", "huyễn@x.com", "ann@x.com\r\nRCPT TO:<b@x.com>"]
        {
            let outcome = write(&server(None), &email(to, "Hi")).err();
            assert!(matches!(outcome, Some(Outcome::Permanent { .. })), "{to}: {outcome:?}");
        }
        let from_nowhere = SmtpServer { from_address: "nobody".to_owned(), ..server(None) };
        let outcome = write(&from_nowhere, &email("ann@x.com", "Hi")).err();
        assert!(matches!(outcome, Some(Outcome::AccountRefused { .. })), "{outcome:?}");
    }
}
