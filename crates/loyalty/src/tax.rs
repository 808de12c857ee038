//! Tax of lines, in prices that hold it and in prices that do not, rounded on each line or on the sum of each rate.
use crate::amounts::{ONE, Rate, divide};
use crate::distribute::distribute;
use serde::{Deserialize, Serialize};

/// Whether prices hold the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prices {
    #[default]
    Inclusive,
    Exclusive,
}

/// Where tax is rounded; a document says which one it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rounding {
    /// On each line; the document's tax is the sum.
    #[default]
    Line,
    /// On the sum of each rate; lines share it by largest remainder.
    Document,
}

/// What is taxed how: value added tax, and on the price with it a retail excise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Rates {
    pub vat: Rate,
    pub excise: Rate,
}

/// An amount with its tax; `net + vat + excise = total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taxed {
    pub net: i64,
    pub vat: i64,
    pub excise: i64,
    pub total: i64,
}

impl Taxed {
    /// All tax.
    pub fn tax(&self) -> i64 {
        self.vat + self.excise
    }
}

/// What a document owes of one pair of rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    pub rates: Rates,
    pub taxed: Taxed,
}

/// Tax inside a gross amount: `gross × r / (100 + r)`, half away from zero.
pub fn inside(gross: i64, rate: Rate) -> i64 {
    divide(i128::from(gross) * i128::from(rate.0), i128::from(ONE + rate.0))
}

/// Tax on a net amount: `net × r / 100`, half away from zero.
pub fn upon(net: i64, rate: Rate) -> i64 {
    rate.of(net)
}

/// One amount taxed by itself.
pub fn taxed(amount: i64, rates: Rates, prices: Prices) -> Taxed {
    match prices {
        Prices::Inclusive => {
            let excise = inside(amount, rates.excise);
            let vat = inside(amount - excise, rates.vat);
            Taxed { net: amount - excise - vat, vat, excise, total: amount }
        }
        Prices::Exclusive => {
            let vat = upon(amount, rates.vat);
            let excise = upon(amount + vat, rates.excise);
            Taxed { net: amount, vat, excise, total: amount + vat + excise }
        }
    }
}

/// Lines taxed as one document; gives each line and what is owed per pair of rates, in the order of first appearance.
pub fn document(lines: &[(i64, Rates)], prices: Prices, rounding: Rounding) -> (Vec<Taxed>, Vec<Owed>) {
    let mut out: Vec<Taxed> = lines.iter().map(|(amount, rates)| taxed(*amount, *rates, prices)).collect();
    let mut owed: Vec<Owed> = Vec::new();
    for (_, rates) in lines {
        if owed.iter().any(|o| o.rates == *rates) {
            continue;
        }
        let of: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].1 == *rates).collect();
        if rounding == Rounding::Document {
            let amounts: Vec<i64> = of.iter().map(|at| lines[*at].0).collect();
            let sum = taxed(amounts.iter().sum(), *rates, prices);
            let (vat, excise) = (distribute(sum.vat, &amounts), distribute(sum.excise, &amounts));
            for (nth, at) in of.iter().enumerate() {
                let (vat, excise, amount) = (vat[nth], excise[nth], amounts[nth]);
                out[*at] = match prices {
                    Prices::Inclusive => Taxed { net: amount - vat - excise, vat, excise, total: amount },
                    Prices::Exclusive => Taxed { net: amount, vat, excise, total: amount + vat + excise },
                };
            }
        }
        let taxed = of.iter().fold(Taxed::default(), |sum, at| {
            let line = out[*at];
            Taxed {
                net: sum.net + line.net,
                vat: sum.vat + line.vat,
                excise: sum.excise + line.excise,
                total: sum.total + line.total,
            }
        });
        owed.push(Owed { rates: *rates, taxed });
    }
    (out, owed)
}
