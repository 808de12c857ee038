//! Advice in a shop (P9): a colleague opens somebody's basket, notes what was tried and liked, and sends it to their phone, where they
//! order and pay. The order counts for the colleague (P7), and feedback is asked afterwards.
use crate::after::commands::{CaseAsk, open_case};
use crate::after::model::CaseKind;
use crate::commands::{self, Shop, cart_of, order_of};
use crate::error::OrderError;
use crate::model::{Cart, Contact, Order};
use crate::{CartTable, personal, told};
use base::{DAY_US, Quantity, Timestamp};
use catalog::variants;
use db::{Bulk, DbError, Engine, Row, Table, Tx, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Goods of one consultation, and characters of its note.
const GOODS_MAX: usize = 200;
const NOTE_MAX: usize = 2_000;
/// A cart that lay longer is not the one that the customer speaks of.
const CART_DAYS: i64 = 90;
/// Whoever comes back within so long is advised further, not anew.
const SAME_US: i64 = DAY_US / 2;
/// Days after which feedback is asked, where the shop's own rule says none.
const FEEDBACK_DAYS: i64 = 3;

/// Goods that were looked at together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    pub variant_no: i64,
    pub tried: bool,
    /// `None`: nothing was said.
    pub liked: Option<bool>,
    pub at: Timestamp,
}

/// A consultation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consultation {
    pub no: i64,
    pub cart_no: i64,
    pub location_no: i64,
    /// The colleague to whom the order is credited.
    pub seller: String,
    /// What was said; an erasure empties it.
    pub note: String,
    pub opened_at: Timestamp,
    /// When the basket went to the customer's phone; zero: not yet.
    pub sent_at: Timestamp,
    pub order_no: Option<i64>,
    pub goods: Vec<Tried>,
}

/// Consultations by number.
pub struct ConsultationTable;

static ROWS: Bulk = Bulk {
    table: "consultations",
    columns: &[
        ("no", 'i'),
        ("cart_no", 'i'),
        ("location_no", 'i'),
        ("seller", 't'),
        ("note", 't'),
        ("opened_at", 'i'),
        ("sent_at", 'i'),
        ("order_no", 'i'),
        ("body", 't'),
    ],
    key: 1,
    insert_only: false,
};

fn read(no: i64, row: &Row) -> Result<Consultation, DbError> {
    Ok(Consultation {
        no,
        cart_no: row.int(0)?,
        location_no: row.int(1)?,
        seller: row.text(2)?.into(),
        note: row.text(3)?.into(),
        opened_at: Timestamp::from_micros(row.int(4)?),
        sent_at: Timestamp::from_micros(row.int(5)?),
        order_no: Some(row.int(6)?).filter(|no| *no != 0),
        goods: serde_json::from_str(row.text(7)?).map_err(|e| DbError::damaged("consultations", e))?,
    })
}

impl Table for ConsultationTable {
    type Key = i64;
    type Row = Arc<Consultation>;
    const NAME: &'static str = "consultations";
    const LAZY: bool = false;
    const EAGER: bool = true;

    fn slice(key: i64) -> i64 {
        key >> 10
    }
    fn weight(row: &Arc<Consultation>) -> usize {
        size_of::<Consultation>() + row.note.len() + row.goods.len() * size_of::<Tried>()
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Arc<Consultation>>, DbError> {
        let sql = "SELECT cart_no, location_no, seller, note, opened_at, sent_at, order_no, body FROM consultations WHERE no = $1";
        db.first(sql, &[key.into()])?.map(|row| read(key, &row).map(Arc::new)).transpose()
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Arc<Consultation>)], _: i64) -> Result<(), DbError> {
        let text = |row: &Consultation| serde_json::to_string(&row.goods);
        let bodies = rows.iter().map(|(_, row)| text(row)).collect::<Result<Vec<_>, _>>();
        let bodies = bodies.map_err(|e| DbError::damaged("consultations", e))?;
        let values: Vec<[Value<'_>; 9]> = rows
            .iter()
            .zip(&bodies)
            .map(|((no, row), body)| {
                [
                    (*no).into(),
                    row.cart_no.into(),
                    row.location_no.into(),
                    (&row.seller).into(),
                    (&row.note).into(),
                    row.opened_at.micros().into(),
                    row.sent_at.micros().into(),
                    row.order_no.unwrap_or(0).into(),
                    body.into(),
                ]
            })
            .collect();
        let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.bulk(&ROWS, &refs)
    }
}

/// Who is advised, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Begin {
    /// The basket, where the customer shows its link.
    pub cart_no: Option<i64>,
    /// Who they are otherwise; may be nobody known.
    pub contact: Contact,
    pub location_no: i64,
    /// The sales channel of a new basket.
    pub channel: String,
}

/// A consultation.
pub fn consultation(tx: &mut Tx, no: i64) -> Result<Arc<Consultation>, OrderError> {
    let found = tx.get::<ConsultationTable>(no)?.cloned();
    found.ok_or_else(|| OrderError::Unknown { what: "consultation", id: no.to_string() })
}

