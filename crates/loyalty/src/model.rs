//! Nouns of a basket and of promotions.
use crate::amounts::{Quantity, Rate, UnitPrice};
use crate::tax::{Owed, Prices, Rates, Rounding, Taxed};
use base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a customer wants to buy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Basket {
    /// ISO 4217; all amounts are its minor units.
    pub currency: String,
    pub lines: Vec<Line>,
    pub shipping: Option<Shipping>,
    /// As typed.
    pub coupons: Vec<String>,
    /// Points that the customer wants to burn.
    pub points: i64,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    pub id: String,
    pub sku: String,
    pub product: Option<String>,
    pub quantity: Quantity,
    /// The list price of one.
    pub price: UnitPrice,
    /// The price of one for this customer alone.
    pub personal: Option<UnitPrice>,
    /// The list price is a sale price already.
    pub sale: bool,
    pub gift_card: bool,
    /// Paths, such as `shoes/boots`.
    pub categories: Vec<String>,
    pub tags: Vec<String>,
    pub brand: Option<String>,
    pub rates: Rates,
}

/// What delivery costs before promotions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shipping {
    pub minor: i64,
    pub rates: Rates,
}

/// When, where and for whom a basket is priced.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context {
    pub at: Timestamp,
    pub channel: Option<String>,
    pub store: Option<String>,
    pub region: Option<String>,
    pub payment: Option<String>,
    pub delivery: Option<String>,
    pub customer: Customer,
    pub prices: Prices,
    pub rounding: Rounding,
    /// Uses of promotions by everybody, by promotion, beside those that the promotion itself says.
    pub used: BTreeMap<String, i64>,
    /// How cash is rounded at `at`; only a basket paid in cash is.
    pub cash: Option<CashRounding>,
    /// Whether every promotion that does not apply shall say why; it costs time.
    pub explain: bool,
}

/// What is known of the customer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Customer {
    pub id: Option<String>,
    pub segments: Vec<String>,
    /// Orders before this one.
    pub orders: i64,
    /// Points that can be burned.
    pub points: i64,
    /// Uses of promotions, by promotion.
    pub used: BTreeMap<String, i64>,
}

/// To which multiple a cash total goes; ties as the law says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashRounding {
    /// Minor units of the smallest coin in use.
    pub step_minor: i64,
    /// A rest from here on goes up.
    pub up_from_minor: i64,
}

impl CashRounding {
    /// What rounding adds to an amount that is paid in cash, below 0 when it goes down. Nothing for a step below 1.
    pub fn difference(&self, minor: i64) -> i64 {
        if self.step_minor < 1 {
            return 0;
        }
        let rest = minor.unsigned_abs() % self.step_minor.unsigned_abs();
        let rest = rest as i64;
        let up = if rest > 0 && rest >= self.up_from_minor { self.step_minor - rest } else { -rest };
        if minor < 0 { -up } else { up }
    }
}

/// What changes prices: lanes in the order in which they stack, what points are worth, the promotions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotions {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<Lane>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<PointsPolicy>,
    pub promotions: Vec<Promotion>,
}

/// Promotions of a lane compete; lanes stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    pub id: String,
    #[serde(default)]
    pub mode: Mode,
}

/// Which discount a line takes inside a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The one best for the customer.
    #[default]
    Best,
    /// The one that costs the shop least.
    Worst,
    /// The first by priority.
    First,
    /// All by priority, each on what the one before left.
    Accumulate,
}

/// What a point is worth and how it is earned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointsPolicy {
    /// Worth of one point.
    pub point_minor: i64,
    #[serde(default)]
    pub earn_percent: Rate,
    #[serde(default = "all")]
    pub burn_percent_max: Rate,
    #[serde(default)]
    pub burn_min: i64,
    #[serde(default)]
    pub burn_as: BurnAs,
    /// Goods that neither earn nor take points, beside gift cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<Selection>,
}

fn all() -> Rate {
    Rate::percent(100)
}

/// What burned points do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BurnAs {
    /// They lower the price, and with it the tax.
    #[default]
    Discount,
    /// They are a way of paying.
    Payment,
}

/// A promotion as a marketer writes it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Promotion {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    pub priority: i64,
    pub exclusive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    pub not_with_sale_price: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// The first moment at which it no longer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    pub used: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_per_customer: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<String>,
    /// At most this in one order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap_minor: Option<i64>,
    #[serde(rename = "match")]
    pub matches: Match,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    pub effects: Vec<Effect>,
}

/// Whether all conditions must hold or any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    #[default]
    All,
    Any,
}

/// Lines that any of these names, less those that `not` names. An empty one names every line; a category its subtree.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub brands: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Selection>>,
}

/// Which amounts a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// What earlier discounts left.
    #[default]
    Remaining,
    List,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// At least so many (one, if it is not said) of these goods are in the basket.
    Products {
        on: Selection,
        #[serde(default = "one_piece")]
        quantity_min: Quantity,
    },
    Quantity {
        #[serde(default)]
        on: Selection,
        min: Option<Quantity>,
        max: Option<Quantity>,
    },
    Amount {
        #[serde(default)]
        on: Selection,
        min_minor: Option<i64>,
        max_minor: Option<i64>,
        #[serde(default)]
        of: Of,
    },
    Channel {
        r#in: Vec<String>,
    },
    Store {
        r#in: Vec<String>,
    },
    Region {
        r#in: Vec<String>,
    },
    Payment {
        r#in: Vec<String>,
    },
    Delivery {
        r#in: Vec<String>,
    },
    Segment {
        r#in: Vec<String>,
    },
    Customer {
        r#in: Vec<String>,
    },
    FirstOrder {},
    Orders {
        min: Option<i64>,
        max: Option<i64>,
    },
    Not {
        condition: Box<Condition>,
    },
    Any {
        conditions: Vec<Condition>,
    },
}

