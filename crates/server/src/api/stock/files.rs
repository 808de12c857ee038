//! Files of stock, in and out, in the layouts of Braid, Shopify and WooCommerce.
use crate::app::App;
use crate::caller::{ReadStock, WriteStock};
use crate::change::Done;
use crate::goods::stock::{KIND, look};
use crate::input::{Id, Input, Params};
use crate::problem::{BAD_INPUT, BAD_QUERY, Problem, internal};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base::{Quantity, Timestamp};
use db::jobs::{self, New};
use exchange::stock_files::{BRAID, Layout, SHOPIFY, SHOPIFY_NEW, WOOCOMMERCE};
use exchange::write::csv_row;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use stock::model::LocationState;
use stock::{Places, lists};

/// A file of stock to bring in.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStockImport {
    /// An upload that is complete.
    #[serde(default)]
    upload: Option<String>,
    /// A file on this machine; from this machine only.
    #[serde(default)]
    path: Option<String>,
    /// braid-stock, shopify-inventory or woocommerce-stock; found out without it.
    #[serde(default)]
    preset: Option<String>,
    /// Where what names no location lies.
    #[serde(default)]
    location: Option<String>,
    /// When it was counted; now without it. What was sold since stays sold.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// An import that was begun.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StockImportBegun {
    job_id: Id,
    /// Whose layout the file has.
    preset: String,
}

/// Brings a file of stock in, as a job: each number is a count. Rows that are not taken are in its report.
#[utoipa::path(post, path = "/api/v1/stock/imports", tag = "stock", request_body = NewStockImport,
    responses((status = 201, body = StockImportBegun)))]
pub async fn begin_stock_import(
    State(app): State<Arc<App>>,
    WriteStock(caller): WriteStock,
    input: Input<NewStockImport>,
) -> Result<Response, Problem> {
    let ask = input.value;
    let (name, path) = crate::api::imports::file_of(&app, &caller, ask.upload.as_deref(), ask.path.as_deref()).await?;
    let wanted = ask.preset.as_deref().map(|text| {
        let what = "a preset is braid-stock, shopify-inventory or woocommerce-stock";
        Layout::parse(text).ok_or_else(|| BAD_INPUT.at("/preset", what))
    });
    let (wanted, location) = (wanted.transpose()?, ask.location.unwrap_or_default());
    let at = ask.at.unwrap_or(app.now());
    if at > app.now() {
        return Err(BAD_INPUT.at("/at", "it lies in the future"));
    }
    let spec = tokio::task::spawn_blocking(move || look(&path, &name, wanted, &location, at)).await;
    let mut spec = spec.map_err(|e| internal(&e))?.map_err(|e| BAD_INPUT.because(e))?;
    spec.stores = caller.stores.iter().flat_map(|s| s.iter().cloned()).collect();
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let payload = serde_json::to_string(&spec).map_err(|e| internal(&e))?;
        let job = jobs::add(tx, &New { actor: &actor, ..New::of(KIND, &payload) })?;
        let after = json!({"file": spec.name, "preset": spec.preset.as_str()});
        let body = StockImportBegun { job_id: Id(job), preset: spec.preset.as_str().into() };
        Ok(Done::created(body).noted(("begin", "import"), job, None, Some(after)))
    })
    .await
}

/// In which layout.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StockExportQuery {
    /// braid-stock (without it), shopify-inventory or woocommerce-stock.
    layout: Option<String>,
}

/// Writes what lies everywhere, as CSV that the import and the other systems read.
#[utoipa::path(get, path = "/api/v1/stock/export", tag = "stock", params(StockExportQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub async fn export_stock(
    State(app): State<Arc<App>>,
    _: ReadStock,
    Params(q): Params<StockExportQuery>,
) -> Result<Response, Problem> {
    let layout = Layout::parse(q.layout.as_deref().unwrap_or("braid-stock"));
    let layout =
        layout.ok_or_else(|| BAD_QUERY.because("layout is braid-stock, shopify-inventory or woocommerce-stock"))?;
    let now = app.now();
    let file = app.query(move |db| write(db, layout, now)).await?;
    let name = format!("attachment; filename=\"{}.csv\"", layout.as_str());
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_string()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, file).into_response())
}

