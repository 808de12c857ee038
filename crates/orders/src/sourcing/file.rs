//! The files of `braid source` (docs/formats/{network,orders,plan}.schema.json): reading with places of mistakes, writing.
use super::model::{Lane, Line, Location, Network, Order, OrderPlan};
use super::why::{reason, sentence};
use base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// What is wrong in a file whose JSON has the right shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {problem}")]
pub struct FileError {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What.
    pub problem: String,
}

/// The network file.
#[derive(Debug, Deserialize)]
pub struct NetworkFile {
    currency: String,
    locations: Vec<LocationFile>,
    lanes: Vec<LaneFile>,
}

#[derive(Debug, Deserialize)]
struct LocationFile {
    id: String,
    kind: String,
    lat: Option<f64>,
    lon: Option<f64>,
    #[serde(default)]
    capacity_per_day: Option<i64>,
    handling_minor: i64,
    stock: BTreeMap<String, i64>,
}

#[derive(Debug, Deserialize)]
struct LaneFile {
    from: String,
    zone: String,
    carrier: String,
    first_parcel_minor: i64,
    per_kg_minor: i64,
    days: i64,
    #[serde(default)]
    co2_g: i64,
}

/// The orders file.
#[derive(Debug, Deserialize)]
pub struct OrdersFile {
    orders: Vec<OrderFile>,
}

#[derive(Debug, Deserialize)]
struct OrderFile {
    id: String,
    zone: String,
    #[serde(default)]
    placed_at: Option<String>,
    #[serde(default)]
    promised_days: i64,
    #[serde(default)]
    split_penalty_minor: i64,
    #[serde(default)]
    late_penalty_minor_per_day: i64,
    lines: Vec<LineFile>,
}

#[derive(Debug, Deserialize)]
struct LineFile {
    id: String,
    sku: String,
    quantity: i64,
    #[serde(default)]
    weight_g: i64,
    #[serde(default)]
    price_minor: i64,
    #[serde(default)]
    components: Vec<ComponentFile>,
}

#[derive(Debug, Deserialize)]
struct ComponentFile {
    sku: String,
    quantity: i64,
}

const MONEY_MAX: i64 = 1_000_000_000;

fn wrong<T>(pointer: String, problem: impl Into<String>) -> Result<T, FileError> {
    Err(FileError { pointer, problem: problem.into() })
}

fn between(pointer: impl Fn() -> String, value: i64, least: i64, most: i64) -> Result<(), FileError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        wrong(pointer(), format!("{value} is not between {least} and {most}"))
    }
}

fn named(pointer: impl Fn() -> String, value: &str) -> Result<(), FileError> {
    if value.is_empty() { wrong(pointer(), "must not be empty") } else { Ok(()) }
}

