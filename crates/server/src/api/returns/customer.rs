//! What a customer ordered, and what came back of it: for whoever looks after them.
use super::wire::AfterItem;
use crate::app::App;
use crate::caller::ReadOrders;
use crate::input::Id;
use crate::problem::{NOT_FOUND, Problem};
use crate::shop_api::ids::{self, Kind};
use axum::Json;
use axum::extract::{Path, State};
use base::Timestamp;
use orders::after::lists::{self, Which};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The newest orders of which is told.
const ORDERS: usize = 50;

/// An order of a customer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CustomerOrder {
    order_id: String,
    number: String,
    state: String,
    sales_channel: String,
    total: crate::api::wire::Money,
    #[schema(value_type = String, format = DateTime)]
    placed_at: Timestamp,
}

/// The orders of a customer and what came after them, newest first.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CustomerAfter {
    /// At most 50.
    orders: Vec<CustomerOrder>,
    returns: Vec<AfterItem>,
    claims: Vec<AfterItem>,
    /// Warranty, repair, instructions, check-ins: each with its owner and day.
    cases: Vec<AfterItem>,
}

const BY_EMAIL: &str = "SELECT no, number, status, channel, currency, total_minor, placed_at FROM orders WHERE email = $1 ORDER BY no DESC LIMIT $2";
const BY_PHONE: &str = "SELECT no, number, status, channel, currency, total_minor, placed_at FROM orders WHERE phone = $1 ORDER BY no DESC LIMIT $2";

/// Shows the newest orders of a customer, found by their e-mails and phones, with their returns, claims and cases after the sale.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/orders", tag = "returns", params(("person_id" = String, Path)),
    responses((status = 200, body = CustomerAfter)))]
pub async fn after_of_customer(
    State(app): State<Arc<App>>,
    ReadOrders(caller): ReadOrders,
    Path(id): Path<String>,
) -> Result<Json<CustomerAfter>, Problem> {
    let person = Id::in_path(&id)?;
    let counters = app.domain.preparer().current().counters;
    let contacts: BTreeSet<(bool, String)> = app
        .read(move |tx| {
            let view = customers::person(tx, person, &counters)?;
            let view = view.ok_or_else(|| NOT_FOUND.because(format!("nobody has the id {person}")))?;
            let of = view.identifiers.iter().filter(|i| matches!(&*i.kind, "email" | "phone"));
            Ok(of.map(|i| (&*i.kind == "email", i.value.to_string())).collect())
        })
        .await?;
    let key = app.board.hash_key();
    app.query(move |db| {
        let mut found: BTreeMap<i64, CustomerOrder> = BTreeMap::new();
        for (email, value) in &contacts {
            let sql = if *email { BY_EMAIL } else { BY_PHONE };
            for row in db.rows(sql, &[value.into(), (ORDERS as i64).into()])? {
                let no = row.int(0)?;
                let order = CustomerOrder {
                    order_id: ids::id(key, Kind::Order, no),
                    number: row.text(1)?.into(),
                    state: row.text(2)?.into(),
                    sales_channel: row.text(3)?.into(),
                    total: crate::api::wire::Money { minor: row.int(5)?, currency: row.text(4)?.into() },
                    placed_at: Timestamp::from_micros(row.int(6)?),
                };
                found.insert(no, order);
            }
        }
        // Whoever is bound to stores sees the orders that those serve.
        if let Some(stores) = &caller.stores {
            let mut served = BTreeSet::new();
            for store in stores.iter() {
                let sql = "SELECT f.order_no FROM fulfilments f JOIN locations l ON l.no = f.location_no WHERE l.id = $1 AND f.order_no = $2";
                for no in found.keys() {
                    if db.first(sql, &[(&**store).into(), (*no).into()])?.is_some() {
                        served.insert(*no);
                    }
                }
            }
            found.retain(|no, _| served.contains(no));
        }
        let mut out = CustomerAfter { orders: Vec::new(), returns: Vec::new(), claims: Vec::new(), cases: Vec::new() };
        for (no, order) in found.into_iter().rev().take(ORDERS) {
            let which = Which { order_no: no, ..Which::default() };
            let shown = |items: Vec<lists::Item>| items.into_iter().map(|item| AfterItem::of(key, item)).collect::<Vec<_>>();
            out.returns.extend(shown(lists::returns(db, &which, i64::MAX, 50)?));
            out.claims.extend(shown(lists::claims(db, &which, i64::MAX, 50)?));
            out.cases.extend(shown(lists::cases(db, &which, i64::MAX, 50)?));
            out.orders.push(order);
        }
        Ok(Json(out))
    })
    .await
}
