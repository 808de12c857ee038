//! `/events`, `/rejects`: the debugger's lists, newest first.
use crate::api::wire::{SourceName, raw_object};
use crate::app::App;
use crate::caller::ReadEvents;
use crate::input::{Id, List, Page, Params, cursor, limit, place};
use crate::problem::{BAD_QUERY, NOT_FOUND, Problem};
use crate::rejects::{self, Filter};
use crate::sources::Snapshot;
use axum::Json;
use axum::extract::{Path, State};
use base::Timestamp;
use customers::profiles::Profiles;
use db::{DbError, Engine, log};
use pipeline::Preparer;
use pipeline::timeline::{self, StoredEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

/// `accepted`.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AcceptedStatus {
    /// It was taken.
    Accepted,
}

/// `rejected`.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectedStatus {
    /// It was refused.
    Rejected,
}

/// An event that was taken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AcceptedEvent {
    #[schema(inline)]
    status: AcceptedStatus,
    /// Position in the log.
    pub seq: i64,
    message_id: String,
    #[serde(rename = "type")]
    kind: String,
    event: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) received_at: Timestamp,
    person_id: Option<Id>,
    profile_id: Option<Id>,
    source: SourceName,
    summary: String,
    /// In a stream: how many were left out before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub(crate) skipped: Option<u64>,
}

/// An item that was refused, with the reason.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RejectedEvent {
    #[schema(inline)]
    status: RejectedStatus,
    pub(crate) id: Id,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) received_at: Timestamp,
    code: String,
    pointer: Option<String>,
    detail: String,
    raw: String,
    event: Option<String>,
    message_id: Option<String>,
    /// Whether it may be tried again: the source's plan refused it, and a mended plan may take it.
    replayable: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    replayed_at: Option<Timestamp>,
    /// What came of it: `accepted`, `duplicate`, or the reason for which it was refused again.
    replay: Option<String>,
    source: SourceName,
}

/// What came in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum LiveEvent {
    /// Taken.
    Accepted(AcceptedEvent),
    /// Refused.
    Rejected(RejectedEvent),
}

/// A stored event as an item; `person` 0 = nobody.
pub fn accepted(event: &StoredEvent, person: i64, sources: &Snapshot) -> AcceptedEvent {
    let id = |id: i64| (id != 0).then_some(Id(id));
    AcceptedEvent {
        status: AcceptedStatus::Accepted,
        seq: event.seq,
        message_id: event.message_id.clone(),
        kind: event.kind.as_str().into(),
        event: Some(event.name.clone()).filter(|n| !n.is_empty()),
        timestamp: event.timestamp,
        received_at: event.received_at,
        person_id: id(person),
        profile_id: id(event.profile_id),
        source: SourceName::of(sources, event.source),
        summary: crate::summary::of(event),
        skipped: None,
    }
}

/// A refused item as it is shown.
pub fn rejected(reject: rejects::Rejected, sources: &Snapshot) -> RejectedEvent {
    RejectedEvent {
        status: RejectedStatus::Rejected,
        id: Id(reject.id),
        received_at: reject.received_at,
        code: reject.code,
        pointer: Some(reject.pointer).filter(|p| !p.is_empty()),
        detail: reject.detail,
        raw: reject.raw,
        event: Some(reject.event).filter(|e| !e.is_empty()),
        message_id: Some(reject.message_id).filter(|m| !m.is_empty()),
        replayable: reject.replayable,
        replayed_at: reject.replayed.as_ref().map(|(at, _)| *at),
        replay: reject.replayed.map(|(_, what)| what),
        source: SourceName::of(sources, reject.source),
    }
}

/// Whether events were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatusFilter {
    /// Taken ones only.
    Accepted,
    /// Refused ones only.
    Rejected,
}

/// Which events.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    source_id: Option<String>,
    #[param(inline)]
    status: Option<StatusFilter>,
    /// Name of the event, as the list shows it.
    event: Option<String>,
    /// `track`, `page`, `screen`, `identify`, `group` or `alias`; refused items do not say theirs.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<String>,
}

