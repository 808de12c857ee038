//! A file on its way out: a link, then the bytes.
use super::{may_have, own};
use crate::app::App;
use crate::border::Cleared;
use crate::caller::WriteExports;
use crate::change::Done;
use crate::exports::folder;
use crate::exports::kinds::Kind;
use crate::exports::store;
use crate::input::{Id, Input, Nothing, Params};
use crate::problem::{CONFLICT, NOT_ALLOWED, NOT_FOUND, Problem};
use crate::secrets::{hash_key, hex};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::{MINUTE_US, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// How long a link opens a file.
const LINK_US: i64 = 10 * MINUTE_US;

/// A link to a file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExportLink {
    /// Path on this server; good for one download by whoever asked for it.
    url: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Makes a link that opens the file for ten minutes and one download.
#[utoipa::path(post, path = "/api/v1/exports/{id}/link", tag = "exports", params(("id" = String, Path)),
    responses((status = 201, body = ExportLink)))]
pub async fn link_export(
    State(app): State<Arc<App>>,
    WriteExports(caller): WriteExports,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let (who, token) = (caller.clone(), base::random_token());
    app.change(&caller, input.request, move |tx| {
        let export = own(store::find(tx, id)?, &who)?;
        let now = tx.now();
        if !export.is_there(now) {
            return Err(CONFLICT.because("there is no file: the export is not ready, or its file is gone"));
        }
        if !may_have(&export, &who) {
            return Err(NOT_ALLOWED.because("you may not download this export"));
        }
        let expires_at = now.plus(LINK_US);
        store::set_link(tx, id, &hex(&hash_key(&token)), expires_at)?;
        let link = ExportLink { url: format!("/api/v1/exports/{id}/file?token={token}"), expires_at };
        let mut done = Done::created(link).noted(("link", "export"), id, None, None);
        // A repeat of the request learns that there was one, and not the secret.
        done.kept = Some(json!({"url": format!("/api/v1/exports/{id}/file"), "expires_at": expires_at}));
        Ok(done)
    })
    .await
}

/// The secret of a link.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Token {
    token: String,
}

/// The file. Takes `Range: bytes=N-` for going on after a break.
#[utoipa::path(get, path = "/api/v1/exports/{id}/file", tag = "exports", params(("id" = String, Path), Token),
    responses((status = 200, body = String, content_type = "application/octet-stream")))]
pub async fn download_export(
    State(app): State<Arc<App>>,
    WriteExports(caller): WriteExports,
    Path(id): Path<String>,
    Params(link): Params<Token>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let hash = hex(&hash_key(&link.token));
    let range = headers.get(header::RANGE).and_then(|v| v.to_str().ok()).map(str::to_string);
    let who = caller.clone();
    let (export, from) = app
        .write(move |tx| {
            let export = own(store::find(tx, id)?, &who)?;
            let now = tx.now();
            let good = !export.link_hash.is_empty() && export.link_hash == hash && export.link_until > now.micros();
            if !good || !export.is_there(now) || !may_have(&export, &who) {
                return Err(NOT_FOUND.because("this link is too old, or the file is gone; ask for a new one"));
            }
            let from = beginning(range.as_deref(), export.bytes)?;
            // Going on after a break is the same download.
            if from == 0 && export.link_used > 0 {
                return Err(NOT_FOUND.because("this link was used; ask for a new one"));
            }
            if from == 0 {
                store::note_download(tx, id)?;
                let after = json!({"mark": export.mark, "rows": export.rows, "bytes": export.bytes});
                crate::audit::note(tx, &who.actor, ("download", "export"), &id.to_string(), None, Some(&after))?;
            }
            Ok((export, from))
        })
        .await?;
    let path = folder(&app.folder).join(&export.file);
    let gone = |_| NOT_FOUND.because("the file is gone");
    let body = crate::download::open(&path, from).await.map_err(gone)?;
    let end = if export.kind == Kind::Everything { "zip" } else { export.format.as_str() };
    let name = format!("attachment; filename=\"braid-{}-{id}.{end}\"", export.kind.as_str());
    let media = if export.kind == Kind::Everything { "application/zip" } else { export.format.media_type() };
    let status = if from > 0 { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let mut response = (status, body).into_response();
    let mut put = |name: header::HeaderName, value: String| {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, media.into());
    put(header::CONTENT_DISPOSITION, name);
    put(header::CONTENT_LENGTH, (export.bytes - from).to_string());
    put(header::ACCEPT_RANGES, "bytes".into());
    put(header::ETAG, format!("\"{}\"", export.sha256));
    if from > 0 {
        put(header::CONTENT_RANGE, format!("bytes {from}-{}/{}", export.bytes - 1, export.bytes));
    }
    // Masked when it was written, or plain for somebody who may.
    response.extensions_mut().insert(Cleared);
    Ok(response)
}

/// Where a download begins: `bytes=N-`, or at the first byte.
fn beginning(range: Option<&str>, bytes: i64) -> Result<i64, Problem> {
    let Some(range) = range else { return Ok(0) };
    let from = range.strip_prefix("bytes=").and_then(|r| r.strip_suffix('-')).and_then(|n| n.parse::<i64>().ok());
    match from {
        Some(from) if (0..bytes.max(1)).contains(&from) => Ok(from),
        _ => Err(crate::problem::BAD_REQUEST.because(format!("Range is bytes=N- with N below {bytes}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_go_on_where_they_broke_off() {
        let ask = |range| beginning(range, 100).ok();
        assert_eq!((ask(None), ask(Some("bytes=0-")), ask(Some("bytes=99-"))), (Some(0), Some(0), Some(99)));
        assert_eq!((ask(Some("bytes=100-")), ask(Some("bytes=5-9")), ask(Some("lines=1-"))), (None, None, None));
    }
}
