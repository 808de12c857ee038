//! What goes with what, beside a basket and an order (N10).
use super::Holder;
use super::orders::find;
use crate::api::orders::{refused, wire};
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use orders::accompany::{self, Slot};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

/// Slots of one answer.
pub const SLOTS: usize = 6;

/// Something that goes with the goods in hand, and can be had.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AccompanyingSlot)]
pub struct SlotBody {
    pub sku: String,
    pub product_id: String,
    pub name: String,
    /// `accompanying`, `spare_part` or `pack`.
    pub kind: String,
    /// What it goes with.
    pub because: String,
    pub price: wire::Money,
    /// Null where pieces are not counted.
    pub available: Option<Amount>,
}

impl SlotBody {
    /// As it leaves.
    pub fn of(slot: Slot) -> Self {
        Self {
            sku: slot.sku,
            product_id: slot.product_id,
            name: slot.name,
            kind: slot.kind.into(),
            because: slot.because,
            price: wire::Money { minor: slot.price_minor, currency: slot.currency },
            available: slot.available.map(Amount),
        }
    }
}

/// What goes with an order, where it is fetched.
pub async fn of_order(
    State(app): State<Arc<App>>,
    _: Holder,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    let found = app.read(move |tx| {
        let order = find(tx, &id)?;
        accompany::beside_order(tx, order.no, None, SLOTS).map_err(|e| refused(tx, e))
    });
    let items: Vec<SlotBody> = found.await?.into_iter().map(SlotBody::of).collect();
    Ok(Json(json!({"items": items})))
}

/// What goes with a basket.
pub async fn of_cart(
    State(app): State<Arc<App>>,
    _: Holder,
    Path(id): Path<String>,
) -> Result<Json<serde_json::Value>, Problem> {
    let found = app.read(move |tx| {
        let no = super::carts::cart_no(tx, &id)?;
        accompany::beside_cart(tx, no, SLOTS).map_err(|e| refused(tx, e))
    });
    let items: Vec<SlotBody> = found.await?.into_iter().map(SlotBody::of).collect();
    Ok(Json(json!({"items": items})))
}