fn one_piece() -> Quantity {
    Quantity::pieces(1)
}

/// What a promotion gives. `on` names the lines; without it those of the first `products` condition, else all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    Percent {
        percent: Rate,
        on: Option<Selection>,
    },
    FixedPerOrder {
        minor: i64,
        on: Option<Selection>,
    },
    FixedPerLine {
        minor: i64,
        on: Option<Selection>,
    },
    FixedPerUnit {
        minor: i64,
        on: Option<Selection>,
    },
    FixedPrice {
        minor: i64,
        on: Option<Selection>,
    },
    /// Of every so many pieces the cheapest are free, or `percent` off.
    CheapestFree {
        every: i64,
        #[serde(default = "one")]
        free: i64,
        #[serde(default = "all")]
        percent: Rate,
        on: Option<Selection>,
    },
    /// Who buys some gets others, or more of the same, `percent` off.
    BuyGet {
        buy: i64,
        get: i64,
        #[serde(default = "all")]
        percent: Rate,
        on: Option<Selection>,
        get_on: Option<Selection>,
        times_max: Option<i64>,
    },
    BundlePrice {
        items: Vec<BundleItem>,
        minor: i64,
        times_max: Option<i64>,
    },
    /// The highest step that the amount or quantity reaches.
    Tiers {
        by: By,
        on: Option<Selection>,
        steps: Vec<Step>,
    },
    FreeShipping {
        #[serde(default = "all")]
        percent: Rate,
        minor_max: Option<i64>,
    },
    PointsMultiplier {
        /// Read as a number with up to four decimals, kept in ten-thousandths as unit prices are.
        times: UnitPrice,
        on: Option<Selection>,
    },
}

fn one() -> i64 {
    1
}

/// A part of a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleItem {
    pub on: Selection,
    pub quantity: i64,
}

/// What steps are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    Amount,
    Quantity,
}

/// A step: from how many minor units or pieces, and what it gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub from: Quantity,
    pub percent: Option<Rate>,
    pub minor: Option<i64>,
}

/// A basket with its price.
#[derive(Debug, Clone, PartialEq)]
pub struct Priced {
    pub currency: String,
    pub at: Timestamp,
    pub prices: Prices,
    pub rounding: Rounding,
    pub lines: Vec<PricedLine>,
    pub shipping: Option<PricedLine>,
    pub owed: Vec<Owed>,
    pub totals: Totals,
    pub points: PricedPoints,
    /// What each promotion gave, in the order in which they first gave something.
    pub applied: Vec<(String, i64)>,
    /// Promotions that gave nothing, and why; all of them only if it was asked.
    pub not_applied: Vec<(String, WhyNot)>,
    pub coupons: Vec<(String, CouponState)>,
}

/// A line with its price, as it is stored with an order; refunds are made from it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PricedLine {
    pub id: String,
    pub sku: String,
    pub quantity: Quantity,
    pub list_minor: i64,
    pub discounts: Vec<Discount>,
    pub taxed: Taxed,
    pub rates: Rates,
    /// Points burned for this line, and what they were worth.
    pub burned: i64,
    pub burned_minor: i64,
    /// Points that this line earns.
    pub earned: i64,
}

/// What a promotion took off a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Discount {
    pub promotion: String,
    pub minor: i64,
    pub why: String,
}

/// Sums of lines and shipping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub list_minor: i64,
    pub discount_minor: i64,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    /// Paid with points, where they are a way of paying.
    pub points_minor: i64,
    /// Added by rounding cash; a line of its own, never taxed.
    pub rounding_minor: i64,
    /// What is to be paid.
    pub due_minor: i64,
}

/// Points of a basket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PricedPoints {
    pub burned: i64,
    pub burned_minor: i64,
    pub earned: i64,
    /// Why not more were burned, and what was earned on.
    pub why: String,
}

/// What became of a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CouponState {
    Applied,
    NotApplied,
    Unknown,
}

/// Why a promotion gave nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WhyNot {
    #[error("it begins at {0}")]
    NotYet(Timestamp),
    #[error("it ended at {0}")]
    Over(Timestamp),
    #[error("all {0} uses are spent")]
    UsedUp(i64),
    #[error("the customer has used it {0} times, which is the limit")]
    UsedUpByCustomer(i64),
    #[error("its limit counts uses of a customer, and the customer is not known")]
    UnknownCustomer,
    #[error("it needs a coupon")]
    NoCoupon,
    #[error("{0}")]
    Condition(String),
    #[error("no line of the basket is among its goods")]
    NoLine,
    #[error("its goods have a sale price already")]
    SalePrice,
    #[error("there are too few pieces, or nothing is left to take off")]
    Nothing,
    #[error("{by} of the same group applies")]
    Group { by: String },
    #[error("{by} applies alone")]
    Excluded { by: String },
    #[error("it applies alone only, and the other promotions give more")]
    AloneIsLess,
    #[error("{by} gives the customer more in lane {lane}")]
    Beaten { by: String, lane: String },
}