/// A kind of call, if it is one.
pub(super) fn kind_word(text: &str) -> Result<String, Problem> {
    const KINDS: [&str; 6] = ["track", "page", "screen", "identify", "group", "alias"];
    let known = KINDS.contains(&text).then(|| text.to_string());
    known.ok_or_else(|| BAD_QUERY.because(format!("type is one of {}", KINDS.join(", "))))
}

/// Lists what came in, newest first. A page that looks for one name or type may be short, or empty, and have a next one.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(EventsQuery),
    responses((status = 200, body = inline(List<LiveEvent>))))]
pub async fn list_events(
    State(app): State<Arc<App>>,
    _: ReadEvents,
    Params(q): Params<EventsQuery>,
) -> Result<Json<List<LiveEvent>>, Problem> {
    let limit = limit(q.limit)?;
    let [before_seq, before_reject] = place::<2>(q.cursor.as_deref())?.unwrap_or([i64::MAX, i64::MAX]);
    let source = q.source_id.as_deref().map(Id::in_path).transpose()?;
    let preparer = app.domain.preparer().clone();
    let kind = q.kind.as_deref().map(kind_word).transpose()?;
    let filter = Filter { source, event: q.event.clone(), before: before_reject, ..Filter::default() };
    let which = Which { source, event: q.event, kind };
    let (Newest { events, looked_to }, refused) = app
        .query(move |db| {
            let want = limit + 1;
            let taken = q.status != Some(StatusFilter::Rejected);
            let refusals = q.status != Some(StatusFilter::Accepted) && which.kind.is_none();
            let events = if taken { newest(db, &preparer, before_seq, &which, want)? } else { Newest::default() };
            let refused = if refusals { rejects::list(db, &filter, want)? } else { Vec::new() };
            Ok((events, refused))
        })
        .await?;
    let people = people_of(&app, &events).await?;
    let keys = app.sources();
    let mut items: Vec<LiveEvent> = Vec::new();
    let (mut events, mut refused) = (events.iter().zip(people).peekable(), refused.into_iter().peekable());
    let (mut seq, mut reject) = (before_seq, before_reject);
    while items.len() < limit as usize {
        let newer = match (events.peek(), refused.peek()) {
            (Some((event, _)), Some(reject)) => event.received_at >= reject.received_at,
            (Some(_), None) => true,
            // What was refused before the last event that was looked at comes on a later page.
            (None, Some(_)) if looked_to.is_some() => break,
            (None, Some(_)) => false,
            (None, None) => break,
        };
        if newer {
            let Some((event, person)) = events.next() else { break };
            seq = event.seq;
            items.push(LiveEvent::Accepted(accepted(event, person, keys.sources())));
        } else {
            let Some(next) = refused.next() else { break };
            reject = next.id;
            items.push(LiveEvent::Rejected(rejected(next, keys.sources())));
        }
    }
    let looked_to = looked_to.filter(|_| events.peek().is_none());
    if let Some(looked_to) = looked_to {
        seq = looked_to;
    }
    let more = looked_to.is_some() || events.peek().is_some() || refused.peek().is_some();
    Ok(Json(List { items, next_cursor: more.then(|| cursor(&[seq, reject])) }))
}

/// Rows of the log that a list over one source looks through, at most.
const LOOK_BACK: i64 = 200_000;

/// Which of the events that were taken.
#[derive(Debug, Clone, Default)]
struct Which {
    source: Option<i64>,
    event: Option<String>,
    kind: Option<String>,
}

impl Which {
    /// Whether few among many are looked for.
    fn is_picky(&self) -> bool {
        self.event.is_some() || self.kind.is_some()
    }
    fn holds(&self, event: &StoredEvent) -> bool {
        self.event.as_deref().is_none_or(|name| name == event.name)
            && self.kind.as_deref().is_none_or(|kind| kind == event.kind.as_str())
    }
}

