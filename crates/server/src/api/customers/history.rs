//! Where a trait's value comes from, and what it was before.
use crate::api::wire::SourceName;
use crate::app::App;
use crate::caller::ReadCustomers;
use crate::problem::{BAD_QUERY, Problem};
use axum::Json;
use axum::extract::{Path, State};
use base::Timestamp;
use customers::timeline::Ask;
use pipeline::timeline;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// The newest `identify` calls that are read for a history.
const READ_MAX: usize = 1_000;
/// Changes that a history shows.
const SHOWN_MAX: usize = 100;

/// A value that a trait was given, or its removal.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TraitChange {
    /// Nothing when the trait was removed.
    #[schema(value_type = Option<Value>)]
    value: Option<Value>,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    message_id: String,
    source: SourceName,
}

/// What a trait was, newest first; equal values in a row stand there once, with the event that said them first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TraitHistory {
    name: String,
    items: Vec<TraitChange>,
    /// Whether this is all; otherwise older events were not read.
    complete: bool,
}

/// Shows what a trait was before, from the log.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/traits/{name}/history", tag = "customers",
    params(("person_id" = String, Path), ("name" = String, Path)), responses((status = 200, body = TraitHistory)))]
pub async fn trait_history(
    State(app): State<Arc<App>>,
    _: ReadCustomers,
    Path((id, name)): Path<(String, String)>,
) -> Result<Json<TraitHistory>, Problem> {
    if name.is_empty() || name.len() > 200 {
        return Err(BAD_QUERY.because("name a trait of at most 200 bytes"));
    }
    let (_, members) = super::resolve(&app, &id).await?;
    let entries = app
        .read(move |tx| {
            let Some(identify) = db::names::find_number(tx, "$identify")? else { return Ok(Vec::new()) };
            let names = db::index::name_bit(identify);
            let wanted = |name| name == identify;
            let ask = Ask { wanted: &wanted, names, chunks_max: usize::MAX, ..Ask::newest(READ_MAX + 1) };
            Ok(customers::timeline::page(tx, &members, &ask)?.entries)
        })
        .await?;
    let mut complete = entries.len() <= READ_MAX;
    let seqs: Vec<i64> = entries.iter().take(READ_MAX).map(|e| e.seq).collect();
    let preparer = app.domain.preparer().clone();
    let mut events = app.query(move |db| Ok(timeline::events_of(db, &preparer, &seqs)?)).await?;
    events.sort_by(|a, b| (a.timestamp, &a.message_id).cmp(&(b.timestamp, &b.message_id)));
    let keys = app.sources();
    let mut items: Vec<TraitChange> = Vec::new();
    for event in events {
        let traits: serde_json::Map<String, Value> =
            event.traits.as_deref().and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
        let Some(said) = traits.get(&name) else { continue };
        let value = Some(said.clone()).filter(|v| !v.is_null());
        if items.last().is_some_and(|last| last.value == value) {
            continue;
        }
        items.push(TraitChange {
            value,
            timestamp: event.timestamp,
            received_at: event.received_at,
            message_id: event.message_id,
            source: SourceName::of(keys.sources(), event.source),
        });
    }
    items.reverse();
    complete &= items.len() <= SHOWN_MAX;
    items.truncate(SHOWN_MAX);
    Ok(Json(TraitHistory { name, items, complete }))
}
