//! `/api-keys`: keys of programs.
use crate::access::{Act, Role, allows};
use crate::api::accounts::{named, stores_of};
use crate::app::App;
use crate::caller::{ReadAccounts, WriteAccounts};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing};
use crate::keys::{self, ApiKey, Network, Wanted};
use crate::problem::{BAD_INPUT, NOT_FOUND, Problem};
use crate::secrets;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{DAY_US, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Networks of one key, at most.
const NETWORKS_MAX: usize = 100;

/// A program's key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyBody {
    id: Id,
    name: String,
    prefix: String,
    role: Role,
    /// Rights of the role that it has (docs/roles.md); empty for all of them.
    scopes: Vec<String>,
    /// Stores whose customers it sees; empty for all.
    stores: Vec<String>,
    /// Networks from which it is taken; empty for all.
    networks: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it was last used, to a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
    /// The key itself, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl ApiKeyBody {
    fn new(k: ApiKey, key: Option<String>) -> Self {
        Self {
            id: Id(k.id),
            scopes: k.scopes.iter().map(|s| s.name()).collect(),
            stores: k.stores.to_vec(),
            networks: k.networks.iter().map(Network::to_string).collect(),
            name: k.name,
            prefix: k.prefix,
            role: k.role,
            created_at: k.created_at,
            expires_at: k.expires_at,
            used_at: k.used_at,
            key,
        }
    }
}

/// A new key.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    name: String,
    role: Role,
    /// Rights of the role; without any it has all of them.
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    stores: Vec<String>,
    /// `192.0.2.0/24`, `2001:db8::/32` or single addresses.
    #[serde(default)]
    networks: Vec<String>,
    /// Days after which it ends; never without.
    expires_days: Option<i64>,
}

fn wanted(new: NewApiKey, now: Timestamp) -> Result<Wanted, Problem> {
    let scopes = new.scopes.iter().enumerate().map(|(at, name)| {
        let act = Act::parse(name).filter(|a| allows(new.role, *a));
        let wrong = || format!("the role {} has no right {name:.60}; docs/roles.md has the names", new.role.as_str());
        act.ok_or_else(|| BAD_INPUT.at(&format!("/scopes/{at}"), wrong()))
    });
    let networks = new.networks.iter().enumerate().map(|(at, text)| {
        let wrong =
            || BAD_INPUT.at(&format!("/networks/{at}"), format!("{text:.60} is no network such as 192.0.2.0/24"));
        Network::parse(text).ok_or_else(wrong)
    });
    if new.networks.len() > NETWORKS_MAX {
        return Err(BAD_INPUT.at("/networks", format!("at most {NETWORKS_MAX}")));
    }
    if new.expires_days.is_some_and(|d| !(1..=3650).contains(&d)) {
        return Err(BAD_INPUT.at("/expires_days", "a number from 1 to 3650"));
    }
    Ok(Wanted {
        name: named(&new.name)?,
        role: new.role,
        scopes: scopes.collect::<Result<_, _>>()?,
        stores: stores_of(new.stores)?,
        networks: networks.collect::<Result<_, _>>()?,
        expires_at: new.expires_days.map(|d| now.plus(d * DAY_US)),
    })
}

/// Lists the keys of programs.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = "api-keys",
    responses((status = 200, body = inline(List<ApiKeyBody>))))]
pub async fn list_api_keys(State(app): State<Arc<App>>, _: ReadAccounts) -> Result<Json<List<ApiKeyBody>>, Problem> {
    let keys = app.query(|db| Ok(keys::list(db)?)).await?;
    let late = |k: ApiKey| ApiKey { used_at: app.touches.key_at(k.id).or(k.used_at), ..k };
    Ok(Json(List::whole(keys.into_iter().map(|k| ApiKeyBody::new(late(k), None)).collect())))
}

/// Makes a key for a program; it is shown once.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = "api-keys", request_body = NewApiKey,
    responses((status = 201, body = ApiKeyBody)))]
pub async fn create_api_key(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    input: Input<NewApiKey>,
) -> Result<Response, Problem> {
    let wanted = wanted(input.value, app.now())?;
    let fresh = secrets::new_key("ak");
    let answer = app.change(&caller, input.request, move |tx| {
        let key = keys::add(tx, &wanted, &fresh)?;
        let (id, after) = (key.id, key.audited());
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
        let Some(key) = keys::remove(tx, id)? else {
            return Err(NOT_FOUND.because("there is no such key"));
        };
        Ok(Done::nothing().noted(("delete", "api_key"), id, Some(key.audited()), None))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}
