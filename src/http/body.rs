//! JSON bodies of the management API (`api.md` 2). Read after the caller has been authenticated:
//! a handler takes the body as it is, and reads it here. What it takes in memory is charged like a
//! delivery's, to the org that the caller is of.

use crate::ingest::Permit;
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use beeiq_core::diagnostics::{Code, Fault, Pointer};
use beeiq_core::json::Meter;
use beeiq_core::values::suggest;
use futures_util::StreamExt;
use futures_util::future::{Ready, ready};
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde_json::Value;
use serde_path_to_error::{Segment, Track};
use std::marker::PhantomData;
use std::time::Duration;

/// The largest body: 1 MiB.
const LARGEST: usize = 1024 * 1024;
/// The largest body of somebody who has not signed in, or that has a password: 16 KiB.
const SMALL: usize = 16 * 1024;
/// The most memory that reading one may take: 32 MiB. A few bytes can become a hundred times as many.
const MOST_MEMORY: usize = 32 * 1024 * 1024;
/// How deep serde reads.
const DEEPEST: usize = 128;
/// How long it may take to arrive.
const DEADLINE: Duration = Duration::from_secs(30);

/// The body of a request, not read yet.
pub(crate) struct Body {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

/// Reads a body as a value of `T`.
pub(crate) async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    from_value(value(body).await?)
}

/// The same of a body that has to be small.
pub(crate) async fn small_json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    from_value(parsed(body, SMALL).await?)
}

/// Reads a body as any JSON value that holds no NUL.
pub(crate) async fn value(body: Body) -> Result<Value, Problem> {
    parsed(body, LARGEST).await
}

/// What it takes stays charged until the request has been answered. Somebody who has not signed in
/// has nothing charged: theirs are small, and as many as there are connections.
async fn parsed(Body { request, mut payload }: Body, largest: usize) -> Result<Value, Problem> {
    let mut permit = request.extensions_mut().remove::<Permit>();
    let bytes = tokio::time::timeout(DEADLINE, bytes(&mut payload, largest, permit.as_mut()))
        .await
        .unwrap_or_else(|_| {
            Err(Problem::new(Code::BodyTooSlow, "The body took over 30 seconds."))
        })?;
    let takes = working_bytes(&bytes)?;
    if let Some(mut permit) = permit {
        permit.charge(takes).await?;
        request.extensions_mut().insert(permit);
    }
    parse(&bytes)
}

