//! What a promotion must be to make sense; each refusal points at the value that is wrong.
use super::compile::{Invalid, invalid};
use crate::amounts::Rate;
use crate::model::{Condition, Effect, PointsPolicy, Promotion};

const MINOR_MAX: i64 = 1_000_000_000_000;

/// Checks a promotion by itself.
pub(super) fn promotion(promotion: &Promotion, at: usize) -> Result<(), Invalid> {
    if promotion.id.trim().is_empty() {
        return Err(invalid(at, "id", "a promotion needs an id"));
    }
    if promotion.id == super::POINTS || promotion.id == super::PERSONAL {
        return Err(invalid(at, "id", format!("{:?} is kept for discounts of our own", promotion.id)));
    }
    if let (Some(from), Some(until)) = (promotion.starts_at, promotion.ends_at)
        && until <= from
    {
        return Err(invalid(at, "ends_at", format!("it ends at {until}, before it begins")));
    }
    for (field, value) in [
        ("limit", promotion.limit),
        ("limit_per_customer", promotion.limit_per_customer),
        ("cap_minor", promotion.cap_minor),
        ("used", Some(promotion.used)),
    ] {
        not_negative(at, field, value)?;
    }
    for (nth, code) in promotion.coupons.iter().enumerate() {
        if code.trim().is_empty() {
            return Err(invalid(at, &format!("coupons/{nth}"), "a coupon needs a code"));
        }
    }
    for (nth, condition) in promotion.conditions.iter().enumerate() {
        self::condition(condition, at, &format!("conditions/{nth}"), 0)?;
    }
    if promotion.effects.is_empty() {
        return Err(invalid(at, "effects", "a promotion needs an effect"));
    }
    for (nth, effect) in promotion.effects.iter().enumerate() {
        self::effect(effect, at, &format!("effects/{nth}"))?;
    }
    Ok(())
}

/// Checks what points are worth.
pub(super) fn points(points: &PointsPolicy) -> Result<(), Invalid> {
    let wrong = |field: &str, what: &str| Err(Invalid { pointer: format!("/points/{field}"), what: what.into() });
    if points.point_minor < 1 || points.point_minor > MINOR_MAX {
        return wrong("point_minor", "a point is worth at least one minor unit");
    }
    if points.earn_percent.0 < 0 || points.earn_percent > Rate::percent(1000) {
        return wrong("earn_percent", "it lies between 0 and 1000");
    }
    if points.burn_percent_max.0 < 0 || points.burn_percent_max > Rate::percent(100) {
        return wrong("burn_percent_max", "it lies between 0 and 100");
    }
    if points.burn_min < 0 {
        return wrong("burn_min", "it is not negative");
    }
    Ok(())
}

fn not_negative(at: usize, field: &str, value: Option<i64>) -> Result<(), Invalid> {
    match value {
        Some(value) if !(0..=MINOR_MAX).contains(&value) => {
            Err(invalid(at, field, format!("{value} does not lie between 0 and {MINOR_MAX}")))
        }
        _ => Ok(()),
    }
}

fn condition(condition: &Condition, at: usize, place: &str, depth: usize) -> Result<(), Invalid> {
    if depth > 8 {
        return Err(invalid(at, place, "conditions lie in one another more than eight deep"));
    }
    let range = |field: &str, from: Option<i64>, until: Option<i64>| match (from, until) {
        (Some(from), Some(until)) if until < from => {
            Err(invalid(at, &format!("{place}/{field}"), "the greatest value is below the least"))
        }
        _ => Ok(()),
    };
    match condition {
        Condition::Quantity { min, max, .. } => range("max", min.map(|q| q.0), max.map(|q| q.0)),
        Condition::Amount { min_minor, max_minor, .. } => range("max_minor", *min_minor, *max_minor),
        Condition::Orders { min, max } => range("max", *min, *max),
        Condition::Channel { r#in }
        | Condition::Store { r#in }
        | Condition::Region { r#in }
        | Condition::Payment { r#in }
        | Condition::Delivery { r#in }
        | Condition::Segment { r#in }
        | Condition::Customer { r#in }
            if r#in.is_empty() =>
        {
            Err(invalid(at, &format!("{place}/in"), "it names nothing, so that it never holds"))
        }
        Condition::Not { condition } => self::condition(condition, at, &format!("{place}/condition"), depth + 1),
        Condition::Any { conditions } => {
            for (nth, one) in conditions.iter().enumerate() {
                self::condition(one, at, &format!("{place}/conditions/{nth}"), depth + 1)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn effect(effect: &Effect, at: usize, place: &str) -> Result<(), Invalid> {
    let wrong = |field: &str, what: &str| Err(invalid(at, &format!("{place}/{field}"), what));
    let percent = |rate: &Rate| match rate.0 > 0 && *rate <= Rate::percent(100) {
        true => Ok(()),
        false => wrong("percent", "it is above 0 and at most 100"),
    };
    match effect {
        Effect::Percent { percent: rate, .. } => percent(rate),
        Effect::FixedPerOrder { minor, .. }
        | Effect::FixedPerLine { minor, .. }
        | Effect::FixedPerUnit { minor, .. }
        | Effect::FixedPrice { minor, .. } => not_negative(at, &format!("{place}/minor"), Some(*minor)),
        Effect::CheapestFree { every, free, percent: rate, .. } => {
            if *every < 2 {
                return wrong("every", "it is at least 2");
            }
            if !(1..*every).contains(free) {
                return wrong("free", "it is at least 1 and below `every`");
            }
            percent(rate)
        }
        Effect::BuyGet { buy, get, percent: rate, times_max, .. } => {
            if !(1..=1_000_000).contains(buy) {
                return wrong("buy", "it lies between 1 and 1000000");
            }
            if !(1..=1_000_000).contains(get) {
                return wrong("get", "it lies between 1 and 1000000");
            }
            if times_max.is_some_and(|t| t < 1) {
                return wrong("times_max", "it is at least 1");
            }
            percent(rate)
        }
        Effect::BundlePrice { items, minor, times_max } => {
            if items.is_empty() {
                return wrong("items", "a bundle needs parts");
            }
            if let Some(nth) = items.iter().position(|i| !(1..=1_000_000).contains(&i.quantity)) {
                return wrong(&format!("items/{nth}/quantity"), "it lies between 1 and 1000000");
            }
            if times_max.is_some_and(|t| t < 1) {
                return wrong("times_max", "it is at least 1");
            }
            not_negative(at, &format!("{place}/minor"), Some(*minor))
        }
        Effect::Tiers { steps, .. } => {
            if steps.is_empty() {
                return wrong("steps", "tiers need steps");
            }
            for (nth, step) in steps.iter().enumerate() {
                if nth > 0 && steps[nth - 1].from >= step.from {
                    return wrong(&format!("steps/{nth}/from"), "steps go upwards");
                }
                match (&step.percent, step.minor) {
                    (Some(rate), None) => percent(rate)?,
                    (None, Some(minor)) => not_negative(at, &format!("{place}/steps/{nth}/minor"), Some(minor))?,
                    _ => return wrong(&format!("steps/{nth}"), "a step has either `percent` or `minor`"),
                }
            }
            Ok(())
        }
        Effect::FreeShipping { percent: rate, minor_max } => {
            percent(rate)?;
            not_negative(at, &format!("{place}/minor_max"), *minor_max)
        }
        Effect::PointsMultiplier { times, .. } => match (0..=1_000_000).contains(&times.0) {
            true => Ok(()),
            false => wrong("times", "it lies between 0 and 100"),
        },
    }
}
