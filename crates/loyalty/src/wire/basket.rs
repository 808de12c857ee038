//! A basket as JSON.
use super::{Laws, WireError};
use crate::amounts::{Quantity, Rate, UnitPrice};
use crate::law::presets;
use crate::model::{Basket, Context, Customer, Line, Shipping};
use crate::tax::{Prices, Rates, Rounding};
use base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// The most that a line may cost, in minor units: sums of ten thousand of them stay exact.
const LINE_MINOR_MAX: i64 = 100_000_000_000_000;
/// The most lines of a basket.
const LINES_MAX: usize = 10_000;

/// A basket as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasketDocument {
    pub currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    #[serde(default)]
    pub customer: CustomerDocument,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<String>,
    #[serde(default)]
    pub points: i64,
    #[serde(default)]
    pub tax: TaxDocument,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<ShippingDocument>,
    pub lines: Vec<BasketLine>,
}

/// What is known of the customer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    pub orders: i64,
    pub points: i64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub used: BTreeMap<String, i64>,
}

/// How tax is counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaxDocument {
    pub prices: Prices,
    pub rounding: Rounding,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<Rate>,
}

/// What delivery costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippingDocument {
    pub price_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_percent: Option<Rate>,
}

/// A line as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasketLine {
    pub id: String,
    pub sku: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    pub quantity: Quantity,
    pub price_minor: UnitPrice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_minor: Option<UnitPrice>,
    #[serde(default)]
    pub sale: bool,
    #[serde(default)]
    pub gift_card: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_percent: Option<Rate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excise_percent: Option<Rate>,
}

/// Reads a basket; `now` is its moment if it names none, `laws` gives the law of its country (the presets, or the shop's own).
pub fn read_basket(text: &str, now: Timestamp, laws: Laws) -> Result<(Basket, Context), WireError> {
    let document: BasketDocument = serde_json::from_str(text)?;
    document.read(now, laws)
}

impl BasketDocument {
    /// The basket and context that this says, if it makes sense.
    pub fn read(self, now: Timestamp, laws: Laws) -> Result<(Basket, Context), WireError> {
        let at = self.at.unwrap_or(now);
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            let what = format!("{:?} is no currency code of three capitals", self.currency);
            return Err(WireError::value("/currency", what));
        }
        if self.lines.len() > LINES_MAX {
            return Err(WireError::value("/lines", format!("a basket has at most {LINES_MAX} lines")));
        }
        if self.points < 0 {
            return Err(WireError::value("/points", "points to burn are not negative"));
        }
        let law = match &self.country {
            None => None,
            Some(country) => Some(laws(country).ok_or_else(|| {
                let known = presets::countries().join(", ");
                WireError::value("/country", format!("there are no rules of law for {country:?}; presets: {known}"))
            })?),
        };
        let day = law.as_ref().map(|law| law.day(at));
        let cash = law.as_ref().zip(day).and_then(|(law, day)| law.cash(day));
        let standard = law.as_ref().zip(day).map(|(law, day)| law.standard_tax(day)).unwrap_or_default();
        let default = self.tax.percent.unwrap_or(standard.vat);
        check_rate("/tax/percent", default)?;
        let lines = read_lines(self.lines, default)?;
        let shipping = match self.shipping {
            None => None,
            Some(s) => {
                if !(0..=LINE_MINOR_MAX).contains(&s.price_minor) {
                    let what = format!("it lies between 0 and {LINE_MINOR_MAX}");
                    return Err(WireError::value("/shipping/price_minor", what));
                }
                let vat = s.tax_percent.unwrap_or(default);
                check_rate("/shipping/tax_percent", vat)?;
                Some(Shipping { minor: s.price_minor, rates: Rates { vat, excise: Rate(0) } })
            }
        };
        let customer = Customer {
            id: self.customer.id,
            segments: self.customer.segments,
            orders: self.customer.orders,
            points: self.customer.points,
            used: self.customer.used,
        };
        let context = Context {
            at,
            channel: self.channel,
            store: self.store,
            region: self.region,
            payment: self.payment,
            delivery: self.delivery,
            customer,
            prices: self.tax.prices,
            rounding: self.tax.rounding,
            used: BTreeMap::new(),
            cash,
            explain: true,
        };
        let basket = Basket { currency: self.currency, lines, shipping, coupons: self.coupons, points: self.points };
        Ok((basket, context))
    }
}

fn read_lines(from: Vec<BasketLine>, default: Rate) -> Result<Vec<Line>, WireError> {
    let mut ids = HashSet::new();
    let mut out = Vec::with_capacity(from.len());
    for (at, line) in from.into_iter().enumerate() {
        let wrong = |field: &str, what: String| WireError::value(format!("/lines/{at}/{field}"), what);
        if !ids.insert(line.id.clone()) {
            return Err(wrong("id", format!("line {:?} stands twice", line.id)));
        }
        if line.sku.trim().is_empty() {
            return Err(wrong("sku", "a line needs a SKU".into()));
        }
        if line.quantity.0 <= 0 {
            return Err(wrong("quantity", format!("{} is not above 0", line.quantity)));
        }
        if line.price_minor.0 < 0 {
            return Err(wrong("price_minor", "a price is not negative".into()));
        }
        if line.personal_minor.is_some_and(|p| p.0 < 0) {
            return Err(wrong("personal_minor", "a price is not negative".into()));
        }
        if line.price_minor.times(line.quantity) > LINE_MINOR_MAX {
            return Err(wrong("price_minor", format!("the line costs more than {LINE_MINOR_MAX}")));
        }
        let vat = line.tax_percent.unwrap_or(default);
        check_rate(&format!("/lines/{at}/tax_percent"), vat)?;
        let excise = line.excise_percent.unwrap_or_default();
        check_rate(&format!("/lines/{at}/excise_percent"), excise)?;
        out.push(Line {
            id: line.id,
            sku: line.sku,
            product: line.product,
            quantity: line.quantity,
            price: line.price_minor,
            personal: line.personal_minor,
            sale: line.sale,
            gift_card: line.gift_card,
            categories: line.categories,
            tags: line.tags,
            brand: line.brand,
            rates: Rates { vat, excise },
        });
    }
    Ok(out)
}

fn check_rate(pointer: &str, rate: Rate) -> Result<(), WireError> {
    match (0..=Rate::percent(1000).0).contains(&rate.0) {
        true => Ok(()),
        false => Err(WireError::value(pointer, format!("{rate} does not lie between 0 and 1000"))),
    }
}
