//! The console and braid.js, embedded in the program; the pages about problems.
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../console/dist"]
struct Console;

#[derive(RustEmbed)]
#[folder = "../../sdk/js/dist"]
struct Script;

/// Nothing from elsewhere runs in the console, and no other page can frame it.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Braid</title>\
<body style=\"font-family:system-ui;max-width:40rem;margin:4rem auto\"><h1>Braid runs</h1>\
<p>This program was built without its console. To build it: <code>cd console &amp;&amp; npm ci &amp;&amp; npm run build</code>, \
then build the program again.</p><p>The API is described at <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p>";

/// A file of the console; any other address is a page of the console itself.
pub async fn console(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let found = if path.is_empty() { None } else { Console::get(path) };
    let is_page = found.is_none();
    // The store app and the pages of customers (an order, a basket, a price tag) are entries of their own beside the console.
    let entry = match path.split('/').next() {
        Some("store") => "store.html",
        Some("o") => "order.html",
        Some("c") => "cart.html",
        Some("i") => "item.html",
        _ => "index.html",
    };
    // An address that looks like a file and is none is missing: a page in its place would be run as a script. SKUs have dots.
    if is_page && entry != "item.html" && path.rsplit('/').next().is_some_and(|last| last.contains('.')) {
        return crate::problem::NOT_FOUND.because("there is no such file").into_response();
    }
    let page = || Console::get(entry);
    let mut response = match found.or_else(page) {
        Some(file) => serve(file, if is_page { entry } else { path }, &headers),
        None => (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], NOT_BUILT).into_response(),
    };
    // Hashed names never change their content.
    let lasting = !is_page && path.starts_with("assets/");
    let caching = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    guard(response.headers_mut());
    response
}

/// braid.js, for shops' pages on other hosts.
pub async fn script(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let Some(file) = Script::get(path) else {
        return crate::problem::NOT_FOUND.because("braid.js is not part of this program").into_response();
    };
    let mut response = serve(file, path, &headers);
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    out.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}

/// The page about a problem.
pub async fn problem_page(Path(code): Path<String>) -> Response {
    match crate::problem::page(&code) {
        Some(text) => ([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response(),
        None => crate::problem::NOT_FOUND.because("there is no problem of this name").into_response(),
    }
}

/// What keeps a page from being abused by others.
pub fn guard(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
}

fn serve(file: EmbeddedFile, path: &str, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", &crate::secrets::hex(&file.metadata.sha256_hash())[..32]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(&tag));
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { Body::from(file.data).into_response() };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
