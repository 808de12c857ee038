//! Lanes: promotions of one compete line by line, and each lane starts from what the one before left.
use super::compile::Compiled;
use super::effects::{Offer, off_shipping, offer, why};
use super::eligible::{View, asks, unmet};
use super::on_lines;
use crate::amounts::divide;
use crate::model::{Basket, Context, Discount, Effect, Mode, WhyNot};

/// What does not change while a basket is priced.
pub(super) struct Run<'a> {
    pub basket: &'a Basket,
    pub promotions: &'a Compiled,
    pub context: &'a Context,
    pub list: &'a [i64],
}

type Given = Vec<(Option<u32>, Discount)>;

/// What is left of a basket on its way through the lanes.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub base: Vec<i64>,
    pub shipping: i64,
    pub discounts: Vec<Given>,
    pub shipping_discounts: Given,
    /// Points of each line times so many ten-thousandths.
    pub multipliers: Vec<i64>,
    /// Promotions that multiply points of some line.
    pub multiplied: Vec<u32>,
    pub unmet: Vec<(u32, WhyNot)>,
}

impl State {
    pub fn new(basket: &Basket, list: &[i64]) -> Self {
        Self {
            base: list.to_vec(),
            shipping: basket.shipping.map_or(0, |s| s.minor),
            discounts: vec![Vec::new(); list.len()],
            shipping_discounts: Vec::new(),
            multipliers: vec![10_000; list.len()],
            multiplied: Vec::new(),
            unmet: Vec::new(),
        }
    }
    /// What promotions took off since `start`.
    pub fn gain(&self, start: &State) -> i64 {
        let left = |of: &State| of.base.iter().sum::<i64>() + of.shipping;
        left(start) - left(self)
    }
    /// Whether any promotion gave anything.
    pub fn does_something(&self) -> bool {
        let given = self.discounts.iter().flatten().chain(&self.shipping_discounts);
        !self.multiplied.is_empty() || given.into_iter().any(|(rule, _)| rule.is_some())
    }
}

