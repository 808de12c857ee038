//! The stored form of an event: a message of the tracking API (CONVENTIONS 1), read without copying.
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A JSON string, or a number's text where people send numbers for ids. Anything else is an error that names the type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(v.to_owned())))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(v.to_string())))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(v.to_string())))
            }
            fn visit_bool<E: serde::de::Error>(self, v: bool) -> Result<Text<'de>, E> {
                Err(E::invalid_type(Unexpected::Bool(v), &self))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// An optional text; `null` and absence are the same.
fn text<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    Option::<Text<'a>>::deserialize(deserializer).map(|t| t.map(|t| t.0))
}

/// An optional object, kept as its text; `null` and absence are the same, anything else is an error.
fn object<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    let raw = Option::<&'a RawValue>::deserialize(deserializer)?;
    match raw {
        Some(raw) if !raw.get().starts_with('{') => Err(D::Error::custom("invalid type: expected an object")),
        other => Ok(other),
    }
}

/// One message of the tracking API as it is sent and stored. Unknown fields are kept in the body and ignored here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Message<'a> {
    #[serde(rename = "type", borrow, deserialize_with = "text")]
    pub kind: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub message_id: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub anonymous_id: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub user_id: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub previous_id: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub group_id: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub event: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub name: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub original_timestamp: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub sent_at: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "object")]
    pub context: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "object")]
    pub traits: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "object")]
    pub properties: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "text")]
    pub write_key: Option<Cow<'a, str>>,
    /// Derived events only: the profile that the event is about.
    #[serde(borrow, deserialize_with = "text")]
    pub profile_id: Option<Cow<'a, str>>,
}

/// A body with several messages and what they share.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BatchBody<'a, M> {
    #[serde(bound(deserialize = "M: Deserialize<'de>"))]
    pub batch: Vec<M>,
    #[serde(borrow, deserialize_with = "text")]
    pub sent_at: Option<Cow<'a, str>>,
    #[serde(borrow, deserialize_with = "object")]
    pub context: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "text")]
    pub write_key: Option<Cow<'a, str>>,
}

/// The messages of a stored body, each as its own JSON text, with the body's shared `sentAt` and `context`.
///
/// A body with a `batch` list holds its items; any other object is one message (its call stands in the log row's origin of
/// the message's own `type`).
pub struct Items<'a> {
    pub items: Vec<&'a RawValue>,
    pub sent_at: Option<Cow<'a, str>>,
    pub context: Option<&'a RawValue>,
}

impl<'a> Items<'a> {
    /// Splits a body. The body was valid when it was stored, so an error here means damage.
    pub fn split(body: &'a str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Probe<'a> {
            #[serde(borrow, default)]
            batch: Option<Vec<&'a RawValue>>,
            #[serde(borrow, default, rename = "sentAt", deserialize_with = "text")]
            sent_at: Option<Cow<'a, str>>,
            #[serde(borrow, default, deserialize_with = "object")]
            context: Option<&'a RawValue>,
        }
        let probe: Probe<'a> = serde_json::from_str(body)?;
        match probe.batch {
            Some(items) => Ok(Self { items, sent_at: probe.sent_at, context: probe.context }),
            None => Ok(Self { items: vec![serde_json::from_str(body)?], sent_at: probe.sent_at, context: None }),
        }
    }
}
