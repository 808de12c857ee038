//! The nouns: places, conditions, what lies where, claims, papers and movements.
use base::{Quantity, Timestamp};

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocationKind {
    Store,
    Warehouse,
    MicroFulfilment,
    PickupPoint,
    Locker,
    /// Somebody else's shop or warehouse that sells or hands over for us.
    Partner,
    /// Where goods come from; not counted.
    Supplier,
    /// Where goods go when they are sold; not counted.
    Customer,
    /// Where goods go that are lost, and come from that were found; not counted.
    Loss,
    /// On the way between two places; counted.
    Transit,
}

impl LocationKind {
    /// All kinds with their names on the wire.
    pub const ALL: [(LocationKind, &'static str); 10] = [
        (LocationKind::Store, "store"),
        (LocationKind::Warehouse, "warehouse"),
        (LocationKind::MicroFulfilment, "micro_fulfilment"),
        (LocationKind::PickupPoint, "pickup_point"),
        (LocationKind::Locker, "locker"),
        (LocationKind::Partner, "partner"),
        (LocationKind::Supplier, "supplier"),
        (LocationKind::Customer, "customer"),
        (LocationKind::Loss, "loss"),
        (LocationKind::Transit, "transit"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind)
    }
    /// Whether what lies there is counted, and can therefore never be less than nothing.
    pub fn counts(self) -> bool {
        !matches!(self, LocationKind::Supplier | LocationKind::Customer | LocationKind::Loss)
    }
    /// Whether goods there can be promised to somebody.
    pub fn sells(self) -> bool {
        self.counts() && self != LocationKind::Transit
    }
}

/// Whether a place works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocationState {
    Open,
    /// It sells nothing to other channels for now: an alert, a blackout, a hand switch. What was promised stays promised.
    Paused,
    /// For good.
    Closed,
}

impl LocationState {
    pub fn as_str(self) -> &'static str {
        match self {
            LocationState::Open => "open",
            LocationState::Paused => "paused",
            LocationState::Closed => "closed",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [LocationState::Open, LocationState::Paused, LocationState::Closed].into_iter().find(|s| s.as_str() == text)
    }
}

/// A place where goods are, or whence they come and whither they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Negative for the four that every shop has.
    pub no: i64,
    /// The shop's own name of it.
    pub id: Box<str>,
    pub kind: LocationKind,
    pub name: Box<str>,
    pub address: Box<str>,
    /// Degrees × 10⁷.
    pub lat_lon_e7: Option<(i64, i64)>,
    /// IANA name.
    pub time_zone: Box<str>,
    /// The company it belongs to; empty where the shop has one only.
    pub entity: Box<str>,
    pub state: LocationState,
    /// Why it is paused or closed.
    pub state_why: Box<str>,
    pub version: i64,
}

pub const SUPPLIER: i64 = -1;
pub const CUSTOMER: i64 = -2;
pub const LOSS: i64 = -3;
pub const TRANSIT: i64 = -4;

/// What state goods are in at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    Sellable = 0,
    /// On display: there, but not for sale unless somebody says so.
    Display = 1,
    Damaged = 2,
    /// To be looked at: a return that is not graded yet, a lot that has expired.
    Quarantine = 3,
}

impl Condition {
    pub const ALL: [(Condition, &'static str); 4] = [
        (Condition::Sellable, "sellable"),
        (Condition::Display, "display"),
        (Condition::Damaged, "damaged"),
        (Condition::Quarantine, "quarantine"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(condition, _)| *condition)
    }
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).map(|(condition, _)| *condition)
    }
}

/// Holds of one variant at one place that end at the same second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    pub at: Timestamp,
    pub quantity: Quantity,
}

/// What lies of one variant at one place, and who has a claim on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub location_no: i64,
    /// By [`Condition`].
    pub on_hand: [Quantity; 4],
    /// Kept back from every channel but the place's own till; below nothing, so many may be sold before they are here.
    pub safety: Quantity,
    /// When it was counted last; movements that happened before then do not change what was counted.
    pub counted_at: Timestamp,
    /// Claims of orders.
    pub firm: Quantity,
    /// Claims that end by themselves, by their end. Ended ones may still stand at the front; they never count.
    pub holds: Vec<Ending>,
    /// The group that changed what the database has of it.
    pub changed: i64,
}

impl Position {
    pub fn new(location_no: i64) -> Self {
        Self {
            location_no,
            on_hand: [Quantity::ZERO; 4],
            safety: Quantity::ZERO,
            counted_at: Timestamp::default(),
            firm: Quantity::ZERO,
            holds: Vec::new(),
            changed: 0,
        }
    }
    pub fn sellable(&self) -> Quantity {
        self.on_hand[Condition::Sellable as usize]
    }
}

/// What lies of one variant, by place (ascending number).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariantStock {
    pub positions: Vec<Position>,
}

impl VariantStock {
    pub fn at(&self, location_no: i64) -> Option<&Position> {
        let at = self.positions.binary_search_by_key(&location_no, |p| p.location_no).ok()?;
        self.positions.get(at)
    }
    /// The position, made if there is none.
    pub fn at_mut(&mut self, location_no: i64) -> &mut Position {
        let at = match self.positions.binary_search_by_key(&location_no, |p| p.location_no) {
            Ok(at) => at,
            Err(at) => {
                self.positions.insert(at, Position::new(location_no));
                at
            }
        };
        &mut self.positions[at]
    }
}

