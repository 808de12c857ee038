//! Products on the wire.
use crate::api::wire::Money;
use crate::input::Id;
use catalog::model::{self, Lots, Outcome, Product, ProductState, ProductVariant};
use catalog::schema::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Whether a product is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProductState)]
pub enum StateWire {
    Draft,
    Active,
    Archived,
}

/// How pieces are told apart in stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Lots)]
pub enum LotsWire {
    None,
    Lot,
    Serial,
}

/// A base price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PriceInput)]
pub struct PriceWire {
    /// Minor units.
    pub minor: i64,
    /// ISO 4217.
    pub currency: String,
}

/// A picture or document of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductMedia)]
pub struct MediaWire {
    /// Hash of the bytes (`POST /media` gives it), or an address elsewhere.
    pub hash: String,
    /// What it shows, by language.
    #[serde(default)]
    pub alt: BTreeMap<String, String>,
    /// SKUs that it shows; none: all.
    #[serde(default)]
    pub skus: Vec<String>,
}

/// A product to make or change. What is absent stays as it is.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductInput)]
pub struct ProductBody {
    /// The shop's own id.
    pub id: String,
    pub name: Option<String>,
    pub state: Option<StateWire>,
    /// Code of a family; empty = none.
    pub family: Option<String>,
    /// Name of a brand, made when it is new.
    pub brand: Option<String>,
    pub tax_class: Option<String>,
    /// Codes of categories, or paths (`Clothes > Shoes`), made when they are new.
    pub categories: Option<Vec<String>>,
    /// Codes of the attributes by which variants differ.
    pub axes: Option<Vec<String>>,
    /// Values by key: `code`, `code@channel`, `code#language`, `code@channel#language`; null takes one away.
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    /// Values by value of the first axis, and key.
    #[serde(default)]
    pub levels: BTreeMap<String, BTreeMap<String, Value>>,
    pub media: Option<Vec<MediaWire>>,
    /// Those to make or change, by SKU; others stay.
    #[serde(default)]
    pub variants: Vec<VariantBody>,
}

/// A variant to make or change. What is absent stays as it is.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VariantInput)]
pub struct VariantBody {
    pub sku: String,
    /// 8, 12, 13 or 14 digits; empty = none.
    pub gtin: Option<String>,
    pub price: Option<PriceWire>,
    /// Whether pieces are counted.
    pub tracked: Option<bool>,
    pub lots: Option<LotsWire>,
    pub weight_g: Option<i64>,
    pub archived: Option<bool>,
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
}

impl From<StateWire> for ProductState {
    fn from(state: StateWire) -> Self {
        match state {
            StateWire::Draft => Self::Draft,
            StateWire::Active => Self::Active,
            StateWire::Archived => Self::Archived,
        }
    }
}

impl From<ProductState> for StateWire {
    fn from(state: ProductState) -> Self {
        match state {
            ProductState::Draft => Self::Draft,
            ProductState::Active => Self::Active,
            ProductState::Archived => Self::Archived,
        }
    }
}

impl From<LotsWire> for Lots {
    fn from(lots: LotsWire) -> Self {
        match lots {
            LotsWire::None => Self::None,
            LotsWire::Lot => Self::Lot,
            LotsWire::Serial => Self::Serial,
        }
    }
}

impl From<Lots> for LotsWire {
    fn from(lots: Lots) -> Self {
        match lots {
            Lots::None => Self::None,
            Lots::Lot => Self::Lot,
            Lots::Serial => Self::Serial,
        }
    }
}

