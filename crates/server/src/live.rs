//! From notices to messages of streams: one task reads what is needed once, for all who watch.
use crate::api::customers::timeline;
use crate::api::events::{accepted, rejected};
use crate::api::home::counts;
use crate::api::stock::wire::Amount;
use crate::app::App;
use crate::hub::{Topic, message};
use crate::live_filter::{Needs, Told};
use crate::problem::Problem;
use crate::rejects::{self, Filter};
use bytes::Bytes;
use db::Notice;
use db::notice::JobMoved;
use pipeline::timeline::events_of;
use serde::Serialize;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Events a second on the shop's stream, at most; more than anybody can read.
const EVENTS_PER_SECOND: f64 = 50.0;
/// Events a second that are looked at where somebody looks for few among many.
const LOOKED_PER_SECOND: f64 = 500.0;
/// How often counts are told, at most.
const COUNTS_EVERY: Duration = Duration::from_secs(1);
/// Events of one person in one message round, at most; beyond, the page is told to fetch.
const PERSON_EVENTS_MAX: usize = 50;

/// What a round of notices asks to be told.
#[derive(Default)]
struct Round {
    events: Vec<i64>,
    skipped: u64,
    people: HashSet<i64>,
    person_events: HashMap<i64, Vec<(i64, i64)>>,
    segments: HashMap<i64, i64>,
    /// Variants of which more or less can be had.
    stock: HashSet<i64>,
    rejected: i64,
    changed: bool,
    counted: bool,
    /// The newest word about each job that moved.
    jobs: HashMap<i64, Arc<JobMoved>>,
}

/// Turns notices into messages until the server stops.
pub async fn run(app: Arc<App>, mut notices: mpsc::Receiver<Vec<Notice>>, mut stop: watch::Receiver<bool>) {
    let (mut credit, mut refilled) = (EVENTS_PER_SECOND, Instant::now());
    let mut told = Instant::now().checked_sub(COUNTS_EVERY).unwrap_or_else(Instant::now);
    let (mut counts_due, mut last_counts) = (false, None);
    let mut last_reject = i64::MAX;
    let mut jobs: HashMap<i64, Arc<JobMoved>> = HashMap::new();
    loop {
        let wait = COUNTS_EVERY.saturating_sub(told.elapsed());
        let first = tokio::select! {
            _ = stop.wait_for(|s| *s) => break,
            first = notices.recv() => match first { Some(first) => Some(first), None => break },
            () = tokio::time::sleep(wait), if counts_due || !jobs.is_empty() => None,
        };
        let needs = app.hub.needs();
        let most = if needs.picky { LOOKED_PER_SECOND } else { EVENTS_PER_SECOND };
        credit = (credit + refilled.elapsed().as_secs_f64() * most).min(most);
        refilled = Instant::now();
        let mut round = Round::default();
        if let Some(first) = first {
            let people: HashSet<i64> = app.hub.people().into_iter().collect();
            round.take(&first, (&people, &needs), &mut credit);
            // What has come meanwhile is told together.
            while let Ok(more) = notices.try_recv() {
                round.take(&more, (&people, &needs), &mut credit);
            }
        }
        if app.hub.take_missed() {
            app.hub.send_all(&message("reload", "{}"));
        }
        counts_due |= round.counted;
        // A job may move a thousand times a second; what it says last, and its end, are told.
        jobs.extend(std::mem::take(&mut round.jobs));
        let tell_jobs = told.elapsed() >= COUNTS_EVERY;
        let jobs_told: Vec<_> = jobs.extract_if(|_, moved| tell_jobs || !moved.state.is_open()).collect();
        for (_, moved) in &jobs_told {
            app.hub.send(Topic::Live, &text("job", &job(moved)));
        }
        if tell_jobs && !jobs_told.is_empty() && !counts_due {
            told = Instant::now();
        }
        if let Err(problem) = tell(&app, round, &mut last_reject).await {
            tracing::warn!(code = problem.code.code, detail = %problem.detail, "streams could not be told");
            app.hub.send_all(&message("reload", "{}"));
        }
        if counts_due && told.elapsed() >= COUNTS_EVERY {
            (counts_due, told) = (false, Instant::now());
            if app.hub.watched(Topic::Live)
                && let Ok(fresh) = app.query(|db| Ok(counts(db)?)).await
                && last_counts != Some(fresh)
            {
                last_counts = Some(fresh);
                let data = json!({"as_of": app.now(), "counts": fresh});
                app.hub.send(Topic::Live, &message("counts", &data.to_string()));
            }
        }
    }
}

impl Round {
    fn take(&mut self, notices: &[Notice], (people, needs): (&HashSet<i64>, &Needs), credit: &mut f64) {
        for notice in notices {
            match notice {
                Notice::Logged(logged) => {
                    self.counted = true;
                    let wanted = needs.source(logged.source);
                    for item in &logged.items {
                        if !wanted {
                            // Nobody misses it.
                        } else if *credit >= 1.0 {
                            *credit -= 1.0;
                            self.events.push(item.seq);
                        } else {
                            self.skipped += 1;
                        }
                        if people.contains(&item.person_id) {
                            self.person_events.entry(item.person_id).or_default().push((item.seq, item.profile_id));
                        }
                    }
                }
                Notice::Person { person_id } => {
                    self.people.insert(*person_id);
                }
                Notice::Segment { id, count } => {
                    self.segments.insert(*id, *count);
                }
                Notice::Stock { variant_no } => {
                    self.stock.insert(*variant_no);
                }
                Notice::Changed { .. } => self.changed = true,
                Notice::Job(moved) => {
                    self.jobs.insert(moved.id, moved.clone());
                }
                Notice::Rejected { count, .. } => {
                    self.counted = true;
                    self.rejected += count;
                }
            }
        }
    }
}