/// Who has a claim, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReservationKind {
    /// Minutes, while somebody thinks.
    Cart = 0,
    /// A day in a shop (M7).
    InStore = 1,
    /// A day in a shop or at home, to try on (N7).
    TryOn = 2,
    /// An order's: until it is shipped, handed over or cancelled.
    Order = 3,
    /// Goods that a transfer takes with it.
    Transfer = 4,
}

impl ReservationKind {
    pub const ALL: [(ReservationKind, &'static str); 5] = [
        (ReservationKind::Cart, "cart"),
        (ReservationKind::InStore, "in_store"),
        (ReservationKind::TryOn, "try_on"),
        (ReservationKind::Order, "order"),
        (ReservationKind::Transfer, "transfer"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind)
    }
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).map(|(kind, _)| *kind)
    }
    /// Whether it stays until somebody ends it.
    pub fn is_firm(self) -> bool {
        matches!(self, ReservationKind::Order | ReservationKind::Transfer)
    }
}

/// How a claim ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndedWhy {
    /// Its time was over.
    Expired = 1,
    /// Somebody gave it back.
    Released = 2,
    /// The goods left: sold, shipped, handed over.
    Fulfilled = 3,
    /// It went over to another claim: a cart that became an order, a line that another place serves now.
    Replaced = 4,
    /// The goods were not there after all.
    Short = 5,
}

impl EndedWhy {
    pub const ALL: [(EndedWhy, &'static str); 5] = [
        (EndedWhy::Expired, "expired"),
        (EndedWhy::Released, "released"),
        (EndedWhy::Fulfilled, "fulfilled"),
        (EndedWhy::Replaced, "replaced"),
        (EndedWhy::Short, "short"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize - 1].1
    }
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.iter().find(|(why, _)| *why as i64 == code).map(|(why, _)| *why)
    }
}

/// The claim of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservedLine {
    pub variant_no: i64,
    pub location_no: i64,
    /// What is claimed; once the line has ended, what was claimed last.
    pub quantity: Quantity,
    pub ended: Option<(Timestamp, EndedWhy)>,
}

/// One customer's claim: all of its lines begin together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub kind: ReservationKind,
    /// Whose it is: `cart:17`, `order:9`.
    pub owner: Box<str>,
    pub created_at: Timestamp,
    /// A full second; [`NEVER`] for firm ones.
    pub expires_at: Timestamp,
    pub lines: Vec<ReservedLine>,
}

/// The end of what does not end by itself.
pub const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

impl Reservation {
    /// Lines that are claimed at a moment, with their places in the reservation.
    pub fn active(&self, now: Timestamp) -> impl Iterator<Item = (usize, &ReservedLine)> {
        let alive = self.expires_at > now;
        self.lines.iter().enumerate().filter(move |(_, line)| alive && line.ended.is_none())
    }
}

/// What a paper is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// Goods came from a supplier.
    Receipt,
    /// Goods were sold and left with the customer.
    Sale,
    /// Goods came back from a customer.
    Return,
    /// Goods left for another place.
    TransferOut,
    /// Goods came from another place.
    TransferIn,
    /// Goods were lost, found, broken, thrown away.
    Adjustment,
    /// Goods were counted.
    Count,
    /// The state of goods changed where they lie.
    Condition,
    /// Back to the supplier.
    SupplierReturn,
    /// A movement somebody entered by hand or by API.
    Movement,
}

impl DocumentKind {
    pub const ALL: [(DocumentKind, &'static str); 10] = [
        (DocumentKind::Receipt, "receipt"),
        (DocumentKind::Sale, "sale"),
        (DocumentKind::Return, "return"),
        (DocumentKind::TransferOut, "transfer_out"),
        (DocumentKind::TransferIn, "transfer_in"),
        (DocumentKind::Adjustment, "adjustment"),
        (DocumentKind::Count, "count"),
        (DocumentKind::Condition, "condition"),
        (DocumentKind::SupplierReturn, "supplier_return"),
        (DocumentKind::Movement, "movement"),
    ];
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind)
    }
}

/// One line of a paper: so much from here to there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub variant_no: i64,
    pub from_no: i64,
    pub from_condition: Condition,
    pub to_no: i64,
    pub to_condition: Condition,
    /// Batch or serial number; empty where none is kept.
    pub lot: Box<str>,
    /// More than nothing.
    pub quantity: Quantity,
    pub reason: Box<str>,
}

impl Move {
    /// Goods that are fit for sale, of no batch, and stay so.
    pub fn sellable(variant_no: i64, (from_no, to_no): (i64, i64), quantity: Quantity, reason: &str) -> Self {
        let (from_condition, to_condition) = (Condition::Sellable, Condition::Sellable);
        Move {
            variant_no,
            from_no,
            from_condition,
            to_no,
            to_condition,
            lot: "".into(),
            quantity,
            reason: reason.into(),
        }
    }
}

/// A paper with its movements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub kind: DocumentKind,
    /// Who tells it: `console`, `till:Lviv-1`, `erp`.
    pub source: Box<str>,
    /// The teller's own id of it, so that telling it twice counts once; empty: none.
    pub external_id: Box<str>,
    /// What it belongs to: an order, a transfer, a purchase order.
    pub reference: Box<str>,
    pub note: Box<str>,
    /// The person or program that did it.
    pub actor: Box<str>,
    /// When it happened; may be long ago.
    pub at: Timestamp,
    pub moves: Vec<Move>,
}
