//! `/price-lists`: price lists, the prices in them, what changed them.
pub mod explain;

use crate::app::App;
use crate::caller::{ReadPrices, WritePrices};
use crate::change::{Done, with_version};
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, if_match, limit, place};
use crate::problem::{BAD_INPUT, CHANGED_MEANWHILE, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use catalog::prices::commands::{self, NewList, NewPrice, PriceError};
use catalog::prices::model::{BASE, Kind, NEVER, PriceList, Scope};
use catalog::prices::store;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

impl From<PriceError> for Problem {
    fn from(error: PriceError) -> Self {
        let detail = error.to_string();
        match error {
            PriceError::Invalid { pointer, what } => BAD_INPUT.at(&pointer, what),
            PriceError::NoList { .. } | PriceError::NoChange { .. } => NOT_FOUND.because(detail),
            PriceError::Stale { .. } => CHANGED_MEANWHILE.because(detail),
            PriceError::Ended { .. } | PriceError::NotUndone { .. } => CONFLICT.because(detail),
            PriceError::Store(e) => e.into(),
        }
    }
}

/// A moment that may never come.
pub(super) fn until(at: Timestamp) -> Option<Timestamp> {
    (at < NEVER).then_some(at)
}

/// Where and for whom a list holds: every part that names something must fit.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PriceScope {
    channels: Vec<String>,
    regions: Vec<String>,
    stores: Vec<String>,
    segments: Vec<String>,
    customers: Vec<String>,
}

/// What kind of prices a list has; sale prices are reduced ones.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceListKind {
    #[default]
    Regular,
    Sale,
}

/// A price list as a person writes it.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPriceList {
    name: String,
    currency: String,
    #[serde(default)]
    kind: PriceListKind,
    /// Lower goes first.
    #[serde(default)]
    position: i64,
    #[serde(default)]
    scope: PriceScope,
    /// Why its prices differ between channels; without it the report of differences lists them.
    #[serde(default)]
    reason: String,
    /// Without it from now on.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
}

impl From<NewPriceList> for NewList {
    fn from(n: NewPriceList) -> Self {
        let PriceScope { channels, regions, stores, segments, customers } = n.scope;
        let kind = match n.kind {
            PriceListKind::Regular => Kind::Regular,
            PriceListKind::Sale => Kind::Sale,
        };
        NewList {
            name: n.name,
            currency: n.currency,
            kind,
            position: n.position,
            scope: Scope { channels, regions, stores, segments, customers },
            reason: n.reason,
            starts_at: n.starts_at,
            ends_at: n.ends_at,
        }
    }
}

/// A price list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceListBody {
    id: Id,
    name: String,
    currency: String,
    kind: PriceListKind,
    position: i64,
    scope: PriceScope,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    version: i64,
}

impl From<PriceList> for PriceListBody {
    fn from(l: PriceList) -> Self {
        let Scope { channels, regions, stores, segments, customers } = l.scope;
        let kind = match l.kind {
            Kind::Regular => PriceListKind::Regular,
            Kind::Sale => PriceListKind::Sale,
        };
        Self {
            id: Id(l.id),
            name: l.name,
            currency: l.currency,
            kind,
            position: l.position,
            scope: PriceScope { channels, regions, stores, segments, customers },
            reason: l.reason,
            starts_at: l.starts_at,
            ends_at: until(l.ends_at),
            version: l.version,
        }
    }
}

fn noted(list: &PriceList) -> Option<serde_json::Value> {
    serde_json::to_value(PriceListBody::from(list.clone())).ok()
}

/// Lists price lists in the order in which they are asked, with those that ended.
#[utoipa::path(get, path = "/api/v1/price-lists", tag = "prices", params(Page),
    responses((status = 200, body = inline(List<PriceListBody>))))]
