//! Any provider with an HTTP API: the org writes the request as templates.

use super::account::{Checked, Fields, Owner, Providers};
use super::exchange::ask;
use crate::send::guard::Guard;
use beeiq_core::diagnostics::{Code, Fault, Pointer};
use beeiq_core::records::outgoing::{Outcome, Sms};
use beeiq_core::values::template::{Escape, RequestTemplate, RequestValues};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::str::FromStr;

/// The longest template, in bytes.
const LONGEST: usize = 16 * 1024;
/// A word of a header that is shorter, such as `Bearer`, is no token.
const SHORTEST_TOKEN: usize = 8;
/// The most headers.
const MOST_HEADERS: usize = 20;
/// What says how long the request is and where it goes is not the org's to say.
const OWN_HEADERS: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "proxy-authorization",
    "expect",
];
/// Headers whose values are no secrets.
pub(super) const OPEN_HEADERS: [&str; 2] = ["content-type", "accept"];

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpAccount {
    url: String,
    #[serde(default)]
    method: Method,
    #[serde(default)]
    headers: BTreeMap<String, SecretString>,
    body: Option<String>,
    message_id_pointer: Option<String>,
    from: Option<String>,
    secret: Option<SecretString>,
}

/// How it is asked.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Get,
    #[default]
    Post,
    Put,
}

/// A request, ready to be sent.
#[derive(Debug)]
struct Prepared {
    url: Url,
    headers: HeaderMap,
    body: Option<String>,
}

impl HttpAccount {
    pub(super) const FIELDS: Fields = Fields {
        blank: || {
            json!({
                "url": null, "method": "POST", "headers": {}, "body": null, "messageIdPointer": null,
                "from": null, "secret": null,
            })
        },
        secrets: &["/secret"],
        destination: &["url"],
    };

