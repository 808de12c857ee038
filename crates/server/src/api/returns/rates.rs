//! How much comes back, of what and why.
use crate::app::App;
use crate::caller::ReadOrders;
use crate::input::Params;
use crate::problem::{BAD_QUERY, Problem};
use axum::Json;
use axum::extract::State;
use base::{DAY_US, Timestamp};
use orders::after::{commands, rates};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Of which orders.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RatesQuery {
    /// Orders placed from then on; 90 days before `to` without it.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Orders placed before; now without it. At most 400 days are counted.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Groups of each kind, 1 to 500; 50 without it.
    limit: Option<i64>,
}

/// Pieces that were delivered and of them those that came back, with Wilson's interval of 95 %.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ShareShown {
    delivered: f64,
    returned: f64,
    /// Between 0 and 1; null where nothing was delivered.
    rate: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

/// A reason with its pieces.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReasonShown {
    reason: &'static str,
    returned: f64,
}

/// The rate of a category, product, size, or of everything.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct GroupShown {
    key: String,
    name: String,
    all: ShareShown,
    with_try_on: ShareShown,
    without_try_on: ShareShown,
    reasons: Vec<ReasonShown>,
}

/// The rate with try-on less the rate without, with Newcombe's interval of 95 %.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EffectShown {
    difference: f64,
    low: f64,
    high: f64,
}

/// Something that the catalogue should say.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HintShown {
    product_id: String,
    /// Empty: all of its sizes.
    size: String,
    /// `runs_small` or `runs_large`.
    hint: &'static str,
    /// Pieces that came back for that reason, of all that came back.
    pieces: i64,
    of: i64,
    /// The share of that reason elsewhere.
    usual: f64,
    /// The chance of so many by chance alone.
    p: f64,
}

/// Rates of a period.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RatesShown {
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    overall: GroupShown,
    categories: Vec<GroupShown>,
    products: Vec<GroupShown>,
    sizes: Vec<GroupShown>,
    try_on_effect: Option<EffectShown>,
    hints: Vec<HintShown>,
}

fn pieces(milli: i64) -> f64 {
    milli as f64 / 1000.0
}

fn share(share: rates::Share) -> ShareShown {
    let interval = share.interval();
    ShareShown {
        delivered: pieces(share.delivered_milli),
        returned: pieces(share.returned_milli),
        rate: share.rate(),
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
    }
}

fn group(group: rates::Group) -> GroupShown {
    let reason = |(reason, milli): &(orders::after::model::Reason, i64)| ReasonShown {
        reason: reason.as_str(),
        returned: pieces(*milli),
    };
    GroupShown {
        all: share(group.all),
        with_try_on: share(group.with_try_on),
        without_try_on: share(group.without_try_on),
        reasons: group.reasons.iter().map(reason).collect(),
        key: group.key,
        name: group.name,
    }
}

/// Counts how much of what was ordered in a period came back since: by category, product, size and reason, with and without try-on, and says
/// which products run small or large.
#[utoipa::path(get, path = "/api/v1/returns/rates", tag = "returns", params(RatesQuery),
    responses((status = 200, body = RatesShown)))]
pub async fn return_rates(
    State(app): State<Arc<App>>,
    _: ReadOrders,
    Params(q): Params<RatesQuery>,
) -> Result<Json<RatesShown>, Problem> {
    let to = q.to.unwrap_or_else(|| app.now());
    let from = q.from.unwrap_or_else(|| to.plus(-90 * DAY_US));
    if from >= to || to.micros() - from.micros() > 400 * DAY_US {
        return Err(BAD_QUERY.because("from lies before to, by at most 400 days"));
    }
    let limit = crate::input::limit(q.limit)?;
    let policy = app.read(|tx| Ok(commands::policy(tx)?)).await?;
    let facts = app.query(move |db| Ok(rates::gather(db, &policy, from, to)?)).await?;
    let counted = rates::count(&facts, usize::try_from(limit).unwrap_or(50));
    let hint = |h: rates::Hint| HintShown {
        product_id: h.product_id,
        size: h.size,
        hint: if h.reason == orders::after::model::Reason::TooSmall { "runs_small" } else { "runs_large" },
        pieces: h.pieces,
        of: h.of,
        usual: h.usual,
        p: h.p,
    };
    let effect = |e: rates::Effect| EffectShown { difference: e.difference, low: e.low, high: e.high };
    Ok(Json(RatesShown {
        from,
        to,
        overall: group(counted.overall),
        categories: counted.categories.into_iter().map(group).collect(),
        products: counted.products.into_iter().map(group).collect(),
        sizes: counted.sizes.into_iter().map(group).collect(),
        try_on_effect: counted.effect.map(effect),
        hints: counted.hints.into_iter().map(hint).collect(),
    }))
}
