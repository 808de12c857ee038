//! What promises are made of.
use crate::calendar::{Carrier, Hours, Pause, PauseKind};
use std::collections::BTreeMap;

/// A place, as promises see it.
#[derive(Debug, Clone)]
pub struct Place {
    /// Unique.
    pub id: String,
    /// When people pick and pack there.
    pub work: Hours,
    /// When customers get in; `None` for a place without counter.
    pub counter: Option<Hours>,
    /// What gets in between.
    pub pauses: Vec<Pause>,
    /// Working time from an order to a packed parcel, in µs.
    pub prepare_us: i64,
    /// Orders that can be prepared in an hour of the clock; `None` is no limit.
    pub per_hour: Option<u32>,
    /// Whether the whole place is switched off.
    pub down: bool,
}

/// How goods get to the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WayKind {
    /// The customer comes to a shop that has it.
    PickUp,
    /// The customer comes to a shop to which it is brought.
    Transfer,
    /// To the door.
    Courier,
    /// To a branch of the carrier.
    Branch,
    /// To a parcel locker.
    Locker,
}

/// A way from a place: a lane into a zone, or a transfer to a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where it begins.
    pub from: u32,
    /// What it is; never [`WayKind::PickUp`].
    pub kind: WayKind,
    /// A zone, or for a transfer the id of the shop.
    pub to: String,
    /// Position in [`Ways::carriers`].
    pub carrier: u32,
    /// Days of travel.
    pub days: u32,
    /// Minor units, told beside the promise.
    pub price_minor: i64,
}

/// Everything that [`super::Book`] is compiled from.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    /// By any order; positions are used as names.
    pub places: Vec<Place>,
    /// Who carries.
    pub carriers: Vec<Carrier>,
    /// From where to where.
    pub ways: Vec<Way>,
}

/// Goods that are available now at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Available {
    /// Position of the place.
    pub place: u32,
    /// Pieces that may be promised.
    pub quantity: i64,
}

/// Goods that are on order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incoming {
    /// Where they will be.
    pub place: u32,
    /// Pieces that nobody else was promised.
    pub quantity: i64,
    /// When they are expected to be on the shelf.
    pub expected_us: i64,
    /// When they are there at the latest, by what the supplier did before.
    pub latest_us: i64,
    /// How often this supplier is in time, in thousandths.
    pub confidence: u16,
}

/// A line of a cart.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// Pieces.
    pub quantity: i64,
    /// Where they are.
    pub available: &'a [Available],
    /// Where more will be.
    pub incoming: &'a [Incoming],
}

/// How much of the coming hours is taken: orders by place and hour of the epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken(pub BTreeMap<(u32, i64), u32>);

/// What a page asks.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Now.
    pub now_us: i64,
    /// Where the customer is; without it only shops are answered.
    pub zone: Option<&'a str>,
    /// A shop that the customer chose, by position; without it all shops.
    pub shop: Option<u32>,
    /// What is wanted, together.
    pub demand: &'a [Demand<'a>],
}

/// How the service that was given compares with the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "was")]
pub enum Kept {
    /// Before the range began.
    Early {
        /// By so much.
        by_us: i64,
    },
    /// Within the range.
    InTime,
    /// After its end.
    Late {
        /// By so much.
        by_us: i64,
    },
}

impl Promise {
    /// Compares with the moment when the customer got it, or could have.
    pub fn kept(&self, given_us: i64) -> Kept {
        if given_us < self.earliest_us {
            Kept::Early { by_us: self.earliest_us - given_us }
        } else if given_us <= self.latest_us {
            Kept::InTime
        } else {
            Kept::Late { by_us: given_us - self.latest_us }
        }
    }
}

/// Why a promise is what it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum Reason {
    /// It is there.
    OnShelf,
    /// It is brought from there.
    BroughtFrom {
        /// Position of the place.
        place: u32,
    },
    /// It has to come from a supplier first.
    OnOrder {
        /// When it is expected.
        expected_us: i64,
    },
    /// The place was closed.
    Closed {
        /// It opened again.
        until_us: i64,
    },
    /// The place stood still.
    Paused {
        /// Why.
        kind: PauseKind,
        /// Until.
        until_us: i64,
        /// Nobody knows that end.
        assumed: bool,
    },
    /// All hands were full.
    Busy {
        /// Until.
        until_us: i64,
    },
    /// The carrier had gone for the day.
    MissedCutOff {
        /// It comes again.
        next_us: i64,
    },
    /// One piece is left, and somebody may hold it in their hand.
    LastPiece,
    /// The parts come from several places; the slowest counts.
    Parts {
        /// How many.
        places: u32,
    },
}

/// What a customer can be told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Promise {
    /// How.
    pub kind: WayKind,
    /// Where from, by position; of several the slowest.
    pub from: u32,
    /// The shop to go to, for pick-up and transfer.
    pub shop: Option<u32>,
    /// Who carries, by position.
    pub carrier: Option<u32>,
    /// When it is packed.
    pub ready_us: i64,
    /// Begin of the range.
    pub earliest_us: i64,
    /// End of the range.
    pub latest_us: i64,
    /// How sure it is, in thousandths.
    pub confidence: u16,
    /// What it costs.
    pub price_minor: i64,
    /// Why.
    pub reasons: Vec<Reason>,
}