    /// Its secrets; of a header also its words, since a provider may repeat a token without the
    /// `Bearer` before it.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let values = self
            .headers
            .iter()
            .filter(|(name, value)| !is_open(name) && !value.expose_secret().contains("{{"))
            .map(|(_, value)| value.expose_secret());
        let words = values
            .clone()
            .flat_map(str::split_whitespace)
            .filter(|word| word.len() >= SHORTEST_TOKEN);
        let secret = self.secret.iter().map(ExposeSecret::expose_secret);
        values.chain(words).chain(secret).collect()
    }

    pub(super) fn check(&self, guard: &Guard, faults: &mut Checked) {
        let Self { url, method, headers, body, message_id_pointer, from, secret } = self;
        check_url(url, guard, faults);
        if headers.len() > MOST_HEADERS {
            let message = format!("There are at most {MOST_HEADERS} headers.");
            faults.push(Fault::new(Code::TooLong, "/headers", message));
        }
        for (name, value) in headers {
            check_header(name, value.expose_secret(), faults);
        }
        if let Some(body) = body {
            if *method == Method::Get {
                let message = "A GET request has no body; leave it out, or choose POST.";
                faults.push(Fault::new(Code::InvalidValue, "/body", message));
            }
            self.check_body(body, faults);
        }
        if let Some(pointer) = message_id_pointer
            && !(pointer.starts_with('/') && pointer.len() <= 255)
        {
            let message = "It must be a JSON Pointer into the answer, such as /data/id.";
            faults.push(Fault::new(Code::InvalidValue, "/messageIdPointer", message));
        }
        faults.line(from.as_deref(), "/from", 64);
        faults.line(secret.as_ref().map(ExposeSecret::expose_secret), "/secret", 4096);
    }

    fn check_body(&self, body: &str, faults: &mut Checked) {
        let Some(template) = parsed(body, "/body", faults) else { return };
        // What it makes is looked at with values that show where quotes are missing.
        let sample = RequestValues { to: "+84", content: "a\"b", from: "a", id: "a", secret: "a" };
        let escape = self.body_escape();
        if escape == Escape::Json
            && let Err(error) = serde_json::from_str::<Value>(&template.render(&sample, escape))
        {
            let message = format!(
                "With values in it, the body is not JSON: {error}. Placeholders stand within \
                 quotes; for another format set the header Content-Type."
            );
            faults.push(Fault::new(Code::InvalidTemplate, "/body", message));
        }
    }

    /// How values go into the body: by the Content-Type, JSON where there is none.
    fn body_escape(&self) -> Escape {
        let content_type =
            self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        content_type.map_or(Escape::Json, |(_, value)| Escape::of_media_type(value.expose_secret()))
    }

    pub(super) async fn send(&self, ways: &Providers, owner: Owner, sms: &Sms) -> Outcome {
        let (client, guard) = match owner {
            Owner::Org => (&ways.guarded, &ways.guard),
            Owner::Instance => (&ways.trusted, &Guard::open()),
        };
        let prepared = match self.prepare(guard, sms) {
            Ok(prepared) => prepared,
            Err(words) => return Outcome::AccountRefused { words },
        };
        let Prepared { url, headers, body } = prepared;
        let method = match self.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let mut request = client.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = match ask(request).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        let words = answer.words();
        if let Some(refusal) = answer.refusal(words.clone()) {
            return refusal;
        }
        let Some(pointer) = &self.message_id_pointer else {
            return Outcome::Sent { words, provider_id: None };
        };
        // Many providers answer 200 whatever happened; a message that was taken has an id.
        match answer.text(pointer) {
            Some(id) => Outcome::Sent { words, provider_id: Some(id) },
            None => Outcome::Permanent { words: format!("No message id at {pointer}. {words}") },
        }
    }

    fn prepare(&self, guard: &Guard, sms: &Sms) -> Result<Prepared, String> {
        let id = sms.id.to_string();
        let values = RequestValues {
            to: &sms.to,
            content: &sms.content,
            from: self.from.as_deref().unwrap_or_default(),
            id: &id,
            secret: self.secret.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default(),
        };
        let render = |template: &str, escape| {
            RequestTemplate::parse(template)
                .map(|template| template.render(&values, escape))
                .map_err(|error| error.to_string())
        };
        let url = guard.check_url(&render(&self.url, Escape::Percent)?)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let value = render(value.expose_secret(), Escape::Header)?;
            let (Ok(name), Ok(value)) =
                (HeaderName::from_str(name), HeaderValue::from_bytes(value.as_bytes()))
            else {
                return Err(format!("The header \"{name}\" cannot be sent."));
            };
            headers.insert(name, value);
        }
        let body = match &self.body {
            Some(body) => Some(render(body, self.body_escape())?),
            None => None,
        };
        if body.is_some() && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(Prepared { url, headers, body })
    }
}

/// Whether a header's value is no secret.
pub(super) fn is_open(header: &str) -> bool {
    OPEN_HEADERS.iter().any(|open| header.eq_ignore_ascii_case(open))
}

fn check_url(source: &str, guard: &Guard, faults: &mut Checked) {
    let Some(template) = parsed(source, "/url", faults) else { return };
    let sample = RequestValues { to: "a", content: "a", from: "a", id: "a", secret: "a" };
    // A host that is made of values could be any.
    let open_host = template.before_placeholders().is_some_and(|before| {
        let host = before.split_once("://").map_or(before, |(_, rest)| rest);
        !host.contains(['/', '?', '#'])
    });
    if open_host {
        let message = "Placeholders stand in the path or the query, not before them.";
        faults.push(Fault::new(Code::InvalidValue, "/url", message));
    } else if let Err(message) = guard.check_url(&template.render(&sample, Escape::Percent)) {
        faults.push(Fault::new(Code::InvalidValue, "/url", message));
    }
}

fn check_header(name: &str, value: &str, faults: &mut Checked) {
    let at = Pointer::root().member("headers").member(name);
    if HeaderName::from_str(name).is_err() {
        faults.push(Fault::new(Code::InvalidValue, &at, "This is no name of a header."));
    } else if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        let message = "This header is set by the program itself; leave it out.";
        faults.push(Fault::new(Code::InvalidValue, &at, message));
    } else if value.contains(|c: char| c.is_control()) {
        faults.push(Fault::new(Code::InvalidValue, &at, "A header is one line."));
    } else {
        parsed(value, at.as_str(), faults);
    }
}