/// Events, newest first.
#[derive(Debug, Default)]
struct Newest {
    events: Vec<StoredEvent>,
    /// Where looking ended before there were enough and before the log did.
    looked_to: Option<i64>,
}

fn newest(db: &mut Engine, preparer: &Preparer, before: i64, which: &Which, limit: i64) -> Result<Newest, DbError> {
    let mut out: Vec<StoredEvent> = Vec::new();
    let mut from = before;
    let (mut ended, page) = (false, if which.is_picky() { 64 } else { limit.min(16) });
    // A row may hold thousands of events, or none that was kept; a few rounds fill any page.
    for _ in 0..64 {
        let rows = match which.source {
            None => log::newest(db, from, page)?,
            Some(source) => {
                let sql = "SELECT first_seq FROM log WHERE first_seq < $1 AND first_seq >= $2 AND source = $3 \
                           ORDER BY first_seq DESC LIMIT $4";
                let floor = from.saturating_sub(LOOK_BACK).max(0);
                let found = db.rows(sql, &[from.into(), floor.into(), source.into(), page.into()])?;
                let mut seqs = found.iter().map(|r| r.int(0)).collect::<Result<Vec<_>, _>>()?;
                seqs.reverse();
                let mut rows = log::rows_of(db, &seqs)?;
                rows.reverse();
                rows
            }
        };
        let Some(last) = rows.last() else {
            ended = true;
            break;
        };
        from = last.first_seq;
        for row in &rows {
            let mut events = timeline::stored_events(preparer, row)?;
            events.retain(|e| e.seq < before && which.holds(e));
            events.reverse();
            out.extend(events);
        }
        if out.len() as i64 >= limit {
            break;
        }
    }
    let enough = out.len() as i64 >= limit;
    out.truncate(limit as usize);
    Ok(Newest { events: out, looked_to: (which.is_picky() && !ended && !enough).then_some(from) })
}

/// The people that events belong to now; 0 = nobody.
pub async fn people_of(app: &App, events: &[StoredEvent]) -> Result<Vec<i64>, Problem> {
    let places: Vec<(i64, i64)> = events.iter().map(|e| (e.seq, e.profile_id)).collect();
    app.read(move |tx| {
        let first = places.iter().map(|(seq, _)| *seq).min().unwrap_or(0);
        let last = places.iter().map(|(seq, _)| *seq).max().unwrap_or(-1);
        // What a detach moved belongs to another profile than the log's row says.
        let moved = pipeline::backfill::moved_between(tx, first, last + 1)?;
        let mut out = Vec::with_capacity(places.len());
        for (seq, logged) in places {
            let profile = moved.get(&seq).copied().unwrap_or(logged);
            out.push(if profile == 0 { 0 } else { tx.get::<Profiles>(profile)?.map_or(0, |p| p.person) });
        }
        Ok(out)
    })
    .await
}

/// An event with everything that came with it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventDetail {
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
    original_timestamp: Option<String>,
    sent_at: Option<String>,
    #[schema(value_type = HashMap<String, Value>)]
    properties: Box<RawValue>,
    #[schema(value_type = HashMap<String, Value>)]
    context: Box<RawValue>,
    #[schema(value_type = HashMap<String, Value>)]
    traits: Box<RawValue>,
    person_id: Option<Id>,
    profile_id: Option<Id>,
    source: SourceName,
}

/// Shows an event.
#[utoipa::path(get, path = "/api/v1/events/{seq}", tag = "events", params(("seq" = String, Path)),
    responses((status = 200, body = EventDetail)))]