impl NetworkFile {
    /// Checks what a shape cannot say and interns names.
    pub fn network(self) -> Result<Network, FileError> {
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return wrong("/currency".into(), "is not a currency code of three capital letters");
        }
        let mut network = Network { currency: self.currency, ..Network::default() };
        for (at, location) in self.locations.iter().enumerate() {
            check_location(at, location)?;
        }
        let mut places: Vec<(usize, LocationFile)> = self.locations.into_iter().enumerate().collect();
        places.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
        if let Some(twins) = places.windows(2).find(|w| w[0].1.id == w[1].1.id) {
            let at = twins[0].0.max(twins[1].0);
            return wrong(format!("/locations/{at}/id"), format!("{:?} stands there twice", twins[0].1.id));
        }
        for (index, (_, place)) in places.into_iter().enumerate() {
            for (sku, quantity) in &place.stock {
                if *quantity > 0 {
                    let sku = network.intern(sku);
                    network.stock[sku as usize].push((index as u32, *quantity));
                }
            }
            network.locations.push(Location {
                id: place.id,
                kind: place.kind,
                position: place.lat.zip(place.lon),
                capacity_per_day: place.capacity_per_day,
                handling_minor: place.handling_minor,
                ..Location::default()
            });
        }
        let mut seen = HashSet::new();
        for (at, lane) in self.lanes.into_iter().enumerate() {
            let pointer = |field: &str| format!("/lanes/{at}/{field}");
            let Some(from) = network.location(&lane.from) else {
                return wrong(pointer("from"), format!("there is no location {:?}", lane.from));
            };
            named(|| pointer("carrier"), &lane.carrier)?;
            between(|| pointer("first_parcel_minor"), lane.first_parcel_minor, 0, MONEY_MAX)?;
            between(|| pointer("per_kg_minor"), lane.per_kg_minor, 0, 10_000_000)?;
            between(|| pointer("days"), lane.days, 0, 3_650)?;
            between(|| pointer("co2_g"), lane.co2_g, 0, MONEY_MAX)?;
            if !seen.insert((from, lane.zone.clone(), lane.carrier.clone())) {
                return wrong(format!("/lanes/{at}"), "this from, zone and carrier stand there twice");
            }
            network.zones.entry(lane.zone).or_default().push(Lane {
                from,
                carrier: lane.carrier,
                first_parcel_minor: lane.first_parcel_minor,
                per_kg_minor: lane.per_kg_minor,
                days: lane.days as u32,
                co2_g: lane.co2_g,
            });
        }
        for lanes in network.zones.values_mut() {
            lanes.sort_by(|a, b| (a.from, &a.carrier).cmp(&(b.from, &b.carrier)));
        }
        Ok(network)
    }
}

fn check_location(at: usize, location: &LocationFile) -> Result<(), FileError> {
    let pointer = |field: &str| format!("/locations/{at}/{field}");
    named(|| pointer("id"), &location.id)?;
    between(|| pointer("handling_minor"), location.handling_minor, 0, MONEY_MAX)?;
    between(|| pointer("capacity_per_day"), location.capacity_per_day.unwrap_or(0), 0, MONEY_MAX)?;
    for (value, most, name) in [(location.lat, 90.0, "lat"), (location.lon, 180.0, "lon")] {
        if value.is_some_and(|v| v.abs() > most) {
            return wrong(pointer(name), format!("is not between -{most} and {most}"));
        }
    }
    for (sku, quantity) in &location.stock {
        between(|| pointer(&format!("stock/{}", escape(sku))), *quantity, 0, MONEY_MAX)?;
    }
    Ok(())
}

/// A name as a token of a JSON pointer.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl OrdersFile {
    /// Checks what a shape cannot say and binds SKUs to a network.
    pub fn orders(self, network: &Network) -> Result<Vec<Order>, FileError> {
        let mut seen = HashSet::new();
        let mut out = Vec::with_capacity(self.orders.len());
        for (at, order) in self.orders.into_iter().enumerate() {
            if !seen.insert(order.id.clone()) {
                return wrong(format!("/orders/{at}/id"), format!("{:?} stands there twice", order.id));
            }
            out.push(one_order(at, order, network)?);
        }
        Ok(out)
    }
}

