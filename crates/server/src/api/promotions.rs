//! `/promotions`, `/promotion-policy`, `/laws` and the price of a basket.
use crate::app::App;
use crate::caller::{ReadPrices, WritePrices};
use crate::change::{Done, with_version};
use crate::input::{Input, List, Nothing, Page, Params, if_match, limit};
use crate::problem::{BAD_CURSOR, BAD_INPUT, CHANGED_MEANWHILE, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loyalty::rules::{self, Kept, Kind, POLICY, RuleError};
use loyalty::wire::{self, BasketDocument, WireError};
use loyalty::{Compiled, law::presets};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

impl From<RuleError> for Problem {
    fn from(error: RuleError) -> Self {
        let detail = error.to_string();
        match error {
            RuleError::Invalid { pointer, what } => BAD_INPUT.at(&format!("/document{pointer}"), what),
            RuleError::NotFound { .. } => NOT_FOUND.because(detail),
            RuleError::Stale { .. } => CHANGED_MEANWHILE.because(detail),
            RuleError::Store(e) => e.into(),
        }
    }
}

/// A document of rules with its version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RuleBody {
    /// A promotion's id, a country, or `shop`.
    id: String,
    /// 0: a preset, or nothing that anybody wrote.
    version: i64,
    /// See docs/prices.md.
    #[schema(value_type = Object)]
    document: Value,
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl From<Kept> for RuleBody {
    fn from(k: Kept) -> Self {
        let document = serde_json::from_str(&k.document).unwrap_or_default();
        Self { id: k.code, version: k.version, document, updated_at: Some(k.updated_at) }
    }
}

/// A document of rules as a person writes it.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleToPut {
    #[schema(value_type = Object)]
    document: Value,
}

/// Which version is meant.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleVersionWanted {
    version: i64,
}

/// A version of a document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RuleVersion {
    version: i64,
    archived: bool,
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = Object)]
    document: Value,
}

fn document(kept: &Kept) -> Option<Value> {
    serde_json::from_str(&kept.document).ok()
}

/// Lists promotions by id, those that are archived left out.
#[utoipa::path(get, path = "/api/v1/promotions", tag = "prices", params(Page),
    responses((status = 200, body = inline(List<RuleBody>))))]
pub async fn list_promotions(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    Params(page): Params<Page>,
) -> Result<Json<List<RuleBody>>, Problem> {
    let limit = limit(page.limit)?;
    let wrong = || BAD_CURSOR.because("pass next_cursor as it came");
    let after = match page.cursor.as_deref() {
        None => String::new(),
        Some(cursor) => {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
            String::from_utf8(bytes).map_err(|_| wrong())?
        }
    };
    let found = app.query(move |db| Ok(rules::list(db, Kind::Promotion, &after, limit + 1)?)).await?;
    let items = found.into_iter().map(RuleBody::from).collect();
    Ok(Json(List::page(items, limit, |r: &RuleBody| URL_SAFE_NO_PAD.encode(&r.id))))
}

/// Shows a promotion.
#[utoipa::path(get, path = "/api/v1/promotions/{id}", tag = "prices", params(("id" = String, Path)),
    responses((status = 200, body = RuleBody)))]
pub async fn get_promotion(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = app.read(move |tx| Ok(rules::find(tx, Kind::Promotion, &id)?)).await?;
    let kept = found.filter(|k| !k.archived).ok_or_else(|| NOT_FOUND.because("there is no such promotion"))?;
    let version = kept.version;
    Ok(with_version(RuleBody::from(kept), version))
}

