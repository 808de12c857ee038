//! One context out of several: the event's own, the one its body states for all, and what was derived.
use serde_json::value::RawValue;
use std::collections::HashMap;

/// The context of an event as it is read: its own keys first, then the body's, then derived ones. Objects of the event and
/// of what was derived are mixed key by key, so that a derived `device.class` stands beside an own `device.id`.
pub fn context(own: Option<&str>, shared: Option<&str>, derived: Option<&str>) -> Option<String> {
    let stated = match (own, shared) {
        (Some(own), Some(shared)) => Some(beside(shared, own)),
        (own, shared) => own.or(shared).map(str::to_string),
    };
    match (stated, derived) {
        (Some(stated), Some(derived)) => Some(mixed(&stated, derived).unwrap_or(stated)),
        (stated, derived) => stated.or_else(|| derived.map(str::to_string)),
    }
}

/// Both objects as one text; of a name that stands in both, readers take the last, which is the event's own.
fn beside(shared: &str, own: &str) -> String {
    let (Ok(shared_map), Ok(own_map)) = (fields(shared), fields(own)) else { return own.to_string() };
    let mut out = String::with_capacity(shared.len() + own.len());
    let rest = shared_map.iter().filter(|(name, _)| !own_map.iter().any(|(n, _)| n == name));
    write(&mut out, rest.chain(own_map.iter()).map(|(name, value)| (name.as_str(), value.get().to_string())));
    out
}

type Fields<'a> = Vec<(String, &'a RawValue)>;

/// The fields of an object in the order of their names; of a repeated one the last.
fn fields(text: &str) -> Result<Fields<'_>, serde_json::Error> {
    let map: HashMap<String, &RawValue> = serde_json::from_str(text)?;
    let mut out: Fields<'_> = map.into_iter().collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(out)
}

fn mixed(stated: &str, derived: &str) -> Option<String> {
    let (stated, derived) = (fields(stated).ok()?, fields(derived).ok()?);
    let mut out = String::with_capacity(512);
    let both = stated.iter().map(|(name, value)| {
        let more = derived.iter().find(|(n, _)| n == name).map(|(_, v)| v.get());
        let value = value.get();
        let merged = more.filter(|m| value.starts_with('{') && m.starts_with('{')).map(|more| beside(more, value));
        (name.as_str(), merged.unwrap_or_else(|| value.to_string()))
    });
    let only = derived.iter().filter(|(name, _)| !stated.iter().any(|(n, _)| n == name));
    write(&mut out, both.chain(only.map(|(name, value)| (name.as_str(), value.get().to_string()))));
    Some(out)
}

fn write<'a>(out: &mut String, fields: impl Iterator<Item = (&'a str, String)>) {
    out.push('{');
    for (at, (name, value)) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::to_string(name).unwrap_or_else(|_| "\"\"".into()));
        out.push(':');
        out.push_str(&value);
    }
    out.push('}');
}
