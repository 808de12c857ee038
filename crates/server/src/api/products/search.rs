//! `/catalog/search` and `/catalog/compare`: finding products, and seeing some of them side by side. [L1] [L5]
use super::wire::ProductWire;
use crate::app::App;
use crate::caller::ReadCatalog;
use crate::goods::search_problem;
use crate::input::{Input, Params};
use crate::problem::{BAD_INPUT, BAD_QUERY, DATABASE_AWAY, NOT_FOUND, Problem, internal};
use axum::Json;
use axum::extract::State;
use catalog::schema::{Schema, label};
use search::document::{BRAND, CATEGORY, FAMILY, FULL, STATE};
use search::{Asked, Sort};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Products side by side at most.
const COMPARED_MAX: usize = 10;
/// How deep one may page into what was found.
const OFFSET_MAX: i64 = 10_000;

/// A question.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductSearch {
    /// Words, an SKU, a GTIN; empty = everything.
    #[serde(default)]
    q: String,
    /// Values by facet; one of each facet's has to be there.
    #[serde(default)]
    filters: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    sort: SearchSort,
    /// Code of the channel whose prices it is sorted by; without it those that hold in every channel.
    channel: Option<String>,
    #[serde(default)]
    offset: i64,
    /// 1 to 200; 50 without it.
    limit: Option<i64>,
    /// Whether values are counted too.
    #[serde(default)]
    facets: bool,
    /// In which language facets are named.
    #[serde(default)]
    locale: String,
}

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchSort {
    #[default]
    Best,
    Newest,
    Cheapest,
    Dearest,
}

/// What was found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProductsFound {
    items: Vec<ProductWire>,
    total: i64,
    facets: Vec<Facet>,
    /// The words as they were understood, where another keyboard layout was meant.
    understood: Option<String>,
    /// Products that the search index knows; behind the catalogue for a moment after a change.
    indexed: i64,
}

/// Something that results are filtered and counted by.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Facet {
    /// Code of an attribute, or `@category`, `@brand`, `@family`, `@state`, `@complete`.
    kind: String,
    label: String,
    values: Vec<FacetValue>,
}

/// A value and how often it occurs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FacetValue {
    value: String,
    label: String,
    count: i64,
}

/// Finds products by words, numbers and values, with typing mistakes, in Ukrainian, Russian and English.
#[utoipa::path(post, path = "/api/v1/catalog/search", tag = "catalog", request_body = ProductSearch,
    responses((status = 200, body = ProductsFound)))]
pub async fn search_products(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    input: Input<ProductSearch>,
) -> Result<Json<ProductsFound>, Problem> {
    let asked = input.value;
    let limit = asked.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) || !(0..=OFFSET_MAX).contains(&asked.offset) {
        return Err(
            BAD_QUERY.because(format!("limit is 1 to 200 and offset 0 to {OFFSET_MAX}: narrow the search instead"))
        );
    }
    let index = app.goods.index.clone().ok_or_else(|| DATABASE_AWAY.because("the search index cannot be opened"))?;
    let channel_no = match asked.channel.clone().filter(|code| !code.is_empty()) {
        None => None,
        Some(code) => {
            let found = app.query(move |db| Ok(Schema::load(db)?.channel(&code).map(|c| c.no))).await?;
            Some(found.ok_or_else(|| BAD_INPUT.at("/channel", "there is no such channel"))?)
        }
    };
    let question = Asked {
        text: asked.q.chars().take(300).collect(),
        filters: asked.filters,
        sort: match asked.sort {
            SearchSort::Best => Sort::Best,
            SearchSort::Newest => Sort::Newest,
            SearchSort::Cheapest => Sort::Cheapest,
            SearchSort::Dearest => Sort::Dearest,
        },
        channel_no,
        offset: asked.offset as usize,
        limit: limit as usize,
        facets: asked.facets,
    };
    let indexed = index.len() as i64;
    let found = tokio::task::spawn_blocking(move || index.search(&question)).await;
    let found = found.map_err(|e| internal(&e))?.map_err(search_problem)?;
    let (nos, facets, locale) = (found.nos.clone(), found.facets, asked.locale);
    let (items, facets) = app
        .query(move |db| {
            let schema = Schema::load(db)?;
            let products = catalog::products::by_nos(db, &nos)?;
            let items: Vec<ProductWire> = products.into_iter().flatten().map(|p| ProductWire::of(p, &schema)).collect();
            Ok((items, named(&schema, facets, &locale)))
        })
        .await?;
    Ok(Json(ProductsFound { items, total: found.total as i64, facets, understood: found.understood, indexed }))
}

