//! The nouns: carts, orders, their lines and parts, payments.
use crate::owing::{self, Decided, Owing};
use crate::repricing::PricedFrom;
use crate::states::fulfilment::Fulfilment;
use crate::states::line::Line as LineState;
use crate::states::order::{self, Pieces, Stage, Status};
use crate::states::payment::{Payment, Sums};
use base::{Quantity, Timestamp};
use serde::{Deserialize, Serialize};

/// Who orders; everything that is personal about an order, with its address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    pub email: String,
    /// E.164 where it could be read.
    pub phone: String,
    pub name: String,
    /// Where to, as the customer wrote it; empty for who comes.
    pub address: String,
    /// Who they are in the site or app, as tracking names them; empty where they are not signed in.
    pub user_id: String,
    /// The device that they order from, as tracking names it.
    pub anonymous_id: String,
    /// The person, where somebody inside vouched for it; 0: nobody is known for sure.
    pub person_id: i64,
}

impl Contact {
    /// Whether somebody could be reached.
    pub fn is_reachable(&self) -> bool {
        !self.email.is_empty() || !self.phone.is_empty()
    }
}

/// How goods get to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Delivery {
    /// The customer comes to a place.
    PickUp { location_no: i64 },
    /// It is sent, in a way that the shop offers, for a price.
    Ship { option: String, price_minor: i64 },
}

/// A line of a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartLine {
    pub variant_no: i64,
    /// Thousandths of a unit.
    pub milli: i64,
}

impl CartLine {
    pub fn quantity(&self) -> Quantity {
        Quantity::from_milli(self.milli)
    }
}

/// A cart: what somebody may order. It holds no goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    pub no: i64,
    pub contact: Contact,
    /// The order that it became.
    pub order_no: Option<i64>,
    pub updated_at: Timestamp,
    pub body: CartBody,
}

/// What of a cart is not personal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartBody {
    pub channel: String,
    pub currency: String,
    pub lines: Vec<CartLine>,
    pub coupons: Vec<String>,
    pub delivery: Option<Delivery>,
    /// The zone of the address, by the settings when it was given.
    #[serde(default)]
    pub zone: String,
    /// Goods are tried on before they are paid for.
    #[serde(default)]
    pub try_on: bool,
    /// The colleague who advised, to whom the order is credited.
    #[serde(default)]
    pub seller: String,
    /// A colleague in a shop advised about it: see [`crate::showroom`].
    #[serde(default)]
    pub advised: bool,
    /// What keeps the lines until the order is placed.
    #[serde(default)]
    pub hold: Option<i64>,
    /// What they were told when they chose how to get it.
    #[serde(default)]
    pub promised: Option<Promised>,
    /// Points that the person wants to burn.
    #[serde(default)]
    pub points: i64,
}

/// A line of an order with its price, as it was agreed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub variant_no: i64,
    pub sku: String,
    pub milli: i64,
    /// What one cost, and why that.
    pub unit_minor: i64,
    pub why: String,
    pub list_minor: i64,
    pub discounts: Vec<Taken>,
    pub net_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    /// Points burned for this line, and what they were worth.
    #[serde(default)]
    pub burned: i64,
    #[serde(default)]
    pub burned_minor: i64,
    /// Points that it earns once it is with the customer.
    #[serde(default)]
    pub earned: i64,
}

/// Points of an order, as it was priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPoints {
    pub burned: i64,
    pub burned_minor: i64,
    pub earned: i64,
    /// Burned points were a way of paying; else they lowered the price.
    pub pays: bool,
}

/// What a promotion took off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    pub promotion: String,
    pub minor: i64,
    pub why: String,
}

/// Pieces of a line that share their fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The line's place in the order.
    pub line: usize,
    pub milli: i64,
    pub state: LineState,
    /// Where they are served.
    pub location_no: i64,
    /// The reservation that keeps them, and its line; none for goods whose pieces are not counted, and for parked ones.
    pub claim: Option<(i64, usize)>,
    /// Which of the order's fulfilments serves them, by its number; none until a place is chosen.
    #[serde(default)]
    pub fulfilment: Option<i64>,
    /// The claim on goods to come, and its line there, while they are `ordered` and awaited.
    #[serde(default)]
    pub incoming: Option<(i64, i64)>,
}

impl Part {
    pub fn quantity(&self) -> Quantity {
        Quantity::from_milli(self.milli)
    }
}

/// What a place does for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Serving {
    /// The customer fetches it there.
    PickUp,
    /// It sends a parcel to the customer.
    Ship,
    /// It gives the goods to the place where the customer fetches them.
    Supply,
}

impl Serving {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Serving::PickUp => "pick_up",
            Serving::Ship => "ship",
            Serving::Supply => "supply",
        }
    }
}

