//! `/stock`, `/locations` and what is done with goods (CONTRACTS 9).
pub mod claims;
pub mod costs;
pub mod counts;
pub mod entities;
pub mod files;
pub mod incoming;
pub mod locations;
pub mod lots;
pub mod movements;
pub mod purchases;
pub mod rfid;
pub mod shelf_codes;
pub mod transfers;
pub mod wire;

use crate::app::App;
use crate::border::Cleared;
use crate::caller::Caller;
use crate::problem::{
    BAD_INPUT, CHANGED_MEANWHILE, CONFLICT, FieldError, NOT_ALLOWED, NOT_ENOUGH, NOT_FOUND, Problem, ShortLine,
    WRONG_STATE,
};
use axum::response::Response;
use catalog::variants;
use db::{DbError, Engine, Tx};
use std::collections::HashMap;
use std::sync::Arc;
use stock::{Places, StockError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of stock. Nothing in them is about people, so that an article number is never taken for a telephone.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(shelf_codes::shelf_codes))
        .routes(routes!(locations::list_locations, locations::put_location))
        .routes(routes!(locations::set_location_state))
        .routes(routes!(locations::list_stock_channels))
        .routes(routes!(locations::put_stock_channel))
        .routes(routes!(movements::list_movements, movements::post_movement))
        .routes(routes!(movements::post_document))
        .routes(routes!(files::begin_stock_import))
        .routes(routes!(files::export_stock))
        .routes(routes!(movements::list_stock))
        .routes(routes!(movements::stock_stream))
        .routes(routes!(movements::get_stock))
        .routes(routes!(movements::put_safety_stock))
        .routes(routes!(claims::create_reservation))
        .routes(routes!(claims::get_reservation, claims::release_reservation))
        .routes(routes!(claims::extend_reservation))
        .routes(routes!(claims::list_stuck_reservations))
        .routes(routes!(transfers::list_transfers, transfers::create_transfer))
        .routes(routes!(transfers::get_transfer))
        .routes(routes!(transfers::ship_transfer))
        .routes(routes!(transfers::receive_transfer))
        .routes(routes!(transfers::cancel_transfer))
        .routes(routes!(counts::list_counts, counts::create_count))
        .routes(routes!(counts::get_count))
        .routes(routes!(counts::enter_count))
        .routes(routes!(counts::approve_count))
        .routes(routes!(counts::close_count))
        .routes(routes!(entities::list_entities))
        .routes(routes!(entities::list_entity_documents))
        .routes(routes!(entities::entities_report))
        .routes(routes!(entities::put_entity))
        .routes(routes!(entities::assign_entity))
        .routes(routes!(costs::get_cost))
        .routes(routes!(costs::get_document_cost, costs::put_document_cost))
        .routes(routes!(incoming::list_incoming))
        .routes(routes!(incoming::create_incoming_claim))
        .routes(routes!(incoming::list_incoming_changes))
        .routes(routes!(incoming::get_incoming_claim, incoming::release_incoming_claim))
        .routes(routes!(incoming::expect_purchase_order))
        .routes(routes!(incoming::get_sold_ahead, incoming::put_sold_ahead))
        .routes(routes!(lots::list_lots))
        .routes(routes!(lots::put_lot))
        .routes(routes!(lots::get_serial))
        .routes(routes!(rfid::post_rfid_reads))
        .routes(routes!(rfid::list_rfid_sessions))
        .routes(routes!(rfid::get_rfid_session))
        .routes(routes!(rfid::count_rfid_session))
        .routes(routes!(purchases::list_suppliers, purchases::put_supplier))
        .routes(routes!(purchases::list_purchase_orders, purchases::create_purchase_order))
        .routes(routes!(purchases::get_purchase_order))
        .routes(routes!(purchases::place_purchase_order))
        .routes(routes!(purchases::receive_purchase_order))
        .routes(routes!(purchases::cancel_purchase_order))
        .layer(axum::middleware::map_response(async |mut response: Response| {
            response.extensions_mut().insert(Cleared);
            response
        }))
}