async fn put(
    app: &App,
    WritePrices(caller): WritePrices,
    (kind, what): (Kind, &'static str),
    id: String,
    headers: &HeaderMap,
    input: Input<RuleToPut>,
) -> Result<Response, Problem> {
    let (expected, text, actor) = (if_match(headers)?, input.value.document.to_string(), caller.actor.clone());
    let change = app.change(&caller, input.request, move |tx| {
        let (before, after) = rules::put(tx, kind, &id, expected, &text, &actor)?;
        let lines = (before.as_ref().and_then(document), document(&after));
        let (version, act) = (after.version, if before.is_some() { "update" } else { "create" });
        Ok(Done::ok(RuleBody::from(after)).versioned(version).noted((act, what), &id, lines.0, lines.1))
    });
    change.await
}

/// Makes a promotion, or a new version of it. It is checked together with all others first.
#[utoipa::path(put, path = "/api/v1/promotions/{id}", tag = "prices", params(("id" = String, Path)),
    request_body = RuleToPut, responses((status = 200, body = RuleBody)))]
pub async fn put_promotion(
    State(app): State<Arc<App>>,
    caller: WritePrices,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<RuleToPut>,
) -> Result<Response, Problem> {
    put(&app, caller, (Kind::Promotion, "promotion"), id, &headers, input).await
}

/// Takes a promotion out of use; its versions stay.
#[utoipa::path(delete, path = "/api/v1/promotions/{id}", tag = "prices", params(("id" = String, Path)),
    responses((status = 204)))]
pub async fn archive_promotion(
    State(app): State<Arc<App>>,
    WritePrices(caller): WritePrices,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (expected, actor) = (if_match(&headers)?, caller.actor.clone());
    let change = app.change(&caller, input.request, move |tx| {
        let (before, _) = rules::archive(tx, Kind::Promotion, &id, expected, &actor)?;
        Ok(Done::nothing().noted(("archive", "promotion"), &id, document(&before), None))
    });
    change.await
}

/// Lists the versions of a promotion, newest first.
#[utoipa::path(get, path = "/api/v1/promotions/{id}/versions", tag = "prices", params(("id" = String, Path)),
    responses((status = 200, body = inline(List<RuleVersion>))))]
pub async fn promotion_versions(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    Path(id): Path<String>,
) -> Result<Json<List<RuleVersion>>, Problem> {
    let found = app.query(move |db| Ok(rules::versions(db, Kind::Promotion, &id, i64::MAX, 500)?)).await?;
    let one = |v: rules::Version| RuleVersion {
        version: v.version,
        archived: v.archived,
        actor: v.actor,
        at: v.at,
        document: serde_json::from_str(&v.document).unwrap_or_default(),
    };
    Ok(Json(List::whole(found.into_iter().map(one).collect())))
}

/// Makes an earlier version of a promotion the newest.
#[utoipa::path(post, path = "/api/v1/promotions/{id}/restore", tag = "prices", params(("id" = String, Path)),
    request_body = RuleVersionWanted, responses((status = 200, body = RuleBody)))]
pub async fn restore_promotion(
    State(app): State<Arc<App>>,
    WritePrices(caller): WritePrices,
    Path(id): Path<String>,
    input: Input<RuleVersionWanted>,
) -> Result<Response, Problem> {
    let (version, actor) = (input.value.version, caller.actor.clone());
    let change = app.change(&caller, input.request, move |tx| {
        let (before, after) = rules::restore(tx, Kind::Promotion, &id, version, &actor)?;
        let lines = (before.as_ref().and_then(document), document(&after));
        let version = after.version;
        Ok(Done::ok(RuleBody::from(after)).versioned(version).noted(("restore", "promotion"), &id, lines.0, lines.1))
    });
    change.await
}

/// Shows lanes and what points are worth.
#[utoipa::path(get, path = "/api/v1/promotion-policy", tag = "prices", responses((status = 200, body = RuleBody)))]
pub async fn get_promotion_policy(State(app): State<Arc<App>>, _: ReadPrices) -> Result<Response, Problem> {
    let found = app.read(|tx| Ok(rules::find(tx, Kind::Policy, POLICY)?)).await?;
    let nothing = RuleBody { id: POLICY.into(), version: 0, document: json!({}), updated_at: None };
    let body = found.map_or(nothing, RuleBody::from);
    let version = body.version;
    Ok(with_version(body, version))
}

/// Sets lanes and what points are worth.
#[utoipa::path(put, path = "/api/v1/promotion-policy", tag = "prices", request_body = RuleToPut,
    responses((status = 200, body = RuleBody)))]
