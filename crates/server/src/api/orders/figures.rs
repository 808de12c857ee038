//! What is counted of orders.
use crate::app::App;
use crate::caller::ReadOrders;
use crate::input::Params;
use crate::problem::{BAD_QUERY, Problem};
use axum::Json;
use axum::extract::State;
use base::{DAY_US, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Which days.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FiguresQuery {
    /// Orders placed from this moment on; the last seven days without it.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Orders placed before this moment; now without it.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// Figures of a place and a channel.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PlaceFigures {
    location_id: String,
    sales_channel: String,
    asked: i64,
    declined: i64,
    ready: i64,
    /// Minutes from the order to ready; the median.
    ready_minutes_median: Option<f64>,
    /// Ready within 30 minutes of the order.
    ready_within_30: i64,
    pick_up: i64,
    fetched: i64,
    unclaimed: i64,
    /// Orders with a promise that customers have.
    promised: i64,
    /// Of these, within the promise.
    kept: i64,
}

/// How often something went wrong.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Trouble {
    /// `short`, `goods gone`, `parked`, `declined`, `not collected` or `cancelled`.
    what: String,
    count: i64,
}

/// What was sold beside pick-ups at a place.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BesideFigures {
    location_id: String,
    sales: i64,
    /// Pick-ups beside which something was sold.
    pick_ups: i64,
    total: super::wire::Money,
}

/// Orders that count for a colleague who advised.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CreditedFigures {
    seller: String,
    orders: i64,
    total: super::wire::Money,
}

/// Figures of a period.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct OrderFigures {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    places: Vec<PlaceFigures>,
    trouble: Vec<Trouble>,
    /// What was sold beside pick-ups.
    beside: Vec<BesideFigures>,
    /// Orders that count for those who advised in a shop.
    credited: Vec<CreditedFigures>,
    /// There were more orders than are counted at once: choose a shorter period.
    truncated: bool,
}

/// Counts the orders of a period by place and channel: minutes to ready, promises kept, what was fetched, what went wrong.
#[utoipa::path(get, path = "/api/v1/orders/figures", tag = "orders", params(FiguresQuery),
    responses((status = 200, body = OrderFigures)))]
pub async fn order_figures(
    State(app): State<Arc<App>>,
    ReadOrders(caller): ReadOrders,
    Params(query): Params<FiguresQuery>,
) -> Result<Json<OrderFigures>, Problem> {
    let to = query.to.unwrap_or_else(|| app.now());
    let from = query.from.unwrap_or_else(|| to.plus(-7 * DAY_US));
    if from >= to {
        return Err(BAD_QUERY.because("from lies before to"));
    }
    let places = app.board.places();
    let (by, truncated, trouble, beside, credited) = app
        .query(move |db| {
            let (by, more) = orders::figures::figures(db, from, to)?;
            let trouble = orders::figures::trouble(db, from, to)?;
            let beside = orders::commands::sold_beside(db, from, to)?;
            Ok((by, more, trouble, beside, orders::showroom::credited(db, from, to)?))
        })
        .await?;
    let mine = |id: &str| caller.stores.as_ref().is_none_or(|stores| stores.iter().any(|s| s == id));
    let rows = by.into_iter().filter_map(|((no, sales_channel), f)| {
        let location_id = places.get(no)?.id.to_string();
        mine(&location_id).then_some(PlaceFigures {
            location_id,
            sales_channel,
            asked: f.asked,
            declined: f.declined,
            ready: f.ready,
            ready_minutes_median: f.ready_minutes_median,
            ready_within_30: f.ready_within_30,
            pick_up: f.pick_up,
            fetched: f.fetched,
            unclaimed: f.unclaimed,
            promised: f.promised,
            kept: f.kept,
        })
    });
    let rows: Vec<PlaceFigures> = rows.collect();
    let money = |minor: i64, currency: String| super::wire::Money { minor, currency };
    let beside = beside.into_iter().filter_map(|s| {
        let location_id = places.get(s.location_no)?.id.to_string();
        let total = money(s.total_minor, s.currency);
        mine(&location_id).then_some(BesideFigures { location_id, sales: s.sales, pick_ups: s.pick_ups, total })
    });
    let beside = beside.collect();
    // Whoever works in one store sees what counts for them.
    let own = |seller: &str| caller.stores.is_none() || seller == caller.actor;
    let credited = credited.into_iter().filter(|c| own(&c.seller)).map(|c| {
        let total = money(c.total_minor, c.currency);
        CreditedFigures { seller: c.seller, orders: c.orders, total }
    });
    let credited = credited.collect();
    let trouble = match &caller.stores {
        // What went wrong is counted over the whole shop.
        Some(_) => vec![],
        None => trouble.into_iter().map(|(what, count)| Trouble { what, count }).collect(),
    };
    Ok(Json(OrderFigures { from, to, places: rows, trouble, beside, credited, truncated }))
}
