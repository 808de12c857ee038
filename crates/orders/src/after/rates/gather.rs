//! Facts for the rates, read beside the writer.
use super::Fact;
use crate::after::model::{Reason, ReturnBody};
use crate::after::policy::Policy;
use crate::model::OrderBody;
use crate::states::line::Line as LineState;
use base::Timestamp;
use catalog::schema::Schema;
use db::{DbError, Engine};
use std::collections::BTreeMap;

/// Orders, and products, that are read together.
const PIECE: i64 = 500;

type Counted = (i64, BTreeMap<Reason, i64>);

/// What was delivered of the orders of a period and came back since, by variant and try-on. Costs a read of those orders and their returns.
pub fn gather(db: &mut Engine, policy: &Policy, from: Timestamp, to: Timestamp) -> Result<Vec<Fact>, DbError> {
    let mut counted: BTreeMap<(i64, bool), Counted> = BTreeMap::new();
    let mut after = 0;
    loop {
        let sql =
            "SELECT no, body FROM orders WHERE no > $1 AND placed_at >= $2 AND placed_at < $3 ORDER BY no LIMIT $4";
        let rows = db.rows(sql, &[after.into(), from.micros().into(), to.micros().into(), PIECE.into()])?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { break };
        let (first, last) = (first.int(0)?, last.int(0)?);
        let mut tried: BTreeMap<i64, bool> = BTreeMap::new();
        for row in &rows {
            let body: OrderBody = serde_json::from_str(row.text(1)?).map_err(|e| DbError::damaged("orders", e))?;
            let try_on = is_try_on(row.text(1)?)?;
            tried.insert(row.int(0)?, try_on);
            for part in body.parts.iter().filter(|p| matches!(p.state, LineState::Delivered | LineState::Returned)) {
                if let Some(line) = body.lines.get(part.line) {
                    counted.entry((line.variant_no, try_on)).or_default().0 += part.milli;
                }
            }
        }
        let sql = "SELECT order_no, body FROM returns WHERE order_no >= $1 AND order_no <= $2 ORDER BY order_no, no";
        for row in db.rows(sql, &[first.into(), last.into()])? {
            let Some(try_on) = tried.get(&row.int(0)?) else { continue };
            let body: ReturnBody = serde_json::from_str(row.text(1)?).map_err(|e| DbError::damaged("returns", e))?;
            for line in body.lines.iter().filter(|line| line.arrived_milli() > 0) {
                let known = &mut counted.entry((line.variant_no, *try_on)).or_default().1;
                *known.entry(line.reason).or_default() += line.arrived_milli();
            }
        }
        after = last;
    }
    describe(db, policy, counted)
}

/// Whether an order's goods were sent to be tried on: a flag that orders of other kinds do not bear.
fn is_try_on(body: &str) -> Result<bool, DbError> {
    #[derive(serde::Deserialize)]
    struct Flag {
        #[serde(default)]
        try_on: bool,
    }
    serde_json::from_str::<Flag>(body).map(|f| f.try_on).map_err(|e| DbError::damaged("orders", e))
}

/// What the catalogue says of the variants.
fn describe(db: &mut Engine, policy: &Policy, counted: BTreeMap<(i64, bool), Counted>) -> Result<Vec<Fact>, DbError> {
    let schema = Schema::load(db)?;
    let variants: Vec<i64> = counted.keys().map(|(no, _)| *no).collect();
    let mut known: BTreeMap<i64, Fact> = BTreeMap::new();
    for piece in variants.chunks(PIECE as usize) {
        let mut products: Vec<i64> = catalog::products::products_of(db, piece)?.into_iter().flatten().collect();
        products.sort_unstable();
        products.dedup();
        for product in catalog::products::by_nos(db, &products)?.into_iter().flatten() {
            let path = product.categories.iter().flat_map(|no| schema.path(*no)).map(|c| c.code.to_string());
            let mut categories: Vec<String> = path.collect();
            categories.sort_unstable();
            categories.dedup();
            for variant in &product.variants {
                let size = product.value_of(variant, &policy.size_attribute).map_or_else(String::new, text);
                let (product_id, product_name) = (product.id.clone(), product.name.clone());
                let categories = categories.clone();
                known.insert(variant.no, Fact { product_id, product_name, categories, size, ..Fact::default() });
            }
        }
    }
    let fact = |((no, try_on), (delivered_milli, returned_milli)): ((i64, bool), Counted)| Fact {
        try_on,
        delivered_milli,
        returned_milli,
        ..known.get(&no).cloned().unwrap_or_default()
    };
    Ok(counted.into_iter().map(fact).collect())
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}
