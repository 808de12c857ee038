//! `/products`: what the shop sells. (CONTRACTS 9)
pub mod drafts;
pub mod feeds;
pub mod files;
pub mod links;
pub mod schema;
pub mod search;
pub mod wire;

use crate::app::App;
use crate::border::Cleared;
use crate::caller::{ReadCatalog, WriteCatalog};
use crate::change::{Done, with_version};
use crate::goods::media::SIZE_MAX;
use crate::input::{Input, List, Page, Params, cursor, limit, place};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use catalog::commands;
use catalog::model::{Outcome, ProductInput, Rejection};
use catalog::schema::Schema;
use serde_json::json;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::{AcceptedWire, ProductBody, ProductWire, ProductsBody, ProductsResult, RejectedWire};

/// Products in one request at most.
pub const MANY_MAX: usize = 1_000;
/// Bytes of a request with many.
const MANY_BYTES: usize = 16 << 20;

/// The catalogue's routes. Nothing in them is about people, so that an article number is never taken for a telephone.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    let many = OpenApiRouter::new().routes(routes!(put_products)).layer(DefaultBodyLimit::max(MANY_BYTES));
    let pictures = OpenApiRouter::new().routes(routes!(files::keep_media)).layer(DefaultBodyLimit::max(SIZE_MAX + 1));
    OpenApiRouter::new()
        .routes(routes!(list_products, put_product))
        .routes(routes!(get_product))
        .routes(routes!(drafts::product_history))
        .routes(routes!(drafts::roll_back_product))
        .routes(routes!(drafts::product_completeness))
        .routes(routes!(drafts::list_product_drafts, drafts::create_product_draft))
        .routes(routes!(drafts::decide_product_draft))
        .routes(routes!(links::product_links, links::put_product_links))
        .routes(routes!(links::set_parts, links::put_set_parts))
        .routes(routes!(schema::list_attributes))
        .routes(routes!(schema::put_attribute))
        .routes(routes!(schema::list_families))
        .routes(routes!(schema::put_family))
        .routes(routes!(schema::list_categories))
        .routes(routes!(schema::put_category))
        .routes(routes!(schema::list_brands))
        .routes(routes!(schema::put_brand))
        .routes(routes!(schema::list_sales_channels))
        .routes(routes!(schema::put_sales_channel))
        .routes(routes!(search::search_products))
        .routes(routes!(search::compare_products))
        .routes(routes!(feeds::list_feeds, feeds::create_feed))
        .routes(routes!(feeds::update_feed, feeds::delete_feed))
        .routes(routes!(files::begin_product_import))
        .routes(routes!(files::export_products))
        .merge(many)
        .merge(pictures)
        .layer(axum::middleware::map_response(async |mut response: Response| {
            response.extensions_mut().insert(Cleared);
            response
        }))
}

/// Lists products, newest first.
#[utoipa::path(get, path = "/api/v1/products", tag = "catalog", params(Page),
    responses((status = 200, body = inline(List<ProductWire>))))]
pub async fn list_products(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    Params(page): Params<Page>,
) -> Result<Json<List<ProductWire>>, Problem> {
    let limit = limit(page.limit)?;
    let before = place::<1>(page.cursor.as_deref())?.map_or(0, |[no]| no);
    let found = app
        .query(move |db| {
            let schema = Schema::load(db)?;
            let found = catalog::products::page(db, before, limit + 1)?;
            Ok(found.into_iter().map(|p| ProductWire::of(p, &schema)).collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(List::page(found, limit, |p| cursor(&[p.number.0]))))
}

/// Makes a product, or changes the one with this id.
#[utoipa::path(post, path = "/api/v1/products", tag = "catalog", request_body = ProductBody,
    responses((status = 200, body = ProductWire), (status = 201, body = ProductWire)))]
pub async fn put_product(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    input: Input<ProductBody>,
) -> Result<Response, Problem> {
    let new: ProductInput = input.value.into();
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let (accepted, rejected) = commands::put_products_by(tx, &actor, std::slice::from_ref(&new))?;
        if !rejected.is_empty() {
            return Err(refused(&rejected));
        }
        let taken = accepted.first().ok_or_else(|| NOT_FOUND.because("the product went meanwhile"))?;
        let made = catalog::products::by_no(tx, taken.product_no)?
            .ok_or_else(|| NOT_FOUND.because("the product went meanwhile"))?;
        let schema = catalog::schema::held(tx)?;
        let (version, created) = (made.version, taken.outcome == Outcome::Created);
        let (before, action) = if created { (None, "create") } else { (Some(json!(version - 1)), "update") };
        let after = serde_json::to_value(&new).unwrap_or_default();
        let id = made.id.clone();
        let status = if created { StatusCode::CREATED } else { StatusCode::OK };
        let done = Done { status, ..Done::ok(ProductWire::of(made, &schema)) }.versioned(version);
        Ok(match taken.outcome {
            Outcome::Same => done,
            _ => done.noted((action, "product"), id, before, Some(after)),
        })
    })
    .await
}

/// Makes and changes many products at once: those that can be taken are, and each of the others says why not.
#[utoipa::path(post, path = "/api/v1/catalog/products", tag = "catalog", request_body = ProductsBody,
    responses((status = 200, body = ProductsResult)))]
pub async fn put_products(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    input: Input<ProductsBody>,
) -> Result<Response, Problem> {
    if input.value.products.len() > MANY_MAX {
        return Err(BAD_INPUT.at("/products", format!("at most {MANY_MAX} products at once; send a file for more")));
    }
    let new: Vec<ProductInput> = input.value.products.into_iter().map(Into::into).collect();
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let (accepted, rejected) = commands::put_products_by(tx, &actor, &new)?;
        let ids: Vec<&str> =
            accepted.iter().filter(|a| a.outcome != Outcome::Same).map(|a| new[a.index].id.as_str()).collect();
        let after = json!({"products": ids.len(), "ids": ids.iter().take(20).collect::<Vec<_>>()});
        let some = !ids.is_empty();
        let of = |a: &catalog::model::Accepted| AcceptedWire {
            index: a.index as i64,
            number: crate::input::Id(a.product_no),
            outcome: a.outcome.into(),
        };
        let not = |r: Rejection| RejectedWire { index: r.index as i64, pointer: r.pointer, detail: r.detail };
        let body = ProductsResult {
            accepted: accepted.iter().map(of).collect(),
            rejected: rejected.into_iter().map(not).collect(),
        };
        let done = Done::ok(body);
        Ok(if some { done.noted(("update", "products"), "", None, Some(after)) } else { done })
    })
    .await
}

fn refused(rejected: &[Rejection]) -> Problem {
    rejected.first().map_or_else(|| BAD_INPUT.because(""), |r| BAD_INPUT.at(&r.pointer, r.detail.clone()))
}

/// One product.
#[utoipa::path(get, path = "/api/v1/products/{id}", tag = "catalog",
    params(("id" = String, Path, description = "The shop's own id")), responses((status = 200, body = ProductWire)))]
pub async fn get_product(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = app
        .query(move |db| {
            let product = catalog::products::by_id(db, &id)?;
            let product = product.ok_or_else(|| NOT_FOUND.because(format!("there is no product {id:.60}")))?;
            let schema = Schema::load(db)?;
            Ok((product.version, ProductWire::of(product, &schema)))
        })
        .await?;
    Ok(with_version(found.1, found.0))
}
