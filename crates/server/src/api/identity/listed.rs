//! `/identity/blocked`: values that identify nobody, or count only where they stand alone.
use super::rules::follow;
use super::shown;
use crate::app::App;
use crate::caller::{ReadIdentity, WriteIdentity};
use crate::change::Done;
use crate::input::{Input, List, Params, limit};
use crate::problem::{BAD_CURSOR, BAD_INPUT, NOT_FOUND, Problem};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::Timestamp;
use customers::rules::{self, ListError, Listed, Mode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// How a value is kept out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BlockMode {
    /// It identifies nobody.
    #[default]
    Block,
    /// So does every value that it matches: `*` any characters, `?` one, `[0-9]` one of these.
    Pattern,
    /// It counts only where an event carries nothing else.
    Demote,
}

/// A value that is kept out.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BlockedValue {
    /// `*` = every kind.
    kind: String,
    value: String,
    mode: BlockMode,
    reason: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    actor: String,
    /// Profiles that carry it now; a blocked value's until the past was decided again.
    profiles: i64,
}

fn mode(mode: Mode) -> BlockMode {
    match mode {
        Mode::Block => BlockMode::Block,
        Mode::Pattern => BlockMode::Pattern,
        Mode::Demote => BlockMode::Demote,
    }
}

fn body(caller: &crate::caller::Caller, listed: Listed, profiles: i64) -> BlockedValue {
    let value = if listed.mode == Mode::Pattern { listed.value } else { shown(caller, &listed.kind, &listed.value) };
    let Listed { kind, mode: m, reason, at, actor, .. } = listed;
    BlockedValue { kind, value, mode: mode(m), reason, at, actor, profiles }
}

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BlockedQuery {
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists the values that are kept out, by kind and value.
#[utoipa::path(get, path = "/api/v1/identity/blocked", tag = "identity", params(BlockedQuery),
    responses((status = 200, body = inline(List<BlockedValue>))))]
pub async fn list_blocked_values(
    State(app): State<Arc<App>>,
    ReadIdentity(caller): ReadIdentity,
    Params(q): Params<BlockedQuery>,
) -> Result<Json<List<BlockedValue>>, Problem> {
    let limit = limit(q.limit)?;
    let after: Option<(String, String)> = match &q.cursor {
        None => None,
        Some(cursor) => Some(
            serde_json::from_slice(&hex(cursor).ok_or_else(|| BAD_CURSOR.because("pass next_cursor as it came"))?)
                .map_err(|_| BAD_CURSOR.because("pass next_cursor as it came"))?,
        ),
    };
    let mut found = app
        .query(move |db| {
            let after = after.as_ref().map(|(k, v)| (k.as_str(), v.as_str()));
            let listed = rules::blocked_list(db, after, limit + 1)?;
            let carried = rules::carried(db, &listed)?;
            Ok(listed.into_iter().zip(carried).collect::<Vec<_>>())
        })
        .await?;
    let more = found.len() as i64 > limit;
    found.truncate(limit as usize);
    let next_cursor = found
        .last()
        .filter(|_| more)
        .map(|(l, _)| json!([l.kind, l.value]).to_string().bytes().map(|b| format!("{b:02x}")).collect::<String>());
    let items = found.into_iter().map(|(listed, n)| body(&caller, listed, n)).collect();
    Ok(Json(List { items, next_cursor }))
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|d| d.len() % 2 == 0 && d.len() <= 4096)?;
    Some(digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}

/// A value to keep out.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBlockedValue {
    /// `*` = every kind.
    kind: String,
    value: String,
    #[serde(default)]
    mode: BlockMode,
    #[serde(default)]
    reason: String,
}

/// Keeps a value out from now on; a job takes it off the profiles that it joined.
#[utoipa::path(post, path = "/api/v1/identity/blocked", tag = "identity", request_body = NewBlockedValue,
    responses((status = 201, body = BlockedValue)))]
pub async fn block_value(
    State(app): State<Arc<App>>,
    WriteIdentity(caller): WriteIdentity,
    input: Input<NewBlockedValue>,
) -> Result<Response, Problem> {
    let NewBlockedValue { kind, value, mode: wanted, reason } = input.value;
    if reason.chars().count() > 500 {
        return Err(BAD_INPUT.at("/reason", "a reason has at most 500 characters"));
    }
    let (country, actor, asked) = (app.domain.settings().country, caller.actor.clone(), caller.clone());
    let answer = app
        .change(&caller, input.request, move |tx| {
            let as_mode = match wanted {
                BlockMode::Block => Mode::Block,
                BlockMode::Pattern => Mode::Pattern,
                BlockMode::Demote => Mode::Demote,
            };
            let listed = rules::block(tx, (&kind, &value), as_mode, reason.trim(), &actor, country);
            let listed = listed.map_err(|e| match e {
                ListError::Bad(bad) => BAD_INPUT.at(&bad.pointer, bad.detail),
                ListError::Store(error) => error.into(),
            })?;
            let carried = rules::carried(tx.engine(), std::slice::from_ref(&listed))?;
            let after = json!({"kind": listed.kind, "mode": as_mode.as_str(), "reason": listed.reason});
            let (kind, profiles) = (listed.kind.clone(), carried.first().copied().unwrap_or(0));
            Ok(Done::created(body(&asked, listed, profiles)).noted(("block", "identifier"), kind, None, Some(after)))
        })
        .await?;
    follow(&app).await?;
    Ok(answer)
}

/// Which value to let in again.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UnblockQuery {
    kind: String,
    value: String,
}

/// Lets a value identify people again; a job gives it back to the past.
#[utoipa::path(delete, path = "/api/v1/identity/blocked", tag = "identity", params(UnblockQuery),
    responses((status = 204)))]
pub async fn unblock_value(
    State(app): State<Arc<App>>,
    WriteIdentity(caller): WriteIdentity,
    Params(q): Params<UnblockQuery>,
    input: Input<crate::input::Nothing>,
) -> Result<Response, Problem> {
    let country = app.domain.settings().country;
    let answer = app
        .change(&caller, input.request, move |tx| {
            if !rules::unblock(tx, &q.kind, &q.value, country)? {
                return Err(NOT_FOUND.because("this value is not on the list"));
            }
            let before = json!({"kind": q.kind});
            Ok(Done::nothing().noted(("unblock", "identifier"), &q.kind, Some(before), None))
        })
        .await?;
    follow(&app).await?;
    Ok(answer)
}
