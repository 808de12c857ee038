//! What happened to a customer, newest first.
use crate::api::wire::{SourceName, Strand, is_message, is_talk, raw_object, strand};
use crate::app::App;
use crate::caller::{Caller, ReadCustomers};
use crate::input::{Id, List, Params, cursor, limit, place};
use crate::page::{kind_of, kinds, may_see, panels};
use crate::problem::{BAD_QUERY, Problem};
use crate::sources::Snapshot;
use axum::Json;
use axum::extract::{Path, State};
use base::Timestamp;
use customers::commands::TimelineEntry;
use customers::timeline::{Ask, Place};
use db::index::name_bit;
use pipeline::timeline::{self, StoredEvent};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;

/// Events that a page whose filter looks into bodies may open before it ends short.
const OPENED_MAX: usize = 500;
/// Chunks of 64 entries that counts look at, the newest: 131,072 events.
const COUNTED_MAX: usize = 2_048;
/// Names that counts list.
const NAMES_MAX: usize = 50;

/// Which page of which events. Filters go together.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TimelineQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    /// Kinds of `GET /api/v1/customer-page`, separated by commas.
    kind: Option<String>,
    /// The name of an event, after aliases.
    name: Option<String>,
    #[param(inline)]
    channel: Option<Strand>,
    /// From this moment on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// An event of a customer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TimelineItem {
    message_id: String,
    #[serde(rename = "type")]
    kind: String,
    event: Option<String>,
    /// The kind of entries that it belongs to, as `GET /api/v1/customer-page` lists them.
    #[serde(rename = "kind")]
    category: &'static str,
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
    let category = kind_of(index_name(&event)).id;
    TimelineItem {
        message_id: event.message_id,
        kind: event.kind.as_str().into(),
        category,
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

/// The name under which indexes have an event.
fn index_name(event: &StoredEvent) -> &str {
    match event.kind {
        db::event::EventKind::Identify => "$identify",
        db::event::EventKind::Group => "$group",
        db::event::EventKind::Alias => "$alias",
        _ => &event.name,
    }
}

/// Names that pass, as the index asks for them.
struct Names {
    /// `None`: all.
    numbers: Option<Vec<u32>>,
    bits: i64,
}

impl Names {
    fn wants(&self, name: u32) -> bool {
        self.numbers.as_ref().is_none_or(|numbers| numbers.binary_search(&name).is_ok())
    }
}

/// Whether somebody sees everything, so that no name needs to be looked at.
pub fn sees_all(caller: &Caller) -> bool {
    kinds().all(|kind| may_see(caller, kind.area))
}

/// The names that a query and the caller's rights leave.
async fn names_of(app: &Arc<App>, caller: &Caller, q: &TimelineQuery) -> Result<Names, Problem> {
    let asked: Option<Vec<&str>> = q.kind.as_deref().map(|kinds| kinds.split(',').collect());
    for id in asked.iter().flatten() {
        if !kinds().any(|kind| kind.id == *id) {
            return Err(BAD_QUERY.because(format!("there is no kind {id:.40}; GET /api/v1/customer-page lists them")));
        }
    }
    if asked.is_none() && q.name.is_none() && q.channel.is_none() && sees_all(caller) {
        return Ok(Names { numbers: None, bits: -1 });
    }
    let passes = |name: &str| {
        let kind = kind_of(name);
        let in_channel = match q.channel {
            None => true,
            Some(Strand::Message) => is_message(name),
            Some(Strand::Talk) => is_talk(name),
            Some(_) => !is_message(name) && !is_talk(name),
        };
        may_see(caller, kind.area)
            && asked.as_ref().is_none_or(|asked| asked.contains(&kind.id))
            && q.name.as_deref().is_none_or(|wanted| wanted == name)
            && in_channel
    };
    let all = app.query(|db| Ok(db::names::all(db)?)).await?;
    let mut numbers: Vec<u32> = all.iter().filter(|(_, name)| passes(name)).map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    let bits = numbers.iter().fold(0, |bits, number| bits | name_bit(*number));
    Ok(Names { numbers: Some(numbers), bits })
}

/// Lists what happened to a customer, newest first, as far as the caller may see it. A page may hold fewer events than asked
/// for and still have a next one: what one request reads is bounded.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/timeline", tag = "customers",
    params(("person_id" = String, Path), TimelineQuery), responses((status = 200, body = inline(List<TimelineItem>))))]
pub async fn customer_timeline(
    State(app): State<Arc<App>>,
    ReadCustomers(caller): ReadCustomers,
    Path(id): Path<String>,
    Params(q): Params<TimelineQuery>,
) -> Result<Json<List<TimelineItem>>, Problem> {
    let limit = limit(q.limit)? as usize;
    let mut before = place::<2>(q.cursor.as_deref())?.map(|[at, seq]| (Timestamp::from_micros(at), seq));
    let (_, members) = super::resolve(&app, &id).await?;
    let names = Arc::new(names_of(&app, &caller, &q).await?);
    let mut items: Vec<TimelineItem> = Vec::new();
    let mut opened = 0;
    loop {
        let (from, until, names, members) = (q.from, q.to, names.clone(), members.clone());
        // One more than is left would not tell more: the page itself says whether there is a next one.
        let wanted = if q.channel.is_some() { 100 } else { limit - items.len() };
        let page = app
            .read(move |tx| {
                let passes = |name| names.wants(name);
                let ask = Ask { before, from, until, wanted: &passes, names: names.bits, ..Ask::newest(wanted) };
                Ok(customers::timeline::page(tx, &members, &ask)?)
            })
            .await?;
        opened += page.entries.len();
        let mut next = page.next;
        for (item, place) in open(&app, &page.entries).await? {
            if q.channel.is_some_and(|channel| channel != item.strand) {
                continue;
            }
            if items.len() == limit {
                break;
            }
            items.push(item);
            if items.len() == limit && page.entries.last().is_some_and(|e| (e.timestamp, e.seq) != place) {
                next = Some(place);
            }
        }
        before = next;
        if next.is_none() || items.len() == limit || opened >= OPENED_MAX || q.channel.is_none() {
            return Ok(Json(List { items, next_cursor: before.map(|(at, seq)| cursor(&[at.micros(), seq])) }));
        }
    }
}

