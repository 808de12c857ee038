//! What happened to a customer, newest first.
use crate::api::wire::{SourceName, Strand, is_message, is_purchase, raw_object, strand};
use crate::app::App;
use crate::caller::ReadCustomers;
use crate::input::{Id, List, Params, cursor, limit, place};
use crate::problem::Problem;
use crate::sources::Snapshot;
use axum::Json;
use axum::extract::{Path, State};
use base::Timestamp;
use pipeline::timeline::{self, StoredEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;

/// Which events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// All.
    #[default]
    All,
    /// Orders.
    Purchases,
    /// What was sent, and what became of it.
    Messages,
    /// Everything else.
    Online,
}

/// Which page of which events.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimelineQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    #[param(inline)]
    kind: Option<Kind>,
}

/// An event of a customer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TimelineItem {
    message_id: String,
    #[serde(rename = "type")]
    kind: String,
    event: Option<String>,
    /// What the source called it, where its plan gives it a standard name.
    sent_event: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    #[schema(value_type = HashMap<String, Value>)]
    properties: Box<RawValue>,
    #[schema(value_type = HashMap<String, Value>)]
    traits: Box<RawValue>,
    #[schema(value_type = HashMap<String, Value>)]
    context: Box<RawValue>,
    profile_id: Id,
    source: SourceName,
    strand: Strand,
}

/// A stored event as an item of a timeline; a detach may have moved it to another profile than it was logged with.
pub fn item(event: StoredEvent, profile_id: i64, sources: &Snapshot) -> TimelineItem {
    let source = SourceName::of(sources, event.source);
    let strand = strand(&event.name, source.kind, event.properties.as_deref().unwrap_or(""));
    TimelineItem {
        message_id: event.message_id,
        kind: event.kind.as_str().into(),
        sent_event: event.sent_name,
        event: Some(event.name).filter(|n| !n.is_empty()),
        timestamp: event.timestamp,
        received_at: event.received_at,
        properties: raw_object(event.properties),
        traits: raw_object(event.traits),
        context: raw_object(event.context),
        profile_id: Id(profile_id),
        source,
        strand,
    }
}

/// Lists what happened to a customer, newest first.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/timeline", tag = "customers",
    params(("person_id" = String, Path), TimelineQuery), responses((status = 200, body = inline(List<TimelineItem>))))]
pub async fn customer_timeline(
    State(app): State<Arc<App>>,
    _: ReadCustomers,
    Path(id): Path<String>,
    Params(q): Params<TimelineQuery>,
) -> Result<Json<List<TimelineItem>>, Problem> {
    let limit = limit(q.limit)?;
    let before = place::<2>(q.cursor.as_deref())?.map(|[at, seq]| (Timestamp::from_micros(at), seq));
    let kind = q.kind.unwrap_or_default();
    let (_, members) = super::resolve(&app, &id).await?;
    let names = if kind == Kind::All { HashMap::new() } else { app.query(|db| Ok(names(db)?)).await? };
    let entries = app
        .read(move |tx| {
            let wanted = |name: u32| {
                let name = names.get(&name).map_or("", |n| &**n);
                match kind {
                    Kind::All => true,
                    Kind::Purchases => is_purchase(name),
                    Kind::Messages => is_message(name),
                    Kind::Online => !is_purchase(name) && !is_message(name),
                }
            };
            Ok(timeline::page(tx, &members, before, limit as usize + 1, &wanted)?.0)
        })
        .await?;
    let profiles: HashMap<i64, i64> = entries.iter().map(|e| (e.seq, e.profile_id)).collect();
    let seqs: Vec<i64> = entries.iter().map(|e| e.seq).collect();
    let preparer = app.domain.preparer().clone();
    let mut events = app.query(move |db| Ok(timeline::events_of(db, &preparer, &seqs)?)).await?;
    events.sort_by_key(|e| std::cmp::Reverse((e.timestamp, e.seq)));
    let next_cursor = (entries.len() as i64 > limit).then(|| entries.get(limit as usize - 1)).flatten();
    let next_cursor = next_cursor.map(|e| cursor(&[e.timestamp.micros(), e.seq]));
    events.truncate(limit as usize);
    let keys = app.sources();
    let profile = |e: &StoredEvent| profiles.get(&e.seq).copied().unwrap_or(e.profile_id);
    let items = events
        .into_iter()
        .map(|e| {
            let p = profile(&e);
            item(e, p, keys.sources())
        })
        .collect();
    Ok(Json(List { items, next_cursor }))
}

fn names(db: &mut db::Engine) -> Result<HashMap<u32, Box<str>>, db::DbError> {
    Ok(db::names::all(db)?.into_iter().collect())
}
