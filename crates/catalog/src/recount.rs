//! What a change of the schema means for the products that are there: completeness counted anew, searches and feeds told.
use crate::schema::{self, Schema};
use crate::{completeness, products};
use db::jobs::{self, Job, New, Progress};
use db::{DbError, Engine, Tx, Value, settings};
use serde::{Deserialize, Serialize};

/// The job that counts completeness anew.
pub const KIND: &str = "catalog_recount";
/// Products in one piece.
const PIECE: i64 = 200;
/// Moves when something changed that every product may show.
const EPOCH: &str = "catalog.epoch";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    families: Vec<i64>,
}

/// What a piece brought about.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    More(Progress),
    Done(String),
}

/// Begins to count anew for the products of some families; the index by family makes that as much work as there are.
pub fn begin(tx: &mut Tx, families: &[i64]) -> Result<Option<i64>, DbError> {
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM products WHERE family_no = $1";
    let mut total = 0;
    for family in families {
        total += tx.first(sql, &[(*family).into()])?.map_or(Ok(0), |r| r.int(0))?;
    }
    if total == 0 {
        return Ok(None);
    }
    let payload = schema::text_of(&Payload { families: families.to_vec() });
    Ok(Some(jobs::add(tx, &New { total, ..New::of(KIND, &payload) })?))
}

/// Counts the next products anew. The bookmark is the family that it is at and the last product of it.
pub fn step(tx: &mut Tx, job: &Job) -> Result<Piece, DbError> {
    let payload: Payload = serde_json::from_str(&job.payload).map_err(|e| DbError::damaged("jobs", e))?;
    let (mut at, mut after) = job
        .bookmark
        .split_once('.')
        .and_then(|(a, b)| Some((a.parse::<usize>().ok()?, b.parse::<i64>().ok()?)))
        .unwrap_or((0, 0));
    let Some(family) = payload.families.get(at) else { return Ok(Piece::Done(String::new())) };
    let sql = "SELECT no FROM products WHERE family_no = $1 AND no > $2 ORDER BY no LIMIT $3";
    let rows = tx.rows(sql, &[(*family).into(), after.into(), PIECE.into()])?;
    let nos: Vec<i64> = rows.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?;
    recount(tx, &nos)?;
    let position = job.position + nos.len() as i64;
    match nos.last() {
        Some(last) if nos.len() as i64 == PIECE => after = *last,
        _ => {
            at += 1;
            after = 0;
        }
    }
    if at >= payload.families.len() {
        return Ok(Piece::Done(String::new()));
    }
    Ok(Piece::More(Progress { bookmark: Some(format!("{at}.{after}")), ..Progress::to(position) }))
}

/// Counts completeness of these products anew and writes what differs; gives how many.
pub fn recount(tx: &mut Tx, nos: &[i64]) -> Result<usize, DbError> {
    let schema = schema::held(tx)?;
    let found = products::by_nos(tx, nos)?;
    let mut moved: Vec<(i64, String)> = Vec::new();
    for product in found.into_iter().flatten() {
        let fresh = completeness::all(&schema, &product);
        if fresh != product.complete {
            moved.push((product.no, schema::text_of(&fresh)));
        }
    }
    if !moved.is_empty() {
        let change = tx.next_id();
        for (no, text) in &moved {
            let values: [Value<'_>; 3] = [(*no).into(), text.into(), change.into()];
            tx.execute("UPDATE products SET complete = $2, change = $3 WHERE no = $1", &values)?;
        }
    }
    Ok(moved.len())
}

/// The number that moves when something changed that every product may show, such as a tree of categories.
pub fn epoch(db: &mut Engine) -> Result<i64, DbError> {
    Ok(settings::get(db, EPOCH)?.and_then(|n| n.parse().ok()).unwrap_or(0))
}

/// Says that every product may show something new: searches and feeds look at all of them once more.
pub fn touch_all(tx: &mut Tx) -> Result<(), DbError> {
    let epoch = tx.next_id();
    tx.execute("UPDATE feeds SET position = 0", &[])?;
    settings::set(tx.engine(), EPOCH, &epoch.to_string())
}

/// Says that the products of a brand show something new.
pub fn touch_brand(tx: &mut Tx, brand: i64) -> Result<(), DbError> {
    let change = tx.next_id();
    tx.execute("UPDATE products SET change = $2 WHERE brand_no = $1", &[brand.into(), change.into()]).map(drop)
}

/// Whether a stored schema wants what is stored of a product.
pub fn disagrees(schema: &Schema, product: &crate::model::Product) -> bool {
    completeness::all(schema, product) != product.complete
}
