//! Exact decimal numbers for sums and comparisons of what events carry.
use std::fmt;

const SCALE: i128 = 1_000_000_000;

/// A decimal number with nine places, exact to add, so that a sum is the same in any order.
///
/// Range ±1.7 · 10²⁹. Read from the text of a JSON number, never through a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(i128);

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal(0);

    /// A whole number.
    pub const fn from_int(value: i64) -> Self {
        Self(value as i128 * SCALE)
    }
    /// The number in billionths, as it is stored.
    pub const fn billionths(self) -> i128 {
        self.0
    }
    /// The inverse of [`Decimal::billionths`].
    pub const fn from_billionths(value: i128) -> Self {
        Self(value)
    }
    /// Sum; stays at the ends of the range.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// Parses JSON's number syntax with an optional `+`; more than nine places round half away from zero. `None` when
    /// it is no number or does not fit.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, negative, exponent) = split(text)?;
        let shift = exponent + 9;
        let value = if shift >= 0 {
            if mantissa == 0 { 0 } else { mantissa.checked_mul(10i128.checked_pow(u32::try_from(shift).ok()?)?)? }
        } else {
            divide_rounding(mantissa, (-shift) as u32)
        };
        (value.abs() < 10i128.pow(38)).then_some(Self(if negative { -value } else { value }))
    }
    /// This number in units of 10^-`places`, rounded half away from zero; `None` when it does not fit.
    pub fn to_minor(self, places: u32) -> Option<i64> {
        let value = match places {
            0..=9 => divide_rounding(self.0.abs(), 9 - places),
            _ => return None,
        };
        i64::try_from(if self.0 < 0 { -value } else { value }).ok()
    }
    /// The nearest float, for charts only.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / SCALE as f64
    }
}

fn divide_rounding(value: i128, places: u32) -> i128 {
    match 10i128.checked_pow(places) {
        Some(unit) => (value + unit / 2) / unit,
        None => 0,
    }
}

/// Mantissa, sign and exponent of ten.
fn split(text: &str) -> Option<(i128, bool, i32)> {
    let bytes = text.as_bytes();
    let (negative, mut at) = match bytes.first()? {
        b'-' => (true, 1),
        b'+' => (false, 1),
        _ => (false, 0),
    };
    let (mut mantissa, mut exponent, mut seen, mut point) = (0i128, 0i32, false, false);
    while let Some(&b) = bytes.get(at) {
        match b {
            b'0'..=b'9' => {
                seen = true;
                if mantissa < 10i128.pow(36) {
                    mantissa = mantissa * 10 + i128::from(b - b'0');
                    exponent -= i32::from(point);
                } else {
                    exponent += i32::from(!point);
                }
            }
            b'.' if !point => point = true,
            b'e' | b'E' => break,
            _ => return None,
        }
        at += 1;
    }
    if !seen {
        return None;
    }
    if let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let power: i32 = rest.get(1..)?.parse().ok()?;
        exponent = exponent.checked_add(power)?;
    }
    Some((mantissa, negative, exponent))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, part) = (self.0.unsigned_abs() / SCALE as u128, self.0.unsigned_abs() % SCALE as u128);
        if part == 0 {
            return write!(f, "{sign}{whole}");
        }
        let part = format!("{part:09}");
        write!(f, "{sign}{whole}.{}", part.trim_end_matches('0'))
    }
}
