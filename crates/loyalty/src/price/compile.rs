//! Promotions made ready: checked, sorted, and indexed by what they need, so that a basket meets only those that it touches.
use super::choose::{coupon, selects};
use crate::model::{Condition, Effect, Lane, Line, Match, Mode, PointsPolicy, Promotion, Promotions, Selection};
use std::collections::{HashMap, HashSet};

/// Why promotions cannot be used, and where it stands in their document (RFC 6901).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{pointer}: {what}")]
pub struct Invalid {
    pub pointer: String,
    pub what: String,
}

/// Promotions that can price baskets.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    pub(super) lanes: Vec<Lane>,
    pub(super) rules: Vec<Rule>,
    pub(super) points: Option<PointsPolicy>,
    coupons: HashMap<String, u32>,
    always: Vec<u32>,
    customers: HashMap<String, Vec<u32>>,
    by: [HashMap<String, Vec<u32>>; 5],
}

/// A promotion that is ready: `on` of each effect is filled in.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub promotion: Promotion,
    pub lane: usize,
    /// What people call it.
    pub label: String,
}

enum Gate {
    Always,
    Coupon,
    Customers(Vec<String>),
    Goods(Vec<Selection>),
}

impl Compiled {
    /// Checks promotions and makes them ready. Gives the first thing that is wrong with them.
    pub fn new(mut from: Promotions) -> Result<Self, Invalid> {
        if from.lanes.is_empty() {
            from.lanes = ["pre", "default", "post"].map(|id| Lane { id: id.into(), mode: Mode::Best }).into();
        }
        check_lanes(&from.lanes)?;
        if let Some(points) = &mut from.points {
            super::check::points(points)?;
            points.except.iter_mut().for_each(sort);
        }
        let mut out = Self { lanes: from.lanes, points: from.points, ..Self::default() };
        let mut ids: HashMap<String, usize> = HashMap::new();
        for (at, promotion) in from.promotions.into_iter().enumerate() {
            super::check::promotion(&promotion, at)?;
            if let Some(first) = ids.insert(promotion.id.clone(), at) {
                return Err(invalid(at, "id", format!("{:?} is the id of promotion {first} too", promotion.id)));
            }
            let lane = out.lane_of(&promotion, at)?;
            out.take(promotion, lane, at)?;
        }
        out.check_coupons_against_ids()?;
        for (at, rule) in out.rules.iter().enumerate() {
            let at = at as u32;
            match gate(&rule.promotion) {
                Gate::Always => out.always.push(at),
                Gate::Coupon => {}
                Gate::Customers(ids) => ids.into_iter().for_each(|id| out.customers.entry(id).or_default().push(at)),
                Gate::Goods(selections) => {
                    for s in selections {
                        for (map, keys) in out.by.iter_mut().zip([s.skus, s.products, s.categories, s.tags, s.brands]) {
                            keys.into_iter().for_each(|key| map.entry(key).or_default().push(at));
                        }
                    }
                }
            }
        }
        Ok(out)
    }

