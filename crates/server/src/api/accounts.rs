//! `/users`, `/api-keys`, `/audit`: who may do what, and who did.
use crate::access::Role;
use crate::accounts::{self, ApiKey, User};
use crate::app::App;
use crate::audit;
use crate::caller::{ReadAccounts, ReadAudit, WriteAccounts};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing, Page, Params, cursor, limit, place};
use crate::problem::{ALREADY_EXISTS, BAD_INPUT, INTERNAL, NOT_FOUND, Problem};
use crate::secrets;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Somebody who signs in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    id: Id,
    email: String,
    name: String,
    role: Role,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<User> for UserBody {
    fn from(u: User) -> Self {
        Self { id: Id(u.id), email: u.email, name: u.name, role: u.role, created_at: u.created_at }
    }
}

/// Somebody new.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    email: String,
    name: String,
    role: Role,
    password: String,
}

/// Lists the users.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses((status = 200, body = inline(List<UserBody>))))]
pub async fn list_users(State(app): State<Arc<App>>, _: ReadAccounts) -> Result<Json<List<UserBody>>, Problem> {
    let users = app.query(|db| Ok(accounts::users(db)?)).await?;
    Ok(Json(List::whole(users.into_iter().map(UserBody::from).collect())))
}

/// Adds a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = NewUser,
    responses((status = 201, body = UserBody)))]
pub async fn create_user(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    input: Input<NewUser>,
) -> Result<Response, Problem> {
    let NewUser { email, name, role, password } = input.value;
    let email = base::normalise_email(&email).ok_or_else(|| BAD_INPUT.at("/email", "this is no e-mail address"))?;
    let name = named(&name)?;
    if !(8..=1024).contains(&password.len()) {
        return Err(BAD_INPUT.at("/password", "a password has at least 8 characters"));
    }
    let hash = tokio::task::spawn_blocking(move || secrets::hash_password(&password)).await.ok().flatten();
    let hash = hash.ok_or_else(|| INTERNAL.because("the password could not be hashed"))?;
    let answer = app.change(&caller, input.request, move |tx| {
        let Some(user) = accounts::add_user(tx, &email, &name, role, &hash)? else {
            return Err(ALREADY_EXISTS.at("/email", "somebody has this address already"));
        };
        let after = json!({"email": user.email, "name": user.name, "role": user.role});
        Ok(Done::created(UserBody::from(user.clone())).noted(("create", "user"), user.id, None, Some(after)))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

/// A program's key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyBody {
    id: Id,
    name: String,
    prefix: String,
    role: Role,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The key itself, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl ApiKeyBody {
    fn new(k: ApiKey, key: Option<String>) -> Self {
        Self { id: Id(k.id), name: k.name, prefix: k.prefix, role: k.role, created_at: k.created_at, key }
    }
}

/// A new key.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    name: String,
    role: Role,
}

/// Lists the keys of programs.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "api-keys",
    responses((status = 200, body = inline(List<ApiKeyBody>))))]
pub async fn list_api_keys(State(app): State<Arc<App>>, _: ReadAccounts) -> Result<Json<List<ApiKeyBody>>, Problem> {
    let keys = app.query(|db| Ok(accounts::api_keys(db)?)).await?;
    Ok(Json(List::whole(keys.into_iter().map(|k| ApiKeyBody::new(k, None)).collect())))
}

/// Makes a key for a program; it is shown once.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "api-keys", request_body = NewApiKey,
    responses((status = 201, body = ApiKeyBody)))]
pub async fn create_api_key(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    input: Input<NewApiKey>,
) -> Result<Response, Problem> {
    let (name, role) = (named(&input.value.name)?, input.value.role);
    let fresh = secrets::new_key("ak");
    let answer = app.change(&caller, input.request, move |tx| {
        let key = accounts::add_api_key(tx, &name, role, &fresh)?;
        let after = json!({"name": key.name, "prefix": key.prefix, "role": key.role});
        let id = key.id;
        let kept = serde_json::to_value(ApiKeyBody::new(key.clone(), None)).ok();
        let body = ApiKeyBody::new(key, Some(fresh.key.clone()));
        let done = Done::created(body).noted(("create", "api_key"), id, None, Some(after));
        Ok(Done { kept, ..done })
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

/// Takes a key away.
#[utoipa::path(delete, path = "/api/v1/api-keys/{id}", tag = "api-keys", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn delete_api_key(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let answer = app.change(&caller, input.request, move |tx| {
        let Some(key) = accounts::remove_api_key(tx, id)? else {
            return Err(NOT_FOUND.because("there is no such key"));
        };
        let before = json!({"name": key.name, "prefix": key.prefix, "role": key.role});
        Ok(Done::nothing().noted(("delete", "api_key"), id, Some(before), None))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

/// A change that somebody made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditEntry {
    id: Id,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    action: String,
    subject_kind: String,
    subject: String,
    #[schema(value_type = Value)]
    before: Value,
    #[schema(value_type = Value)]
    after: Value,
}

/// Lists changes, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(Page),
    responses((status = 200, body = inline(List<AuditEntry>))))]
pub async fn list_audit(
    State(app): State<Arc<App>>,
    _: ReadAudit,
    Params(page): Params<Page>,
) -> Result<Json<List<AuditEntry>>, Problem> {
    let limit = limit(page.limit)?;
    let before = place::<1>(page.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let entries = app.query(move |db| Ok(audit::list(db, before, limit + 1)?)).await?;
    let items = entries.into_iter().map(|e| AuditEntry {
        id: Id(e.id),
        at: e.at,
        actor: e.actor,
        action: e.action,
        subject_kind: e.subject_kind,
        subject: e.subject,
        before: e.before.unwrap_or_default(),
        after: e.after.unwrap_or_default(),
    });
    Ok(Json(List::page(items.collect(), limit, |e| cursor(&[e.id.0]))))
}

/// A name as people give them: trimmed, not empty, of a bearable length.
pub fn named(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.contains('\0') {
        return Err(BAD_INPUT.at("/name", "a name has 1 to 200 characters"));
    }
    Ok(name.to_string())
}
