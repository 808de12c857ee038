//! A priced basket as JSON.
use crate::amounts::Rate;
use crate::model::{CouponState, Priced, PricedLine};
use crate::tax::Prices;
use base::Timestamp;
use serde::Serialize;

/// A priced basket as it is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PricedDocument {
    pub currency: String,
    pub at: Timestamp,
    pub lines: Vec<LineDocument>,
    pub shipping: Option<LineDocument>,
    pub totals: TotalsDocument,
    pub taxes: Vec<TaxDocument>,
    pub points: PointsDocument,
    pub applied: Vec<AppliedDocument>,
    pub not_applied: Vec<NotAppliedDocument>,
    pub coupons: Vec<CouponDocument>,
}

/// A priced line; its six fields are a contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineDocument {
    pub id: String,
    pub list_minor: i64,
    pub discounts: Vec<DiscountDocument>,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
}

/// What a promotion took off.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiscountDocument {
    pub promotion: String,
    pub minor: i64,
    pub why: String,
}

/// Sums.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TotalsDocument {
    pub list_minor: i64,
    pub discount_minor: i64,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub points_minor: i64,
    pub rounding_minor: i64,
    pub due_minor: i64,
}

/// A tax of the basket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaxDocument {
    pub kind: &'static str,
    pub percent: Rate,
    pub base_minor: i64,
    pub tax_minor: i64,
}

/// Points of the basket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointsDocument {
    pub burned: i64,
    pub burned_minor: i64,
    pub earned: i64,
    pub why: String,
}

/// What a promotion gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AppliedDocument {
    pub promotion: String,
    pub minor: i64,
}

/// Why a promotion gave nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotAppliedDocument {
    pub promotion: String,
    pub why: String,
}

/// What became of a coupon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CouponDocument {
    pub code: String,
    pub state: CouponState,
}

/// A priced basket, ready to be written.
pub fn priced(from: &Priced) -> PricedDocument {
    let totals = &from.totals;
    PricedDocument {
        currency: from.currency.clone(),
        at: from.at,
        lines: from.lines.iter().map(line).collect(),
        shipping: from.shipping.as_ref().map(line),
        totals: TotalsDocument {
            list_minor: totals.list_minor,
            discount_minor: totals.discount_minor,
            net_minor: totals.net_minor,
            tax_minor: totals.tax_minor,
            total_minor: totals.total_minor,
            points_minor: totals.points_minor,
            rounding_minor: totals.rounding_minor,
            due_minor: totals.due_minor,
        },
        taxes: taxes(from),
        points: PointsDocument {
            burned: from.points.burned,
            burned_minor: from.points.burned_minor,
            earned: from.points.earned,
            why: from.points.why.clone(),
        },
        applied: from
            .applied
            .iter()
            .map(|(promotion, minor)| AppliedDocument { promotion: promotion.clone(), minor: *minor })
            .collect(),
        not_applied: from
            .not_applied
            .iter()
            .map(|(promotion, why)| NotAppliedDocument { promotion: promotion.clone(), why: why.to_string() })
            .collect(),
        coupons: from
            .coupons
            .iter()
            .map(|(code, state)| CouponDocument { code: code.clone(), state: *state })
            .collect(),
    }
}

fn line(from: &PricedLine) -> LineDocument {
    LineDocument {
        id: from.id.clone(),
        list_minor: from.list_minor,
        discounts: from
            .discounts
            .iter()
            .map(|d| DiscountDocument { promotion: d.promotion.clone(), minor: d.minor, why: d.why.clone() })
            .collect(),
        net_minor: from.taxed.net,
        tax_minor: from.taxed.tax(),
        total_minor: from.taxed.total,
    }
}

/// What is owed of each tax; excise is counted on the price with value added tax.
fn taxes(from: &Priced) -> Vec<TaxDocument> {
    let mut out = Vec::new();
    for owed in &from.owed {
        let taxed = owed.taxed;
        let (kind, percent) = ("vat", owed.rates.vat);
        out.push(TaxDocument { kind, percent, base_minor: taxed.net, tax_minor: taxed.vat });
        if owed.rates.excise.0 > 0 {
            let base_minor = match from.prices {
                Prices::Inclusive => taxed.total - taxed.excise,
                Prices::Exclusive => taxed.net + taxed.vat,
            };
            out.push(TaxDocument { kind: "excise", percent: owed.rates.excise, base_minor, tax_minor: taxed.excise });
        }
    }
    out
}
