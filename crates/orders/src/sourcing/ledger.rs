//! What is left while a batch is planned: pieces on shelves, and picking capacity by day and hour.
use super::model::{LocationIndex, Network, Order, OrderPlan, SkuIndex};
use std::collections::HashMap;

/// What is left.
#[derive(Debug, Clone)]
pub struct Ledger<'a> {
    /// Places and lanes.
    pub network: &'a Network,
    stock: Vec<Vec<(LocationIndex, i64)>>,
    day: HashMap<String, Vec<i64>>,
    hour: HashMap<(String, u32), Vec<i64>>,
}

/// A thing that is scarce.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Pieces of a SKU at a place.
    Stock(LocationIndex, SkuIndex),
    /// Pieces that a place can pick on a day.
    Day(LocationIndex, String),
    /// The same in an hour.
    Hour(LocationIndex, String, u32),
}

impl<'a> Ledger<'a> {
    /// Everything is there.
    pub fn new(network: &'a Network) -> Self {
        Self { network, stock: network.stock.clone(), day: HashMap::new(), hour: HashMap::new() }
    }
    /// Places that hold a SKU with what is left, by place.
    pub fn shelves(&self, sku: SkuIndex) -> &[(LocationIndex, i64)] {
        &self.stock[sku as usize]
    }
    /// Pieces that were taken on the order's day.
    pub fn taken_day(&self, order: &Order) -> Option<&[i64]> {
        self.day.get(&order.day).map(Vec::as_slice)
    }
    /// Pieces that were taken in the order's hour.
    pub fn taken_hour(&self, order: &Order) -> Option<&[i64]> {
        self.hour.get(&(order.day.clone(), order.hour?)).map(Vec::as_slice)
    }
    /// Takes what a plan needs, or with `sign` −1 gives it back.
    pub fn take(&mut self, order: &Order, plan: &OrderPlan, sign: i64) {
        for assignment in &plan.assignments {
            let at = assignment.location as usize;
            for component in &order.lines[assignment.line].components {
                let Some(sku) = component.sku else { continue };
                let shelf = &mut self.stock[sku as usize];
                if let Ok(found) = shelf.binary_search_by_key(&assignment.location, |(l, _)| *l) {
                    shelf[found].1 -= sign * assignment.quantity * component.quantity;
                    debug_assert!(shelf[found].1 >= 0, "stock below zero");
                }
            }
            let location = &self.network.locations[at];
            let places = self.network.locations.len();
            if !self.day.contains_key(&order.day) {
                self.day.insert(order.day.clone(), vec![0; places]);
            }
            if let Some(taken) = self.day.get_mut(&order.day) {
                taken[at] += sign * assignment.quantity;
            }
            if let (Some(_), Some(hour)) = (location.capacity_per_hour, order.hour) {
                let taken = self.hour.entry((order.day.clone(), hour)).or_insert_with(|| vec![0; places]);
                taken[at] += sign * assignment.quantity;
            }
        }
    }
    /// Whether a plan still fits. `cap` is what rules leave of a place's day.
    pub fn fits(&self, order: &Order, plan: &OrderPlan, cap: &dyn Fn(LocationIndex) -> Option<i64>) -> bool {
        needs(self.network, order, plan).into_iter().all(|(resource, wanted)| {
            let cap = match &resource {
                Resource::Day(at, _) => cap(*at),
                _ => None,
            };
            wanted <= self.left(&resource).min(cap.map_or(i64::MAX, |cap| cap - self.taken(&resource)))
        })
    }
    fn taken(&self, resource: &Resource) -> i64 {
        match resource {
            Resource::Day(at, day) => self.day.get(day).map_or(0, |t| t[*at as usize]),
            Resource::Hour(at, day, hour) => self.hour.get(&(day.clone(), *hour)).map_or(0, |t| t[*at as usize]),
            Resource::Stock(..) => 0,
        }
    }
    /// What is left of a resource.
    pub fn left(&self, resource: &Resource) -> i64 {
        match resource {
            Resource::Stock(at, sku) => {
                let shelf = &self.stock[*sku as usize];
                shelf.binary_search_by_key(at, |(l, _)| *l).map_or(0, |found| shelf[found].1)
            }
            Resource::Day(at, _) => {
                let most = self.network.locations[*at as usize].capacity_per_day;
                most.map_or(i64::MAX, |most| most - self.taken(resource))
            }
            Resource::Hour(at, ..) => {
                let most = self.network.locations[*at as usize].capacity_per_hour;
                most.map_or(i64::MAX, |most| most - self.taken(resource))
            }
        }
    }
}

/// How much of what a plan uses.
pub fn needs(network: &Network, order: &Order, plan: &OrderPlan) -> HashMap<Resource, i64> {
    let mut out = HashMap::new();
    for assignment in &plan.assignments {
        let at = assignment.location;
        for component in &order.lines[assignment.line].components {
            if let Some(sku) = component.sku {
                *out.entry(Resource::Stock(at, sku)).or_insert(0) += assignment.quantity * component.quantity;
            }
        }
        *out.entry(Resource::Day(at, order.day.clone())).or_insert(0) += assignment.quantity;
        if let (Some(_), Some(hour)) = (network.locations[at as usize].capacity_per_hour, order.hour) {
            *out.entry(Resource::Hour(at, order.day.clone(), hour)).or_insert(0) += assignment.quantity;
        }
    }
    out
}

/// Less of something for one order than the ledger would give it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits(pub Vec<(Resource, i64)>);

impl Limits {
    pub(super) fn stock(&self, at: LocationIndex, sku: SkuIndex) -> i64 {
        self.least(|r| matches!(r, Resource::Stock(l, s) if *l == at && *s == sku))
    }
    pub(super) fn capacity(&self, at: LocationIndex) -> i64 {
        self.least(|r| matches!(r, Resource::Day(l, _) | Resource::Hour(l, ..) if *l == at))
    }
    fn least(&self, is: impl Fn(&Resource) -> bool) -> i64 {
        self.0.iter().filter(|(r, _)| is(r)).map(|(_, most)| *most).min().unwrap_or(i64::MAX)
    }
}