impl Run<'_> {
    /// Takes promotions through all lanes: lines first, then shipping, then points.
    pub fn settle(&self, active: &[u32], mut state: State) -> State {
        if active.is_empty() {
            return state;
        }
        for (lane, of) in self.promotions.lanes.iter().enumerate() {
            let mut rules: Vec<u32> =
                active.iter().copied().filter(|at| self.promotions.rules[*at as usize].lane == lane).collect();
            rules.sort_by_key(|at| (self.promotions.rules[*at as usize].promotion.priority, *at));
            self.lines(&rules, of.mode, &of.id, &mut state);
        }
        for (lane, of) in self.promotions.lanes.iter().enumerate() {
            let mut rules: Vec<u32> =
                active.iter().copied().filter(|at| self.promotions.rules[*at as usize].lane == lane).collect();
            rules.sort_by_key(|at| (self.promotions.rules[*at as usize].promotion.priority, *at));
            self.shipping(&rules, of.mode, &of.id, &mut state);
            self.points(&rules, of.mode, &mut state);
        }
        state
    }

    /// Whether the conditions hold now; if not, it is noted why.
    fn holds(&self, at: u32, state: &mut State) -> bool {
        let view = View { basket: self.basket, context: self.context, base: &state.base, list: self.list };
        match unmet(&self.promotions.rules[at as usize], &view) {
            None => true,
            Some(condition) => {
                let why = match self.context.explain {
                    true => asks(condition, &view),
                    false => String::new(),
                };
                if self.context.explain {
                    state.unmet.push((at, WhyNot::Condition(why)));
                }
                false
            }
        }
    }

    fn lines(&self, rules: &[u32], mode: Mode, lane: &str, state: &mut State) {
        let mut offers: Vec<(u32, Offer)> = Vec::new();
        for at in rules.iter().copied() {
            let rule = &self.promotions.rules[at as usize];
            if !rule.promotion.effects.iter().any(on_lines) || !self.holds(at, state) {
                continue;
            }
            let offer = offer(rule, self.basket, &state.base);
            if offer.shares.iter().all(|minor| *minor == 0) {
                let why = match (offer.names_lines, offer.sale_lines) {
                    (false, _) => WhyNot::NoLine,
                    (true, true) => WhyNot::SalePrice,
                    (true, false) => WhyNot::Nothing,
                };
                state.unmet.push((at, why));
            } else if mode == Mode::Accumulate {
                offer.shares.iter().enumerate().for_each(|(line, minor)| self.take(state, line, at, *minor));
            } else {
                offers.push((at, offer));
            }
        }
        if offers.is_empty() {
            return;
        }
        let mut won = vec![false; offers.len()];
        let mut beaten: Vec<Option<u32>> = vec![None; offers.len()];
        for line in 0..state.base.len() {
            let given = offers.iter().enumerate().filter(|(_, (_, offer))| offer.shares[line] > 0);
            let minor = |(_, (_, offer)): &(usize, &(u32, Offer))| offer.shares[line];
            // Rules stand in the order of priority, and of equal ones `min_by_key` takes the first.
            let winner = match mode {
                Mode::Best => given.min_by_key(|one| -minor(one)),
                Mode::Worst => given.min_by_key(|one| minor(one)),
                Mode::First | Mode::Accumulate => given.into_iter().next(),
            };
            let Some((nth, (at, offer))) = winner else { continue };
            won[nth] = true;
            for (other, (_, o)) in offers.iter().enumerate().filter(|(other, _)| *other != nth) {
                if o.shares[line] > 0 {
                    beaten[other].get_or_insert(*at);
                }
            }
            self.take(state, line, *at, offer.shares[line]);
        }
        for ((nth, (at, _)), by) in offers.iter().enumerate().zip(beaten) {
            if let Some(by) = by.filter(|_| !won[nth]) {
                let by = self.promotions.rules[by as usize].promotion.id.clone();
                state.unmet.push((*at, WhyNot::Beaten { by, lane: lane.to_string() }));
            }
        }
    }

    fn take(&self, state: &mut State, line: usize, at: u32, minor: i64) {
        let minor = minor.min(state.base[line]);
        if minor <= 0 {
            return;
        }
        let rule = &self.promotions.rules[at as usize];
        let discount =
            Discount { promotion: rule.promotion.id.clone(), minor, why: why(rule, state.base[line], minor) };
        state.base[line] -= minor;
        state.discounts[line].push((Some(at), discount));
    }

    fn shipping(&self, rules: &[u32], mode: Mode, lane: &str, state: &mut State) {
        let mut offers: Vec<(u32, i64)> = Vec::new();
        let mut base = state.shipping;
        for at in rules.iter().copied() {
            let rule = &self.promotions.rules[at as usize];
            let is_shipping = |effect: &Effect| matches!(effect, Effect::FreeShipping { .. });
            if !rule.promotion.effects.iter().any(is_shipping) || !self.holds(at, state) {
                continue;
            }
            let minor = off_shipping(rule, base);
            if minor <= 0 {
                state.unmet.push((at, WhyNot::Nothing));
                continue;
            }
            offers.push((at, minor));
            if mode == Mode::Accumulate {
                base -= minor;
            }
        }
        let chosen: Vec<(u32, i64)> = match mode {
            Mode::Accumulate => offers.clone(),
            Mode::Best => offers.iter().copied().min_by_key(|(_, minor)| -minor).into_iter().collect(),
            Mode::Worst => offers.iter().copied().min_by_key(|(_, minor)| *minor).into_iter().collect(),
            Mode::First => offers.first().copied().into_iter().collect(),
        };
        for (at, minor) in &chosen {
            let rule = &self.promotions.rules[*at as usize];
            let why = super::effects::why(rule, state.shipping, *minor);
            state.shipping -= minor;
            let discount = Discount { promotion: rule.promotion.id.clone(), minor: *minor, why };
            state.shipping_discounts.push((Some(*at), discount));
        }
        if let Some((by, _)) = chosen.first() {
            let by = &self.promotions.rules[*by as usize].promotion.id;
            for (at, _) in offers.iter().filter(|one| !chosen.contains(one)) {
                state.unmet.push((*at, WhyNot::Beaten { by: by.clone(), lane: lane.to_string() }));
            }
        }
    }

    /// Points of lines: of a lane the one multiplier that its mode takes; lanes multiply.
    fn points(&self, rules: &[u32], mode: Mode, state: &mut State) {
        let mut of_lane: Vec<Option<i64>> = vec![None; state.base.len()];
        for at in rules.iter().copied() {
            let rule = &self.promotions.rules[at as usize];
            let is_points = |effect: &Effect| matches!(effect, Effect::PointsMultiplier { .. });
            if !rule.promotion.effects.iter().any(is_points) || !self.holds(at, state) {
                continue;
            }
            let mut names_one = false;
            for effect in &rule.promotion.effects {
                let Effect::PointsMultiplier { times, on } = effect else { continue };
                for (line, goods) in self.basket.lines.iter().enumerate() {
                    let named = on.as_ref().is_none_or(|on| super::choose::names(on, goods));
                    if !named || (rule.promotion.not_with_sale_price && goods.sale) {
                        continue;
                    }
                    names_one = true;
                    of_lane[line] = Some(match (of_lane[line], mode) {
                        (None, _) => times.0,
                        (Some(before), Mode::Best) => before.max(times.0),
                        (Some(before), Mode::Worst) => before.min(times.0),
                        (Some(before), Mode::First) => before,
                        (Some(before), Mode::Accumulate) => times_both(before, times.0),
                    });
                }
            }
            if names_one {
                state.multiplied.push(at);
            } else {
                state.unmet.push((at, WhyNot::NoLine));
            }
        }
        for (line, times) in of_lane.into_iter().enumerate() {
            if let Some(times) = times {
                state.multipliers[line] = times_both(state.multipliers[line], times);
            }
        }
    }
}

fn times_both(one: i64, other: i64) -> i64 {
    divide(i128::from(one) * i128::from(other), 10_000).min(10_000_000)
}
