//! What stands in the files, in plain words.
use base::{Decimal, Quantity};

/// No characteristic: some programs send it as one.
const NOTHING: &str = "00000000-0000-0000-0000-000000000000";

/// A part of a file that goods or offers stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `Каталог`.
    Goods,
    /// `ПакетПредложений` and `ИзмененияПакетаПредложений`.
    Offers,
}

/// What a part says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub part: Part,
    /// Of the catalogue; empty where the file does not say it.
    pub catalogue: String,
    pub classifier: String,
    pub name: String,
    /// `СодержитТолькоИзменения`; `None` where nobody said it. Whole at the part's end.
    pub changes_only: Option<bool>,
}

/// What one item is.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A part begins; some of its head may come later.
    Opened(Head),
    /// A part ended, with all of its head.
    Closed(Head),
    Group(Group),
    Property(Property),
    PriceType(PriceType),
    Warehouse(Warehouse),
    Product(ProductItem),
    Offer(OfferItem),
    Document(Document),
    /// Something that is known and not used here.
    Other(String),
    /// An item that cannot be used: whose, and why.
    Bad {
        what: &'static str,
        subject: String,
        why: String,
    },
}

/// A group of goods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    pub id: String,
    pub parent: String,
    pub name: String,
    pub deleted: bool,
}

/// A property with the values that it can have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Property {
    pub id: String,
    pub name: String,
    /// `Справочник`, `Строка`, `Число`…
    pub kind: String,
    /// Id and text.
    pub values: Vec<(String, String)>,
}

/// A kind of price.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceType {
    pub id: String,
    pub name: String,
    /// As it is written.
    pub currency: String,
}

/// A place where goods lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warehouse {
    pub id: String,
    pub name: String,
    pub address: String,
}

/// Goods. What is `None` was not said: in a delta and in a full file alike, that takes nothing away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductItem {
    pub id: String,
    pub name: Option<String>,
    pub article: Option<String>,
    pub code: Option<String>,
    pub barcode: Option<String>,
    /// Of the unit, trimmed: `796`.
    pub unit: Option<String>,
    pub groups: Vec<String>,
    pub description: Option<String>,
    /// Paths beside the file.
    pub pictures: Vec<String>,
    pub brand: Option<String>,
    /// Of properties: id, values as they are written (ids of values for `Справочник`).
    pub values: Vec<(String, Vec<String>)>,
    /// Tax by name and rate.
    pub taxes: Vec<(String, String)>,
    pub requisites: Vec<(String, String)>,
    pub weight_g: Option<i64>,
    /// Not goods that lie somewhere.
    pub is_service: bool,
    pub deleted: bool,
}

/// Which offer: a product, or one of its characteristics.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferId {
    pub product: String,
    pub characteristic: Option<String>,
}

impl OfferId {
    /// Reads `X` or `X#Y`. The characteristic of zeros is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (product, characteristic) = match text.trim().split_once('#') {
            Some((product, characteristic)) => (product.trim(), characteristic.trim()),
            None => (text.trim(), ""),
        };
        let characteristic = Some(characteristic).filter(|c| !c.is_empty() && *c != NOTHING).map(str::to_string);
        (!product.is_empty()).then(|| Self { product: product.into(), characteristic })
    }
}

impl std::fmt::Display for OfferId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.characteristic {
            Some(characteristic) => write!(f, "{}#{characteristic}", self.product),
            None => f.write_str(&self.product),
        }
    }
}

/// A price of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferPrice {
    pub price_type: String,
    /// Major units.
    pub amount: Decimal,
    /// As it is written; empty = that of the price type.
    pub currency: String,
}

/// What is offered of goods: names, prices, how many there are. What was not said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfferItem {
    pub id: OfferId,
    pub name: Option<String>,
    pub article: Option<String>,
    pub barcode: Option<String>,
    /// What tells it from others of the product: name and value.
    pub characteristics: Vec<(String, String)>,
    pub prices: Vec<OfferPrice>,
    /// Everywhere together.
    pub total: Option<Quantity>,
    /// By warehouse.
    pub stock: Vec<(String, Quantity)>,
    pub deleted: bool,
}

impl OfferItem {
    /// Whether total and warehouses disagree: what the total says, and what the warehouses have together.
    pub fn disagreement(&self) -> Option<(Quantity, Quantity)> {
        let sum: Quantity = self.stock.iter().map(|(_, quantity)| *quantity).sum();
        self.total.filter(|total| !self.stock.is_empty() && *total != sum).map(|total| (total, sum))
    }
}

/// Somebody on a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partner {
    pub id: String,
    pub name: String,
    pub role: String,
    pub email: String,
    pub phone: String,
    pub address: String,
}

/// What was taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discount {
    pub name: String,
    pub total: Decimal,
    /// Whether the line's total has it in it.
    pub included: bool,
}

/// A line of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Of an offer; empty for lines of free text.
    pub id: String,
    pub name: String,
    pub unit: String,
    pub price: Decimal,
    pub quantity: Quantity,
    pub total: Decimal,
    pub discounts: Vec<Discount>,
    pub is_service: bool,
}

/// An order, a payment or a shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub id: String,
    pub number: String,
    /// `2026-01-31`.
    pub date: String,
    /// `15:40:40`.
    pub time: String,
    /// `Заказ товара` and others.
    pub operation: String,
    pub currency: String,
    pub total: Decimal,
    pub version: String,
    pub comment: String,
    pub partner: Option<Partner>,
    pub lines: Vec<Line>,
    pub requisites: Vec<(String, String)>,
}

impl Document {
    /// A requisite that says something. `T` is how some configurations write a date that is empty.
    pub fn requisite(&self, name: &str) -> Option<&str> {
        let found = self.requisites.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty() && *value != "T")
    }
    /// Whether a requisite says yes.
    pub fn is(&self, name: &str) -> bool {
        self.requisite(name).and_then(super::flag) == Some(true)
    }
}
