//! What the catalogue consists of.
use crate::gtin::Gtin;
use crate::values::Values;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether something is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductState {
    /// Being written; nobody outside sees it.
    Draft,
    /// Offered.
    #[default]
    Active,
    /// No longer offered; what was sold still names it.
    Archived,
}

impl ProductState {
    /// As it is stored and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
    /// The inverse of [`ProductState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::Active, Self::Archived].into_iter().find(|s| s.as_str() == text)
    }
}

/// How pieces of a variant are told apart in stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lots {
    /// Not at all.
    #[default]
    None,
    /// By batch, with an expiry date perhaps.
    Lot,
    /// Each by its own number.
    Serial,
}

impl Lots {
    /// As it is stored.
    pub fn code(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Lot => 1,
            Self::Serial => 2,
        }
    }
    /// The inverse of [`Lots::code`]; a code of a later program is read as `None`.
    pub fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Lot,
            2 => Self::Serial,
            _ => Self::None,
        }
    }
}

/// A base price: what price lists begin from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Minor units of the currency.
    pub minor: i64,
    /// ISO 4217, three capital letters.
    pub currency: String,
}

/// A picture or document of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaLink {
    /// Hash of the bytes, or an address elsewhere until they were fetched.
    pub hash: String,
    /// What it shows, for those who do not see it, by language.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alt: BTreeMap<String, String>,
    /// SKUs that it shows; none: all of the product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<String>,
}

/// A variant as the catalogue edits it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductVariant {
    pub no: i64,
    pub position: i64,
    pub sku: String,
    pub gtin: Option<Gtin>,
    pub price: Option<Price>,
    /// Whether pieces are counted; services and gift cards are not.
    pub tracked: bool,
    pub lots: Lots,
    /// Grams; 0 = unknown.
    pub weight_g: i64,
    pub archived: bool,
    pub values: Values,
}

/// A product with its variants.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    pub no: i64,
    /// The shop's own.
    pub id: String,
    pub name: String,
    pub state: ProductState,
    /// 0 = none.
    pub family_no: i64,
    /// 0 = none.
    pub brand_no: i64,
    pub tax_class: String,
    /// Numbers of categories, sorted.
    pub categories: Vec<i64>,
    /// Codes of the attributes by which its variants differ.
    pub axes: Vec<String>,
    pub values: Values,
    /// Values that all variants share that have one value of the first axis: pictures of a colour.
    pub levels: BTreeMap<String, Values>,
    pub media: Vec<MediaLink>,
    /// Filled and wanted values by `channel/language`, in hundredths of nothing: see [`crate::completeness`].
    pub complete: BTreeMap<String, (i64, i64)>,
    pub version: i64,
    pub change: i64,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    /// By position.
    pub variants: Vec<ProductVariant>,
}

impl Product {
    /// A value as a variant has it: its own, or that of its level, or the product's.
    pub fn value_of<'a>(&'a self, variant: &'a ProductVariant, key: &str) -> Option<&'a serde_json::Value> {
        let level = || {
            let axis = self.axes.first()?;
            self.levels.get(variant.values.get(axis)?.as_str()?)?.get(key)
        };
        variant.values.get(key).or_else(level).or_else(|| self.values.get(key))
    }
}

/// A product as somebody sends it. What is absent stays as it is; in a new product it is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductInput {
    /// The shop's own id.
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ProductState>,
    /// Code of a family; empty = none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Name of a brand, made when it is new; empty = none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Such as `standard`, `reduced`, `zero`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// Codes of categories, all of them; or paths (`Clothes > Shoes`), made when they are new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// Codes of the attributes by which variants differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axes: Option<Vec<String>>,
    /// Values by key; null takes one away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, serde_json::Value>,
    /// Values by value of the first axis and key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub levels: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Vec<MediaLink>>,
    /// Those that are to be made or changed, by SKU; others stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantInput>,
}

/// A variant as somebody sends it. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantInput {
    pub sku: String,
    /// Empty = none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracked: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lots: Option<Lots>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// Values by key; null takes one away.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, serde_json::Value>,
}

/// Why an input was not taken, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Which of the inputs, from 0.
    pub index: usize,
    /// JSON Pointer into it.
    pub pointer: String,
    pub detail: String,
}

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Which of the inputs, from 0.
    pub index: usize,
    pub product_no: i64,
    pub outcome: Outcome,
}

/// See [`Accepted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Created,
    Changed,
    /// It was like that already; nothing was written.
    Same,
}