pub async fn put_promotion_policy(
    State(app): State<Arc<App>>,
    caller: WritePrices,
    headers: HeaderMap,
    input: Input<RuleToPut>,
) -> Result<Response, Problem> {
    put(&app, caller, (Kind::Policy, "promotion_policy"), POLICY.into(), &headers, input).await
}

/// Shows the rules of law of a country: the shop's own, or the preset (version 0).
#[utoipa::path(get, path = "/api/v1/laws/{country}", tag = "prices", params(("country" = String, Path)),
    responses((status = 200, body = RuleBody)))]
pub async fn get_law(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    Path(country): Path<String>,
) -> Result<Response, Problem> {
    let code = country.clone();
    let found = app.read(move |tx| Ok(rules::find(tx, Kind::Law, &code)?)).await?;
    let body = match found.filter(|k| !k.archived) {
        Some(kept) => RuleBody::from(kept),
        None => {
            let law = presets::find(&country).filter(|law| law.country == country);
            let law = law.ok_or_else(|| NOT_FOUND.because("no rules of law are known of this country"))?;
            let document = serde_json::to_value(law).unwrap_or_default();
            RuleBody { id: country, version: 0, document, updated_at: None }
        }
    };
    let version = body.version;
    Ok(with_version(body, version))
}

/// Sets the rules of law of a country; each names its source.
#[utoipa::path(put, path = "/api/v1/laws/{country}", tag = "prices", params(("country" = String, Path)),
    request_body = RuleToPut, responses((status = 200, body = RuleBody)))]
pub async fn put_law(
    State(app): State<Arc<App>>,
    caller: WritePrices,
    Path(country): Path<String>,
    headers: HeaderMap,
    input: Input<RuleToPut>,
) -> Result<Response, Problem> {
    put(&app, caller, (Kind::Law, "law"), country, &headers, input).await
}

/// A basket to be priced, perhaps under promotions that are only being written.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BasketToPrice {
    /// docs/formats/basket.schema.json.
    #[schema(value_type = Object)]
    basket: BasketDocument,
    /// docs/formats/promotions.schema.json: these instead of those that hold.
    #[schema(value_type = Option<Object>)]
    promotions: Option<Value>,
}

/// Says what a basket costs and why: docs/formats/priced.schema.json. Nothing is kept.
#[utoipa::path(post, path = "/api/v1/baskets/price", tag = "prices", request_body = BasketToPrice,
    responses((status = 200, description = "docs/formats/priced.schema.json", body = Object)))]
pub async fn price_basket(
    State(app): State<Arc<App>>,
    _: ReadPrices,
    input: Input<BasketToPrice>,
) -> Result<Json<Value>, Problem> {
    let BasketToPrice { basket, promotions } = input.value;
    let draft: Option<Compiled> = match promotions {
        None => None,
        Some(document) => {
            let read = wire::read_promotions(&document.to_string()).map_err(|e| refused("/promotions", e))?;
            Some(read.1)
        }
    };
    let priced = app.read(move |tx| {
        let rules = rules::rules(tx)?;
        let law = |country: &str| rules.law(country);
        let (basket, mut context) = basket.read(tx.now(), &law).map_err(|e| refused("/basket", e))?;
        if draft.is_none() {
            let limited: Vec<String> =
                rules.promotions.promotions.iter().filter(|p| p.limit.is_some()).map(|p| p.id.clone()).collect();
            context.used = rules::uses::totals(tx, &limited)?;
        }
        let compiled = draft.as_ref().unwrap_or(&rules.compiled);
        Ok(wire::priced(&loyalty::price(&basket, compiled, &context)))
    });
    Ok(Json(serde_json::to_value(priced.await?).unwrap_or_default()))
}

fn refused(within: &str, error: WireError) -> Problem {
    match error {
        WireError::Value(e) => BAD_INPUT.at(&format!("{within}{}", e.pointer), e.what),
        WireError::Shape { what, .. } => BAD_INPUT.at(within, what),
    }
}
