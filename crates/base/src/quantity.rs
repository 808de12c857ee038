//! Quantities of goods: whole thousandths of a unit.
use crate::Decimal;
use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// How much of something: thousandths of its unit (piece, kilogram, metre), as fiscal registers count too.
///
/// Sums saturate: a quantity at the end of the range is refused at the border (see [`Quantity::MAX`]) long before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i64);

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("{0:?} is not a quantity: write a number such as 2 or 0.750")]
    Number(String),
    #[error("{0} has more than three decimals: quantities are counted in thousandths")]
    Decimals(String),
    #[error("{0} is too much: at most 1000000000")]
    TooMuch(String),
}

impl Quantity {
    pub const ZERO: Quantity = Quantity(0);
    pub const ONE: Quantity = Quantity(1000);
    /// The greatest that is taken from outside: a billion units.
    pub const MAX: Quantity = Quantity(1_000_000_000_000);

    /// Whole units.
    pub const fn units(units: i64) -> Self {
        Quantity(units.saturating_mul(1000))
    }
    /// Thousandths.
    pub const fn from_milli(milli: i64) -> Self {
        Quantity(milli)
    }
    /// Thousandths.
    pub const fn milli(self) -> i64 {
        self.0
    }
    /// Parses decimal text, `-` allowed; never rounds.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let text = text.trim();
        let shown = || text.chars().take(40).collect::<String>();
        let decimal = Decimal::parse(text).ok_or_else(|| QuantityError::Number(shown()))?;
        let milli = decimal.to_minor(3).ok_or_else(|| QuantityError::TooMuch(shown()))?;
        if milli.unsigned_abs() > Self::MAX.0.unsigned_abs() {
            return Err(QuantityError::TooMuch(shown()));
        }
        let exact = Decimal::parse(&Quantity(milli).to_string());
        if exact != Some(decimal) {
            return Err(QuantityError::Decimals(shown()));
        }
        Ok(Quantity(milli))
    }
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }
    /// Never below nothing.
    pub fn or_none(self) -> Self {
        Quantity(self.0.max(0))
    }
}

impl Add for Quantity {
    type Output = Quantity;
    fn add(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_add(other.0))
    }
}
impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        Quantity(self.0.saturating_sub(other.0))
    }
}
impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Quantity) {
        *self = *self + other;
    }
}
impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Quantity) {
        *self = *self - other;
    }
}
impl Neg for Quantity {
    type Output = Quantity;
    fn neg(self) -> Quantity {
        Quantity(self.0.saturating_neg())
    }
}
impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(all: I) -> Quantity {
        all.fold(Quantity::ZERO, Add::add)
    }
}

/// Decimal text without needless zeros: `2`, `0.75`, `-1.5`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        let sign = if self.0 < 0 { "-" } else { "" };
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let rest = format!("{rest:03}");
        write!(f, "{sign}{whole}.{}", rest.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_exactly_or_refused() {
        for (text, milli) in
            [("2", 2000), ("0.75", 750), ("0.750", 750), ("-1.5", -1500), (" 3 ", 3000), ("1e2", 100_000)]
        {
            assert_eq!(Quantity::parse(text), Ok(Quantity::from_milli(milli)), "{text}");
        }
        assert!(matches!(Quantity::parse("0.0005"), Err(QuantityError::Decimals(_))));
        assert!(matches!(Quantity::parse("two"), Err(QuantityError::Number(_))));
        assert!(matches!(Quantity::parse("10000000000"), Err(QuantityError::TooMuch(_))));
        assert!(matches!(Quantity::parse(""), Err(QuantityError::Number(_))));
        assert_eq!(Quantity::from_milli(-1250).to_string(), "-1.25");
        assert_eq!(Quantity::units(12).to_string(), "12");
    }
}