/// The variant of an SKU.
pub(crate) fn variant(tx: &mut Tx, pointer: &str, sku: &str) -> Result<i64, Problem> {
    variants::find(tx, sku)?.ok_or_else(|| BAD_INPUT.at(pointer, format!("there is no SKU {sku:.60}")))
}

/// The place of an id.
pub(crate) fn place(places: &Places, pointer: &str, id: &str) -> Result<i64, Problem> {
    let found = places.find(id).map(|location| location.no);
    found.ok_or_else(|| {
        BAD_INPUT.at(pointer, format!("there is no location {:?}", id.chars().take(60).collect::<String>()))
    })
}

/// The id of a place.
pub(crate) fn place_id(places: &Places, no: i64) -> String {
    places.get(no).map_or_else(|| no.to_string(), |location| location.id.to_string())
}

/// Whoever is bound to stores works in those stores only.
pub(crate) fn check_place(caller: &Caller, places: &Places, no: i64) -> Result<(), Problem> {
    let Some(stores) = &caller.stores else { return Ok(()) };
    let id = place_id(places, no);
    if stores.contains(&id) {
        return Ok(());
    }
    Err(NOT_ALLOWED.because(format!("{} works in other stores than {id}", caller.actor)))
}

/// SKUs by variant.
fn skus(tx: &mut Tx, numbers: impl IntoIterator<Item = i64>) -> Result<HashMap<i64, String>, DbError> {
    let mut out = HashMap::new();
    for no in numbers {
        if let std::collections::hash_map::Entry::Vacant(free) = out.entry(no) {
            let sku = variants::get(tx, no)?.map_or_else(String::new, |v| v.sku.to_string());
            free.insert(sku);
        }
    }
    Ok(out)
}

/// Places as a reader sees them.
pub(super) fn places_of(db: &mut Engine) -> Result<Places, DbError> {
    Places::read(db)
}

/// Why a command of stock was refused, as a problem; `tx` names variants by their SKU.
pub(crate) fn refused(tx: &mut Tx, error: StockError) -> Problem {
    match error {
        StockError::NotEnough(short) => {
            let (mut errors, mut lines) = (Vec::new(), Vec::new());
            let places = stock::commands::places(tx).ok();
            for (at, s) in short.iter().enumerate() {
                let sku = variants::get(tx, s.variant_no).ok().flatten();
                let sku = sku.map_or_else(|| s.variant_no.to_string(), |v| v.sku.to_string());
                lines.push(ShortLine {
                    sku: sku.clone(),
                    location_id: s.location_no.zip(places.as_ref()).map(|(no, places)| place_id(places, no)),
                    wanted: wire::Amount(s.wanted),
                    available: wire::Amount(s.available),
                });
                let where_to = match (s.location_no, &places) {
                    (Some(no), Some(places)) => format!(" at {}", place_id(places, no)),
                    _ => String::new(),
                };
                let detail = format!("of {sku}{where_to} {} are wanted and {} available", s.wanted, s.available);
                errors.push(FieldError { pointer: format!("/lines/{at}"), detail, offset: None, line: None });
            }
            let detail = errors.iter().map(|e| e.detail.as_str()).collect::<Vec<_>>().join("; ");
            Problem { errors, short: lines, ..NOT_ENOUGH.because(detail) }
        }
        StockError::Unknown { .. } => NOT_FOUND.because(error.to_string()),
        StockError::Field { pointer, detail } => BAD_INPUT.at(&pointer, detail),
        StockError::Ended { .. } => CONFLICT.because(error.to_string()),
        StockError::Wrong { .. } => WRONG_STATE.because(error.to_string()),
        StockError::Changed { .. } => CHANGED_MEANWHILE.because(error.to_string()),
        StockError::Store(error) => error.into(),
    }
}