    /// How many promotions there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    fn lane_of(&self, promotion: &Promotion, at: usize) -> Result<usize, Invalid> {
        let wanted = match &promotion.lane {
            None if self.lanes.len() == 1 => return Ok(0),
            lane => lane.as_deref().unwrap_or("default"),
        };
        self.lanes.iter().position(|l| l.id == wanted).ok_or_else(|| {
            let known: Vec<&str> = self.lanes.iter().map(|l| &*l.id).collect();
            invalid(at, "lane", format!("there is no lane {wanted:?}; lanes are {}", known.join(", ")))
        })
    }

    fn take(&mut self, mut promotion: Promotion, lane: usize, at: usize) -> Result<(), Invalid> {
        for (nth, code) in promotion.coupons.iter_mut().enumerate() {
            *code = coupon(code);
            if let Some(first) = self.coupons.insert(code.clone(), at as u32) {
                let what = format!("coupon {code:?} stands at promotion {first} already");
                return Err(invalid(at, &format!("coupons/{nth}"), what));
            }
        }
        make_ready(&mut promotion);
        let label = promotion.name.clone().unwrap_or_else(|| promotion.id.clone());
        self.rules.push(Rule { promotion, lane, label });
        Ok(())
    }

    /// Codes are unique over coupons and promotions together, so that whoever reads one knows what it is.
    fn check_coupons_against_ids(&self) -> Result<(), Invalid> {
        for (at, rule) in self.rules.iter().enumerate() {
            if let Some(other) = self.coupons.get(&coupon(&rule.promotion.id)).filter(|other| **other != at as u32) {
                return Err(invalid(at, "id", format!("it is a coupon of promotion {other} too")));
            }
        }
        Ok(())
    }

    pub(super) fn coupon(&self, code: &str) -> Option<u32> {
        self.coupons.get(code).copied()
    }

    /// The promotions that a basket touches, in the order of the document.
    pub(crate) fn touched(&self, lines: &[Line], customer: Option<&str>, codes: &[(String, Option<u32>)]) -> Vec<u32> {
        let mut out = self.always.clone();
        out.extend(codes.iter().filter_map(|(_, rule)| *rule));
        if let Some(rules) = customer.and_then(|id| self.customers.get(id)) {
            out.extend(rules);
        }
        let [skus, products, categories, tags, brands] = &self.by;
        let mut look = |map: &HashMap<String, Vec<u32>>, key: &str| {
            if let Some(rules) = (!map.is_empty()).then(|| map.get(key)).flatten() {
                out.extend(rules);
            }
        };
        for line in lines {
            look(skus, &line.sku);
            line.product.iter().for_each(|p| look(products, p));
            line.brand.iter().for_each(|b| look(brands, b));
            line.tags.iter().for_each(|t| look(tags, t));
            for path in &line.categories {
                let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
                ends.for_each(|end| look(categories, &path[..end]));
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Every promotion, for whoever asks why each did not apply.
    pub(super) fn all(&self) -> Vec<u32> {
        (0..self.rules.len() as u32).collect()
    }
}

pub(super) fn invalid(at: usize, field: &str, what: impl Into<String>) -> Invalid {
    Invalid { pointer: format!("/promotions/{at}/{field}"), what: what.into() }
}

fn check_lanes(lanes: &[Lane]) -> Result<(), Invalid> {
    let mut seen = HashSet::new();
    for (at, lane) in lanes.iter().enumerate() {
        if !seen.insert(&lane.id) {
            return Err(Invalid {
                pointer: format!("/lanes/{at}/id"),
                what: format!("lane {:?} stands twice", lane.id),
            });
        }
    }
    Ok(())
}

fn sort(selection: &mut Selection) {
    let Selection { skus, products, categories, tags, brands, not } = selection;
    [skus, products, categories, tags, brands].into_iter().for_each(|keys| keys.sort_unstable());
    not.iter_mut().for_each(|not| sort(not));
}

fn sort_condition(condition: &mut Condition) {
    match condition {
        Condition::Products { on, .. } | Condition::Quantity { on, .. } | Condition::Amount { on, .. } => sort(on),
        Condition::Not { condition } => sort_condition(condition),
        Condition::Any { conditions } => conditions.iter_mut().for_each(sort_condition),
        _ => {}
    }
}

/// Fills in what effects are on, and sorts every selection so that it is searched by halves.
fn make_ready(promotion: &mut Promotion) {
    promotion.conditions.iter_mut().for_each(sort_condition);
    let first = promotion.conditions.iter().find_map(|c| match c {
        Condition::Products { on, .. } => Some(on.clone()),
        _ => None,
    });
    for effect in &mut promotion.effects {
        if let Effect::BundlePrice { items, .. } = effect {
            items.iter_mut().for_each(|item| sort(&mut item.on));
        }
        if let Effect::BuyGet { get_on: Some(on), .. } = effect {
            sort(on);
        }
        if let Some(on) = on_mut(effect) {
            match on {
                Some(on) => sort(on),
                None => *on = Some(first.clone().unwrap_or_default()),
            }
        }
    }
}

fn on_mut(effect: &mut Effect) -> Option<&mut Option<Selection>> {
    match effect {
        Effect::Percent { on, .. }
        | Effect::FixedPerOrder { on, .. }
        | Effect::FixedPerLine { on, .. }
        | Effect::FixedPerUnit { on, .. }
        | Effect::FixedPrice { on, .. }
        | Effect::CheapestFree { on, .. }
        | Effect::BuyGet { on, .. }
        | Effect::Tiers { on, .. }
        | Effect::PointsMultiplier { on, .. } => Some(on),
        Effect::BundlePrice { .. } | Effect::FreeShipping { .. } => None,
    }
}

/// What a basket must hold at least for a promotion to do anything.
fn gate(promotion: &Promotion) -> Gate {
    if !promotion.coupons.is_empty() {
        return Gate::Coupon;
    }
    if promotion.matches == Match::All || promotion.conditions.len() == 1 {
        for condition in &promotion.conditions {
            match condition {
                Condition::Customer { r#in } => return Gate::Customers(r#in.clone()),
                // A condition of no pieces holds without any.
                Condition::Products { on, quantity_min } if selects(on) && quantity_min.0 > 0 => {
                    return Gate::Goods(vec![on.clone()]);
                }
                _ => {}
            }
        }
    }
    let mut goods = Vec::new();
    for effect in &promotion.effects {
        match effect {
            // All of its items are needed, so the first one is enough.
            Effect::BundlePrice { items, .. } => goods.extend(items.first().map(|item| item.on.clone())),
            Effect::FreeShipping { .. } => return Gate::Always,
            Effect::Percent { on, .. }
            | Effect::FixedPerOrder { on, .. }
            | Effect::FixedPerLine { on, .. }
            | Effect::FixedPerUnit { on, .. }
            | Effect::FixedPrice { on, .. }
            | Effect::CheapestFree { on, .. }
            | Effect::BuyGet { on, .. }
            | Effect::Tiers { on, .. }
            | Effect::PointsMultiplier { on, .. } => goods.extend(on.clone()),
        }
    }
    if goods.iter().all(selects) { Gate::Goods(goods) } else { Gate::Always }
}
