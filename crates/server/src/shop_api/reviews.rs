//! Reviews as customers write and read them (P3): written by the link of an order, read by anybody.
use super::Holder;
use super::orders::find;
use crate::api::orders::refused;
use crate::app::App;
use crate::change::Done;
use crate::input::{Input, Params, cursor, limit, place as place_in};
use crate::problem::{NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use catalog::model::{Product, ProductState};
use catalog::{products, variants};
use db::Engine;
use orders::reviews::{Rating, Review, Written, commands, lists};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What a customer writes about a line of their order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewInput {
    /// The order's line, from 0.
    line: usize,
    /// 1 to 5.
    rating: i64,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    /// As it is shown to everybody.
    #[serde(default)]
    name: String,
    #[serde(default)]
    lang: String,
}

/// Their review, as whoever wrote it sees it.
#[derive(Debug, Serialize)]
pub struct OwnReview {
    rating: i64,
    title: String,
    text: String,
    name: String,
    /// `awaiting`, `published` or `rejected`.
    state: &'static str,
    /// Why it is not shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    answer: String,
}

impl OwnReview {
    /// What its writer sees.
    pub fn of(r: &Review) -> Self {
        Self {
            rating: r.written.rating,
            title: r.written.title.clone(),
            text: r.written.text.clone(),
            name: r.written.name.clone(),
            state: r.state.as_str(),
            reason: r.reason.clone(),
            answer: r.answer.clone(),
        }
    }
}

/// A review as everybody sees it.
#[derive(Debug, Serialize)]
pub struct PublicReview {
    rating: i64,
    title: String,
    text: String,
    name: String,
    lang: String,
    /// `own`, `import` or `marketplace`.
    source: &'static str,
    /// Whoever wrote it bought it here.
    verified: bool,
    at: Timestamp,
    answer: String,
}

impl PublicReview {
    /// What everybody sees.
    pub fn of(r: Review) -> Self {
        Self {
            rating: r.written.rating,
            title: r.written.title,
            text: r.written.text,
            name: r.written.name,
            lang: r.written.lang,
            source: r.source.as_str(),
            verified: r.bought.is_some(),
            at: r.written_at,
            answer: r.answer,
        }
    }
}

/// Sums of a product, as everybody sees them.
pub fn sums(rating: &Rating) -> serde_json::Value {
    let [one, two, three, four, five] = rating.stars;
    json!({"count": rating.count(), "mean": rating.mean(), "stars": {"1": one, "2": two, "3": three, "4": four, "5": five}})
}

/// Writes a review of a line, or changes it.
pub async fn write_review(
    State(app): State<Arc<App>>,
    by: Holder,
    Path(id): Path<String>,
    input: Input<ReviewInput>,
) -> Result<Response, Problem> {
    let (given, shared) = (input.value, app.clone());
    app.change_as(by.actor(), input.request, move |tx| {
        let order = find(tx, &id)?;
        let given = given.clone();
        let written =
            Written { rating: given.rating, title: given.title, text: given.text, name: given.name, lang: given.lang };
        let made = commands::write(tx, order.no, given.line, &written).map_err(|e| refused(tx, e))?;
        pipeline::orders::tell(tx, shared.domain.preparer())?;
        Ok(Done::created(OwnReview::of(&made)))
    })
    .await
}

/// A page of what is written of a product.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewsQuery {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// The product that is shown under its id, or an SKU of it.
fn shown(db: &mut Engine, id: &str) -> Result<Product, Problem> {
    let mut found = products::by_id(db, id)?;
    if found.is_none() {
        let sku = variants::normalise_sku(id).unwrap_or_default();
        let row = db.first("SELECT product_no FROM variants WHERE sku = $1", &[(&sku).into()])?;
        if let Some(row) = row {
            found = products::by_no(db, row.int(0)?)?;
        }
    }
    let shown = found.filter(|p| p.state == ProductState::Active);
    shown.ok_or_else(|| NOT_FOUND.because(format!("there is no product {id:.60}")))
}

/// Shows what is published of a product, the newest first, with its sums.
pub async fn of_product(
    State(app): State<Arc<App>>,
    _: Holder,
    Path(id): Path<String>,
    Params(query): Params<ReviewsQuery>,
) -> Result<Json<serde_json::Value>, Problem> {
    let most = limit(query.limit)?.min(100);
    let before = place_in::<1>(query.cursor.as_deref())?.map_or(i64::MAX, |[no]| no);
    let found = app.query(move |db| {
        let product = shown(db, &id)?;
        let rating = commands::read_rating(db, product.no)?;
        let mut rows = lists::published(db, product.no, before, false, most + 1)?;
        let more = rows.len() as i64 > most;
        rows.truncate(most as usize);
        let next = rows.last().filter(|_| more).map(|r| cursor(&[r.no]));
        let items: Vec<PublicReview> = rows.into_iter().map(PublicReview::of).collect();
        Ok(json!({"product_id": product.id, "rating": sums(&rating), "items": items, "next_cursor": next}))
    });
    Ok(Json(found.await?))
}
