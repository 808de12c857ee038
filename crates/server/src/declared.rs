//! The shop's settings that live in its database, as a list of named things with plain values: what `braid config pull` writes
//! into files, and what `push` brings back, to this shop or another.
//!
//! No ids, no secrets, no data of people: things are known by kind and name. What still is as a new shop has it does not
//! appear, so that a fresh shop is an empty list. Deliberately absent: keys, accounts, kept-out values (they are people's), and
//! what stands in `braid.toml`.
mod apply;
mod merge;
mod prune;
mod read;

pub use apply::{Applied, Wanted, apply};
pub use merge::{Action, decide, decide_unnamed};
pub use read::{Standing, is_pristine, read};

use crate::secrets::hex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What kind of thing a setting is, in the order in which they are applied: rules name segments and templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingKind {
    /// The shop's name and stores.
    Shop,
    /// How the shop guards itself.
    Security,
    /// Numbers by which derived traits are found.
    Profile,
    /// Rules by which people are told apart.
    Identity,
    /// How often a person may be written to.
    Caps,
    /// Hours in which no marketing goes out.
    QuietHours,
    /// A source with its tracking plan.
    Source,
    /// A segment.
    Segment,
    /// A template.
    Template,
    /// A rule that sends a template to who enters a segment.
    MessageRule,
    /// A purpose of processing.
    Purpose,
}

impl SettingKind {
    /// Whether a shop has one of the kind; its name is empty.
    pub fn is_single(self) -> bool {
        self < SettingKind::Source
    }
    /// The kind's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            SettingKind::Shop => "shop",
            SettingKind::Security => "security",
            SettingKind::Profile => "profile",
            SettingKind::Identity => "identity",
            SettingKind::Caps => "caps",
            SettingKind::QuietHours => "quiet_hours",
            SettingKind::Source => "source",
            SettingKind::Segment => "segment",
            SettingKind::Template => "template",
            SettingKind::MessageRule => "message_rule",
            SettingKind::Purpose => "purpose",
        }
    }
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    pub kind: SettingKind,
    /// Empty for kinds of which there is one.
    #[serde(default)]
    pub name: String,
    /// The fields of its kind, see docs/config.md.
    #[schema(value_type = Object)]
    pub value: Map<String, Value>,
}

impl Setting {
    /// What names it.
    pub fn key(&self) -> (SettingKind, &str) {
        (self.kind, &self.name)
    }
    /// A hash of what it says: 32 hexadecimal digits. Fields that are null count as absent, since files cannot say null.
    pub fn hash(&self) -> String {
        let text = Value::Object(without_nulls(&self.value)).to_string();
        let mut digest = Sha256::new();
        digest.update(text.as_bytes());
        hex(&digest.finalize()).chars().take(32).collect()
    }
    /// `segment "Buyers"`, for messages.
    pub fn shown(&self) -> String {
        if self.name.is_empty() { self.kind.as_str().into() } else { format!("{} {:?}", self.kind.as_str(), self.name) }
    }
}

/// Without fields that are null, in the order of their names.
fn without_nulls(map: &Map<String, Value>) -> Map<String, Value> {
    let kept = map.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), clean(v)));
    // Sorted, whatever the order in which a file or a program has them.
    kept.collect::<std::collections::BTreeMap<_, _>>().into_iter().collect()
}

fn clean(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(without_nulls(map)),
        Value::Array(items) => Value::Array(items.iter().map(clean).collect()),
        other => other.clone(),
    }
}
