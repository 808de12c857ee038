//! Who buys: what personal prices, segments' price lists and points ask of a customer who is known for sure.
//!
//! A cart's customer writes their own name and address, and anybody could write another's; so only a person whom somebody inside vouches
//! for (a colleague, the shop's own back end) has personal prices and may burn points.
use super::burning::{document, refused};
use super::{Shop, open_cart};
use crate::error::OrderError;
use crate::model::{Cart, Order, OrderPoints};
use crate::states::line::Line as LineState;
use db::{DbError, Tx};
use loyalty::amounts::Quantity;
use loyalty::model::{BurnAs, Customer, Priced};
use loyalty::points::commands::{self as points, Cause};
use loyalty::rules::Rules;
use std::sync::Arc;

/// A known customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buyer {
    /// The person as price lists and promotions name them.
    pub id: String,
    /// Their accounts of points: the profiles of the person, theirs first.
    pub accounts: Vec<i64>,
    /// Segments that they are in, by every name that rules may use.
    pub segments: Vec<String>,
}

/// The rooms that know people; orders may not ask them by themselves.
pub trait Buyers: Send + Sync + std::fmt::Debug {
    /// Who a person is now; `None`: there is nobody of that number.
    fn buyer(&self, tx: &mut Tx, person_id: i64) -> Result<Option<Buyer>, DbError>;
}

/// Says which person orders, as somebody vouches who knows it, and how many of their points are to be burned; nobody takes both back.
pub fn put_person(tx: &mut Tx, no: i64, person_id: i64, wanted: i64, shop: &Shop) -> Result<Arc<Cart>, OrderError> {
    open_cart(tx, no)?;
    if !(0..=1_000_000_000).contains(&wanted) || (wanted > 0 && person_id == 0) {
        return Err(OrderError::field("/points", "points are burned by a person, from nothing up to 1,000,000,000"));
    }
    if person_id != 0 && of(tx, person_id, shop)?.is_none() {
        return Err(OrderError::Unknown { what: "person", id: person_id.to_string() });
    }
    super::change_cart(tx, no, |cart| {
        cart.contact.person_id = person_id;
        cart.body.points = wanted;
    })
}

fn of(tx: &mut Tx, person_id: i64, shop: &Shop) -> Result<Option<Buyer>, OrderError> {
    match &shop.buyers {
        Some(buyers) if person_id != 0 => Ok(buyers.buyer(tx, person_id)?),
        _ => Ok(None),
    }
}

/// Who orders a cart, if that is known for sure.
pub(super) fn buyer(tx: &mut Tx, cart: &Cart, shop: &Shop) -> Result<Option<Buyer>, OrderError> {
    of(tx, cart.contact.person_id, shop)
}

/// What promotions are told of them.
pub(super) fn customer(tx: &mut Tx, buyer: Option<&Buyer>, rules: &Rules) -> Result<Customer, OrderError> {
    let Some(buyer) = buyer else { return Ok(Customer::default()) };
    let mut orders = 0;
    for account in &buyer.accounts {
        let row = tx.first("SELECT COUNT(*) FROM orders WHERE person_id = $1", &[(*account).into()])?;
        orders += row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
    }
    let points = match rules.promotions.points {
        Some(_) => points::balance(tx, &buyer.accounts)?.max(0),
        None => 0,
    };
    let used = loyalty::rules::uses::of_person(tx, &buyer.accounts)?;
    Ok(Customer { id: Some(buyer.id.clone()), segments: buyer.segments.clone(), orders, points, used })
}

/// What an order keeps of its points; `None` where none were burned or can be earned.
pub(super) fn kept(priced: &Priced, rules: &Rules) -> Option<OrderPoints> {
    let policy = rules.promotions.points.as_ref()?;
    let of = &priced.points;
    (of.burned > 0 || of.earned > 0).then_some(OrderPoints {
        burned: of.burned,
        burned_minor: of.burned_minor,
        earned: of.earned,
        pays: policy.burn_as == BurnAs::Payment,
    })
}

/// Points are earned once everything is with the customer or will never be: those of what they have.
pub(super) fn finished(tx: &mut Tx, order: &Order, actor: &str) -> Result<(), OrderError> {
    let Some(of) = order.body.points.filter(|of| of.earned > 0) else { return Ok(()) };
    let ends = [LineState::Delivered, LineState::Cancelled, LineState::Returned, LineState::Lost];
    if order.contact.person_id == 0 || order.body.parts.iter().any(|p| !ends.contains(&p.state)) {
        return Ok(());
    }
    let has = |at: usize| {
        let own = order.body.parts.iter().filter(|p| p.line == at && p.state == LineState::Delivered);
        own.map(|p| p.milli).sum::<i64>()
    };
    let lines = order.body.lines.iter().enumerate();
    let share = |(at, line): (usize, &crate::model::OrderLine)| {
        loyalty::share_until(line.earned, Quantity(line.milli), Quantity(has(at)))
    };
    let earned: i64 = lines.map(share).sum::<i64>().min(of.earned);
    if earned <= 0 || !points::of_document(tx, "earn", &document(order.no))?.is_empty() {
        return Ok(());
    }
    let cause = document(order.no);
    points::earn(tx, order.contact.person_id, earned, None, Cause { document: &cause, actor }).map_err(refused)?;
    Ok(())
}