pub async fn list_price_lists(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    Params(page): Params<Page>,
) -> Result<Json<List<PriceListBody>>, Problem> {
    let (limit, after) = (limit(page.limit)?, place::<2>(page.cursor.as_deref())?);
    let items = app
        .read(move |tx| {
            let lists = store::lists(tx)?;
            let after = |l: &&PriceList| after.is_none_or(|[position, id]| (l.position, l.id) > (position, id));
            let found = lists.all().iter().filter(after).take(limit as usize + 1);
            Ok(found.cloned().map(PriceListBody::from).collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(List::page(items, limit, |l: &PriceListBody| cursor(&[l.position, l.id.0]))))
}

/// Makes a price list.
#[utoipa::path(post, path = "/api/v1/price-lists", tag = "prices", request_body = NewPriceList,
    responses((status = 201, body = PriceListBody)))]
pub async fn create_price_list(
    State(app): State<Arc<App>>,
    WritePrices(caller): WritePrices,
    input: Input<NewPriceList>,
) -> Result<Response, Problem> {
    let (new, actor) = (NewList::from(input.value), caller.actor.clone());
    let made = app.change(&caller, input.request, move |tx| {
        let list = commands::create_list(tx, &new, &actor)?;
        let (id, version, after) = (list.id, list.version, noted(&list));
        let done = Done::created(PriceListBody::from(list)).versioned(version);
        Ok(done.noted(("create", "price_list"), id, None, after))
    });
    made.await
}

/// Shows a price list.
#[utoipa::path(get, path = "/api/v1/price-lists/{id}", tag = "prices", params(("id" = String, Path)),
    responses((status = 200, body = PriceListBody)))]
pub async fn get_price_list(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let list = app.read(move |tx| Ok(store::lists(tx)?.find(id).cloned())).await?;
    let list = list.ok_or_else(|| NOT_FOUND.because("there is no such price list"))?;
    let version = list.version;
    Ok(with_version(PriceListBody::from(list), version))
}

/// Changes a price list.
#[utoipa::path(put, path = "/api/v1/price-lists/{id}", tag = "prices", params(("id" = String, Path)),
    request_body = NewPriceList, responses((status = 200, body = PriceListBody)))]
pub async fn update_price_list(
    State(app): State<Arc<App>>,
    WritePrices(caller): WritePrices,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<NewPriceList>,
) -> Result<Response, Problem> {
    let (id, version) = (Id::in_path(&id)?, if_match(&headers)?);
    let (new, actor) = (NewList::from(input.value), caller.actor.clone());
    let changed = app.change(&caller, input.request, move |tx| {
        let (before, after) = commands::update_list(tx, id, version, &new, &actor)?;
        let lines = (noted(&before), noted(&after));
        let done = Done::ok(PriceListBody::from(after.clone())).versioned(after.version);
        Ok(done.noted(("update", "price_list"), id, lines.0, lines.1))
    });
    changed.await
}

/// Ends a price list now; its history stays.
#[utoipa::path(post, path = "/api/v1/price-lists/{id}/end", tag = "prices", params(("id" = String, Path)),
    responses((status = 200, body = PriceListBody)))]
pub async fn end_price_list(
    State(app): State<Arc<App>>,
    WritePrices(caller): WritePrices,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (id, actor) = (Id::in_path(&id)?, caller.actor.clone());
    let ended = app.change(&caller, input.request, move |tx| {
        let (before, after) = commands::end_list(tx, id, &actor)?;
        let lines = (noted(&before), noted(&after));
        let done = Done::ok(PriceListBody::from(after.clone())).versioned(after.version);
        Ok(done.noted(("end", "price_list"), id, lines.0, lines.1))
    });
    ended.await
}

/// A version of a price list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceListVersion {
    version: i64,
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The list as it was.
    #[schema(value_type = Object)]
    list: serde_json::Value,
}

/// Lists the versions of a price list, newest first.
#[utoipa::path(get, path = "/api/v1/price-lists/{id}/versions", tag = "prices", params(("id" = String, Path), Page),
    responses((status = 200, body = inline(List<PriceListVersion>))))]
