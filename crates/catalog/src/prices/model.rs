//! Nouns of prices.
use base::Timestamp;
use serde::{Deserialize, Serialize};

/// The list of base prices: it always holds, after all others.
pub const BASE: i64 = 0;
/// A moment that never comes.
pub const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// Where and for whom a list holds: every part that names something must fit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub customers: Vec<String>,
}

/// What kind of prices a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Regular,
    /// Reduced: promotions that are not for sale prices leave these alone.
    Sale,
}

impl Kind {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Regular => "regular",
            Kind::Sale => "sale",
        }
    }
    /// The inverse of [`Kind::as_str`].
    pub fn parse(text: &str) -> Option<Kind> {
        [Kind::Regular, Kind::Sale].into_iter().find(|k| k.as_str() == text)
    }
}

/// A price list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceList {
    pub id: i64,
    pub name: String,
    /// ISO 4217.
    pub currency: String,
    pub kind: Kind,
    /// Lower goes first.
    pub position: i64,
    pub scope: Scope,
    /// Why its prices differ from others, in words that a report shows; empty = they should not.
    pub reason: String,
    pub starts_at: Timestamp,
    /// The first moment at which it no longer holds.
    pub ends_at: Timestamp,
    pub version: i64,
}

/// A price of a variant in a list, with the time in which it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub variant: i64,
    pub list: i64,
    pub currency: String,
    /// From how many thousandths of a piece on.
    pub min_quantity: i64,
    /// `None`: no price from here on.
    pub minor: Option<i64>,
    /// What is struck through beside it, where the list says so.
    pub compare_at: Option<i64>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The change that made it.
    pub change: i64,
}

impl Entry {
    /// Whether it holds at a moment.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.starts_at <= at && at < self.ends_at
    }
    /// What two entries share that must not hold at the same time.
    pub fn key(&self) -> (i64, i64, &str, i64) {
        (self.variant, self.list, &self.currency, self.min_quantity)
    }
}

/// What is asked: a price of one variant, somewhere, for somebody, at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    pub variant: i64,
    pub currency: String,
    /// In thousandths of a piece.
    pub quantity: i64,
    pub channel: Option<String>,
    pub region: Option<String>,
    pub store: Option<String>,
    pub segments: Vec<String>,
    pub customer: Option<String>,
    pub at: Timestamp,
}

/// The price that holds, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// What one piece costs.
    pub minor: i64,
    /// [`BASE`] for the base price.
    pub list: i64,
    /// The entry that says so.
    pub entry: i64,
    /// The base price in this currency, if there is one.
    pub base_minor: Option<i64>,
    pub compare_at: Option<i64>,
    /// The list is of reduced prices.
    pub sale: bool,
    /// The list is for this customer alone.
    pub personal: bool,
    /// In a sentence.
    pub reason: String,
}
