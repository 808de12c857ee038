//! Files: pictures of products, files of products in, the whole catalogue out.
use crate::app::App;
use crate::caller::{ReadCatalog, WriteCatalog};
use crate::change::Done;
use crate::goods::files::{KIND, out};
use crate::goods::media::{MediaError, SIDES};
use crate::input::{Id, Input, Params, RequestKey};
use crate::problem::{BAD_INPUT, BAD_QUERY, NOT_FOUND, Problem, TOO_LARGE, internal};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use catalog::products;
use catalog::schema::Schema;
use db::jobs::{self, New};
use exchange::goods::Layout;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// A file that was kept.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct KeptMedia {
    /// By what products name it.
    hash: String,
    media_type: String,
    bytes: i64,
    /// Pixels; 0 for what is no picture.
    width: i64,
    height: i64,
    /// Where it is fetched; `/96`, `/320` and `/960` behind it are thumbnails of pictures.
    url: String,
}

/// Keeps a picture or document: JPEG, PNG, WebP or PDF, at most 20 MiB.
#[utoipa::path(post, path = "/api/v1/media", tag = "catalog",
    request_body(content = String, content_type = "application/octet-stream"), responses((status = 201, body = KeptMedia)))]
pub async fn keep_media(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let folder = app.goods.media.clone();
    let kept = tokio::task::spawn_blocking(move || folder.keep(&body)).await.map_err(|e| internal(&e))?;
    let kept = kept.map_err(|e| match e {
        MediaError::Large => TOO_LARGE.because(e.to_string()),
        MediaError::Kept(_) => internal(&e),
        other => BAD_INPUT.because(other.to_string()),
    })?;
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).map(str::to_string);
    let request = RequestKey { key, fingerprint: kept.hash.clone() };
    let url = format!("{}/{}", crate::goods::media_address(&app), kept.hash);
    app.change(&caller, request, move |tx| {
        let sql = "INSERT INTO media (hash, kind, bytes, width, height, name, created_at) VALUES ($1, $2, $3, $4, $5, '', $6) ON CONFLICT (hash) DO NOTHING";
        let (width, height) = (i64::from(kept.width), i64::from(kept.height));
        let now = tx.now().micros();
        let values =
            [(&kept.hash).into(), kept.kind.media_type().into(), (kept.bytes as i64).into(), width.into(), height.into(), now.into()];
        let new = tx.execute(sql, &values)?;
        let body = KeptMedia {
            hash: kept.hash.clone(),
            media_type: kept.kind.media_type().into(),
            bytes: kept.bytes as i64,
            width,
            height,
            url: url.clone(),
        };
        let done = Done::created(body);
        let after = json!({"bytes": kept.bytes, "media_type": kept.kind.media_type()});
        Ok(if new > 0 { done.noted(("create", "media"), &kept.hash, None, Some(after)) } else { done })
    })
    .await
}

/// A picture or document, for whoever knows its hash: what products show is public.
pub async fn fetch_media(State(app): State<Arc<App>>, Path(hash): Path<String>) -> Result<Response, Problem> {
    served(&app, hash, None).await
}

/// A thumbnail of a picture.
pub async fn fetch_thumbnail(
    State(app): State<Arc<App>>,
    Path((hash, side)): Path<(String, u32)>,
) -> Result<Response, Problem> {
    if !SIDES.contains(&side) {
        return Err(NOT_FOUND.because("thumbnails have 96, 320 or 960 pixels"));
    }
    served(&app, hash, Some(side)).await
}

async fn served(app: &Arc<App>, hash: String, side: Option<u32>) -> Result<Response, Problem> {
    let folder = app.goods.media.clone();
    let found = tokio::task::spawn_blocking(move || folder.read(&hash, side)).await.map_err(|e| internal(&e))?;
    let (kind, bytes) = found.map_err(|e| internal(&e))?.ok_or_else(|| NOT_FOUND.because("there is no such file"))?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind.media_type()));
    // The name is the hash of the bytes: what it answers never changes.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    Ok(response)
}

/// A file of products to bring in.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProductImport {
    /// An upload that is complete.
    #[serde(default)]
    upload: Option<String>,
    /// A file on this machine; from this machine only.
    #[serde(default)]
    path: Option<String>,
    /// braid, shopify-products or woocommerce-products; found out without it.
    #[serde(default)]
    preset: Option<String>,
    /// For prices that do not say theirs; the shop's without it.
    #[serde(default)]
    currency: Option<String>,
}

