//! `/api/v1/settings/sms` (`api.md` 4): the provider that the org's SMS go through. Owner and
//! admins only.

use super::accounts::{self, Representation, Trial, TrialReport};
use crate::app::App;
use crate::clock;
use crate::config::Environment;
use crate::http::body;
use crate::http::extract::Admin;
use crate::http::openapi::{AdminProblems, BodyProblems, ProblemDocument};
use crate::problem::Problem;
use crate::send::Sms;
use crate::send::guard::Guard;
use crate::send::sms::{Owner, Provider, destination};
use crate::service::message_accounts::{self, Kept, with_secrets};
use crate::store::pool::Conn;
use crate::store::settings::message_accounts as stored;
use actix_web::{HttpRequest, HttpResponse, web};
use beeiq_core::diagnostics::{Code, Fault};
use beeiq_core::records::message::Channel;
use beeiq_core::values::phone::Phone;
use beeiq_core::values::sms::segments;
use beeiq_core::values::suggest::listed;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

const CHANNEL: Channel = Channel::Sms;
const PATH: &str = "/api/v1/settings/sms";

/// The org's SMS account: the provider's own fields, and no others. Secrets are shown as
/// `********`; sent back so they stay what they are.
#[derive(ToSchema)]
#[schema(as = SmsSettings, rename_all = "camelCase", example = json!({
    "provider": "twilio", "accountSid": "AC0123456789abcdef0123456789abcdef",
    "authToken": "********", "from": "+12025550123", "trialCredits": 20
}))]
#[expect(dead_code, reason = "describes JSON that is put together from the fields of a provider")]
pub struct SmsSettings {
    /// `http`, `twilio`, `esms` or `speedsms`; null: the instance's account.
    provider: Option<String>,
    /// The trial credits that are left, a credit a segment; taken only without an account of the
    /// org's own.
    trial_credits: i64,
    #[schema(inline)]
    #[serde(flatten)]
    fields: SmsFields,
}

/// What changes of the org's SMS account (RFC 7396). Another `provider` starts from nothing; where
/// the secrets would go to another place (`url`, `accountSid`) they are asked for anew.
#[derive(ToSchema)]
#[schema(as = SmsSettingsChange, rename_all = "camelCase", example = json!({
    "provider": "http", "url": "https://sms.example.com/send?to={{ to }}", "method": "POST",
    "headers": {"Authorization": "Bearer 8f2c…"}, "body": "{\"text\": \"{{ content }}\"}",
    "messageIdPointer": "/data/id"
}))]
#[expect(dead_code, reason = "describes JSON that is read by provider")]
pub struct SmsSettingsChange {
    /// `http`, `twilio`, `esms` or `speedsms`.
    provider: Option<String>,
    #[schema(inline)]
    #[serde(flatten)]
    fields: SmsFields,
}

/// The fields of all providers.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes JSON that is read by provider")]
struct SmsFields {
    /// http: a template over `to content from id secret`. `{{ to | digits }}`: without the plus.
    url: Option<String>,
    /// http: `GET`, `POST` or `PUT`.
    method: Option<String>,
    /// http: templates. All but Content-Type and Accept are secrets.
    headers: Option<std::collections::BTreeMap<String, String>>,
    /// http: a template, JSON unless Content-Type says otherwise.
    body: Option<String>,
    /// http: where in the answer the message's id is (RFC 6901); an answer without it is a failure.
    message_id_pointer: Option<String>,
    /// http, twilio: whom messages are from; for twilio a number, a name or `MG…`.
    from: Option<String>,
    /// http: a secret for the templates.
    #[schema(format = Password)]
    secret: Option<String>,
    /// twilio
    #[schema(pattern = "^AC[0-9a-fA-F]{32}$")]
    account_sid: Option<String>,
    /// twilio: a secret.
    #[schema(format = Password)]
    auth_token: Option<String>,
    /// esms: a secret.
    #[schema(format = Password)]
    api_key: Option<String>,
    /// esms: a secret.
    #[schema(format = Password)]
    secret_key: Option<String>,
    /// esms
    brandname: Option<String>,
    /// speedsms: a secret.
    #[schema(format = Password)]
    access_token: Option<String>,
    /// speedsms: a brandname; absent: any number of the provider's.
    sender: Option<String>,
}

