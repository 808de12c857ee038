//! One small language for stories: the same text on both engines.
use crate::{Core, Ingest, Ingested, Open, Settings, doctor};
use base::{Clock, ManualClock, Timestamp};
use bytes::Bytes;
use collect::{Call, Source, SourceKind};
use db::testing::Place;
use db::writer::Options;
use db::{DbError, Sync, Tx};
use segments::runtime::{Segment, commands, definitions};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// A store with a clock that is moved by hand.
pub struct Shop {
    pub place: Place,
    pub clock: Arc<ManualClock>,
    pub sync: Sync,
    core: Option<Core>,
    turn: Duration,
    /// Kinds of jobs of the test's own.
    pub kinds: Vec<crate::jobs::Kind>,
}

pub fn noon() -> Timestamp {
    Timestamp::from_civil(2026, 11, 22, 12, 0, 0)
}

pub fn shops() -> Vec<Shop> {
    Place::all().into_iter().map(|place| Shop::open(place, Duration::from_millis(5))).collect()
}

impl Shop {
    pub fn open(place: Place, turn: Duration) -> Self {
        let clock = Arc::new(ManualClock::new(noon()));
        let mut shop = Self { place, clock, sync: Sync::UnsafeFast, core: None, turn, kinds: Vec::new() };
        shop.start();
        shop
    }

    pub fn start(&mut self) {
        let core = Core::open(Open {
            location: self.place.location.clone(),
            sync: self.sync,
            options: Options { turn: self.turn, ..Options::default() },
            clock: self.clock.clone() as Arc<dyn Clock>,
            holder: "a test".into(),
            take_over: false,
            settings: Settings::default(),
            migrations: Vec::new(),
            observer: None,
            readers: 1,
            jobs: self.kinds.clone(),
            sweeps: Vec::new(),
        });
        self.core = Some(core.expect("the store opens"));
    }

    pub fn core(&self) -> &Core {
        self.core.as_ref().expect("the shop is open")
    }

    /// Ends as a kill would, and starts again.
    pub fn crash(&mut self) {
        if let Some(core) = self.core.take() {
            core.store.abandon();
        }
        self.start();
    }

    /// Ends in order, and starts again.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    pub fn stop(&mut self) {
        if let Some(core) = self.core.take() {
            core.store.close();
        }
    }

    pub fn send(&self, source: i64, kind: SourceKind, body: &str) -> Result<Ingested, DbError> {
        let core = self.core();
        let received_at = self.clock.now();
        let source = Source { id: source, kind };
        let received = core.preparer.receive(
            Call::Batch,
            source,
            collect::Client::default(),
            Bytes::copy_from_slice(body.as_bytes()),
            received_at,
        );
        let received = received.expect("the body is taken");
        let (sender, receiver) = mpsc::sync_channel(1);
        let reply = Box::new(move |answer| {
            let _ = sender.send(answer);
        });
        core.store.push(Ingest::command(core.preparer.clone(), received.batch, received.rejects, reply));
        receiver.recv().unwrap_or(Err(DbError::Stopped))
    }

    /// Sends messages from a server source.
    pub fn events(&self, items: &[serde_json::Value]) -> Ingested {
        let body = serde_json::json!({ "batch": items }).to_string();
        self.send(1, SourceKind::Server, &body).expect("the batch is logged")
    }

    pub fn track(&self, user: &str, event: &str, properties: serde_json::Value) -> Ingested {
        let id = base::random_token();
        self.events(&[serde_json::json!({"type": "track", "messageId": id, "userId": user, "event": event, "properties": properties})])
    }

    /// Moves the clock on and waits until what was due is done.
    pub fn pass(&self, us: i64) {
        self.clock.advance(us);
        self.until("what was due is done", |shop| {
            shop.core().store.poke();
            let now = shop.clock.now();
            shop.read(move |tx| Ok(segments::runtime::timers::next_due(tx)? > now))
        });
    }

    pub fn read<T: Send + 'static>(&self, f: impl FnOnce(&mut Tx) -> Result<T, DbError> + Send + 'static) -> T {
        self.core().store.read(f).expect("the read succeeds")
    }

    pub fn segment(&self, name: &str, expression: &str) -> Segment {
        let (name, expression) = (name.to_string(), expression.to_string());
        let made = self.core().store.write(move |tx| commands::create(tx, &name, &expression));
        let made = made.expect("the segment is made");
        self.until("the segment is live", |shop| {
            shop.core().store.poke();
            shop.read(move |tx| {
                Ok(definitions::current(tx)?
                    .find(made.id)
                    .is_some_and(|s| s.filling == segments::runtime::Filling::Live))
            })
        });
        made
    }

    pub fn person(&self, kind: &str, value: &str) -> Option<i64> {
        let (kind, value) = (kind.to_string(), value.to_string());
        let country = base::Country::find("UA");
        self.read(move |tx| Ok(customers::lookup(tx, &kind, &value, country)?.map(|(person, _)| person)))
    }

    /// User ids of the people in a segment, by evaluation now.
    pub fn members(&self, segment: i64, users: &[&str]) -> Vec<String> {
        let mut out = Vec::new();
        for user in users {
            let Some(person) = self.person("user_id", user) else { continue };
            let is = self.read(move |tx| {
                Ok(segments::runtime::read_person(tx, person)?.iter().any(|m| m.segment_id == segment))
            });
            if is {
                out.push((*user).to_string());
            }
        }
        out
    }

    pub fn count(&self, segment: i64) -> i64 {
        self.read(move |tx| segments::runtime::count(tx, segment))
    }

    pub fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < Duration::from_secs(20), "never happened: {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn doctor(&self) -> doctor::Report {
        doctor::run(&self.place.location, &*self.clock, Settings::default()).expect("the doctor can read")
    }

    pub fn assert_clean(&self) {
        let report = self.doctor();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }
}