fn parsed(source: &str, at: &str, faults: &mut Checked) -> Option<RequestTemplate> {
    if source.len() > LONGEST {
        let message = format!("A template has at most {LONGEST} bytes here.");
        faults.push(Fault::new(Code::TooLong, at, message));
        return None;
    }
    RequestTemplate::parse(source)
        .map_err(|error| {
            let message =
                format!("Line {}, column {}: {}.", error.line, error.column, error.message);
            faults.push(Fault::new(Code::InvalidTemplate, at, message));
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn account(json: Value) -> HttpAccount {
        serde_json::from_value(json).unwrap()
    }

    fn faults(json: Value) -> Vec<(Code, String)> {
        let mut faults = Checked::default();
        account(json).check(&Guard::new(&[]), &mut faults);
        faults.into_iter().map(|fault| (fault.code, fault.pointer)).collect()
    }

    #[test]
    fn an_account_is_checked_field_by_field() {
        const URL: &str = "https://sms.example/send";
        for (json, code, place) in [
            (json!({"url": "https://10.0.0.1/"}), Code::InvalidValue, "/url"),
            (json!({"url": "https://{{ to }}.example/"}), Code::InvalidValue, "/url"),
            (json!({"url": "https://sms.example:{{ id }}/"}), Code::InvalidValue, "/url"),
            (json!({"url": "https://sms.example/{{ tu }}"}), Code::InvalidTemplate, "/url"),
            (json!({"url": URL, "headers": {"a b": "x"}}), Code::InvalidValue, "/headers/a b"),
            (json!({"url": URL, "headers": {"Host": "x"}}), Code::InvalidValue, "/headers/Host"),
            (json!({"url": URL, "headers": {"X": "a\r\nB: c"}}), Code::InvalidValue, "/headers/X"),
            (json!({"url": URL, "headers": {"X/Y": "{{"}}), Code::InvalidValue, "/headers/X~1Y"),
            (json!({"url": URL, "headers": {"X": "{{"}}), Code::InvalidTemplate, "/headers/X"),
            (json!({"url": URL, "body": "{\"to\": {{ to }}}"}), Code::InvalidTemplate, "/body"),
            (json!({"url": URL, "body": "to={{ to }}"}), Code::InvalidTemplate, "/body"),
            (json!({"url": URL, "method": "GET", "body": "{}"}), Code::InvalidValue, "/body"),
            (
                json!({"url": URL, "messageIdPointer": "id"}),
                Code::InvalidValue,
                "/messageIdPointer",
            ),
            (json!({"url": URL, "from": "a\nb"}), Code::InvalidValue, "/from"),
        ] {
            assert_eq!(faults(json.clone()), [(code, place.to_owned())], "{json}");
        }
        let form = json!({
            "url": "https://sms.example/{{ id }}?to={{ to | digits }}",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "body": "to={{ to }}",
        });
        assert_eq!(faults(form), []);
    }

    #[test]
    fn a_value_cannot_break_out_of_its_place() {
        let account = account(json!({
            "url": "https://sms.example/{{ content }}?c={{ content }}",
            "headers": {"X-Text": "{{ content }}", "Authorization": "Bearer {{ secret }}"},
            "body": "{\"c\": \"{{ content }}\"}",
            "secret": "k",
        }));
        let content = "../a?b=c&d#\"}\r\nBcc: x";
        let sms = Sms { to: "+84".to_owned(), content: content.to_owned(), id: Uuid::nil() };
        let Prepared { url, headers, body } = account.prepare(&Guard::new(&[]), &sms).unwrap();
        assert_eq!(url.path(), "/..%2Fa%3Fb%3Dc%26d%23%22%7D%0D%0ABcc%3A%20x");
        assert_eq!(url.query_pairs().collect::<Vec<_>>(), [("c".into(), content.into())]);
        assert_eq!(headers["X-Text"], "../a?b=c&d#\"}  Bcc: x");
        assert_eq!(headers["Authorization"], "Bearer k");
        assert_eq!(headers[CONTENT_TYPE], "application/json");
        let body: Value = serde_json::from_str(&body.unwrap()).unwrap();
        assert_eq!(body, json!({"c": content}));
    }
}
