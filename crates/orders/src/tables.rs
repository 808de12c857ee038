//! Carts and orders as rows: changed in memory, written once a group.
use crate::model::{Cart, Contact, Order};
use base::Timestamp;
use db::{Bulk, DbError, Engine, Table, Value};
use std::sync::Arc;

/// Carts by number.
pub struct CartTable;

static CARTS: Bulk = Bulk {
    table: "carts",
    columns: &[
        ("no", 'i'),
        ("order_no", 'i'),
        ("email", 't'),
        ("phone", 't'),
        ("name", 't'),
        ("address", 't'),
        ("user_id", 't'),
        ("anonymous_id", 't'),
        ("updated_at", 'i'),
        ("body", 't'),
        ("person_id", 'i'),
    ],
    key: 1,
    insert_only: false,
};

fn json<T: serde::Serialize>(body: &T) -> Result<String, DbError> {
    serde_json::to_string(body).map_err(|e| DbError::damaged("orders", e))
}

impl Table for CartTable {
    type Key = i64;
    type Row = Arc<Cart>;
    const NAME: &'static str = "carts";
    const LAZY: bool = false;
    const EAGER: bool = true;

    fn slice(key: i64) -> i64 {
        key >> 10
    }
    fn weight(row: &Arc<Cart>) -> usize {
        size_of::<Cart>() + row.body.lines.len() * 16 + row.contact.address.len() + 128
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Arc<Cart>>, DbError> {
        let sql = "SELECT order_no, email, phone, name, address, user_id, anonymous_id, updated_at, body, person_id FROM carts WHERE no = $1";
        let Some(row) = db.first(sql, &[key.into()])? else { return Ok(None) };
        Ok(Some(Arc::new(Cart {
            no: key,
            order_no: Some(row.int(0)?).filter(|no| *no != 0),
            contact: contact(&row, 1, 9)?,
            updated_at: Timestamp::from_micros(row.int(7)?),
            body: serde_json::from_str(row.text(8)?).map_err(|e| DbError::damaged("carts", e))?,
        })))
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Arc<Cart>)], _: i64) -> Result<(), DbError> {
        let bodies = rows.iter().map(|(_, cart)| json(&cart.body)).collect::<Result<Vec<_>, _>>()?;
        let values: Vec<[Value<'_>; 11]> = rows
            .iter()
            .zip(&bodies)
            .map(|((no, cart), body)| {
                [
                    (*no).into(),
                    cart.order_no.unwrap_or(0).into(),
                    (&cart.contact.email).into(),
                    (&cart.contact.phone).into(),
                    (&cart.contact.name).into(),
                    (&cart.contact.address).into(),
                    (&cart.contact.user_id).into(),
                    (&cart.contact.anonymous_id).into(),
                    cart.updated_at.micros().into(),
                    body.into(),
                    cart.contact.person_id.into(),
                ]
            })
            .collect();
        let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.bulk(&CARTS, &refs)
    }
}

fn contact(row: &db::Row, at: usize, person: usize) -> Result<Contact, DbError> {
    Ok(Contact {
        email: row.text(at)?.into(),
        phone: row.text(at + 1)?.into(),
        name: row.text(at + 2)?.into(),
        address: row.text(at + 3)?.into(),
        user_id: row.text(at + 4)?.into(),
        anonymous_id: row.text(at + 5)?.into(),
        person_id: row.int(person)?,
    })
}

/// Orders by number, with what places are asked to do for them.
pub struct OrderTable;

static FULFILMENTS: Bulk = Bulk {
    table: "fulfilments",
    columns: &[
        ("order_no", 'i'),
        ("no", 'i'),
        ("location_no", 'i'),
        ("kind", 't'),
        ("state", 't'),
        ("placed_at", 'i'),
        ("asked_at", 'i'),
        ("accepted_at", 'i'),
        ("ready_at", 'i'),
        ("due_at", 'i'),
        ("done_at", 'i'),
        ("keep_until", 'i'),
    ],
    key: 2,
    insert_only: false,
};

