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
        ("updated_at", 'i'),
        ("body", 't'),
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
        let sql = "SELECT order_no, email, phone, name, address, updated_at, body FROM carts WHERE no = $1";
        let Some(row) = db.first(sql, &[key.into()])? else { return Ok(None) };
        Ok(Some(Arc::new(Cart {
            no: key,
            order_no: Some(row.int(0)?).filter(|no| *no != 0),
            contact: Contact {
                email: row.text(1)?.into(),
                phone: row.text(2)?.into(),
                name: row.text(3)?.into(),
                address: row.text(4)?.into(),
            },
            updated_at: Timestamp::from_micros(row.int(5)?),
            body: serde_json::from_str(row.text(6)?).map_err(|e| DbError::damaged("carts", e))?,
        })))
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Arc<Cart>)], _: i64) -> Result<(), DbError> {
        let bodies = rows.iter().map(|(_, cart)| json(&cart.body)).collect::<Result<Vec<_>, _>>()?;
        let values: Vec<[Value<'_>; 8]> = rows
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
                    cart.updated_at.micros().into(),
                    body.into(),
                ]
            })
            .collect();
        let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.bulk(&CARTS, &refs)
    }
}

/// Orders by number.
pub struct OrderTable;

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
        ("placed_at", 'i'),
        ("updated_at", 'i'),
        ("version", 'i'),
        ("body", 't'),
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
        let sql = "SELECT email, phone, name, address, placed_at, updated_at, version, body FROM orders WHERE no = $1";
        let Some(row) = db.first(sql, &[key.into()])? else { return Ok(None) };
        Ok(Some(Arc::new(Order {
            no: key,
            contact: Contact {
                email: row.text(0)?.into(),
                phone: row.text(1)?.into(),
                name: row.text(2)?.into(),
                address: row.text(3)?.into(),
            },
            placed_at: Timestamp::from_micros(row.int(4)?),
            updated_at: Timestamp::from_micros(row.int(5)?),
            version: row.int(6)?,
            body: serde_json::from_str(row.text(7)?).map_err(|e| DbError::damaged("orders", e))?,
        })))
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Arc<Order>)], _: i64) -> Result<(), DbError> {
        let bodies = rows.iter().map(|(_, order)| json(&order.body)).collect::<Result<Vec<_>, _>>()?;
        let values: Vec<[Value<'_>; 14]> = rows
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
                    order.placed_at.micros().into(),
                    order.updated_at.micros().into(),
                    order.version.into(),
                    body.into(),
                ]
            })
            .collect();
        let refs: Vec<&[Value<'_>]> = values.iter().map(|v| &v[..]).collect();
        db.bulk(&ORDERS, &refs)
    }
}