fn one_order(at: usize, order: OrderFile, network: &Network) -> Result<Order, FileError> {
    let pointer = |field: &str| format!("/orders/{at}/{field}");
    named(|| pointer("id"), &order.id)?;
    between(|| pointer("promised_days"), order.promised_days, 0, 3_650)?;
    between(|| pointer("split_penalty_minor"), order.split_penalty_minor, 0, MONEY_MAX)?;
    between(|| pointer("late_penalty_minor_per_day"), order.late_penalty_minor_per_day, 0, MONEY_MAX)?;
    let placed = order.placed_at.unwrap_or_default();
    if !placed.is_empty()
        && let Err(error) = Timestamp::parse(&placed)
    {
        return wrong(pointer("placed_at"), error.to_string());
    }
    if order.lines.is_empty() {
        return wrong(pointer("lines"), "an order has at least one line");
    }
    let mut seen = HashSet::new();
    let mut lines = Vec::with_capacity(order.lines.len());
    for (number, line) in order.lines.into_iter().enumerate() {
        let pointer = |field: &str| format!("/orders/{at}/lines/{number}/{field}");
        named(|| pointer("id"), &line.id)?;
        named(|| pointer("sku"), &line.sku)?;
        between(|| pointer("quantity"), line.quantity, 1, 100_000)?;
        between(|| pointer("weight_g"), line.weight_g, 0, 1_000_000)?;
        between(|| pointer("price_minor"), line.price_minor, 0, MONEY_MAX)?;
        for (part, component) in line.components.iter().enumerate() {
            named(|| pointer(&format!("components/{part}/sku")), &component.sku)?;
            between(|| pointer(&format!("components/{part}/quantity")), component.quantity, 1, 1_000)?;
        }
        if !seen.insert(line.id.clone()) {
            return wrong(pointer("id"), format!("{:?} stands in this order twice", line.id));
        }
        let components = match line.components.as_slice() {
            [] => vec![network.component(&line.sku, 1)],
            parts => parts.iter().map(|c| network.component(&c.sku, c.quantity)).collect(),
        };
        lines.push(Line {
            id: line.id,
            sku: line.sku,
            categories: vec![],
            quantity: line.quantity,
            weight_g: line.weight_g,
            price_minor: line.price_minor,
            components,
        });
    }
    if lines.iter().map(|l| l.quantity).sum::<i64>() > 100_000 {
        return wrong(pointer("lines"), "an order has at most 100000 pieces");
    }
    let hour = placed.get(11..13).and_then(|h| h.parse().ok());
    Ok(Order {
        id: order.id,
        zone: order.zone,
        channel: String::new(),
        day: placed.get(..10).unwrap_or_default().to_string(),
        hour,
        promised_days: order.promised_days as u32,
        split_penalty_minor: order.split_penalty_minor,
        late_penalty_minor_per_day: order.late_penalty_minor_per_day,
        lines,
    })
}

/// The plan file.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct PlanFile {
    orders: Vec<OrderOut>,
    cost_minor: i64,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
struct OrderOut {
    id: String,
    assignments: Vec<AssignmentOut>,
    parked: Vec<ParkedOut>,
    cost_minor: i64,
    cost: CostOut,
    why: String,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
struct AssignmentOut {
    line: String,
    location: String,
    carrier: String,
    quantity: i64,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
struct ParkedOut {
    line: String,
    reason: &'static str,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
struct CostOut {
    ship: i64,
    handle: i64,
    split: i64,
    late: i64,
}

impl PlanFile {
    /// What is written for plans of these orders.
    pub fn new(network: &Network, orders: &[Order], plans: &[OrderPlan]) -> Self {
        let orders: Vec<OrderOut> =
            orders.iter().zip(plans).map(|(order, plan)| order_out(network, order, plan)).collect();
        let cost_minor = orders.iter().map(|o| o.cost_minor).sum();
        Self { orders, cost_minor }
    }
}

fn order_out(network: &Network, order: &Order, plan: &OrderPlan) -> OrderOut {
    let lanes = network.lanes(&order.zone);
    let assignments = plan.assignments.iter().map(|a| AssignmentOut {
        line: order.lines[a.line].id.clone(),
        location: network.locations[a.location as usize].id.clone(),
        carrier: lanes[a.lane].carrier.clone(),
        quantity: a.quantity,
    });
    let parked =
        plan.parked.iter().map(|(line, why)| ParkedOut { line: order.lines[*line].id.clone(), reason: why.word() });
    let cost = CostOut { ship: plan.cost.ship, handle: plan.cost.handle, split: plan.cost.split, late: plan.cost.late };
    OrderOut {
        id: order.id.clone(),
        assignments: assignments.collect(),
        parked: parked.collect(),
        cost_minor: cost.ship + cost.handle + cost.split + cost.late,
        cost,
        why: sentence(&reason(network, order, plan)),
    }
}