fn named(schema: &Schema, facets: BTreeMap<String, Vec<search::FacetCount>>, locale: &str) -> Vec<Facet> {
    let value_label = |kind: &str, value: &str| -> String {
        match kind {
            CATEGORY => schema.category_of(value).map(|c| label(&c.labels, &c.code, locale).to_string()),
            FAMILY => schema.family_of(value).map(|f| label(&f.labels, &f.code, locale).to_string()),
            code => schema.attribute(code).and_then(|a| {
                a.options.iter().find(|o| o.code == value).map(|o| label(&o.labels, &o.code, locale).to_string())
            }),
        }
        .unwrap_or_else(|| value.to_string())
    };
    let order = |kind: &str| match kind {
        CATEGORY => (0, 0),
        BRAND => (1, 0),
        FAMILY => (2, 0),
        STATE => (3, 0),
        FULL => (4, 0),
        code => (5, schema.attribute(code).map_or(i64::MAX, |a| a.position)),
    };
    let mut out: Vec<Facet> = facets
        .into_iter()
        .map(|(kind, values)| Facet {
            label: schema.attribute(&kind).map_or(kind.as_str(), |a| label(&a.labels, &a.code, locale)).to_string(),
            values: values
                .into_iter()
                .map(|v| FacetValue { label: value_label(&kind, &v.value), count: v.count as i64, value: v.value })
                .collect(),
            kind,
        })
        .collect();
    out.sort_by_key(|f| order(&f.kind));
    out
}

/// Which products, and how.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CompareQuery {
    /// Ids with commas between them; 2 to 10.
    ids: String,
    /// In which language values are shown.
    locale: Option<String>,
    /// As which channel shows them.
    channel: Option<String>,
}

/// Products side by side.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Comparison {
    products: Vec<ComparedProduct>,
    rows: Vec<ComparedRow>,
}

/// One of the products.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ComparedProduct {
    id: String,
    name: String,
    picture: Option<String>,
    prices: Vec<crate::api::wire::Money>,
}

/// One characteristic.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ComparedRow {
    attribute: String,
    label: String,
    /// The heading under which it stands.
    part: String,
    /// As people read them, one a product; null = not said.
    values: Vec<Option<String>>,
    differs: bool,
}

/// Puts products side by side by their characteristics.
#[utoipa::path(get, path = "/api/v1/catalog/compare", tag = "catalog", params(CompareQuery),
    responses((status = 200, body = Comparison)))]
pub async fn compare_products(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    Params(q): Params<CompareQuery>,
) -> Result<Json<Comparison>, Problem> {
    let ids: Vec<String> = q.ids.split(',').map(|i| i.trim().to_string()).filter(|i| !i.is_empty()).collect();
    if !(2..=COMPARED_MAX).contains(&ids.len()) {
        return Err(BAD_QUERY.because(format!("ids names 2 to {COMPARED_MAX} products, with commas between them")));
    }
    let compared = app
        .query(move |db| {
            let schema = Schema::load(db)?;
            let found = catalog::products::by_ids(db, &ids.iter().map(String::as_str).collect::<Vec<_>>())?;
            let absent = found.iter().position(Option::is_none);
            if let Some(at) = absent {
                return Err(NOT_FOUND.because(format!("there is no product {:.60}", ids[at])));
            }
            let products: Vec<_> = found.into_iter().flatten().collect();
            let locale = q.locale.as_deref().unwrap_or_default();
            let rows = catalog::compare::rows(&schema, &products, q.channel.as_deref(), locale);
            let head = |p: &catalog::model::Product| ComparedProduct {
                id: p.id.clone(),
                name: catalog::completeness::label(&schema, p, q.channel.as_deref(), Some(locale)).to_string(),
                picture: p.media.first().map(|m| m.hash.clone()),
                prices: p
                    .variants
                    .iter()
                    .filter(|v| !v.archived)
                    .filter_map(|v| v.price.as_ref())
                    .map(|p| crate::api::wire::Money { minor: p.minor, currency: p.currency.clone() })
                    .collect(),
            };
            let row = |r: catalog::compare::Row| ComparedRow {
                attribute: r.attribute,
                label: r.label,
                part: r.part,
                differs: r.differs,
                values: r.values,
            };
            Ok(Comparison { products: products.iter().map(head).collect(), rows: rows.into_iter().map(row).collect() })
        })
        .await?;
    Ok(Json(compared))
}
