//! A shop in a test: messages as JSON, a store, and what the log holds of them.
use crate::commands::{self, Placed};
use crate::counters::{Counted, CounterSet, Definition, Keep, Meaning, Occurrence};
use crate::cuts::{EventReader, LoggedEvent};
use crate::doctor;
use crate::prepare::Preparer;
use crate::profiles::Profiles;
use crate::replay::{Replay, unused_ids};
use crate::rules::Rules;
use base::{Clock, Country, ManualClock, SECOND_US, Timestamp};
use db::event::{Batch, Event, EventKind, Origin};
use db::log::{self, Kept};
use db::message::Message;
use db::testing::Place;
use db::writer::{Options, Recover};
use db::{DbError, Open, Store, Tx};
use hashbrown::HashMap;
use std::sync::{Arc, Mutex};

pub const KEY: (u64, u64) = (7, 11);
pub const SERVER: i64 = 2;

/// A day in May, as most tests have it.
pub fn day(n: i64) -> Timestamp {
    Timestamp::from_civil(2026, 5, 1, 12, 0, 0).plus(n * base::DAY_US)
}

/// Two counters: views, and the distinct categories of them.
pub fn counters() -> CounterSet {
    let what = Occurrence { event: "Product Viewed".into(), filter: None };
    let counted = Counted::Events { what, field: None, between: None };
    let views = Definition { id: 1, meaning: Meaning { counted: counted.clone(), keep: Keep::Count } };
    let newest = Definition { id: 2, meaning: Meaning { counted, keep: Keep::Newest { k: 5 } } };
    CounterSet::build(1, vec![views, newest]).expect("the definitions are sound")
}

pub fn preparer<'a>(counters: &'a CounterSet, rules: &'a Rules, key: (u64, u64), browser: bool) -> Preparer<'a> {
    Preparer { browser, country: Country::find("UA"), currency: "UAH", hash_key: key, rules, counters }
}

/// The event of a message's JSON; `timestamp` is required, `messageId` and `type` (track) are not.
pub fn event_with(key: (u64, u64), text: &str) -> Event {
    let message: Message<'_> = serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut event = draft(&message);
    let counters = counters();
    preparer(&counters, &Rules::default(), key, false)
        .fill(&message, None, &mut event)
        .expect("a server's event is taken");
    event
}

pub fn event(text: &str) -> Event {
    event_with(KEY, text)
}

pub fn draft(message: &Message<'_>) -> Event {
    let kind = message.kind.as_deref().map_or(EventKind::Track, |k| EventKind::parse(k).expect("a call of the API"));
    let at = message.timestamp.as_deref().map_or(day(0), |t| Timestamp::parse(t).expect("a time"));
    let message_id: Box<str> = message.message_id.as_deref().unwrap_or("m").into();
    let name = if kind == EventKind::Track { message.event.as_deref().unwrap_or("Product Viewed") } else { "" };
    Event {
        index: 0,
        id: crate::identifier::hash(KEY, "message", &message_id) | 1,
        message_id,
        timestamp: at,
        kind,
        name: name.into(),
        identifiers: Vec::new(),
        traits: Vec::new(),
        hits: Vec::new(),
        amount: None,
        previous_id: None,
        consent: None,
        touch: db::event::Touch::default(),
        profile_id: None,
        weak_id: false,
        passive: false,
    }
}

type Log = Arc<Mutex<Vec<(i64, doctor::Placed)>>>;

/// A store with everything that was sent to it. The log's bodies are kept beside it as events, since reading bodies is not
/// this crate's work.
pub struct Shop {
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub log: Log,
    pub place: Place,
}

struct Refold(Log);

impl Recover for Refold {
    fn recover(&mut self, tx: &mut Tx, _: i64, from_seq: i64) -> Result<(), DbError> {
        let counters = counters();
        let events = self.0.lock().expect("no test panicked").clone();
        for (group, placed) in events.iter().filter(|(_, p)| p.seq >= from_seq && p.profile_id != 0) {
            let doctor::Placed { seq, source, received_at, profile_id, ref event, .. } = *placed;
            let at = commands::Replayed { seq, group: *group, source, received_at, profile_id };
            commands::refold(tx, at, event, &counters)?;
        }
        Ok(())
    }
}

/// Reads what the test remembers.
pub struct Remembered(pub Log);

impl EventReader for Remembered {
    fn events(&mut self, _: &mut Tx, seqs: &[i64]) -> Result<Vec<LoggedEvent>, DbError> {
        let log = self.0.lock().expect("no test panicked");
        let wanted = log.iter().filter(|(_, p)| seqs.contains(&p.seq));
        Ok(wanted.map(|(_, p)| LoggedEvent { seq: p.seq, source: p.source, event: p.event.clone() }).collect())
    }
}

impl Shop {
    pub fn new() -> Self {
        Self::at(Place::sqlite(), Log::default())
    }

    /// One on each engine that is there.
    pub fn each() -> Vec<Self> {
        Place::all().into_iter().map(|place| Self::at(place, Log::default())).collect()
    }

