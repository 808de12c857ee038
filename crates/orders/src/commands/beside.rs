//! What a customer who fetches an order buys beside it: an order of its own, handed over at once, counted for the pick-up (P11).
use super::*;
use crate::model::Delivery;
use crate::model::Serving;
use crate::states::fulfilment::Fulfilment;
use base::{Quantity, Timestamp};
use db::Engine;
use serde_json::json;

static SALES: Bulk = Bulk {
    table: "pick_up_sales",
    columns: &[
        ("order_no", 'i'),
        ("of_order_no", 'i'),
        ("location_no", 'i'),
        ("seller", 't'),
        ("currency", 't'),
        ("total_minor", 'i'),
        ("at", 'i'),
    ],
    key: 1,
    insert_only: true,
};

/// What is sold beside a pick-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The order that is fetched.
    pub of_order_no: i64,
    pub location_no: i64,
    /// Variants with quantities.
    pub lines: Vec<(i64, Quantity)>,
    /// The sales channel of what is sold at the counter.
    pub channel: String,
}

/// Sells it: ordered and handed over in one step, for the same customer, at the same counter. Its money is taken like any order's.
pub fn sell_beside(tx: &mut Tx, shop: &Shop, sale: &Beside, actor: &str) -> Result<Arc<Order>, OrderError> {
    let of = order_of(tx, sale.of_order_no)?;
    let fetched = |f: &crate::model::Fulfilling| {
        let live = matches!(f.state, Fulfilment::InProgress | Fulfilment::Closed) && f.ready_at.micros() > 0;
        f.kind == Serving::PickUp && f.location_no == sale.location_no && live
    };
    if !of.body.fulfilments.iter().any(fetched) {
        return Err(OrderError::field("/order", "nothing of it is fetched at this place now"));
    }
    if sale.lines.is_empty() || sale.lines.len() > 50 {
        return Err(OrderError::field("/lines", "name one to 50 lines"));
    }
    let now = tx.now();
    for (at, (variant_no, quantity)) in sale.lines.iter().enumerate() {
        let variant = catalog::variants::get(tx, *variant_no)?;
        let tracked = variant.is_some_and(|variant| variant.tracked);
        let there = stock::commands::stock(tx, *variant_no)?;
        let there =
            there.and_then(|stock| stock.at(sale.location_no).map(|p| stock::availability::at_the_till(p, now)));
        if tracked && there.unwrap_or(Quantity::ZERO) < *quantity {
            let detail = format!("{} of it lies here and is free", there.unwrap_or(Quantity::ZERO));
            return Err(OrderError::field(format!("/lines/{at}/quantity"), detail));
        }
    }
    let cart = create_cart(tx, shop, &sale.channel, Some(&of.body.currency))?;
    for (variant_no, quantity) in &sale.lines {
        put_line(tx, cart.no, *variant_no, *quantity, false)?;
    }
    if of.contact.is_reachable() {
        put_contact(tx, cart.no, &of.contact)?;
    }
    put_seller(tx, cart.no, actor)?;
    put_delivery(tx, cart.no, &Delivery::PickUp { location_no: sale.location_no }, ("", None))?;
    let made = checkout(tx, cart.no, shop, actor)?;
    if made.body.fulfilments.iter().any(|f| f.kind == Serving::Supply) {
        return Err(OrderError::field("/lines", "some of it does not lie here: order it instead"));
    }
    // They stand at the counter: nobody has to call them.
    for hold in made.body.holds.clone() {
        release_hold(tx, made.no, &hold, actor)?;
    }
    let done = hand_over_all(tx, made.no, actor)?;
    let row = vec![
        done.no.into(),
        of.no.into(),
        sale.location_no.into(),
        actor.into(),
        done.body.currency.as_str().into(),
        done.body.total_minor.into(),
        now.micros().into(),
    ];
    tx.append(&SALES, row);
    history(tx, of.no, actor, "sold beside", &json!({"order": done.body.number, "total_minor": done.body.total_minor}));
    history(tx, done.no, actor, "sold at pick-up", &json!({"of": of.body.number}));
    Ok(done)
}

const BESIDE: &str = "SELECT s.location_no, s.currency, COUNT(*), COUNT(DISTINCT s.of_order_no), CAST(SUM(s.total_minor) AS BIGINT) \
                      FROM pick_up_sales s WHERE s.at >= $1 AND s.at < $2 GROUP BY s.location_no, s.currency \
                      ORDER BY s.location_no, s.currency LIMIT 10000";

/// What was sold beside pick-ups in a period, by place and currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldBeside {
    pub location_no: i64,
    pub currency: String,
    pub sales: i64,
    /// Pick-ups beside which something was sold.
    pub pick_ups: i64,
    pub total_minor: i64,
}

/// Reads what was sold beside pick-ups in a period.
pub fn sold_beside(db: &mut Engine, from: Timestamp, to: Timestamp) -> Result<Vec<SoldBeside>, DbError> {
    let rows = db.rows(BESIDE, &[from.micros().into(), to.micros().into()])?;
    let one = |row: &db::Row| -> Result<SoldBeside, DbError> {
        Ok(SoldBeside {
            location_no: row.int(0)?,
            currency: row.text(1)?.into(),
            sales: row.int(2)?,
            pick_ups: row.int(3)?,
            total_minor: row.int(4)?,
        })
    };
    rows.iter().map(one).collect()
}