crate::http::routes::routes![read, change, delete, try_out];

/// The org's SMS account.
#[utoipa::path(
    get, path = "/api/v1/settings/sms", tag = "Settings", operation_id = "readSmsSettings",
    responses(
        (status = 200, body = SmsSettings, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
    ),
)]
pub async fn read(app: web::Data<App>, Admin(actor): Admin) -> Result<HttpResponse, Problem> {
    let (inner, org) = (app.clone(), actor.org);
    app.read(org, move |conn| {
        let kept = message_accounts::kept(conn, &inner.key, org, CHANNEL)?;
        answer(conn, org, kept.as_ref())
    })
    .await
    .map(Representation::into_response)
}

/// Changes the org's SMS account: a merge patch (RFC 7396).
#[utoipa::path(
    patch, path = "/api/v1/settings/sms", tag = "Settings", operation_id = "changeSmsSettings",
    params(("If-Match" = Option<String>, Header, description = "Refuse where its ETag is another")),
    request_body(content = SmsSettingsChange, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, body = SmsSettings, headers(("ETag" = String, description = "For If-Match"))),
        AdminProblems,
        BodyProblems,
        (status = 412, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn change(
    app: web::Data<App>,
    Admin(actor): Admin,
    request: HttpRequest,
    payload: body::Body,
) -> Result<HttpResponse, Problem> {
    accounts::change(&app, actor, CHANNEL, (&request, payload), wanted, |edit, kept| {
        answer(edit.conn, edit.org, Some(kept))
    })
    .await
    .map(Representation::into_response)
}

/// Goes back to the instance's account, and to trial credits.
#[utoipa::path(
    delete, path = "/api/v1/settings/sms", tag = "Settings", operation_id = "deleteSmsSettings",
    responses((status = 204), AdminProblems),
)]
pub async fn delete(app: web::Data<App>, Admin(actor): Admin) -> Result<HttpResponse, Problem> {
    accounts::delete(&app, actor, CHANNEL).await
}