    pub fn at(place: Place, log: Log) -> Self {
        let clock = Arc::new(ManualClock::new(day(100)));
        // PostgreSQL frees a dead writer's lock when it notices that the connection is gone.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let store = loop {
            match Self::open(&place, &clock, &log) {
                Err(DbError::Held(_)) if std::time::Instant::now() < deadline => std::thread::yield_now(),
                opened => break opened.expect("the store opens"),
            }
        };
        Self { store, clock, log, place }
    }

    fn open(place: &Place, clock: &Arc<ManualClock>, log: &Log) -> Result<Store, DbError> {
        Store::open(Open {
            location: place.location.clone(),
            sync: db::Sync::UnsafeFast,
            migrations: &[db::migrate::MIGRATIONS, crate::MIGRATIONS],
            options: Options { turn: std::time::Duration::from_secs(3600), ..Options::default() },
            clock: clock.clone() as Arc<dyn Clock>,
            holder: "a test".into(),
            take_over: false,
            before: None,
            recover: Some(Box::new(Refold(log.clone()))),
            ticker: None,
            observer: None,
            readers: 1,
        })
    }

    /// Opens the store again without a clean stop.
    pub fn kill(self) -> Self {
        let Shop { store, place, log, .. } = self;
        store.abandon();
        drop(store);
        Self::at(place, log)
    }

    /// Logs, places and folds a message; seconds pass.
    pub fn send(&self, text: &str) -> Placed {
        self.clock.advance(SECOND_US);
        let event = event_with(self.store.hash_key(), text);
        let log = self.log.clone();
        self.write(move |tx| {
            let (seq, received_at, group) = (tx.next_seq(), tx.now(), tx.group());
            let counters = counters();
            let placed = commands::place(tx, &event, seq, received_at)?;
            if placed.profile_id != 0 {
                commands::fold_event(tx, placed.profile_id, &event, &counters, SERVER, seq)?;
            }
            let profile_id = placed.profile_id;
            let kept = [Kept { index: 0, id: event.id, timestamp: event.timestamp, profile_id }];
            log::append(tx, &batch(received_at), &kept);
            let event = event.clone();
            let placed_event =
                doctor::Placed { seq, source: SERVER, received_at, profile_id, live_id: profile_id, event };
            log.lock().expect("no test panicked").push((group, placed_event));
            Ok(placed)
        })
    }

    pub fn write<T: Send + 'static>(&self, f: impl FnMut(&mut Tx) -> Result<T, DbError> + Send + 'static) -> T {
        self.store.write(f).expect("the command succeeds")
    }

    /// Everything flushed, then read on the writer's connection.
    pub fn read<T: Send + 'static>(&self, mut f: impl FnMut(&mut Tx) -> Result<T, DbError> + Send + 'static) -> T {
        self.write(move |tx| {
            tx.flush_table::<Profiles>()?;
            f(tx)
        })
    }

    /// What `doctor` finds: identity decided again, states and indexes from the log.
    pub fn findings(&self) -> Vec<doctor::Finding> {
        let log: Vec<doctor::Placed> =
            self.log.lock().expect("no test panicked").iter().map(|(_, p)| p.clone()).collect();
        self.read(move |tx| {
            let counters = counters();
            let db = tx.engine();
            let facts = doctor::read_facts(db)?;
            // Where each event is now, as its profile's index has it.
            let mut live: HashMap<i64, i64> = HashMap::new();
            let mut indexes: Vec<(i64, Vec<i64>)> = Vec::new();
            doctor::each_profile(db, &mut |id, profile| {
                indexes.push((id, profile.tail.entries().iter().map(|e| e.seq).collect()));
                Ok(())
            })?;
            for (id, tail) in indexes {
                let chunks = db::index::chunks(db, id)?;
                live.extend(chunks.iter().map(|e| e.seq).chain(tail).map(|seq| (seq, id)));
            }
            let rules = Arc::new(crate::rules::current(db)?);
            let mut replay = Replay::new(&facts, rules, unused_ids()).keeping_places();
            for placed in &log {
                let live_id = live.get(&placed.seq).copied().unwrap_or(placed.profile_id);
                replay.event(&doctor::Placed { live_id, ..placed.clone() });
            }
            let moves = replay.finish();
            let mut out: Vec<doctor::Finding> = replay.compare(&facts, &moves).into_iter().map(|d| d.finding).collect();
            let places = replay.places();
            let names = db::names::all(db)?;
            let mut profiles = Vec::new();
            doctor::each_profile(db, &mut |id, profile| {
                profiles.push((id, profile));
                Ok(())
            })?;
            for (id, profile) in &profiles {
                let own: Vec<&doctor::Placed> =
                    log.iter().filter(|p| places.binary_search(&(p.seq, *id)).is_ok()).collect();
                let events: Vec<(i64, &Event)> = own.iter().map(|p| (p.seq, &p.event)).collect();
                out.extend(doctor::check_identifiers(db, *id, profile)?);
                out.extend(doctor::check_state(db, *id, profile, own.iter().map(|p| (p.source, &p.event)), &counters)?);
                out.extend(doctor::check_index(db, *id, profile, &events, &names)?);
            }
            Ok(out)
        })
    }

    /// People as sets of identifier values, for comparing stores whose ids differ.
    pub fn people(&self) -> Vec<Vec<String>> {
        self.read(|tx| {
            let rows = tx.rows("SELECT kind, value, profile_id FROM identifiers ORDER BY kind, value", &[])?;
            let mut people: std::collections::BTreeMap<i64, Vec<String>> = std::collections::BTreeMap::new();
            for row in &rows {
                let person = commands::person_of(tx, row.int(2)?)?;
                people.entry(person).or_default().push(format!("{}={}", row.text(0)?, row.text(1)?));
            }
            let mut out: Vec<Vec<String>> = people.into_values().collect();
            out.sort();
            Ok(out)
        })
    }
}

fn batch(received_at: Timestamp) -> Batch {
    Batch {
        source: SERVER,
        origin: Origin::Tracking,
        browser: false,
        received_at,
        raw: bytes::Bytes::from_static(b"{}"),
        packed: log::pack_body(b"{}"),
        extra: Vec::new(),
        count: 1,
        events: Vec::new(),
        prepared_with: 1,
    }
}
