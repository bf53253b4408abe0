//! The welcome messages of a newly created customer (`listener.md` 3, "Welcome messages").

use crate::batch::{Change, Ids, Message, Overlay, Subject};
use crate::diagnostics::{Code, Diagnostics, Pointer};
use crate::directory::{Listener, WelcomeEmail};
use crate::records::customer::Customer;
use crate::records::history::{Event, Failed, Queued};
use crate::records::identity::World;
use crate::records::message::{Channel, Content, Wording};
use crate::values::phone::can_receive_sms;
use crate::values::sms::segments;
use crate::values::template::{MergeFields, MessageTemplate, RenderError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a customer is made without a message.
type Failure = (Code, String);

/// A message that is due.
struct Due {
    to: String,
    wording: Arc<Wording>,
    segments: Option<u32>,
}

/// Queues the listener's welcome e-mail to the first e-mail, its welcome SMS to the first phone that
/// can take one; none where there is no address, or the listener has no content for it. A message
/// that cannot be made does not stop the customer from being made: their history and a warning at
/// `at` say why.
pub fn welcome(
    customer: &Customer,
    company_name: Option<&str>,
    at: &Pointer,
    overlay: &Overlay<'_>,
    ids: &mut dyn Ids,
    diagnostics: &mut Diagnostics,
) -> Vec<Change> {
    let listener = overlay.request.context.listener;
    let wanted = overlay.request.context.connection.is_none_or(|connection| connection.welcome);
    if !wanted || listener.welcome_email.is_none() && listener.welcome_sms.is_none() {
        return Vec::new();
    }
    let fields = merge_fields(customer, company_name, overlay);
    let staging = overlay.request.staging;
    let mut changes = Vec::new();
    for (due, channel) in [
        (email_due(customer, &fields, overlay), Channel::Email),
        (sms_due(customer, &fields, overlay), Channel::Sms),
    ] {
        match due {
            Ok(None) => {}
            Ok(Some(due)) => changes.extend(queue(customer, due, &fields, staging, ids)),
            Err((code, reason)) => {
                let failed = Failed { reason: reason.clone(), ..Failed::default() };
                let event = Event::failed(channel, failed);
                changes.push(Change::history(ids.id(), Subject::Customer(customer.id), event));
                diagnostics.warn(code, at, reason);
            }
        }
    }
    changes
}

/// The listener's welcome messages as they would read, whether or not the customer has an address
/// for them: for trying them out. Where one cannot be rendered a warning at `at` says why.
pub fn rendered(
    customer: &Customer,
    company_name: Option<&str>,
    at: &Pointer,
    overlay: &Overlay<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Content> {
    let listener = overlay.request.context.listener;
    let fields = merge_fields(customer, company_name, overlay);
    let email = listener.welcome_email.as_ref().map(|email| email_content(email, &fields));
    let sms = listener.welcome_sms.as_ref().map(|sms| sms_content(&sms.text, &fields));
    let mut contents = Vec::new();
    for rendered in [email, sms].into_iter().flatten() {
        match rendered {
            Ok(content) => contents.push(content),
            Err((code, reason)) => diagnostics.warn(code, at, reason),
        }
    }
    contents
}

fn email_content(email: &WelcomeEmail, fields: &MergeFields) -> Result<Content, Failure> {
    Ok(Content::Email {
        subject: email.subject.render(fields).map_err(|error| unrenderable(&error))?,
        html: email.html.render(fields).map_err(|error| unrenderable(&error))?,
        text: email
            .text
            .as_ref()
            .map(|text| text.render(fields))
            .transpose()
            .map_err(|error| unrenderable(&error))?,
    })
}

fn sms_content(sms: &MessageTemplate, fields: &MergeFields) -> Result<Content, Failure> {
    let text = sms.render(fields).map_err(|error| unrenderable(&error))?;
    Ok(Content::Sms { text })
}

fn email_due(
    customer: &Customer,
    fields: &MergeFields,
    overlay: &Overlay<'_>,
) -> Result<Option<Due>, Failure> {
    let (Some(email), Some(first)) =
        (&overlay.request.context.listener.welcome_email, customer.emails.first())
    else {
        return Ok(None);
    };
    let WelcomeEmail { subject, html, text, wording: _ } = email;
    for template in [Some(subject), Some(html), text.as_ref()].into_iter().flatten() {
        template.fits(fields).map_err(|error| unrenderable(&error))?;
    }
    let wording = Arc::clone(&email.wording);
    Ok(Some(Due { to: first.value.clone(), wording, segments: None }))
}

fn sms_due(
    customer: &Customer,
    fields: &MergeFields,
    overlay: &Overlay<'_>,
) -> Result<Option<Due>, Failure> {
    let (Some(sms), Some(first)) =
        (&overlay.request.context.listener.welcome_sms, customer.phones.first())
    else {
        return Ok(None);
    };
    let mut numbers = customer.phones.iter().filter_map(|phone| phone.e164.as_deref());
    let Some(number) = numbers.find(|e164| can_receive_sms(e164)).map(str::to_owned) else {
        let shown = &first.value;
        let reason = if customer.phones.len() == 1 {
            format!("No welcome SMS: \"{shown}\" is not a mobile number.")
        } else {
            format!("No welcome SMS: neither \"{shown}\" nor another phone is a mobile number.")
        };
        return Err((Code::WelcomeSkipped, reason));
    };
    let content = sms_content(&sms.text, fields)?;
    let segments = segments(content.text().unwrap_or_default()).count;
    if let Some(credits) = overlay.too_few_sms_credits(segments.into()) {
        let reason = format!(
            "No welcome SMS: it takes {segments} SMS credits and the org has {credits} left. \
             Set an SMS account up, or shorten the text."
        );
        return Err((Code::SmsCreditsExhausted, reason));
    }
    Ok(Some(Due { to: number, wording: Arc::clone(&sms.wording), segments: Some(segments) }))
}

fn unrenderable(error: &RenderError) -> Failure {
    (Code::WelcomeSkipped, format!("The welcome message could not be rendered: {error}"))
}

fn queue(
    customer: &Customer,
    Due { to, wording, segments }: Due,
    fields: &MergeFields,
    staging: bool,
    ids: &mut dyn Ids,
) -> [Change; 2] {
    let id = ids.id();
    let channel = wording.content.channel();
    let queued = Queued { message_id: id, to: to.clone(), captured: staging, segments };
    let (customer_id, lead) = match customer.code.kind.world() {
        World::Customer => (Some(customer.id), None),
        World::Lead => (None, Some(customer.id)),
    };
    let merge = Some(Box::new(fields.clone()));
    let message =
        Message { id, customer: customer_id, lead, recipient: to, wording, merge, segments };
    let line =
        Change::history(ids.id(), Subject::Customer(customer.id), Event::queued(channel, queued));
    [Change::MessageQueued(Box::new(message)), line]
}

/// Whether a welcome message of the listener has that custom field.
fn is_used(listener: &Listener, custom_field: &str) -> bool {
    let email = listener.welcome_email.iter().flat_map(|email| {
        let WelcomeEmail { subject, html, text, wording: _ } = email;
        [Some(subject), Some(html), text.as_ref()]
    });
    let sms = listener.welcome_sms.iter().map(|sms| Some(&sms.text));
    email.chain(sms).flatten().any(|template| template.has(custom_field))
}

fn merge_fields(
    customer: &Customer,
    company_name: Option<&str>,
    overlay: &Overlay<'_>,
) -> MergeFields {
    let request = &overlay.request;
    let directory = request.context.directory;
    let custom = directory.custom_fields.of(customer.code.kind.model());
    let fields: BTreeMap<String, String> = customer
        .cus_fields
        .iter()
        .filter_map(|(id, value)| Some((&custom?.with_id(*id)?.name, value)))
        .filter(|(name, _)| is_used(request.context.listener, name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    MergeFields {
        name: customer.name.clone(),
        lastname: customer.lastname.clone(),
        title: customer.title.clone(),
        email: customer.emails.first().map(|email| email.value.clone()),
        phone: customer.phones.first().map(|phone| phone.value.clone()),
        code: Some(customer.code.to_string()),
        org_name: directory.org.name.clone(),
        sender_name: Some(request.sender.name.clone()),
        sender_email: Some(request.sender.email.clone()),
        company_name: company_name.map(str::to_owned),
        fields,
    }
}