pub async fn get_event(
    State(app): State<Arc<App>>,
    _: ReadEvents,
    Path(seq): Path<String>,
) -> Result<Json<EventDetail>, Problem> {
    let seq = Id::in_path(&seq)?;
    let preparer = app.domain.preparer().clone();
    let event = app.query(move |db| Ok(timeline::events_of(db, &preparer, &[seq])?.pop())).await?;
    let event = event.ok_or_else(|| NOT_FOUND.because(format!("there is no event {seq}")))?;
    let person = people_of(&app, std::slice::from_ref(&event)).await?.first().copied().unwrap_or(0);
    let keys = app.sources();
    let id = |id: i64| (id != 0).then_some(Id(id));
    Ok(Json(EventDetail {
        message_id: event.message_id,
        kind: event.kind.as_str().into(),
        sent_event: event.sent_name,
        event: Some(event.name).filter(|n| !n.is_empty()),
        timestamp: event.timestamp,
        received_at: event.received_at,
        original_timestamp: event.original_timestamp,
        sent_at: event.sent_at,
        properties: raw_object(event.properties),
        context: raw_object(event.context),
        traits: raw_object(event.traits),
        person_id: id(person),
        profile_id: id(event.profile_id),
        source: SourceName::of(keys.sources(), event.source),
    }))
}

/// Which refused items.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RejectsQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    source_id: Option<String>,
    code: Option<String>,
    /// Name of the event, as it was sent.
    event: Option<String>,
    /// Received at or after this moment.
    since: Option<String>,
    /// Received before this moment.
    until: Option<String>,
}

/// Lists what was refused, newest first.
#[utoipa::path(get, path = "/api/v1/rejects", tag = "rejects", params(RejectsQuery),
    responses((status = 200, body = inline(List<RejectedEvent>))))]
pub async fn list_rejects(
    State(app): State<Arc<App>>,
    _: ReadEvents,
    Params(q): Params<RejectsQuery>,
) -> Result<Json<List<RejectedEvent>>, Problem> {
    let limit = limit(q.limit)?;
    let before = place::<1>(q.cursor.as_deref())?.map_or(i64::MAX, |[id]| id);
    let moment = |text: Option<String>| -> Result<Option<i64>, Problem> {
        let parse = |t: String| Timestamp::parse(&t).map(Timestamp::micros);
        text.map(parse)
            .transpose()
            .map_err(|_| BAD_QUERY.because("since and until are moments such as 2026-11-22T14:00:00Z"))
    };
    let filter = Filter {
        source: q.source_id.as_deref().map(Id::in_path).transpose()?,
        code: q.code,
        event: q.event,
        since: moment(q.since)?,
        until: moment(q.until)?,
        before,
    };
    let found = app.query(move |db| Ok(rejects::list(db, &filter, limit + 1)?)).await?;
    let keys = app.sources();
    let items = found.into_iter().map(|r| rejected(r, keys.sources())).collect();
    Ok(Json(List::page(items, limit, |r: &RejectedEvent| cursor(&[r.id.0]))))
}

/// Refused items of one kind.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RejectSummary {
    code: String,
    pointer: Option<String>,
    source: SourceName,
    count: i64,
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    example: String,
}

/// Sums up what was refused, most frequent first.
#[utoipa::path(get, path = "/api/v1/rejects/summary", tag = "rejects", params(Page),
    responses((status = 200, body = inline(List<RejectSummary>))))]
pub async fn reject_summary(
    State(app): State<Arc<App>>,
    _: ReadEvents,
    Params(page): Params<Page>,
) -> Result<Json<List<RejectSummary>>, Problem> {
    let limit = limit(page.limit)?;
    let found = app.query(move |db| Ok(rejects::summary(db, limit)?)).await?;
    let keys = app.sources();
    let item = |s: rejects::Summary| RejectSummary {
        code: s.code,
        pointer: Some(s.pointer).filter(|p| !p.is_empty()),
        source: SourceName::of(keys.sources(), s.source),
        count: s.count,
        first_at: s.first_at,
        last_at: s.last_at,
        example: s.example,
    };
    Ok(Json(List::whole(found.into_iter().map(item).collect())))
}