impl From<ProductBody> for model::ProductInput {
    fn from(b: ProductBody) -> Self {
        let media = |m: MediaWire| model::MediaLink { hash: m.hash, alt: m.alt, skus: m.skus };
        Self {
            id: b.id,
            name: b.name,
            state: b.state.map(Into::into),
            family: b.family,
            brand: b.brand,
            tax_class: b.tax_class,
            categories: b.categories,
            axes: b.axes,
            attributes: b.attributes,
            levels: b.levels,
            media: b.media.map(|list| list.into_iter().map(media).collect()),
            variants: b.variants.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<VariantBody> for model::VariantInput {
    fn from(b: VariantBody) -> Self {
        Self {
            sku: b.sku,
            gtin: b.gtin,
            price: b.price.map(|p| model::Price { minor: p.minor, currency: p.currency }),
            tracked: b.tracked,
            lots: b.lots.map(Into::into),
            weight_g: b.weight_g,
            archived: b.archived,
            attributes: b.attributes,
        }
    }
}

/// A product.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Product)]
pub struct ProductWire {
    /// The shop's own id.
    pub id: String,
    /// Braid's number of it.
    pub number: Id,
    pub name: String,
    pub state: StateWire,
    /// Code; null = none.
    pub family: Option<String>,
    pub brand: Option<String>,
    pub tax_class: String,
    /// Codes.
    pub categories: Vec<String>,
    pub axes: Vec<String>,
    pub attributes: BTreeMap<String, Value>,
    pub levels: BTreeMap<String, BTreeMap<String, Value>>,
    pub media: Vec<MediaWire>,
    pub variants: Vec<VariantWire>,
    /// How full it is, by channel and language.
    pub completeness: Vec<CompletenessWire>,
    pub version: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: base::Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: base::Timestamp,
}

/// How full a product is in a channel and language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Completeness)]
pub struct CompletenessWire {
    pub channel: String,
    pub locale: String,
    /// Wanted values that are there.
    pub filled: i64,
    /// Wanted values.
    pub required: i64,
    /// 0 to 100, rounded down.
    pub percent: i64,
}

/// A variant of a product.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Variant)]
pub struct VariantWire {
    /// Braid's number of it.
    pub number: Id,
    pub sku: String,
    /// As it is printed; null = none.
    pub gtin: Option<String>,
    /// Whether the GTIN means something in this shop only.
    pub gtin_in_store: bool,
    pub price: Option<Money>,
    pub tracked: bool,
    pub lots: LotsWire,
    pub weight_g: i64,
    pub archived: bool,
    pub attributes: BTreeMap<String, Value>,
}

impl ProductWire {
    /// A product with names for numbers.
    pub fn of(p: Product, schema: &Schema) -> Self {
        Self {
            family: schema.family(p.family_no).map(|f| f.code.clone()),
            brand: schema.brand(p.brand_no).map(|b| b.name.clone()),
            categories: p.categories.iter().filter_map(|c| schema.category(*c)).map(|c| c.code.clone()).collect(),
            completeness: completeness(&p.complete),
            id: p.id,
            number: Id(p.no),
            name: p.name,
            state: p.state.into(),
            tax_class: p.tax_class,
            axes: p.axes,
            attributes: p.values,
            levels: p.levels,
            media: p.media.into_iter().map(|m| MediaWire { hash: m.hash, alt: m.alt, skus: m.skus }).collect(),
            variants: p.variants.into_iter().map(VariantWire::of).collect(),
            version: p.version,
            created_at: p.created_at,
            updated_at: p.changed_at,
        }
    }
}

impl VariantWire {
    fn of(v: ProductVariant) -> Self {
        Self {
            number: Id(v.no),
            sku: v.sku,
            gtin: v.gtin.as_ref().map(|g| g.printed().to_string()),
            gtin_in_store: v.gtin.is_some_and(|g| g.in_store()),
            price: v.price.map(|p| Money { minor: p.minor, currency: p.currency }),
            tracked: v.tracked,
            lots: v.lots.into(),
            weight_g: v.weight_g,
            archived: v.archived,
            attributes: v.values,
        }
    }
}

/// Stored completeness as a list.
pub fn completeness(stored: &BTreeMap<String, (i64, i64)>) -> Vec<CompletenessWire> {
    let one = |(place, (filled, required)): (&String, &(i64, i64))| {
        let (channel, locale) = place.split_once('/').unwrap_or((place, ""));
        CompletenessWire {
            channel: channel.into(),
            locale: locale.into(),
            filled: *filled,
            required: *required,
            percent: if *required == 0 { 100 } else { filled * 100 / required },
        }
    };
    stored.iter().map(one).collect()
}

/// Many products at once.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductsInput)]
pub struct ProductsBody {
    /// At most 1,000.
    pub products: Vec<ProductBody>,
}

/// What became of many products.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ProductsResult)]
pub struct ProductsResult {
    pub accepted: Vec<AcceptedWire>,
    pub rejected: Vec<RejectedWire>,
}

/// One that was taken.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AcceptedProduct)]
pub struct AcceptedWire {
    /// Its place in the request, from 0.
    pub index: i64,
    pub number: Id,
    pub outcome: OutcomeWire,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProductOutcome)]
pub enum OutcomeWire {
    Created,
    Changed,
    Same,
}

impl From<Outcome> for OutcomeWire {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Created => Self::Created,
            Outcome::Changed => Self::Changed,
            Outcome::Same => Self::Same,
        }
    }
}

/// One that was not taken, and why.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = RejectedProduct)]
pub struct RejectedWire {
    pub index: i64,
    /// JSON Pointer into the product.
    pub pointer: String,
    pub detail: String,
}
