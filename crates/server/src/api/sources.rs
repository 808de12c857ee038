//! `/sources`: where events come from, and their write keys.
use crate::api::accounts::named;
use crate::app::App;
use crate::caller::{ReadSources, WriteSources};
use crate::change::Done;
use crate::input::{Id, Input, List, Nothing};
use crate::problem::{ALREADY_EXISTS, BAD_INPUT, NOT_FOUND, Problem};
use crate::secrets;
use crate::sources::{self, Source, SourceKind};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use base::{DAY_US, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// A source, with what came from it lately.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Source)]
pub struct SourceBody {
    id: Id,
    name: String,
    kind: SourceKind,
    write_key_prefix: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    events_24h: i64,
    rejected_24h: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_event_at: Option<Timestamp>,
    /// The key itself, shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    write_key: Option<String>,
}

impl SourceBody {
    fn new(source: &Source, activity: Activity, write_key: Option<String>) -> Self {
        Self {
            id: Id(source.id),
            name: source.name.clone(),
            kind: source.kind,
            write_key_prefix: Some(source.key_prefix.clone()).filter(|p| !p.is_empty()),
            created_at: source.created_at,
            events_24h: activity.events,
            rejected_24h: activity.rejected,
            last_event_at: activity.last,
            write_key,
        }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Activity {
    events: i64,
    rejected: i64,
    last: Option<Timestamp>,
}

/// A new source.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    name: String,
    kind: SourceKind,
}

/// Lists the sources.
#[utoipa::path(get, path = "/api/v1/sources", tag = "sources",
    responses((status = 200, body = inline(List<SourceBody>))))]
pub async fn list_sources(State(app): State<Arc<App>>, _: ReadSources) -> Result<Json<List<SourceBody>>, Problem> {
    let since = app.now().plus(-DAY_US);
    let activity = app.query(move |db| Ok(activity(db, since)?)).await?;
    let keys = app.sources();
    let body = |s: &Arc<Source>| SourceBody::new(s, activity.get(&s.id).copied().unwrap_or_default(), None);
    Ok(Json(List::whole(keys.sources().all().iter().map(body).collect())))
}

/// What came from each source since a moment. A row of the log is a request, so this reads one narrow row a request.
fn activity(db: &mut db::Engine, since: Timestamp) -> Result<HashMap<i64, Activity>, db::DbError> {
    let mut out: HashMap<i64, Activity> = HashMap::new();
    // The log has no index over time, but receipts rise with seq: the day begins at the first row received in it.
    let first = first_seq_since(db, since)?;
    let sql = "SELECT source, CAST(SUM(count) AS BIGINT), CAST(MAX(received_at) AS BIGINT) FROM log \
               WHERE first_seq >= $1 GROUP BY source";
    for row in db.rows(sql, &[first.into()])? {
        let entry = out.entry(row.int(0)?).or_default();
        (entry.events, entry.last) = (row.int(1)?, Some(Timestamp::from_micros(row.int(2)?)));
    }
    let sql = "SELECT source, CAST(COUNT(*) AS BIGINT) FROM rejects WHERE received_at >= $1 GROUP BY source";
    for row in db.rows(sql, &[since.micros().into()])? {
        let entry = out.entry(row.int(0)?).or_default();
        entry.rejected = row.int(1)?;
        entry.events = (entry.events - entry.rejected).max(0);
    }
    Ok(out)
}

/// The first seq that was received at or after a moment, by halving: receipts rise with seq.
pub fn first_seq_since(db: &mut db::Engine, since: Timestamp) -> Result<i64, db::DbError> {
    let last =
        db.first("SELECT CAST(COALESCE(MAX(first_seq), 0) AS BIGINT) FROM log", &[])?.map_or(Ok(0), |r| r.int(0))?;
    let (mut low, mut high) = (0, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let sql = "SELECT first_seq, received_at FROM log WHERE first_seq >= $1 ORDER BY first_seq LIMIT 1";
        match db.first(sql, &[middle.into()])? {
            Some(row) if row.int(1)? < since.micros() => low = row.int(0)? + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Adds a source; its write key is shown once.
#[utoipa::path(post, path = "/api/v1/sources", tag = "sources", request_body = NewSource,
    responses((status = 201, body = SourceBody)))]
pub async fn create_source(
    State(app): State<Arc<App>>,
    WriteSources(caller): WriteSources,
    input: Input<NewSource>,
) -> Result<Response, Problem> {
    let (name, kind) = (named(&input.value.name)?, input.value.kind);
    if kind == SourceKind::System {
        return Err(BAD_INPUT.at("/kind", "system is Braid's own source"));
    }
    let key = (kind != SourceKind::Import).then(|| secrets::new_key("wk"));
    let answer = app.change(&caller, input.request, move |tx| {
        let Some(source) = sources::add(tx, &name, kind, key.as_ref())? else {
            return Err(ALREADY_EXISTS.at("/name", "there is a source of this name already"));
        };
        let kept = serde_json::to_value(SourceBody::new(&source, Activity::default(), None)).ok();
        let body = SourceBody::new(&source, Activity::default(), key.as_ref().map(|k| k.key.clone()));
        let after = json!({"name": source.name, "kind": source.kind});
        let done = Done::created(body).noted(("create", "source"), source.id, None, Some(after));
        Ok(Done { kept, ..done })
    });
    let answer = answer.await?;
    app.reload_sources().await?;
    Ok(answer)
}

/// Gives a source a new write key; the old one is worth nothing at once.
#[utoipa::path(post, path = "/api/v1/sources/{id}/rotate", tag = "sources", params(("id" = String, Path)),
    responses((status = 200, body = SourceBody)))]
pub async fn rotate_source_key(
    State(app): State<Arc<App>>,
    WriteSources(caller): WriteSources,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    let key = secrets::new_key("wk");
    let known = app.sources().sources().get(id).cloned().ok_or_else(|| NOT_FOUND.because("there is no such source"))?;
    if matches!(known.kind, SourceKind::Import | SourceKind::System) {
        return Err(BAD_INPUT.because("this source has no write key"));
    }
    let answer = app.change(&caller, input.request, move |tx| {
        let Some(source) = sources::rotate(tx, id, &key)? else {
            return Err(NOT_FOUND.because("there is no such source"));
        };
        let (before, after) = (json!({"write_key_prefix": known.key_prefix}), json!({"write_key_prefix": key.prefix}));
        let kept = serde_json::to_value(SourceBody::new(&source, Activity::default(), None)).ok();
        let body = SourceBody::new(&source, Activity::default(), Some(key.key.clone()));
        let done = Done::ok(body).noted(("rotate_key", "source"), id, Some(before), Some(after));
        Ok(Done { kept, ..done })
    });
    let answer = answer.await?;
    app.reload_sources().await?;
    Ok(answer)
}