static ORDERS: Bulk = Bulk {
    table: "orders",
    columns: &[
        ("no", 'i'),
        ("number", 't'),
        ("channel", 't'),
        ("status", 't'),
        ("currency", 't'),
        ("total_minor", 'i'),
        ("email", 't'),
        ("phone", 't'),
        ("name", 't'),
        ("address", 't'),
        ("user_id", 't'),
        ("anonymous_id", 't'),
        ("placed_at", 'i'),
        ("updated_at", 'i'),
        ("version", 'i'),
        ("unclaimed", 'i'),
        ("promised_from", 'i'),
        ("promised_until", 'i'),
        ("given_at", 'i'),
        ("body", 't'),
        ("person_id", 'i'),
    ],
    key: 1,
    insert_only: false,
};

impl Table for OrderTable {
    type Key = i64;
    type Row = Arc<Order>;
    const NAME: &'static str = "orders";
    const LAZY: bool = false;
    const EAGER: bool = true;

    fn slice(key: i64) -> i64 {
        key >> 10
    }
    fn weight(row: &Arc<Order>) -> usize {
        size_of::<Order>() + row.body.lines.len() * 256 + row.body.parts.len() * 48 + row.contact.address.len() + 256
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Arc<Order>>, DbError> {
        let sql = "SELECT email, phone, name, address, user_id, anonymous_id, placed_at, updated_at, version, body, person_id FROM orders \
                   WHERE no = $1";
        let Some(row) = db.first(sql, &[key.into()])? else { return Ok(None) };
        Ok(Some(Arc::new(Order {
            no: key,
            contact: contact(&row, 0, 10)?,
            placed_at: Timestamp::from_micros(row.int(6)?),
            updated_at: Timestamp::from_micros(row.int(7)?),
            version: row.int(8)?,
            body: serde_json::from_str(row.text(9)?).map_err(|e| DbError::damaged("orders", e))?,
        })))
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Arc<Order>)], _: i64) -> Result<(), DbError> {
        let bodies = rows.iter().map(|(_, order)| json(&order.body)).collect::<Result<Vec<_>, _>>()?;
        let values: Vec<[Value<'_>; 21]> = rows
            .iter()
            .zip(&bodies)
            .map(|((no, order), body)| {
                [
                    (*no).into(),
                    (&order.body.number).into(),
                    (&order.body.channel).into(),
                    order.status().as_str().into(),
                    (&order.body.currency).into(),
                    order.body.total_minor.into(),
                    (&order.contact.email).into(),
                    (&order.contact.phone).into(),
                    (&order.contact.name).into(),
                    (&order.contact.address).into(),
                    (&order.contact.user_id).into(),
                    (&order.contact.anonymous_id).into(),
                    order.placed_at.micros().into(),
                    order.updated_at.micros().into(),
                    order.version.into(),
                    i64::from(order.body.unclaimed).into(),
                    order.body.promised.as_ref().map_or(0, |p| p.earliest.micros()).into(),
                    order.body.promised.as_ref().map_or(0, |p| p.latest.micros()).into(),
                    order.body.given_at.micros().into(),
                    body.into(),
                    order.contact.person_id.into(),
                ]
            })
            .collect();
        let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.bulk(&ORDERS, &refs)?;
        let asked: Vec<[Value<'_>; 12]> = rows
            .iter()
            .flat_map(|(no, order)| order.body.fulfilments.iter().map(move |f| (*no, order.placed_at, f)))
            .map(|(order_no, placed_at, f)| {
                [
                    order_no.into(),
                    f.no.into(),
                    f.location_no.into(),
                    f.kind.as_str().into(),
                    f.state.as_str().into(),
                    placed_at.micros().into(),
                    f.asked_at.micros().into(),
                    f.accepted_at.micros().into(),
                    f.ready_at.micros().into(),
                    f.due_at.micros().into(),
                    f.done_at.micros().into(),
                    f.keep_until.micros().into(),
                ]
            })
            .collect();
        let refs: Vec<&[Value<'_>]> = asked.iter().map(|v| &v[..]).collect();
        if refs.is_empty() { Ok(()) } else { db.bulk(&FULFILMENTS, &refs) }
    }
}
