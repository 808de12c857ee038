//! Orders whose shop gives back what is left of the price: what is kept is priced again, with the rules and in the circumstances in
//! which the order was priced, and only the difference goes back. It is `loyalty::refunds` with what an order keeps of its pricing.
use crate::model::{Delivery, Order};
use base::Timestamp;
use loyalty::amounts::{Quantity, Rate, UnitPrice, major};
use loyalty::model::{Basket, BurnAs, Context, Customer, Line, Priced, Shipping};
use loyalty::price;
use loyalty::refunds::{Ordered, Policy, RefundError, Returned, of_order};
use loyalty::rules::Rules;
use loyalty::tax::Rates;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// From what an order was priced, beside what stands in it anyway; the version of the rules is `rules` of the order's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedFrom {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The customer was known for sure; who they are stands with what is personal of the order, and goes with it.
    #[serde(default)]
    pub known: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
    /// Orders of the customer before this one.
    #[serde(default)]
    pub orders: i64,
    /// Uses of promotions by everybody and by the customer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub used: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub used_by_customer: BTreeMap<String, i64>,
    /// Rates of delivery: VAT and excise in millionths.
    #[serde(default)]
    pub shipping: (i64, i64),
    pub lines: Vec<GoodsFrom>,
}

/// What promotions asked of a line's goods.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GoodsFrom {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sale: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// VAT and excise in millionths.
    pub rates: (i64, i64),
}

fn kept(rates: Rates) -> (i64, i64) {
    (rates.vat.0, rates.excise.0)
}

fn rates((vat, excise): (i64, i64)) -> Rates {
    Rates { vat: Rate(vat), excise: Rate(excise) }
}

impl PricedFrom {
    /// What is to be kept of a pricing.
    pub fn of(basket: &Basket, context: &Context) -> Self {
        let goods = |line: &Line| GoodsFrom {
            product: line.product.clone(),
            sale: line.sale,
            categories: line.categories.clone(),
            brand: line.brand.clone(),
            rates: kept(line.rates),
        };
        Self {
            at: context.at,
            store: context.store.clone(),
            known: context.customer.id.is_some(),
            segments: context.customer.segments.clone(),
            orders: context.customer.orders,
            used: context.used.clone(),
            used_by_customer: context.customer.used.clone(),
            shipping: basket.shipping.map_or((0, 0), |shipping| kept(shipping.rates)),
            lines: basket.lines.iter().map(goods).collect(),
        }
    }

    /// The basket and the circumstances again; `None` where they do not fit the order.
    pub fn again(&self, order: &Order) -> Option<(Basket, Context)> {
        let body = &order.body;
        if self.lines.len() != body.lines.len() {
            return None;
        }
        let line = |(at, (of, from)): (usize, (&crate::model::OrderLine, &GoodsFrom))| Line {
            id: at.to_string(),
            sku: of.sku.clone(),
            product: from.product.clone(),
            quantity: Quantity(of.milli),
            price: UnitPrice::minor(of.unit_minor),
            sale: from.sale,
            categories: from.categories.clone(),
            brand: from.brand.clone(),
            rates: rates(from.rates),
            ..Line::default()
        };
        let points = body.points.map_or(0, |points| points.burned);
        let (delivery, shipping) = match &body.delivery {
            Delivery::PickUp { .. } => ("pickup".to_string(), None),
            Delivery::Ship { option, price_minor } => {
                (option.clone(), Some(Shipping { minor: *price_minor, rates: rates(self.shipping) }))
            }
        };
        let basket = Basket {
            currency: body.currency.clone(),
            lines: body.lines.iter().zip(&self.lines).enumerate().map(line).collect(),
            shipping,
            coupons: body.coupons.clone(),
            points,
        };
        let context = Context {
            at: self.at,
            channel: Some(body.channel.clone()),
            store: self.store.clone(),
            delivery: Some(delivery),
            used: self.used.clone(),
            customer: Customer {
                id: self.known.then(|| order.contact.person_id.to_string()),
                segments: self.segments.clone(),
                orders: self.orders,
                points,
                used: self.used_by_customer.clone(),
            },
            ..Context::default()
        };
        Some((basket, context))
    }
}

/// Pieces that go, and those that went before with what went back for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Going {
    /// By line of the order, in thousandths.
    pub before: Vec<i64>,
    pub before_minor: i64,
    pub now: Vec<(usize, i64)>,
}

/// What goes back for pieces when the rest is priced again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repriced {
    pub total_minor: i64,
    /// Less than their share because what stays lost a discount, in words; empty: it lost none.
    pub why: String,
}

/// What goes back for what goes of an order, and why it is less than its share, if it is (`prorated_minor`). `None` where the order does
/// not say from what it was priced.
pub fn back(order: &Order, rules: &Rules, going: &Going, prorated_minor: i64) -> Option<Result<Repriced, RefundError>> {
    let body = &order.body;
    let (basket, context) = body.priced_from.as_ref()?.again(order)?;
    let whole = price(&basket, &rules.compiled, &context);
    let burn_as = if body.points.is_some_and(|points| points.pays) { BurnAs::Payment } else { BurnAs::Discount };
    let ordered = Ordered { priced: &whole, basket: &basket, promotions: &rules.compiled, context: &context, burn_as };
    let named = |(line, milli): (usize, i64)| Returned { line: line.to_string(), quantity: Quantity(milli) };
    let before: Vec<Returned> =
        going.before.iter().copied().enumerate().filter(|(_, milli)| *milli > 0).map(named).collect();
    let now: Vec<Returned> = going.now.iter().copied().map(named).collect();
    let sum = of_order(&ordered, (&before, going.before_minor), &now, Policy::Recompute);
    let sum = match sum {
        Ok(lines) => lines.iter().map(|(_, refund)| refund.total_minor).sum(),
        Err(e) => return Some(Err(e)),
    };
    let lost = prorated_minor - sum;
    let why = if lost > 0 { words(lost, &whole, &ordered.without(&[before, now].concat())) } else { String::new() };
    Some(Ok(Repriced { total_minor: sum, why }))
}

/// Which discounts what stays has no more.
fn words(lost_minor: i64, whole: &Priced, rest: &Priced) -> String {
    let given = |of: &Priced, id: &str| of.applied.iter().find(|(known, _)| known == id).map_or(0, |(_, minor)| *minor);
    let over: Vec<String> = whole
        .applied
        .iter()
        .filter(|(id, minor)| *minor > 0 && given(rest, id) == 0)
        .map(|(id, _)| format!("{id:?}"))
        .collect();
    match over.as_slice() {
        [] => format!("{} less than its share goes back: what stays has less of its discounts", major(lost_minor)),
        over => {
            let over = over.join(", ");
            format!("{} less than its share goes back: {over} does not hold for what stays", major(lost_minor))
        }
    }
}