pub async fn price_list_versions(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    Path(id): Path<String>,
    Params(page): Params<Page>,
) -> Result<Json<List<PriceListVersion>>, Problem> {
    let (id, limit) = (Id::in_path(&id)?, limit(page.limit)?);
    let before = place::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[v]| v);
    let found = app.query(move |db| Ok(commands::list_versions(db, id, before, limit + 1)?)).await?;
    let one = |(version, actor, at, document): (i64, String, Timestamp, String)| PriceListVersion {
        version,
        actor,
        at,
        list: serde_json::from_str(&document).unwrap_or_default(),
    };
    let items = found.into_iter().map(one).collect();
    Ok(Json(List::page(items, limit, |v: &PriceListVersion| cursor(&[v.version]))))
}

/// A price to be set.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceToSet {
    variant_id: Id,
    /// From how many thousandths of a piece on; without it any.
    #[serde(default)]
    min_quantity: i64,
    /// `null`: no price in this list.
    minor: Option<i64>,
    /// What is struck through beside it.
    compare_at_minor: Option<i64>,
    /// Without it from now on.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// What held before comes back then.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

/// Prices to be set together.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PricesToSet {
    /// For base prices; a list has its own.
    #[serde(default)]
    currency: String,
    #[serde(default)]
    note: String,
    /// Up to 10,000.
    prices: Vec<PriceToSet>,
}

impl PricesToSet {
    fn prices(&self) -> Vec<NewPrice> {
        let one = |p: &PriceToSet| NewPrice {
            variant: p.variant_id.0,
            min_quantity: p.min_quantity,
            minor: p.minor,
            compare_at: p.compare_at_minor,
            from: p.from,
            until: p.until,
        };
        self.prices.iter().map(one).collect()
    }
}

/// Why one price was not set.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceRejection {
    index: i64,
    pointer: String,
    detail: String,
}

impl From<commands::Rejection> for PriceRejection {
    fn from(r: commands::Rejection) -> Self {
        Self { index: r.index as i64, pointer: format!("/prices/{}{}", r.index, r.pointer), detail: r.what }
    }
}

/// What setting prices did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PricesSet {
    change_id: Id,
    accepted: i64,
    rejected: Vec<PriceRejection>,
}

impl From<commands::Applied> for PricesSet {
    fn from(a: commands::Applied) -> Self {
        let rejected = a.rejections.into_iter().map(PriceRejection::from).collect();
        Self { change_id: Id(a.change), accepted: a.accepted as i64, rejected }
    }
}

/// What one price would do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceEffect {
    index: i64,
    variant_id: Id,
    min_quantity: i64,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// What would hold then without it.
    before_minor: Option<i64>,
    after_minor: Option<i64>,
}

/// What setting prices would do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PricesPreview {
    effects: Vec<PriceEffect>,
    rejected: Vec<PriceRejection>,
}

/// `base` names the base prices.
fn list_in_path(id: &str) -> Result<i64, Problem> {
    if id == "base" { Ok(BASE) } else { Id::in_path(id) }
}

/// Sets prices of a list, or base prices (`base`). What is wrong with one costs no other its place.
#[utoipa::path(post, path = "/api/v1/price-lists/{id}/prices", tag = "prices", params(("id" = String, Path)),
    request_body = PricesToSet, responses((status = 200, body = PricesSet)))]
pub async fn set_list_prices(
    State(app): State<Arc<App>>,
    WritePrices(caller): WritePrices,
    Path(id): Path<String>,
    input: Input<PricesToSet>,
) -> Result<Response, Problem> {
    let (list, wanted, actor) = (list_in_path(&id)?, input.value, caller.actor.clone());
    let prices = wanted.prices();
    // Repeats of the request are answered before it comes to this; a change without a key is one of its own.
    let key = format!("api:{}", input.request.key.clone().unwrap_or_else(base::random_token));
    let set = app.change(&caller, input.request, move |tx| {
        let applied = commands::set_prices(tx, (list, &wanted.currency), &key, &prices, &actor, &wanted.note)?;
        let after = json!({"list": id, "accepted": applied.accepted, "rejected": applied.rejections.len(), "note": wanted.note});
        let change = applied.change;
        Ok(Done::ok(PricesSet::from(applied)).noted(("set", "prices"), change, None, Some(after)))
    });
    set.await
}