async fn bytes(
    payload: &mut Payload,
    largest: usize,
    mut permit: Option<&mut Permit>,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = payload.next().await {
        let ended = |_| Problem::new(Code::NotJson, "The body ended before it was complete.");
        let piece = piece.map_err(ended)?;
        let length = bytes.len() + piece.len();
        if length > largest {
            let detail = format!("The body has more than {} KiB.", largest / 1024);
            return Err(Problem::new(Code::BodyTooLarge, detail));
        }
        if let Some(permit) = &mut permit {
            permit.grow(length)?;
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// How much memory reading it takes.
fn working_bytes(bytes: &[u8]) -> Result<usize, Problem> {
    let mut meter = Meter::new(DEEPEST);
    meter.feed(bytes);
    if meter.working_bytes() > MOST_MEMORY {
        return Err(Problem::new(Code::TooComplex, "The body holds too many values."));
    }
    Ok(meter.working_bytes())
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.is_empty() {
        return Err(Problem::new(Code::NotJson, "The body is empty; send a JSON object."));
    }
    let value = serde_json::from_slice(bytes)
        .map_err(|error| Problem::new(Code::NotJson, format!("The body is not JSON: {error}.")))?;
    let mut faults = Vec::new();
    find_nul(&value, &Pointer::root(), &mut faults);
    if faults.is_empty() { Ok(value) } else { Err(Problem::fields(faults)) }
}

/// Makes a `T` of a JSON value.
pub(crate) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    read(PhantomData::<T>, value)
}

/// Has `seed` read a JSON value.
pub(crate) fn read<T>(
    seed: impl for<'de> DeserializeSeed<'de, Value = T>,
    value: Value,
) -> Result<T, Problem> {
    // serde would take an array of the fields' values for a structure.
    if !value.is_object() {
        return Err(not_an_object());
    }
    let mut track = Track::new();
    seed.deserialize(serde_path_to_error::Deserializer::new(value, &mut track)).map_err(|error| {
        let error = serde_path_to_error::Error::new(track.path(), error);
        Problem::fields(vec![fault(&error)])
    })
}

/// The state that a merge patch (RFC 7396) of `current` leads to. `current` has all fields that
/// there are: others are faults even where the patch sets them to null.
pub(crate) fn merged(current: Value, patch: Value) -> Result<Value, Problem> {
    let Value::Object(fields) = &patch else {
        return Err(not_an_object());
    };
    let known: Vec<&str> =
        current.as_object().into_iter().flat_map(|it| it.keys().map(String::as_str)).collect();
    let faults: Vec<Fault> = fields
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| unknown_field(&Pointer::root().member(name), name, &known))
        .collect();
    if !faults.is_empty() {
        return Err(Problem::fields(faults));
    }
    Ok(merge(current, patch))
}

/// RFC 7396, section 2.
fn merge(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch;
    };
    let mut target = match target {
        Value::Object(target) => target,
        _ => serde_json::Map::new(),
    };
    for (name, change) in patch {
        match (target.remove(&name), change) {
            (_, Value::Null) => {}
            (old, change) => {
                target.insert(name, merge(old.unwrap_or(Value::Null), change));
            }
        }
    }
    Value::Object(target)
}

fn not_an_object() -> Problem {
    Problem::fields(vec![Fault::new(Code::WrongType, "", "The body must be a JSON object.")])
}

fn find_nul(value: &Value, at: &Pointer, faults: &mut Vec<Fault>) {
    let fault = |at: &Pointer| Fault::new(Code::NulCharacter, at, "U+0000 cannot be kept.");
    match value {
        Value::String(text) if text.contains('\0') => faults.push(fault(at)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_nul(item, &at.index(index), faults);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                if name.contains('\0') {
                    faults.push(fault(at));
                }
                find_nul(member, &at.member(name), faults);
            }
        }
        _ => {}
    }
}

/// What serde says of a value, as a fault at its place. Its words are all that an error of serde
/// has, so they tell the kinds apart.
fn fault(error: &serde_path_to_error::Error<serde_json::Error>) -> Fault {
    let mut at = Pointer::root();
    let mut last = "";
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => at = at.index(*index),
            Segment::Map { key } => {
                at = at.member(key);
                last = key;
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let words = error.inner().to_string();
    if words.starts_with("unknown field") {
        let known = words.rsplit_once(", expected").map_or("", |(_, names)| names);
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        return unknown_field(&at, last, &known);
    }
    if let Some(name) = words.strip_prefix("missing field `").and_then(|it| it.strip_suffix('`')) {
        let message = format!("The field \"{name}\" is required.");
        return Fault::new(Code::Required, at.member(name), message);
    }
    let code = match words.split_once(':').map_or(words.as_str(), |(kind, _)| kind) {
        "invalid type" => Code::WrongType,
        kind if kind.starts_with("unknown variant") => Code::InvalidChoice,
        _ => Code::InvalidValue,
    };
    Fault::new(code, at, format!("This value does not fit: {words}."))
}

fn unknown_field(at: &Pointer, name: &str, known: &[&str]) -> Fault {
    let message = match suggest::nearest(name, known.iter().copied()) {
        Some(meant) => format!("There is no field \"{name}\" to set; \"{meant}\" was meant?"),
        None => {
            let known = suggest::listed(known.iter().copied(), 20);
            format!("There is no field \"{name}\" to set; there are {known}.")
        }
    };
    Fault::new(Code::UnknownField, at, message)
}

#[cfg(test)]
mod tests;