/// Variants in one message; beyond, the page is told to fetch.
const STOCK_MAX: usize = 500;

/// Says what each channel can promise of what has moved.
async fn tell_stock(app: &Arc<App>, variants: HashSet<i64>) -> Result<(), Problem> {
    if variants.len() > STOCK_MAX {
        app.hub.send(Topic::Stock, &message("reload", "{}"));
        return Ok(());
    }
    let told = app
        .read(move |tx| {
            let places = stock::commands::places(tx)?;
            let (channels, now) = (places.channels(), tx.now());
            let mut told = Vec::with_capacity(variants.len());
            for variant_no in variants {
                let Some(variant) = catalog::variants::get(tx, variant_no)? else { continue };
                let stock = stock::commands::stock(tx, variant_no)?.unwrap_or_default();
                let channels: serde_json::Map<String, serde_json::Value> = channels
                    .iter()
                    .map(|c| (c.id.to_string(), json!(Amount(stock::availability::for_channel(&stock, c, now)))))
                    .collect();
                told.push(json!({"sku": variant.sku, "channels": channels, "as_of": now}));
            }
            Ok(told)
        })
        .await?;
    for item in told {
        app.hub.send(Topic::Stock, &text("stock", &item));
    }
    Ok(())
}

/// A job in a stream.
fn job(moved: &JobMoved) -> serde_json::Value {
    json!({
        "id": moved.id.to_string(), "kind": moved.kind, "state": moved.state.as_str(), "position": moved.position,
        "total": Some(moved.total).filter(|t| *t > 0), "rate": (moved.rate * 10.0).round() / 10.0, "note": moved.note,
    })
}

fn text(event: &str, data: &impl Serialize) -> Bytes {
    message(event, &serde_json::to_string(data).unwrap_or_else(|_| "{}".into()))
}

async fn tell(app: &Arc<App>, round: Round, last_reject: &mut i64) -> Result<(), Problem> {
    let hub = &app.hub;
    for (id, count) in &round.segments {
        hub.send(Topic::Segment(*id), &text("count", &json!({"count": count, "as_of": app.now()})));
        hub.send(Topic::Live, &text("segment", &json!({"id": id.to_string(), "count": count})));
    }
    if !round.stock.is_empty() && hub.watched(Topic::Stock) {
        tell_stock(app, round.stock).await?;
    }
    if round.changed {
        hub.send(Topic::Live, &message("reload", "{}"));
    }
    let live = hub.watched(Topic::Live);
    let mut seqs = if live { round.events } else { Vec::new() };
    let shown = seqs.len();
    let few = |list: &&Vec<(i64, i64)>| list.len() <= PERSON_EVENTS_MAX;
    seqs.extend(round.person_events.values().filter(few).flatten().map(|(seq, _)| *seq));
    if !seqs.is_empty() {
        let own: HashSet<i64> = seqs.iter().take(shown).copied().collect();
        let preparer = app.domain.preparer().clone();
        let events = app.query(move |db| Ok(events_of(db, &preparer, &seqs)?)).await?;
        let people = crate::api::events::people_of(app, &events).await?;
        let keys = app.sources();
        let mut skipped = Some(round.skipped).filter(|n| *n > 0);
        for (event, person) in events.iter().zip(people) {
            if own.contains(&event.seq) {
                let mut item = accepted(event, person, keys.sources());
                item.skipped = skipped.take();
                let told = Told { source: event.source, event: &event.name, kind: event.kind.as_str(), code: None };
                hub.send_event(told, &text("event", &item));
            }
            if let Some((_, profile)) =
                round.person_events.get(&person).and_then(|l| l.iter().find(|(s, _)| *s == event.seq))
            {
                let item = timeline::item(event.clone(), *profile, keys.sources());
                hub.send(Topic::Person(person), &text("timeline", &item));
            }
        }
    }
    for person in round.people.iter().chain(round.person_events.keys()) {
        hub.send(Topic::Person(*person), &message("person", "{}"));
        hub.send(Topic::PersonBriefly(*person), &message("person", "{}"));
    }
    if live && round.rejected > 0 {
        tell_rejects(app, round.rejected, last_reject).await?;
    }
    Ok(())
}

async fn tell_rejects(app: &Arc<App>, count: i64, last: &mut i64) -> Result<(), Problem> {
    let newest = count.min(20);
    let filter = Filter { before: i64::MAX, ..Filter::default() };
    let mut found = app.query(move |db| Ok(rejects::list(db, &filter, newest)?)).await?;
    found.reverse();
    let keys = app.sources();
    for reject in found {
        if *last == i64::MAX || reject.id > *last {
            *last = reject.id;
            let (source, event, code) = (reject.source, reject.event.clone(), reject.code.clone());
            let told = Told { source, event: &event, kind: "", code: Some(&code) };
            app.hub.send_event(told, &text("event", &rejected(reject, keys.sources())));
        }
    }
    Ok(())
}