/// Sends one SMS now, and reports what became of it. Through the instance's account it takes a
/// trial credit. At most five a minute.
#[utoipa::path(
    post, path = "/api/v1/settings/sms/test", tag = "Settings", operation_id = "testSmsSettings",
    request_body = Trial,
    responses(
        (status = 200, body = TrialReport),
        AdminProblems,
        BodyProblems,
        (status = 409, body = ProblemDocument, content_type = "application/problem+json",
         description = "`no_account`"),
        (status = 429, body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn try_out(
    app: web::Data<App>,
    Admin(actor): Admin,
    payload: body::Body,
) -> Result<web::Json<TrialReport>, Problem> {
    let Trial { to } = body::json(payload).await?;
    let directory = app.directories.current(actor.org).await?;
    let to = reachable(&to, |to| Phone::parse(to, directory.org.region).ok())?;
    let (account, owner) = match app.senders.sms_account(actor.org).await {
        Ok(found) => found,
        Err(error) => return accounts::refused(error, PATH).map(web::Json),
    };
    app.account_tests.count(actor.org, CHANNEL)?;
    if app.environment == Environment::Staging {
        return Ok(web::Json(TrialReport::captured()));
    }
    let content = format!("{}: this is a test of your SMS account.", directory.org.name);
    if owner == Owner::Instance {
        take_credits(&app, actor.org, segments(&content).count).await?;
    }
    let sms = Sms { to, content, id: clock::new_id() };
    Ok(web::Json(app.senders.sms_through(&account, owner, &sms).await.into()))
}

/// The number in E.164, where an SMS can reach it.
fn reachable(text: &str, parse: impl Fn(&str) -> Option<Phone>) -> Result<String, Problem> {
    let phone = parse(text).filter(Phone::can_receive_sms);
    phone.as_ref().and_then(Phone::e164).map(str::to_owned).ok_or_else(|| {
        let message = "It must be the number of a mobile phone, such as 0905000001.";
        Problem::fields(vec![Fault::new(Code::InvalidPhone, "/to", message)])
    })
}

/// The instance's account is for what trial credits pay.
async fn take_credits(app: &App, org: Uuid, credits: u32) -> Result<(), Problem> {
    let taken =
        app.write(org, move |conn| stored::take_trial_credits(conn, org, credits.into())).await?;
    if taken {
        return Ok(());
    }
    let message = "The trial credits do not suffice; set up an SMS account.";
    Err(Problem::fields(vec![Fault::new(Code::SmsCreditsExhausted, "", message)]))
}

/// The account, secrets in it, that a merge patch leads to.
fn wanted(before: Option<&Kept>, patch: Value, guard: &Guard) -> Result<Value, Problem> {
    if !patch.is_object() {
        return body::merged(json!({}), patch);
    }
    let provider = provider_of(&patch, before)?;
    // Another provider has nothing of this one's.
    let same = before.filter(|kept| Provider::of(&kept.shown) == Some(provider));
    let base = accounts::with_all_fields(provider.blank(), same.map(|kept| &kept.shown));
    let merged = accounts::without_nulls(body::merged(base, patch)?);
    let moved = same.is_some_and(|kept| destination(&kept.shown) != destination(&merged));
    let full = with_secrets(merged, CHANNEL, same, moved)?;
    let mut fields = full.clone();
    fields.as_object_mut().map(|fields| fields.remove("provider"));
    let faults = body::read(provider, fields)?.check(guard);
    if faults.is_empty() { Ok(full) } else { Err(Problem::fields(faults)) }
}

fn provider_of(patch: &Value, before: Option<&Kept>) -> Result<Provider, Problem> {
    let fault =
        |code, message: String| Problem::fields(vec![Fault::new(code, "/provider", message)]);
    let known = listed(Provider::ALL.map(Provider::as_str), Provider::ALL.len());
    match (patch.get("provider"), before) {
        (None, Some(kept)) => Provider::of(&kept.shown)
            .ok_or_else(|| fault(Code::Required, format!("Choose a provider: {known}."))),
        (None, None) => Err(fault(Code::Required, format!("Choose a provider: {known}."))),
        (Some(Value::Null), _) => {
            let message = "An account has a provider; DELETE goes back to the instance's account.";
            Err(fault(Code::Required, message.to_owned()))
        }
        (Some(_), _) => Provider::of(patch).ok_or_else(|| {
            fault(Code::InvalidChoice, format!("There is no such provider; there are {known}."))
        }),
    }
}

fn answer(conn: &mut Conn, org: Uuid, kept: Option<&Kept>) -> Result<Representation, Problem> {
    let shown = kept.map(|kept| &kept.shown);
    let blank =
        shown.and_then(Provider::of).map_or_else(|| json!({"provider": null}), Provider::blank);
    let mut body = accounts::with_all_fields(blank, shown);
    if let Some(fields) = body.as_object_mut() {
        let credits = stored::trial_credits(conn, org)?;
        fields.insert("trialCredits".to_owned(), credits.into());
    }
    Ok(Representation { body, etag: accounts::etag(kept) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::settings::resource::object_of;

    #[test]
    fn every_field_of_every_provider_is_described() {
        let described = object_of::<SmsFields>().properties;
        for provider in Provider::ALL {
            for field in provider.blank().as_object().unwrap().keys() {
                let there = field == "provider" || described.contains_key(field);
                assert!(there, "SmsFields lacks {field} of {provider}");
            }
        }
    }
}