/// Consultations about a cart, oldest first.
pub fn of_cart(tx: &mut Tx, cart_no: i64) -> Result<Vec<Consultation>, OrderError> {
    tx.flush_table::<ConsultationTable>()?;
    let sql = "SELECT no FROM consultations WHERE cart_no = $1 ORDER BY no LIMIT 100";
    let rows = tx.rows(sql, &[cart_no.into()])?;
    rows.iter().map(|row| Ok(Consultation::clone(&*consultation(tx, row.int(0)?)?))).collect()
}

/// The newest consultations at a place.
pub fn at_place(tx: &mut Tx, location_no: i64, most: i64) -> Result<Vec<Arc<Consultation>>, OrderError> {
    tx.flush_table::<ConsultationTable>()?;
    let sql = "SELECT no FROM consultations WHERE location_no = $1 ORDER BY no DESC LIMIT $2";
    let rows = tx.rows(sql, &[location_no.into(), most.into()])?;
    rows.iter().map(|row| consultation(tx, row.int(0)?)).collect()
}

/// Opens the customer's basket: the one they show, else the newest that they left, else a new one. Advice that goes on is one consultation.
pub fn begin(tx: &mut Tx, shop: &Shop, ask: &Begin, seller: &str) -> Result<Arc<Consultation>, OrderError> {
    let places = stock::commands::places(tx)?;
    if places.get(ask.location_no).is_none_or(|place| !place.kind.sells()) {
        return Err(OrderError::field("/location_id", "nothing is sold there"));
    }
    let cart = match ask.cart_no {
        Some(no) => Some(cart_of(tx, no)?),
        None => last_cart(tx, &ask.contact)?,
    };
    if let Some(order_no) = cart.as_ref().and_then(|cart| cart.order_no) {
        let number = order_of(tx, order_no)?.body.number.clone();
        return Err(OrderError::field("/cart_id", format!("it became order {number}: open a new basket")));
    }
    let now = tx.now();
    let cart = match cart {
        Some(cart) => cart,
        None => commands::create_cart(tx, shop, &ask.channel, None)?,
    };
    if !cart.contact.is_reachable() && ask.contact.is_reachable() {
        commands::put_contact(tx, cart.no, &ask.contact)?;
    }
    commands::put_seller(tx, cart.no, seller)?;
    commands::change_cart(tx, cart.no, |cart| cart.body.advised = true)?;
    let known = of_cart(tx, cart.no)?.into_iter().rev().find(|c| {
        c.location_no == ask.location_no && c.seller == seller && now.micros() - c.opened_at.micros() < SAME_US
    });
    if let Some(known) = known {
        return Ok(Arc::new(known));
    }
    let row = Consultation {
        no: tx.next_id(),
        cart_no: cart.no,
        location_no: ask.location_no,
        seller: seller.into(),
        note: String::new(),
        opened_at: now,
        sent_at: Timestamp::default(),
        order_no: None,
        goods: Vec::new(),
    };
    Ok(put(tx, row))
}

fn put(tx: &mut Tx, row: Consultation) -> Arc<Consultation> {
    let row = Arc::new(row);
    tx.put::<ConsultationTable>(row.no, row.clone());
    tx.notify(db::Notice::Changed { what: "consultations" });
    row
}

/// The newest basket that somebody left and did not order.
fn last_cart(tx: &mut Tx, contact: &Contact) -> Result<Option<Arc<Cart>>, OrderError> {
    tx.flush_table::<CartTable>()?;
    let names = [("user_id", &*contact.user_id), ("phone", &*contact.phone), ("email", &*contact.email)];
    let since = tx.now().micros() - CART_DAYS * DAY_US;
    let all = personal::carts(tx, &names, 50)?;
    Ok(all.into_iter().find(|c| c.order_no.is_none() && c.updated_at.micros() >= since && !c.body.lines.is_empty()))
}

fn open(tx: &mut Tx, no: i64) -> Result<Consultation, OrderError> {
    let row = Consultation::clone(&*consultation(tx, no)?);
    match row.order_no {
        None => Ok(row),
        Some(_) => Err(OrderError::field("/consultation", "it was ordered: open a new basket")),
    }
}

/// Notes that goods were tried and how they were liked; so many go into the basket (nothing takes them out), without a number it stays.
pub fn note_goods(
    tx: &mut Tx,
    no: i64,
    (variant_no, tried, liked): (i64, bool, Option<bool>),
    quantity: Option<Quantity>,
) -> Result<Arc<Consultation>, OrderError> {
    let mut row = open(tx, no)?;
    if variants::get(tx, variant_no)?.is_none() {
        return Err(OrderError::field("/sku", "there is no such SKU"));
    }
    let known = row.goods.iter().position(|g| g.variant_no == variant_no);
    if known.is_none() && row.goods.len() >= GOODS_MAX {
        return Err(OrderError::field("/sku", format!("at most {GOODS_MAX} goods are noted")));
    }
    if let Some(quantity) = quantity {
        commands::put_line(tx, row.cart_no, variant_no, quantity, true)?;
    }
    let said = Tried { variant_no, tried, liked, at: tx.now() };
    match known {
        Some(at) => row.goods[at] = said,
        None => row.goods.push(said),
    }
    Ok(put(tx, row))
}