/// Lines of the order that one place serves. A moment that has not come is zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fulfilling {
    /// Unique in the order.
    pub no: i64,
    pub location_no: i64,
    pub kind: Serving,
    pub state: Fulfilment,
    /// When the place was asked.
    pub asked_at: Timestamp,
    pub accepted_at: Timestamp,
    pub ready_at: Timestamp,
    /// When it should be ready.
    pub due_at: Timestamp,
    /// When it should have been ready before the place stood still; 0: it never did.
    #[serde(default)]
    pub due_first: Timestamp,
    /// When all of it was handed over, sent, or given up.
    pub done_at: Timestamp,
    /// Until when it waits for the customer, once it is ready.
    pub keep_until: Timestamp,
    /// The carrier's number of the parcel.
    #[serde(default)]
    pub tracking: String,
    /// The transfer that brings goods here, or takes them from here to where they are fetched.
    #[serde(default)]
    pub transfer_no: Option<i64>,
    /// Why this place, in words.
    pub why: String,
}

/// What the customer was told when they ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promised {
    pub earliest: Timestamp,
    pub latest: Timestamp,
    pub why: Vec<String>,
}

/// A payment of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paying {
    pub provider: String,
    /// The provider's own name of it.
    pub id: String,
    pub state: Payment,
    pub authorised_minor: i64,
    pub on_delivery_minor: i64,
    pub captured_minor: i64,
    pub refunded_minor: i64,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub no: i64,
    pub contact: Contact,
    pub placed_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: i64,
    pub body: OrderBody,
}

/// What of an order is not personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderBody {
    /// What the customer sees.
    pub number: String,
    pub cart_no: i64,
    pub channel: String,
    pub currency: String,
    pub delivery: Delivery,
    pub lines: Vec<OrderLine>,
    /// What delivery costs, with its tax inside.
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub stage: Stage,
    /// Why it must not go on; none: it may.
    pub holds: Vec<String>,
    #[serde(default)]
    pub coupons: Vec<String>,
    pub parts: Vec<Part>,
    pub payments: Vec<Paying>,
    #[serde(default)]
    pub fulfilments: Vec<Fulfilling>,
    /// What the customer is promised; it moves when places stand still or goods come later.
    #[serde(default)]
    pub promised: Option<Promised>,
    /// What they were told when they ordered, once that is another promise.
    #[serde(default)]
    pub promised_first: Option<Promised>,
    #[serde(default)]
    pub points: Option<OrderPoints>,
    #[serde(default)]
    pub zone: String,
    #[serde(default)]
    pub try_on: bool,
    #[serde(default)]
    pub seller: String,
    /// The customer came, or the parcel did, for the first time.
    #[serde(default)]
    pub given_at: Timestamp,
    /// They never came for it, or sent it back unopened.
    #[serde(default)]
    pub unclaimed: bool,
    /// The version of the rules by which it was priced.
    #[serde(default)]
    pub rules: i64,
    /// From what it was priced, where what is kept is priced again when some of it goes: as the shop promised when it was ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced_from: Option<PricedFrom>,
    /// So much more is owed for what is not called off than its share, as what stays lost discounts; below nothing where it cost less.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub lost_discount_minor: i64,
    /// What was decided after the sale, as far as it changes what is to pay.
    #[serde(default, skip_serializing_if = "Decided::is_nothing")]
    pub decided: Decided,
}

fn is_nothing(minor: &i64) -> bool {
    *minor == 0
}

impl Order {
    /// All money of the order.
    pub fn sums(&self) -> Sums {
        let add = |sums: Sums, p: &Paying| Sums {
            authorised: sums.authorised + p.authorised_minor,
            on_delivery: sums.on_delivery + p.on_delivery_minor,
            captured: sums.captured + p.captured_minor,
            refunded: sums.refunded + p.refunded_minor,
        };
        let counted = |p: &&Paying| !matches!(p.state, Payment::Declined | Payment::Failed | Payment::Cancelled);
        self.body.payments.iter().filter(counted).fold(Sums::default(), add)
    }
    /// What is to be paid for what is not cancelled: see [`owing::owed_minor`].
    pub fn owed_minor(&self) -> i64 {
        owing::owed_minor(self)
    }
    /// What it owes and has, with all that came after the sale.
    pub fn owing(&self) -> Owing {
        owing::owing(self)
    }
    /// What is left to pay: what anybody may still ask of the customer.
    pub fn open_minor(&self) -> i64 {
        self.owing().open_minor()
    }
    /// Pieces by where they are.
    pub fn pieces(&self) -> Pieces {
        let mut out = Pieces::default();
        for part in &self.body.parts {
            let count = match part.state {
                LineState::Ordered | LineState::Allocated => &mut out.waiting,
                LineState::Parked => &mut out.parked,
                LineState::Released => &mut out.working,
                LineState::Sent => &mut out.sent,
                LineState::Delivered => &mut out.delivered,
                LineState::Returned => &mut out.returned,
                LineState::Lost => &mut out.lost,
                LineState::Cancelled => &mut out.cancelled,
            };
            *count += part.milli;
        }
        out
    }
    /// What people see.
    pub fn status(&self) -> Status {
        let paid = order::paid(owing::with_away(self), self.owing().due_minor);
        order::status(self.body.stage, paid, self.pieces(), !self.body.holds.is_empty())
    }
}
