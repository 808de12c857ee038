//! What sourcing is about: places with stock, lanes into zones, orders with lines. All ids are interned; places stand in the
//! order of their ids, lanes in the order of (place, carrier), so that "the smaller id" is "the smaller index".
use std::collections::HashMap;

/// A place of a [`Network`], by its position.
pub type LocationIndex = u32;
/// A SKU of a [`Network`], by its position.
pub type SkuIndex = u32;

/// A place that goods can come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Location {
    /// Unique.
    pub id: String,
    /// Warehouse, store, locker, supplier: a word that rules and sentences use.
    pub kind: String,
    /// Degrees, where known.
    pub position: Option<(f64, f64)>,
    /// Pieces that may be taken for the orders of one day; `None` is no limit.
    pub capacity_per_day: Option<i64>,
    /// Pieces that may be taken for the orders of one hour; `None` is no limit. Not in the plain files.
    pub capacity_per_hour: Option<i64>,
    /// Minor units for a piece.
    pub handling_minor: i64,
    /// Minor units that are lost when the last piece of an article leaves the shelf. Zero in the plain files.
    pub last_piece_minor: i64,
    /// A hand switch, a closed territory, a failed point: nothing is sourced here. Never set in the plain files.
    pub down: bool,
}

/// One carrier's way from a place into a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Where it begins.
    pub from: LocationIndex,
    /// Who carries.
    pub carrier: String,
    /// Minor units of a parcel before its weight.
    pub first_parcel_minor: i64,
    /// Minor units of a kilogram, in proportion.
    pub per_kg_minor: i64,
    /// Whole days to the customer.
    pub days: u32,
    /// Grams of CO₂ of a parcel.
    pub co2_g: i64,
}

/// Places, their stock, and the lanes of every zone.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// ISO 4217.
    pub currency: String,
    /// By id.
    pub locations: Vec<Location>,
    /// Lanes of a zone, by (place, carrier).
    pub zones: HashMap<String, Vec<Lane>>,
    /// Names of SKUs.
    pub skus: HashMap<String, SkuIndex>,
    /// For each SKU the places that hold it with their pieces, by place.
    pub stock: Vec<Vec<(LocationIndex, i64)>>,
}

/// What one piece of a line takes out of stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// `None` for a SKU that no place of the network has ever held.
    pub sku: Option<SkuIndex>,
    /// The name, so that unknown ones stay apart.
    pub name: String,
    /// Pieces of it.
    pub quantity: i64,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Unique in the order.
    pub id: String,
    /// What it is called; rules look at it.
    pub sku: String,
    /// Codes of its categories and of all above them, for rules. None in the plain files.
    pub categories: Vec<String>,
    /// Pieces.
    pub quantity: i64,
    /// Of one piece.
    pub weight_g: i64,
    /// Of one piece.
    pub price_minor: i64,
    /// One entry of quantity 1 for a plain article; several for a kit, taken at one place for each piece.
    pub components: Vec<Component>,
}

/// An order as sourcing sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Order {
    /// Unique.
    pub id: String,
    /// Where it goes.
    pub zone: String,
    /// Who took it; rules look at it. Empty in the plain files.
    pub channel: String,
    /// Whose capacity it uses: the date as written in `placed_at`.
    pub day: String,
    /// Hour of that day, for capacity by hour and rules about time.
    pub hour: Option<u32>,
    /// What counts as in time.
    pub promised_days: u32,
    /// For each parcel beyond the first.
    pub split_penalty_minor: i64,
    /// For each day beyond `promised_days`.
    pub late_penalty_minor_per_day: i64,
    /// What is wanted.
    pub lines: Vec<Line>,
}

impl Network {
    /// Interns a SKU.
    pub fn intern(&mut self, sku: &str) -> SkuIndex {
        if let Some(known) = self.skus.get(sku) {
            return *known;
        }
        let index = self.stock.len() as SkuIndex;
        self.stock.push(Vec::new());
        self.skus.insert(sku.to_string(), index);
        index
    }
    /// The place of this id.
    pub fn location(&self, id: &str) -> Option<LocationIndex> {
        self.locations.binary_search_by(|l| l.id.as_str().cmp(id)).ok().map(|i| i as LocationIndex)
    }
    /// Lanes into a zone.
    pub fn lanes(&self, zone: &str) -> &[Lane] {
        self.zones.get(zone).map_or(&[], Vec::as_slice)
    }
    /// A component by name.
    pub fn component(&self, name: &str, quantity: i64) -> Component {
        Component { sku: self.skus.get(name).copied(), name: name.to_string(), quantity }
    }
}

/// What weighs in beyond ship, handle, split and late. All zero in the plain files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Weights {
    /// Minor units for a kilogram of CO₂.
    pub co2_minor_per_kg: i64,
    /// Whether [`Location::last_piece_minor`] counts.
    pub last_piece: bool,
}

/// The four costs of the contract, and what the server adds to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Parcels and their weight.
    pub ship: i64,
    /// Picking and packing.
    pub handle: i64,
    /// Parcels beyond the first.
    pub split: i64,
    /// Days beyond the promise.
    pub late: i64,
    /// CO₂, last pieces and preferences; 0 without weights and rules.
    pub beyond: i64,
}

impl Cost {
    /// All of them.
    pub fn total(&self) -> i64 {
        self.ship + self.handle + self.split + self.late + self.beyond
    }
}

/// Pieces of a line that come from a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Position of the line in its order.
    pub line: usize,
    /// Where they come from.
    pub location: LocationIndex,
    /// Position of the lane in its zone.
    pub lane: usize,
    /// How many.
    pub quantity: i64,
}

/// Why a line is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Park {
    /// No place sends to the zone.
    NoLane,
    /// The places that do hold too few pieces.
    NoStock,
    /// They could not take that many pieces on that day.
    NoCapacity,
    /// Other lines or orders got what there is.
    Taken,
    /// Rules leave no place.
    Forbidden,
    /// A rule wants one parcel, and no place has everything.
    OneParcel,
}

impl Park {
    /// The word of the format.
    pub fn word(self) -> &'static str {
        match self {
            Park::NoLane => "no_lane",
            Park::NoStock => "no_stock",
            Park::NoCapacity => "no_capacity",
            Park::Taken => "taken",
            Park::Forbidden => "forbidden",
            Park::OneParcel => "one_parcel",
        }
    }
}

/// What becomes of one order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderPlan {
    /// By line, then place.
    pub assignments: Vec<Assignment>,
    /// Lines that are not served, by position.
    pub parked: Vec<(usize, Park)>,
    /// What it costs.
    pub cost: Cost,
    /// The same in thousandths of a minor unit, before rounding, with everything that was weighed.
    pub exact_milli: i64,
    /// Pieces served.
    pub units: i64,
    /// Slowest parcel.
    pub days: u32,
    /// The cheapest way to send the same lines as one parcel from a place that this plan does not use.
    pub other: Option<Alternative>,
    /// Whether the search ended by itself, so that nothing better exists for this order alone.
    pub proven: bool,
}

/// A single place that could have sent everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternative {
    /// Where.
    pub location: LocationIndex,
    /// Position of the lane in its zone.
    pub lane: usize,
    /// What it would have cost, in thousandths.
    pub exact_milli: i64,
}