/// Writes down what was said.
pub fn note(tx: &mut Tx, no: i64, text: &str) -> Result<Arc<Consultation>, OrderError> {
    let mut row = open(tx, no)?;
    if text.len() > NOTE_MAX || text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(OrderError::field("/note", format!("at most {NOTE_MAX} bytes of plain text are allowed")));
    }
    row.note = text.trim().into();
    Ok(put(tx, row))
}

/// Sends the basket to the customer's phone: an event with its link, from which the shop's message is made.
pub fn send(tx: &mut Tx, no: i64, link: &str) -> Result<Arc<Consultation>, OrderError> {
    let mut row = open(tx, no)?;
    let cart = cart_of(tx, row.cart_no)?;
    if cart.body.lines.is_empty() {
        return Err(OrderError::field("/lines", "the basket is empty"));
    }
    if !cart.contact.is_reachable() {
        return Err(OrderError::field("/email", "give an e-mail or a phone, so that the customer can be reached"));
    }
    row.sent_at = tx.now();
    let mut products = Vec::with_capacity(cart.body.lines.len());
    for line in &cart.body.lines {
        let sku = variants::get(tx, line.variant_no)?.map_or_else(String::new, |v| v.sku.to_string());
        products.push(json!({"product_id": sku, "sku": sku}));
    }
    let store = stock::commands::places(tx)?.get(row.location_no).map(|place| place.id.to_string());
    let properties = json!({"share_via": "store", "cart_id": cart.no.to_string(), "url": link, "store_id": store, "products": products});
    told::tell_of_cart(tx, told::OfCart { cart_no: cart.no, name: "Cart Shared", properties })?;
    Ok(put(tx, row))
}

/// A basket became an order: those who advised are noted with it, and feedback is planned for after the delivery.
pub(crate) fn ordered(tx: &mut Tx, shop: &Shop, order: &Order) -> Result<(), OrderError> {
    let advised = of_cart(tx, order.body.cart_no)?;
    let Some(last) = advised.last().cloned() else { return Ok(()) };
    for row in advised.into_iter().filter(|row| row.order_no.is_none()) {
        put(tx, Consultation { order_no: Some(order.no), ..row });
    }
    let place = stock::commands::places(tx)?.get(last.location_no).map(|place| place.id.to_string());
    let tried = last.goods.iter().filter(|g| g.tried).count();
    let detail = json!({"consultation": last.no, "seller": last.seller, "location": place, "tried": tried});
    commands::history(tx, order.no, &last.seller, "advised", &detail);
    let days = match crate::after::commands::policy(tx)?.check_in_days {
        0 => FEEDBACK_DAYS,
        days => days,
    };
    let got = order.body.promised.as_ref().map_or(order.placed_at, |promised| promised.latest);
    let due_at = got.plus(days * DAY_US);
    let ask = CaseAsk {
        kind: CaseKind::CheckIn,
        order_no: Some(order.no),
        line: None,
        serial: String::new(),
        note: String::new(),
        owner: last.seller.clone(),
        due_at: Some(due_at),
        paid_by_customer: false,
    };
    open_case(tx, shop, &ask, &last.seller)?;
    let properties = json!({"order_id": order.body.number, "store_id": place, "tried": tried, "ask_at": due_at});
    told::tell(tx, told::Told { order_no: order.no, name: "Feedback Planned", properties })?;
    Ok(())
}

/// What a colleague's advice became, in a period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credited {
    pub seller: String,
    pub currency: String,
    pub orders: i64,
    pub total_minor: i64,
}

const CREDITED: &str = "SELECT c.seller, o.currency, COUNT(DISTINCT o.no), CAST(SUM(o.total_minor) AS BIGINT) FROM consultations c \
     JOIN orders o ON o.no = c.order_no WHERE o.placed_at >= $1 AND o.placed_at < $2 AND o.status <> 'cancelled' \
     AND c.no = (SELECT MAX(l.no) FROM consultations l WHERE l.order_no = o.no) \
     GROUP BY c.seller, o.currency ORDER BY c.seller, o.currency LIMIT 1000";

/// Orders of a period that count for those who advised, by colleague and currency. Each order counts once, for who advised last.
pub fn credited(db: &mut Engine, from: Timestamp, to: Timestamp) -> Result<Vec<Credited>, DbError> {
    let rows = db.rows(CREDITED, &[from.micros().into(), to.micros().into()])?;
    let one = |row: &Row| -> Result<Credited, DbError> {
        let (seller, currency) = (row.text(0)?.into(), row.text(1)?.into());
        Ok(Credited { seller, currency, orders: row.int(2)?, total_minor: row.int(3)? })
    };
    rows.iter().map(one).collect()
}
