//! What can be asked of carts and orders: each a function over `&mut Tx` that refuses before its first write.
pub mod alerts;
mod arrived;
mod assortment;
mod bags;
mod beside;
pub(crate) mod burning;
pub mod buyers;
mod cart;
mod checkout;
mod edit;
mod elsewhere;
mod goods;
mod handing;
mod holds;
pub mod incoming;
mod money;
pub mod pauses;
mod pieces;
pub(crate) mod repricing;
mod settings;
mod source;
mod telling;
mod work;

pub use arrived::arrived;
pub use bags::{BAG_MAX, dispatch_bag, hand_over_bag, with_it};
pub use beside::{Beside, SoldBeside, sell_beside, sold_beside};
pub use cart::{
    Shop, add_coupon, create_cart, hold_cart, price_cart, put_contact, put_delivery, put_line, put_seller, put_try_on,
};
pub(crate) use checkout::assign;
pub use checkout::checkout;
pub use edit::{Edit, edit};
pub use elsewhere::{leave_place, source_again, unanswered};
pub use handing::{Proof, bring_back, collect, deliver, dispatch, hand_over_all};
pub use holds::{confirm_order, hold, no_shows, note, release_hold};
pub use money::{Fact, pay};
pub use pieces::{cancel, claims_lost, lose_claim, lose_transfer};
pub use settings::{put_settings, read as read_settings, settings};
pub(crate) use work::begin;
pub use work::{accept, decline, pick_up_code, ready, report_short};

use crate::error::OrderError;
use crate::model::{Cart, Order};
use crate::{CartTable, OrderTable};
use db::{Bulk, DbError, Tx};
use std::sync::Arc;

/// Pieces were called off, and the order is stored: what stays is priced again where the shop promised so, and points go back. Gives why
/// less than its share goes back, in words; empty: it does not.
fn called_off(tx: &mut Tx, before: &Order, after: Arc<Order>, actor: &str) -> Result<(Arc<Order>, String), OrderError> {
    let (after, lost) = repricing::called_off(tx, before, after, actor)?;
    Ok((burning::called_off(tx, before, after, actor)?, lost))
}

/// A cart that can still be changed.
fn open_cart(tx: &mut Tx, no: i64) -> Result<Arc<Cart>, OrderError> {
    let cart = cart_of(tx, no)?;
    match cart.order_no {
        None => Ok(cart),
        Some(order_no) => Err(OrderError::field("/cart_id", format!("it became order {order_no}: begin a new cart"))),
    }
}

/// A cart.
pub fn cart_of(tx: &mut Tx, no: i64) -> Result<Arc<Cart>, OrderError> {
    let cart = tx.get::<CartTable>(no)?.cloned();
    cart.ok_or_else(|| OrderError::Unknown { what: "cart", id: no.to_string() })
}

/// An order.
pub fn order_of(tx: &mut Tx, no: i64) -> Result<Arc<Order>, OrderError> {
    let order = tx.get::<OrderTable>(no)?.cloned();
    order.ok_or_else(|| OrderError::Unknown { what: "order", id: no.to_string() })
}

/// Changes a cart.
pub(crate) fn change_cart(tx: &mut Tx, no: i64, f: impl FnOnce(&mut Cart)) -> Result<Arc<Cart>, OrderError> {
    let now = tx.now();
    if let Some(row) = tx.get_mut::<CartTable>(no)? {
        let cart = Arc::make_mut(row);
        f(cart);
        cart.updated_at = now;
    }
    cart_of(tx, no)
}

/// Puts an order as it is from now on.
pub(crate) fn put_order(tx: &mut Tx, mut order: Order) -> Arc<Order> {
    order.version += 1;
    order.updated_at = tx.now();
    let order = Arc::new(order);
    tx.put::<OrderTable>(order.no, order.clone());
    tx.notify(db::Notice::Changed { what: "orders" });
    order
}

static HISTORY: Bulk = Bulk {
    table: "order_history",
    columns: &[("no", 'i'), ("order_no", 'i'), ("at", 'i'), ("actor", 't'), ("what", 't'), ("detail", 't')],
    key: 1,
    insert_only: true,
};

/// Writes down what happened to an order.
pub(crate) fn history(tx: &mut Tx, order_no: i64, actor: &str, what: &str, detail: &serde_json::Value) {
    let (no, at) = (tx.next_id(), tx.now());
    let row =
        vec![no.into(), order_no.into(), at.micros().into(), actor.into(), what.into(), detail.to_string().into()];
    tx.append(&HISTORY, row);
}

/// What happened to an order, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    pub at: base::Timestamp,
    pub actor: String,
    pub what: String,
    /// JSON.
    pub detail: String,
}

/// Reads the history of an order.
pub fn history_of(tx: &mut Tx, order_no: i64) -> Result<Vec<Happened>, DbError> {
    let sql = "SELECT at, actor, what, detail FROM order_history WHERE order_no = $1 ORDER BY no LIMIT 1000";
    let rows = tx.rows(sql, &[order_no.into()])?;
    let read = |row: &db::Row| -> Result<Happened, DbError> {
        Ok(Happened {
            at: base::Timestamp::from_micros(row.int(0)?),
            actor: row.text(1)?.into(),
            what: row.text(2)?.into(),
            detail: row.text(3)?.into(),
        })
    };
    rows.iter().map(read).collect()
}
