//! What belongs to a product, and what a set consists of.
use crate::app::App;
use crate::caller::{ReadCatalog, WriteCatalog};
use crate::change::Done;
use crate::input::{Input, List};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use catalog::links::{self, Association, LinkError, Part};
use catalog::{products, variants};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

fn problem(error: LinkError) -> Problem {
    match error {
        LinkError::Wrong(detail) => BAD_INPUT.because(detail),
        LinkError::Store(error) => error.into(),
    }
}

/// A product that belongs to another.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductLink {
    /// accompanying, spare_part, substitute, upsell or pack.
    kind: String,
    /// The shop's own id of the other one.
    product_id: String,
    /// 1 without it.
    #[serde(default = "one")]
    quantity: i64,
    #[serde(default)]
    name: String,
}

fn one() -> i64 {
    1
}

/// All that belongs to a product.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductLinks {
    items: Vec<ProductLink>,
}

/// What belongs to a product: accompanying goods, spare parts, substitutes.
#[utoipa::path(get, path = "/api/v1/products/{id}/links", tag = "catalog", params(("id" = String, Path)),
    responses((status = 200, body = inline(List<ProductLink>))))]
pub async fn product_links(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    Path(id): Path<String>,
) -> Result<Json<List<ProductLink>>, Problem> {
    let items = app
        .query(move |db| {
            let p =
                products::by_id(db, &id)?.ok_or_else(|| NOT_FOUND.because(format!("there is no product {id:.60}")))?;
            let found = links::associations(db, p.no)?;
            let others = products::by_nos(db, &found.iter().map(|a| a.other_no).collect::<Vec<_>>())?;
            let link = |(a, other): (Association, Option<catalog::model::Product>)| {
                let other = other?;
                Some(ProductLink { kind: a.kind, product_id: other.id, quantity: a.quantity, name: other.name })
            };
            Ok(found.into_iter().zip(others).filter_map(link).collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// Says what belongs to a product, all of it.
#[utoipa::path(put, path = "/api/v1/products/{id}/links", tag = "catalog", params(("id" = String, Path)),
    request_body = ProductLinks, responses((status = 204)))]
pub async fn put_product_links(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(id): Path<String>,
    input: Input<ProductLinks>,
) -> Result<Response, Problem> {
    let wanted = input.value.items;
    app.change(&caller, input.request, move |tx| {
        let gone = |id: &str| NOT_FOUND.because(format!("there is no product {id:.60}"));
        let own = products::by_id(tx, &id)?.ok_or_else(|| gone(&id))?;
        let ids: Vec<&str> = wanted.iter().map(|l| l.product_id.as_str()).collect();
        let others = products::by_ids(tx, &ids)?;
        let mut list = Vec::new();
        for (at, (link, other)) in wanted.iter().zip(others).enumerate() {
            let other = other.ok_or_else(|| {
                BAD_INPUT.at(&format!("/items/{at}/product_id"), format!("there is no product {:?}", link.product_id))
            })?;
            list.push(Association { kind: link.kind.clone(), other_no: other.no, quantity: link.quantity });
        }
        links::associate(tx, own.no, &list).map_err(problem)?;
        let after = json!(wanted.iter().map(|l| json!([l.kind, l.product_id, l.quantity])).collect::<Vec<_>>());
        Ok(Done::nothing().noted(("update", "product links"), &id, None, Some(after)))
    })
    .await
}

/// A part of a set.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPart {
    sku: String,
    quantity: i64,
}

/// All parts of a set.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetParts {
    /// None: it is no set.
    items: Vec<SetPart>,
}

/// What a set consists of.
#[utoipa::path(get, path = "/api/v1/variants/{sku}/parts", tag = "catalog", params(("sku" = String, Path)),
    responses((status = 200, body = inline(List<SetPart>))))]
pub async fn set_parts(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    Path(sku): Path<String>,
) -> Result<Json<List<SetPart>>, Problem> {
    let items = app
        .read(move |tx| {
            let no = variants::find(tx, &sku)?
                .ok_or_else(|| NOT_FOUND.because(format!("no variant has the SKU {sku:.60}")))?;
            let mut out = Vec::new();
            for part in links::parts(tx.engine(), no)? {
                if let Some(v) = variants::get(tx, part.variant_no)? {
                    out.push(SetPart { sku: v.sku.to_string(), quantity: part.quantity });
                }
            }
            Ok(out)
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// Says what a set consists of.
#[utoipa::path(put, path = "/api/v1/variants/{sku}/parts", tag = "catalog", params(("sku" = String, Path)),
    request_body = SetParts, responses((status = 204)))]
pub async fn put_set_parts(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(sku): Path<String>,
    input: Input<SetParts>,
) -> Result<Response, Problem> {
    let wanted = input.value.items;
    app.change(&caller, input.request, move |tx| {
        let own =
            variants::find(tx, &sku)?.ok_or_else(|| NOT_FOUND.because(format!("no variant has the SKU {sku:.60}")))?;
        let mut list: Vec<Part> = Vec::new();
        for (at, part) in wanted.iter().enumerate() {
            let no = variants::find(tx, &part.sku)?;
            let variant_no = no.ok_or_else(|| {
                BAD_INPUT.at(&format!("/items/{at}/sku"), format!("no variant has the SKU {:?}", part.sku))
            })?;
            list.push(Part { variant_no, quantity: part.quantity });
        }
        links::put_parts(tx, own, &list).map_err(problem)?;
        let after = json!(wanted.iter().map(|p| json!([p.sku, p.quantity])).collect::<Vec<_>>());
        Ok(Done::nothing().noted(("update", "set"), &sku, None, Some(after)))
    })
    .await
}