fn write(db: &mut db::Engine, layout: Layout, now: Timestamp) -> Result<Vec<u8>, Problem> {
    let wrong = |e: std::io::Error| internal(&e);
    let mut out: Vec<u8> = Vec::new();
    match layout {
        Layout::BraidStock => csv_row(&mut out, BRAID, ','),
        Layout::ShopifyInventory => csv_row(&mut out, SHOPIFY.into_iter().chain([SHOPIFY_NEW]), ','),
        Layout::WoocommerceStock => csv_row(&mut out, WOOCOMMERCE, ','),
    }
    .map_err(wrong)?;
    let places = Places::read(db)?;
    let mut sums: BTreeMap<String, Quantity> = BTreeMap::new();
    let places = places.all().into_iter().filter(|l| l.kind.sells() && l.state != LocationState::Closed);
    for place in places {
        let mut after = 0;
        loop {
            let page = lists::lying(db, place.no, after, 1_000, now)?;
            let Some(last) = page.last() else { break };
            after = last.variant_no;
            let handles = if layout == Layout::ShopifyInventory { handles(db, &page)? } else { BTreeMap::new() };
            for row in &page {
                let available = (row.on_hand[0] - row.reserved - row.safety).or_none();
                let (on_hand, free) = (row.on_hand[0].to_string(), available.to_string());
                match layout {
                    Layout::WoocommerceStock => {
                        let sum = sums.entry(row.sku.clone()).or_insert(Quantity::ZERO);
                        *sum += available;
                    }
                    Layout::BraidStock => {
                        let reserved = row.reserved.to_string();
                        let cells: [&str; 5] = [row.sku.as_str(), &place.id, &on_hand, &reserved, &free];
                        csv_row(&mut out, cells, ',').map_err(wrong)?;
                    }
                    Layout::ShopifyInventory => {
                        let none = (String::new(), Vec::new());
                        let (handle, options) = handles.get(&row.variant_no).unwrap_or(&none);
                        let option = |at: usize| options.get(at).map_or(("", ""), |(n, v)| (n.as_str(), v.as_str()));
                        let away = row.on_hand[1] + row.on_hand[2] + row.on_hand[3];
                        let (away, taken) = (away.to_string(), row.reserved.to_string());
                        let o = [option(0), option(1), option(2)];
                        let cells: [&str; 19] = [
                            handle,
                            &row.name,
                            o[0].0,
                            o[0].1,
                            o[1].0,
                            o[1].1,
                            o[2].0,
                            o[2].1,
                            &row.sku,
                            "",
                            "",
                            &place.name,
                            "",
                            "0",
                            &away,
                            &taken,
                            &free,
                            &on_hand,
                            "",
                        ];
                        csv_row(&mut out, cells, ',').map_err(wrong)?;
                    }
                }
            }
        }
    }
    for (sku, quantity) in sums {
        let stock = quantity.to_string();
        csv_row(&mut out, [sku.as_str(), if quantity.is_positive() { "1" } else { "0" }, &stock], ',')
            .map_err(wrong)?;
    }
    Ok(out)
}

type Handles = BTreeMap<i64, (String, Vec<(String, String)>)>;

/// The product's id and the options of variants, as Shopify tells variants apart.
fn handles(db: &mut db::Engine, page: &[lists::Lying]) -> Result<Handles, Problem> {
    let numbers: Vec<i64> = page.iter().map(|row| row.variant_no).collect();
    let mut owners: Vec<i64> = catalog::products::products_of(db, &numbers)?.into_iter().flatten().collect();
    owners.sort_unstable();
    owners.dedup();
    let mut out = Handles::new();
    for product in catalog::products::by_nos(db, &owners)?.into_iter().flatten() {
        for variant in &product.variants {
            let text = |axis: &String| variant.values.get(axis).and_then(|v| v.as_str().map(str::to_string));
            let options = product.axes.iter().filter_map(|axis| Some((axis.clone(), text(axis)?))).collect();
            out.insert(variant.no, (product.id.clone(), options));
        }
    }
    Ok(out)
}
