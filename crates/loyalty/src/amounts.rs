//! Numbers of a basket: quantities, unit prices and rates, all whole numbers below.
use base::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Pieces in thousandths: 1 piece = 1000, 350 g of a kilogram = 350.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Quantity(pub i64);

/// The price of one in ten-thousandths of a minor unit: only a line's total is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct UnitPrice(pub i64);

/// A share in millionths: 20 % = 200,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Rate(pub i64);

/// Millionths in one.
pub const ONE: i64 = 1_000_000;

impl Quantity {
    /// So many whole pieces.
    pub const fn pieces(count: i64) -> Self {
        Self(count * 1000)
    }
    /// Whole pieces in it; what is left over is not counted.
    pub const fn whole(self) -> i64 {
        self.0 / 1000
    }
}

impl UnitPrice {
    /// A price of whole minor units.
    pub const fn minor(minor: i64) -> Self {
        Self(minor * 10_000)
    }
    /// What so many cost, rounded half away from zero; stays at the ends of the range.
    pub fn times(self, quantity: Quantity) -> i64 {
        divide(i128::from(self.0) * i128::from(quantity.0), 10_000_000)
    }
}

impl Rate {
    /// So many whole per cent.
    pub const fn percent(percent: i64) -> Self {
        Self(percent * 10_000)
    }
    /// This share of an amount, rounded half away from zero.
    pub fn of(self, minor: i64) -> i64 {
        divide(i128::from(minor) * i128::from(self.0), i128::from(ONE))
    }
}

/// `a / b` rounded half away from zero, kept inside `i64`; `b` is above 0.
pub fn divide(a: i128, b: i128) -> i64 {
    let rounded = (a.abs() + b / 2) / b;
    let signed = if a < 0 { -rounded } else { rounded };
    signed.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// An amount in major units as text, two decimals: `1234.50`.
pub fn major(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.unsigned_abs() / 100, minor.unsigned_abs() % 100)
}

fn scaled<'de, D: Deserializer<'de>>(from: D, places: u32, what: &str) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(from)?;
    let text = number.to_string();
    let exact = Decimal::parse(&text).filter(|d| d.billionths() % 10i128.pow(9 - places) == 0);
    exact.and_then(|d| d.to_minor(places)).ok_or_else(|| {
        D::Error::custom(format!("{text} is no {what}: at most {places} decimals, and not beyond its range"))
    })
}

fn shown<S: Serializer>(value: i64, places: u32, to: S) -> Result<S::Ok, S::Error> {
    let unit = 10i64.pow(places);
    if value % unit == 0 { to.serialize_i64(value / unit) } else { to.serialize_f64(value as f64 / unit as f64) }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        scaled(from, 3, "quantity").map(Self)
    }
}
impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        shown(self.0, 3, to)
    }
}
impl<'de> Deserialize<'de> for UnitPrice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        scaled(from, 4, "price").map(Self)
    }
}
impl Serialize for UnitPrice {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        shown(self.0, 4, to)
    }
}
impl<'de> Deserialize<'de> for Rate {
    /// From per cent, with up to four decimals.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        scaled(from, 4, "percentage").map(Self)
    }
}
impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        shown(self.0, 4, to)
    }
}

impl std::fmt::Display for Rate {
    /// In per cent, without the sign.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        decimal(self.0, 10_000, 4, f)
    }
}
impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        decimal(self.0, 1000, 3, f)
    }
}

fn decimal(value: i64, unit: i64, places: usize, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let (whole, part) = (value / unit, (value % unit).unsigned_abs());
    if part == 0 {
        return write!(f, "{whole}");
    }
    let part = format!("{part:0places$}");
    write!(f, "{whole}.{}", part.trim_end_matches('0'))
}
