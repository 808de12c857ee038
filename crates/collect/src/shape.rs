//! The shapes of bodies: how JSON text becomes messages, and one message a stored body.
use db::event::EventKind;
use db::message::{Message, Text};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A message that was an object. Derived readers also take lists, field by field in order; this one does not.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a>(pub Message<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;
        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Item<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item<'de>, A::Error> {
                Message::deserialize(MapAccessDeserializer::new(map)).map(Item)
            }
        }
        deserializer.deserialize_map(ItemVisitor)
    }
}

impl<'a> Item<'a> {
    /// The address of some text that the item borrows from its body: a place that lies inside the item for sure.
    pub(crate) fn anchor(&self) -> Option<usize> {
        let m = &self.0;
        let texts = [&m.message_id, &m.event, &m.kind, &m.user_id, &m.anonymous_id];
        let text = texts.into_iter().find_map(|t| match t {
            Some(Cow::Borrowed(text)) => Some(*text),
            _ => None,
        });
        text.or_else(|| m.properties.or(m.traits).or(m.context).map(RawValue::get)).map(|t| t.as_ptr() as usize)
    }
}

/// At most `MAX` elements of a list; the rest is only counted, so that a body of a million `{}` costs no memory.
#[derive(Debug, Clone)]
pub(crate) struct AtMost<M, const MAX: usize> {
    pub items: Vec<M>,
    pub more: usize,
}

impl<'de, M: Deserialize<'de>, const MAX: usize> Deserialize<'de> for AtMost<M, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<M, const MAX: usize>(PhantomData<M>);
        impl<'de, M: Deserialize<'de>, const MAX: usize> Visitor<'de> for ListVisitor<M, MAX> {
            type Value = AtMost<M, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of messages")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut out = AtMost { items: Vec::with_capacity(16), more: 0 };
                while out.items.len() < MAX {
                    let Some(item) = seq.next_element()? else { return Ok(out) };
                    out.items.push(item);
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    out.more += 1;
                }
                Ok(out)
            }
        }
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

/// A body with a list of messages, which may be missing.
#[derive(Debug, Deserialize)]
pub(crate) struct Body<'a, L> {
    #[serde(bound(deserialize = "L: Deserialize<'de>"), default = "none")]
    pub batch: Option<L>,
    #[serde(borrow, default, rename = "sentAt")]
    pub sent_at: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "object")]
    pub context: Option<&'a RawValue>,
}

fn none<L>() -> Option<L> {
    None
}

fn object<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    match Option::<&'a RawValue>::deserialize(deserializer)? {
        Some(raw) if !raw.get().starts_with('{') => Err(serde::de::Error::custom("invalid type: context is no object")),
        other => Ok(other),
    }
}

/// A value as its text, `null` included.
fn raw<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&'a RawValue>::deserialize(deserializer).map(Some)
}

/// A single message as it is stored: with its `type` inside, since the log does not keep the path that it came by.
///
/// `text` is a valid message. A `type` that says something else gives way to the path's. A message that has an unknown
/// field `batch` becomes a list of one, or it would be read as a list of messages later.
pub(crate) fn self_contained(text: &str, kind: EventKind) -> Result<Cow<'_, str>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Probe<'a> {
        #[serde(borrow, default, rename = "type", deserialize_with = "raw")]
        kind: Option<&'a RawValue>,
        #[serde(borrow, default)]
        batch: Option<&'a RawValue>,
    }
    let probe: Probe<'_> = serde_json::from_str(text)?;
    let kind = kind.as_str();
    let typed = match probe.kind.map(RawValue::get) {
        Some(value) if value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) == Some(kind) => Cow::Borrowed(text),
        Some(value) => {
            let at = value.as_ptr() as usize - text.as_ptr() as usize;
            Cow::Owned(format!("{}\"{kind}\"{}", &text[..at], &text[at + value.len()..]))
        }
        None => {
            let at = text.find('{').map_or(0, |at| at + 1);
            let comma = if text[at..].trim_start().starts_with('}') { "" } else { "," };
            Cow::Owned(format!("{}\"type\":\"{kind}\"{comma}{}", &text[..at], &text[at..]))
        }
    };
    Ok(if probe.batch.is_some() { Cow::Owned(format!("{{\"batch\":[{typed}]}}")) } else { typed })
}