/// Opens the bodies of entries, in their order.
async fn open(app: &Arc<App>, entries: &[TimelineEntry]) -> Result<Vec<(TimelineItem, Place)>, Problem> {
    let profiles: HashMap<i64, i64> = entries.iter().map(|e| (e.seq, e.profile_id)).collect();
    let seqs: Vec<i64> = entries.iter().map(|e| e.seq).collect();
    let preparer = app.domain.preparer().clone();
    let mut events = app.query(move |db| Ok(timeline::events_of(db, &preparer, &seqs)?)).await?;
    events.sort_by_key(|e| std::cmp::Reverse((e.timestamp, e.seq)));
    let keys = app.sources();
    let one = |event: StoredEvent| {
        let place = (event.timestamp, event.seq);
        let profile = profiles.get(&event.seq).copied().unwrap_or(event.profile_id);
        (item(event, profile, keys.sources()), place)
    };
    Ok(events.into_iter().map(one).collect())
}

/// How many events of a kind there are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct KindCount {
    kind: &'static str,
    count: i64,
}

/// How many events of a name there are.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NameCount {
    /// As the index has it: the event's name, or `$identify`, `$group`, `$alias`.
    name: String,
    kind: &'static str,
    count: i64,
}

/// What a timeline holds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TimelineCounts {
    kinds: Vec<KindCount>,
    /// The most frequent first, fifty at most.
    names: Vec<NameCount>,
    /// Whether everything was counted; otherwise the newest 131,072 events of each profile were.
    complete: bool,
}

/// Counts what a timeline holds, as far as the caller may see it.
#[utoipa::path(get, path = "/api/v1/customers/{person_id}/timeline/counts", tag = "customers",
    params(("person_id" = String, Path)), responses((status = 200, body = TimelineCounts)))]
pub async fn timeline_counts(
    State(app): State<Arc<App>>,
    ReadCustomers(caller): ReadCustomers,
    Path(id): Path<String>,
) -> Result<Json<TimelineCounts>, Problem> {
    let (_, members) = super::resolve(&app, &id).await?;
    // Beside the writer: of a long history this reads the whole index. In a busy shop events of the last seconds are missing.
    app.settle().await?;
    let (found, complete) = app
        .query(move |db| {
            let (counts, complete) = customers::timeline::counts(db, &members, COUNTED_MAX)?;
            let mut named = Vec::with_capacity(counts.len());
            let all: HashMap<u32, Box<str>> = db::names::all(db)?.into_iter().collect();
            for (number, count) in counts {
                named.push((all.get(&number).map(ToString::to_string).unwrap_or_default(), count));
            }
            Ok((named, complete))
        })
        .await?;
    let mut names: Vec<NameCount> = found
        .into_iter()
        .map(|(name, count)| NameCount { kind: kind_of(&name).id, name, count })
        .filter(|n| kinds().any(|kind| kind.id == n.kind && may_see(&caller, kind.area)))
        .collect();
    names.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    let sum = |id: &str| names.iter().filter(|n| n.kind == id).map(|n| n.count).sum();
    let counted = kinds().map(|kind| KindCount { kind: kind.id, count: sum(kind.id) });
    let kinds = counted.filter(|k| k.count > 0).collect();
    names.truncate(NAMES_MAX);
    Ok(Json(TimelineCounts { kinds, names, complete }))
}

/// A kind of timeline entries.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PageKind {
    id: &'static str,
    /// In English.
    title: &'static str,
    icon: &'static str,
    /// Whose readers see it: `orders`, `messages`, …
    area: &'static str,
}

/// A panel of the customer's page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PagePanel {
    id: &'static str,
    /// In English.
    title: &'static str,
    area: &'static str,
}

/// What the customer's page shows to the caller.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CustomerPage {
    kinds: Vec<PageKind>,
    /// From the top.
    panels: Vec<PagePanel>,
}

/// Lists what the customer's page shows to the caller: kinds of timeline entries and panels, as every part of Braid
/// registers them, without those that the caller may not see.
#[utoipa::path(get, path = "/api/v1/customer-page", tag = "customers", responses((status = 200, body = CustomerPage)))]
pub async fn customer_page(ReadCustomers(caller): ReadCustomers) -> Json<CustomerPage> {
    let kinds = kinds().filter(|k| may_see(&caller, k.area));
    let panels = panels().into_iter().filter(|p| may_see(&caller, p.area));
    Json(CustomerPage {
        kinds: kinds.map(|k| PageKind { id: k.id, title: k.title, icon: k.icon, area: k.area }).collect(),
        panels: panels.map(|p| PagePanel { id: p.id, title: p.title, area: p.area }).collect(),
    })
}
