//! Whether a promotion stands open, and whether its conditions hold.
use super::choose::names;
use super::compile::Rule;
use crate::amounts::{Quantity, major};
use crate::model::{Basket, Condition, Context, Match, Of, Selection, WhyNot};

/// What conditions look at: the basket, and what earlier lanes left of its lines.
pub(super) struct View<'a> {
    pub basket: &'a Basket,
    pub context: &'a Context,
    /// What is left of each line.
    pub base: &'a [i64],
    /// What each line costs at list prices.
    pub list: &'a [i64],
}

/// Whether a promotion stands open to this basket at this moment: dates, limits, coupon.
pub(super) fn stands(rule: &Rule, context: &Context, has_coupon: bool) -> Result<(), WhyNot> {
    let promotion = &rule.promotion;
    if let Some(from) = promotion.starts_at.filter(|from| context.at < *from) {
        return Err(WhyNot::NotYet(from));
    }
    if let Some(until) = promotion.ends_at.filter(|until| context.at >= *until) {
        return Err(WhyNot::Over(until));
    }
    if let Some(limit) = promotion.limit {
        let used = promotion.used + context.used.get(&promotion.id).copied().unwrap_or(0);
        if used >= limit {
            return Err(WhyNot::UsedUp(limit));
        }
    }
    if let Some(limit) = promotion.limit_per_customer {
        if context.customer.id.is_none() {
            return Err(WhyNot::UnknownCustomer);
        }
        let used = context.customer.used.get(&promotion.id).copied().unwrap_or(0);
        if used >= limit {
            return Err(WhyNot::UsedUpByCustomer(used));
        }
    }
    if !promotion.coupons.is_empty() && !has_coupon {
        return Err(WhyNot::NoCoupon);
    }
    Ok(())
}

/// The condition that does not hold; the last one where any would do.
pub(super) fn unmet<'r>(rule: &'r Rule, view: &View) -> Option<&'r Condition> {
    let conditions = &rule.promotion.conditions;
    match rule.promotion.matches {
        Match::All => conditions.iter().find(|c| !holds(c, view)),
        Match::Any if conditions.iter().any(|c| holds(c, view)) => None,
        Match::Any => conditions.last(),
    }
}

fn holds(condition: &Condition, view: &View) -> bool {
    let context = view.context;
    let within = |value: i64, min: Option<i64>, max: Option<i64>| {
        min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max)
    };
    let is_in = |list: &[String], value: Option<&String>| value.is_some_and(|value| list.contains(value));
    match condition {
        Condition::Products { on, quantity_min } => view.quantity(on) >= *quantity_min,
        Condition::Quantity { on, min, max } => within(view.quantity(on).0, min.map(|q| q.0), max.map(|q| q.0)),
        Condition::Amount { on, min_minor, max_minor, of } => within(view.amount(on, *of), *min_minor, *max_minor),
        Condition::Channel { r#in } => is_in(r#in, context.channel.as_ref()),
        Condition::Store { r#in } => is_in(r#in, context.store.as_ref()),
        Condition::Region { r#in } => is_in(r#in, context.region.as_ref()),
        Condition::Payment { r#in } => is_in(r#in, context.payment.as_ref()),
        Condition::Delivery { r#in } => is_in(r#in, context.delivery.as_ref()),
        Condition::Segment { r#in } => context.customer.segments.iter().any(|s| r#in.contains(s)),
        Condition::Customer { r#in } => is_in(r#in, context.customer.id.as_ref()),
        Condition::FirstOrder {} => context.customer.orders == 0,
        Condition::Orders { min, max } => within(context.customer.orders, *min, *max),
        Condition::Not { condition } => !holds(condition, view),
        Condition::Any { conditions } => conditions.iter().any(|c| holds(c, view)),
    }
}

impl View<'_> {
    fn quantity(&self, on: &Selection) -> Quantity {
        Quantity(self.basket.lines.iter().filter(|line| names(on, line)).map(|line| line.quantity.0).sum())
    }
    fn amount(&self, on: &Selection, of: Of) -> i64 {
        let amounts = if of == Of::List { self.list } else { self.base };
        self.basket.lines.iter().zip(amounts).filter(|(line, _)| names(on, line)).map(|(_, amount)| amount).sum()
    }
}

/// What a condition asks, for whoever wonders why it does not hold, with how far the basket is.
pub(super) fn asks(condition: &Condition, view: &View) -> String {
    let list = |values: &[String]| values.join(", ");
    let bounds = |min: Option<String>, max: Option<String>| match (min, max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "anything".into(),
    };
    match condition {
        Condition::Products { on, quantity_min } => {
            format!("it needs {quantity_min} of its goods; the basket has {}", view.quantity(on))
        }
        Condition::Quantity { on, min, max } => {
            let wanted = bounds(min.map(|q| q.to_string()), max.map(|q| q.to_string()));
            format!("it needs {wanted} pieces; the basket has {}", view.quantity(on))
        }
        Condition::Amount { on, min_minor, max_minor, of } => {
            let wanted = bounds(min_minor.map(major), max_minor.map(major));
            format!("it needs goods for {wanted}; the basket has {}", major(view.amount(on, *of)))
        }
        Condition::Channel { r#in } => format!("it holds in channel {}", list(r#in)),
        Condition::Store { r#in } => format!("it holds in store {}", list(r#in)),
        Condition::Region { r#in } => format!("it holds in region {}", list(r#in)),
        Condition::Payment { r#in } => format!("it holds for payment by {}", list(r#in)),
        Condition::Delivery { r#in } => format!("it holds for delivery by {}", list(r#in)),
        Condition::Segment { r#in } => format!("it is for customers of {}", list(r#in)),
        Condition::Customer { .. } => "it is for other customers".into(),
        Condition::FirstOrder {} => "it is for a first order".into(),
        Condition::Orders { min, max } => {
            let wanted = bounds(min.map(|n| n.to_string()), max.map(|n| n.to_string()));
            format!("it needs {wanted} earlier orders; the customer has {}", view.context.customer.orders)
        }
        Condition::Not { condition } => format!("it does not hold where this holds: {}", asks(condition, view)),
        Condition::Any { conditions } => {
            let all: Vec<String> = conditions.iter().map(|c| asks(c, view)).collect();
            format!("any of these would do: {}", all.join("; "))
        }
    }
}
