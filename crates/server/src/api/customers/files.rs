//! Files of a customer: a warranty card, a photograph of a return.
use super::resolve;
use crate::access::Act;
use crate::app::App;
use crate::border::Cleared;
use crate::caller::{ReadCustomers, WriteCustomers};
use crate::change::Done;
use crate::customer_files::{self, File};
use crate::input::{Id, Input, List, Nothing, Params, RequestKey};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem, TOO_LARGE};
use crate::secrets::hex;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Bytes of a file.
pub const SIZE_MAX: usize = 5 << 20;
/// Files of a person.
const COUNT_MAX: usize = 50;

/// A file of a customer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CustomerFile)]
pub struct FileBody {
    id: Id,
    name: String,
    media_type: String,
    /// Bytes.
    size: i64,
    sha256: String,
    author: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn body(file: File) -> FileBody {
    FileBody {
        id: Id(file.id),
        name: file.name,
        media_type: file.media_type,
        size: file.size,
        sha256: file.sha256,
        author: file.author,
        created_at: Timestamp::from_micros(file.created_at),
    }
}

/// Lists the files of a customer, newest first.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/files", tag = "customers",
    params(("person_id" = String, Path)), responses((status = 200, body = inline(List<FileBody>))))]
pub async fn list_files(
    State(app): State<Arc<App>>,
    _: ReadCustomers,
    Path(id): Path<String>,
) -> Result<Json<List<FileBody>>, Problem> {
    let (_, members) = resolve(&app, &id).await?;
    let found = app.query(move |db| Ok(customer_files::list(db, &members)?)).await?;
    Ok(Json(List::whole(found.into_iter().map(body).collect())))
}

/// What the file is called.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    name: String,
}

/// Puts a file of at most 5 MiB to a customer; the body is the file, `Content-Type` what it is.
#[utoipa::path(post, path = "/api/v1/customers/{person_id}/files", tag = "customers",
    params(("person_id" = String, Path), FileQuery),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 201, body = FileBody)))]
pub async fn add_file(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    Path(person): Path<String>,
    Params(q): Params<FileQuery>,
    headers: HeaderMap,
    content: Bytes,
) -> Result<Response, Problem> {
    let name = customer_files::clean_name(&q.name).ok_or_else(|| BAD_INPUT.at("/name", "a file has a name"))?;
    if content.is_empty() {
        return Err(BAD_INPUT.because("the file is empty"));
    }
    if content.len() > SIZE_MAX {
        return Err(TOO_LARGE.because(format!("a file has at most {} MiB", SIZE_MAX >> 20)));
    }
    let said = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (media_type, sha256) = (customer_files::clean_type(said), hex(&Sha256::digest(&content)));
    let (person, members) = resolve(&app, &person).await?;
    let actor = caller.actor.clone();
    let request = RequestKey { key: None, fingerprint: String::new() };
    app.change(&caller, request, move |tx| {
        let there = customer_files::list(tx.engine(), &members)?;
        if there.len() >= COUNT_MAX {
            return Err(CONFLICT.because(format!("a customer has at most {COUNT_MAX} files; delete some")));
        }
        // The same file put twice is there once.
        if let Some(same) = there.into_iter().find(|f| f.sha256 == sha256 && f.name == name) {
            return Ok(Done::ok(body(same)));
        }
        let file = File {
            id: tx.next_id(),
            profile_id: person,
            name: name.clone(),
            media_type: media_type.into(),
            size: content.len() as i64,
            sha256: sha256.clone(),
            author: actor.clone(),
            created_at: tx.now().micros(),
        };
        customer_files::add(tx, &file, &content)?;
        let after = json!({"file": file.id.to_string(), "size": file.size, "sha256": file.sha256});
        Ok(Done::created(body(file)).noted(("add_file", "customer"), person, None, Some(after)))
    })
    .await
}

/// Gives a file of a customer.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/files/{id}", tag = "customers",
    params(("person_id" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = String, content_type = "application/octet-stream")))]
pub async fn get_file(
    State(app): State<Arc<App>>,
    ReadCustomers(caller): ReadCustomers,
    Path((person, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (_, members) = resolve(&app, &person).await?;
    let id = Id::in_path(&id)?;
    let found = app.query(move |db| Ok(customer_files::content(db, id)?)).await?;
    let gone = || NOT_FOUND.because(format!("there is no file {id} of this customer"));
    let (file, content) = found.filter(|(f, _)| members.contains(&f.profile_id)).ok_or_else(gone)?;
    // Never shown in place: whatever it holds, it runs nowhere near the console.
    let disposition = format!("attachment; filename*=UTF-8''{}", percent(&file.name));
    let mut response = content.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_str(&file.media_type);
    headers.insert(header::CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    // Bytes cannot be masked: whoever may see a customer's contacts for a reason may see the file.
    if caller.may(Act::RevealContact) {
        response.extensions_mut().insert(Cleared);
    }
    Ok(response)
}

/// A text as it stands in a header: what is no letter or digit of ASCII by its bytes.
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// Deletes a file of a customer.
#[utoipa::path(delete, path = "/api/v1/customers/{person_id}/files/{id}", tag = "customers",
    params(("person_id" = String, Path), ("id" = String, Path)), responses((status = 204)))]
pub async fn delete_file(
    State(app): State<Arc<App>>,
    WriteCustomers(caller): WriteCustomers,
    Path((person, id)): Path<(String, String)>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let (person, members) = resolve(&app, &person).await?;
    let id = Id::in_path(&id)?;
    app.change(&caller, input.request, move |tx| {
        let gone = || NOT_FOUND.because(format!("there is no file {id} of this customer"));
        let file = customer_files::delete(tx, id, &members)?.ok_or_else(gone)?;
        let before = json!({"file": file.id.to_string(), "size": file.size, "sha256": file.sha256});
        Ok(Done::nothing().noted(("delete_file", "customer"), person, Some(before), None))
    })
    .await
}