/// An import that was begun.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProductImportBegun {
    job_id: Id,
    /// Whose layout the file has.
    preset: String,
}

/// Brings a file of products in, as a job; rows that are not taken are in its report.
#[utoipa::path(post, path = "/api/v1/catalog/imports", tag = "catalog", request_body = NewProductImport,
    responses((status = 201, body = ProductImportBegun)))]
pub async fn begin_product_import(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    input: Input<NewProductImport>,
) -> Result<Response, Problem> {
    let ask = input.value;
    let (name, path) = crate::api::imports::file_of(&app, &caller, ask.upload.as_deref(), ask.path.as_deref()).await?;
    let currency = ask.currency.unwrap_or_else(|| app.domain.settings().currency.clone());
    if !catalog::values::is_currency(&currency) {
        return Err(BAD_INPUT.at("/currency", "a currency has three capital letters, such as UAH"));
    }
    let wanted =
        match ask.preset.as_deref() {
            None => None,
            Some(text) => Some(Layout::parse(text).ok_or_else(|| {
                BAD_INPUT.at("/preset", "a preset is braid, shopify-products or woocommerce-products")
            })?),
        };
    let look = move || crate::goods::files::look(&path, &name, wanted, &currency);
    let spec = tokio::task::spawn_blocking(look).await.map_err(|e| internal(&e))?.map_err(|e| BAD_INPUT.because(e))?;
    let actor = caller.actor.clone();
    app.change(&caller, input.request, move |tx| {
        let payload = serde_json::to_string(&spec).map_err(|e| internal(&e))?;
        let job = jobs::add(tx, &New { actor: &actor, ..New::of(KIND, &payload) })?;
        let after = json!({"file": spec.name, "preset": spec.preset.as_str()});
        let body = ProductImportBegun { job_id: Id(job), preset: spec.preset.as_str().into() };
        Ok(Done::created(body).noted(("begin", "import"), job, None, Some(after)))
    })
    .await
}

/// In which format.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// csv or xlsx.
    format: Option<String>,
}

/// Writes the whole catalogue in the layout that the import reads back.
#[utoipa::path(get, path = "/api/v1/catalog/export", tag = "catalog", params(ExportQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub async fn export_products(
    State(app): State<Arc<App>>,
    _: ReadCatalog,
    Params(q): Params<ExportQuery>,
) -> Result<Response, Problem> {
    use exchange::write::{About, Format};
    let format = match q.format.as_deref().unwrap_or("csv") {
        "csv" => Format::Csv,
        "xlsx" => Format::Xlsx,
        _ => return Err(BAD_QUERY.because("format is csv or xlsx")),
    };
    let file = app
        .query(move |db| {
            let schema = Schema::load(db)?;
            let read = |db: &mut db::Engine, before| products::page(db, before, 1_000);
            // Keys first: a file has its columns before its rows.
            let (mut keys, mut before) = (std::collections::BTreeSet::new(), 0);
            loop {
                let page = read(db, before)?;
                let Some(last) = page.last() else { break };
                before = last.no;
                for p in &page {
                    keys.extend(p.values.keys().cloned());
                    p.variants.iter().for_each(|v| keys.extend(v.values.keys().cloned()));
                }
            }
            let keys: Vec<String> = keys.into_iter().collect();
            let mut bytes: Vec<u8> = Vec::new();
            let wrong = |e: std::io::Error| internal(&e);
            let mut rows =
                exchange::write::begin(format, &out::columns(&keys), &About::default(), &mut bytes).map_err(wrong)?;
            let mut before = 0;
            loop {
                let page = read(db, before)?;
                let Some(last) = page.last() else { break };
                before = last.no;
                for product in &page {
                    for row in out::rows(&schema, product, &keys) {
                        rows.row(&row).map_err(wrong)?;
                    }
                }
            }
            rows.finish().map_err(wrong)?;
            Ok(bytes)
        })
        .await?;
    let name = format!("attachment; filename=\"products.{}\"", format.as_str());
    let headers = [(header::CONTENT_TYPE, format.media_type().to_string()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, file).into_response())
}