/// Says what setting these prices would do, and changes nothing.
#[utoipa::path(post, path = "/api/v1/price-lists/{id}/prices/preview", tag = "prices", params(("id" = String, Path)),
    request_body = PricesToSet, responses((status = 200, body = PricesPreview)))]
pub async fn preview_list_prices(
    State(app): State<Arc<App>>,
    _: WritePrices,
    Path(id): Path<String>,
    input: Input<PricesToSet>,
) -> Result<Json<PricesPreview>, Problem> {
    let (list, wanted) = (list_in_path(&id)?, input.value);
    let prices = wanted.prices();
    let (effects, rejected) = app.read(move |tx| Ok(commands::preview(tx, list, &wanted.currency, &prices)?)).await?;
    let one = |e: commands::Effect| PriceEffect {
        index: e.index as i64,
        variant_id: Id(e.variant),
        min_quantity: e.min_quantity,
        from: e.from,
        until: until(e.until),
        before_minor: e.before,
        after_minor: e.after,
    };
    Ok(Json(PricesPreview {
        effects: effects.into_iter().map(one).collect(),
        rejected: rejected.into_iter().map(PriceRejection::from).collect(),
    }))
}

/// A change of prices.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PriceChange {
    id: Id,
    actor: String,
    note: String,
    accepted: i64,
    rejected: i64,
    /// The change that this one rolled back.
    undoes: Option<Id>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Lists what changed the prices of a list, newest first.
#[utoipa::path(get, path = "/api/v1/price-lists/{id}/changes", tag = "prices", params(("id" = String, Path), Page),
    responses((status = 200, body = inline(List<PriceChange>))))]
pub async fn list_price_changes(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    Path(id): Path<String>,
    Params(page): Params<Page>,
) -> Result<Json<List<PriceChange>>, Problem> {
    let (list, limit) = (list_in_path(&id)?, limit(page.limit)?);
    let before = place::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let found = app.query(move |db| Ok(commands::changes(db, list, before, limit + 1)?)).await?;
    let one = |c: commands::Change| PriceChange {
        id: Id(c.id),
        actor: c.actor,
        note: c.note,
        accepted: c.accepted,
        rejected: c.rejected,
        undoes: (c.undoes != 0).then_some(Id(c.undoes)),
        at: c.at,
    };
    let items = found.into_iter().map(one).collect();
    Ok(Json(List::page(items, limit, |c: &PriceChange| cursor(&[c.id.0]))))
}

/// Rolls a change of prices back: what it set ends now, what it ended holds again. Prices that were changed again since stay.
#[utoipa::path(post, path = "/api/v1/price-changes/{id}/roll-back", tag = "prices", params(("id" = String, Path)),
    responses((status = 200, body = PricesSet)))]
pub async fn roll_back_prices(
    State(app): State<Arc<App>>,
    WritePrices(caller): WritePrices,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (id, actor) = (Id::in_path(&id)?, caller.actor.clone());
    let key = format!("api:{}", input.request.key.clone().unwrap_or_else(base::random_token));
    let done = app.change(&caller, input.request, move |tx| {
        let applied = commands::roll_back(tx, id, &key, &actor)?;
        let after =
            json!({"undoes": id.to_string(), "accepted": applied.accepted, "rejected": applied.rejections.len()});
        let change = applied.change;
        Ok(Done::ok(PricesSet::from(applied)).noted(("roll_back", "prices"), change, None, Some(after)))
    });
    done.await
}
