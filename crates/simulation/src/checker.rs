//! An independent model of orders, goods and money. It was written from what is promised (docs/orders.md, the rules of retail), not from
//! the code that keeps the promises, and shares nothing with it but quantities and JSON.
//!
//! [`read`] takes what a store has written down for ever: movements of goods, claims and how they ended, what providers told of
//! payments, and the customers' events about orders. [`check`] replays them and says what lies where, who still has a claim, what each
//! order paid and kept, and what it should be called; then it compares that with what the tables say. It knows no parts, no
//! fulfilments and no states.
mod goods;
mod money;
mod orders;
pub mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

/// Where goods come from and go to without being counted, and the way between two places.
pub(crate) const CUSTOMER: i64 = -2;
pub(crate) const TRANSIT: i64 = -4;
/// Places where nothing is counted: suppliers, customers, what is lost.
pub(crate) const NOWHERE: [i64; 3] = [-1, CUSTOMER, -3];

/// Goods that moved, in the order in which it was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub no: i64,
    /// The paper that says so; its movements happen together.
    pub document: i64,
    /// What it is for, such as `order:7` or `return:3`.
    pub reference: String,
    pub variant: i64,
    /// Place and condition, 0 being sellable.
    pub from: (i64, i64),
    pub to: (i64, i64),
    /// Thousandths.
    pub quantity: i64,
}

/// How a claim ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Expired,
    Released,
    /// The goods left.
    Fulfilled,
    Replaced,
    /// The goods were not there after all.
    Short,
}

/// A claim on goods, as it was last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub no: i64,
    pub line: i64,
    pub owner: String,
    pub variant: i64,
    pub place: i64,
    pub quantity: i64,
    /// Microseconds; the greatest number for one that does not end by itself.
    pub expires: i64,
    pub ended: Option<Ended>,
}

/// What a provider told: money that came, or went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    pub order: i64,
    pub refund: bool,
    pub minor: i64,
}

/// Money of one order that pays for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub from: i64,
    pub minor: i64,
}

/// Money given back other than through a provider, or for goods that stay where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub order: i64,
    pub minor: i64,
    /// As store credit: no provider tells of it.
    pub credit: bool,
    /// For a complaint: the customer keeps the goods.
    pub claim: bool,
}

/// A product of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub sku: String,
    pub milli: i64,
    pub unit_minor: i64,
}

/// An event of a customer about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    /// The number that the customer sees.
    pub order: String,
    pub total_minor: i64,
    pub shipping_minor: i64,
    pub products: Vec<Product>,
}

/// What is written down for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    pub movements: Vec<Movement>,
    pub claims: Vec<Claim>,
    pub paid: Vec<Paid>,
    pub moved: Vec<Moved>,
    pub given: Vec<Given>,
    /// Returns and the order that each is of.
    pub returns: BTreeMap<i64, i64>,
    pub events: Vec<Event>,
}

/// An order as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    pub no: i64,
    pub number: String,
    pub status: String,
    pub total_minor: i64,
    pub captured_minor: i64,
    pub refunded_minor: i64,
    pub shipping_minor: i64,
    /// Whether its customer has a log.
    pub known: bool,
    /// Given instead of others: it was never ordered by an event.
    pub instead: bool,
    pub lines: Vec<Line>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub sku: String,
    pub variant: i64,
    pub milli: i64,
    pub unit_minor: i64,
}

/// What the tables say now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// By variant and place: what lies there by condition.
    pub positions: BTreeMap<(i64, i64), [i64; 4]>,
    pub orders: Vec<OrderRow>,
}

/// Where log and tables, or log and promise, do not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    pub what: &'static str,
    pub detail: String,
}

/// When it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In the middle of a life, at a moment in microseconds.
    At(i64),
    /// When nothing is left to do: every order is at its end, every claim over, all money settled.
    AtTheEnd,
}

/// Replays the log and compares.
pub fn check(log: &Log, tables: &Tables, when: When) -> Vec<Disagreement> {
    let mut found = Vec::new();
    let lies = goods::replay(log, &mut found);
    goods::compare(&lies, tables, when, &mut found);
    goods::claims(log, &lies, when, &mut found);
    let sold = goods::sold(log);
    for order in &tables.orders {
        money::check(log, order, &sold, when, &mut found);
        orders::check(log, order, &sold, when, &mut found);
    }
    orders::unknown(log, tables, &mut found);
    found
}
