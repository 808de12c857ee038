//! What is wrong with a message that the typed pass did not take. Slow, and only ever asked about bad messages.
use crate::Rejection;
use db::message::Text;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Fields that hold a text (or a whole number, where people send numbers for ids).
const TEXTS: &[&str] = &[
    "type",
    "messageId",
    "anonymousId",
    "userId",
    "previousId",
    "groupId",
    "event",
    "name",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "writeKey",
    "profileId",
];
/// Fields that hold an object.
const OBJECTS: &[&str] = &["context", "traits", "properties"];

/// The first thing that is wrong with a message, which is valid JSON.
pub(crate) fn message(raw: &str) -> Rejection {
    if !raw.starts_with('{') {
        return wrong_type("", raw, "an object");
    }
    let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(raw) else {
        return Rejection::new("invalid_text", "", "the name of a field holds half of a character (a lone surrogate)");
    };
    for (at, (name, value)) in fields.iter().enumerate() {
        let name = name.0.as_ref();
        let (is_text, is_object) = (TEXTS.contains(&name), OBJECTS.contains(&name));
        if (is_text || is_object) && fields[..at].iter().any(|(n, _)| n.0 == name) {
            return Rejection::new("duplicate_field", pointer(name), format!("{name} stands in the message twice"));
        }
        let value = value.get();
        if is_text && serde_json::from_str::<Option<Text<'_>>>(value).is_err() {
            return match value.as_bytes().first() {
                Some(b'"') => Rejection::new("invalid_text", pointer(name), "half of a character (a lone surrogate)"),
                _ => wrong_type(&pointer(name), value, "a string"),
            };
        }
        if is_object && !value.starts_with('{') && value != "null" {
            return wrong_type(&pointer(name), value, "an object");
        }
    }
    // A reason that is not known here is still a reason.
    Rejection::new("invalid_message", "", "the message cannot be read")
}

/// The `messageId` of a message that may be wrong elsewhere.
pub(crate) fn message_id(raw: &str) -> Option<String> {
    let Fields(fields) = serde_json::from_str(raw).ok()?;
    let (_, value) = fields.into_iter().find(|(name, _)| name.0 == "messageId")?;
    serde_json::from_str::<Text<'_>>(value.get()).ok().map(|t| t.0.into_owned())
}

/// The `event` of a message that may be wrong elsewhere.
pub(crate) fn event(raw: &str) -> Option<String> {
    let Fields(fields) = serde_json::from_str(raw).ok()?;
    let (_, value) = fields.into_iter().find(|(name, _)| name.0 == "event")?;
    serde_json::from_str::<Text<'_>>(value.get()).ok().map(|t| t.0.into_owned())
}

/// A field of the message as a JSON Pointer (RFC 6901).
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn wrong_type(pointer: &str, value: &str, wanted: &str) -> Rejection {
    let found = match value.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number that is not whole or too large",
    };
    Rejection::new("invalid_type", pointer, format!("expected {wanted}, found {found}"))
}

/// All fields of an object, in order, duplicates included.
struct Fields<'a>(Vec<(Text<'a>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}
