//! A small world: people with profiles, addresses, segments and consents, and a store beside it.
use crate::commands::{create_rule, create_template, put_caps, update_rule};
use crate::doctor::{self, Finding, Severity};
use crate::facts::{GateFacts, PersonFacts};
use crate::lists::{self, MessageFilter, MessageItem};
use crate::model::{Cap, Counts, Derived, REASONS, Rule, RuleDraft, Shop, TemplateDraft};
use crate::outbox::{self, ClaimOptions, ClaimedBatch, Entry, Outcome, SettleAs, Settled};
use crate::{MIGRATIONS, MessagingError};
use base::{Clock, DAY_US, ManualClock, Timestamp};
use db::testing::Place;
use db::{DbError, Open, Store, Sync, Tx};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The truth about people, as the other crates would tell it.
#[derive(Default)]
pub struct Truth {
    /// Profile → person; the person is the least profile of its component.
    pub person_of: BTreeMap<i64, i64>,
    pub emails: HashMap<i64, Vec<String>>,
    pub traits: HashMap<i64, serde_json::Map<String, serde_json::Value>>,
    pub members: HashSet<(i64, i64)>,
    pub consents: HashMap<(String, String), bool>,
    pub events: HashMap<i64, String>,
    pub unsubscribed: HashSet<i64>,
}

impl Truth {
    pub fn profiles_of(&self, profile: i64) -> Vec<i64> {
        let person = self.person_of.get(&profile).copied();
        self.person_of.iter().filter(|(_, p)| Some(**p) == person).map(|(id, _)| *id).collect()
    }
    pub fn merge(&mut self, a: i64, b: i64) {
        let (Some(a), Some(b)) = (self.person_of.get(&a).copied(), self.person_of.get(&b).copied()) else { return };
        let (keep, gone) = (a.min(b), a.max(b));
        self.person_of.values_mut().filter(|p| **p == gone).for_each(|p| *p = keep);
    }
}

/// A handle that can go into the writer's closures.
#[derive(Clone, Default)]
pub struct Facts(pub Arc<Mutex<Truth>>);

impl Facts {
    pub fn truth(&self) -> MutexGuard<'_, Truth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GateFacts for Facts {
    fn membership(&mut self, _: &mut Tx, segment_id: i64, person_id: i64) -> Result<bool, DbError> {
        let truth = self.truth();
        Ok(truth.profiles_of(person_id).iter().any(|p| truth.members.contains(&(segment_id, *p))))
    }
    fn person(&mut self, _: &mut Tx, profile_id: i64) -> Result<Option<PersonFacts>, DbError> {
        let truth = self.truth();
        let Some(person_id) = truth.person_of.get(&profile_id).copied() else { return Ok(None) };
        let members = truth.profiles_of(profile_id);
        let mut traits = serde_json::Map::new();
        for member in &members {
            traits.extend(truth.traits.get(member).cloned().unwrap_or_default());
        }
        let emails = members.iter().flat_map(|m| truth.emails.get(m).cloned().unwrap_or_default()).collect();
        let unsubscribed = members.iter().any(|m| truth.unsubscribed.contains(m));
        Ok(Some(PersonFacts { person_id, members, traits, emails, unsubscribed }))
    }
    fn consent(&mut self, _: &mut Tx, _: &str, address: &str, purpose: &str) -> Result<Option<bool>, DbError> {
        Ok(self.truth().consents.get(&(address.to_string(), purpose.to_string())).copied())
    }
    fn event_properties(&mut self, _: &mut Tx, seq: i64) -> Result<Option<String>, DbError> {
        Ok(self.truth().events.get(&seq).cloned())
    }
    fn segment_exists(&mut self, _: &mut Tx, segment_id: i64) -> Result<bool, DbError> {
        Ok((1..=9).contains(&segment_id))
    }
}

/// Ten minutes: longer than any attempt of these tests.
pub const LEASE_US: i64 = 600 * base::SECOND_US;

pub struct World {
    pub place: Arc<Place>,
    pub clock: Arc<ManualClock>,
    pub facts: Facts,
    pub shop: Shop,
    store: Option<Store>,
    next_event: i64,
}

impl World {
    /// Runs a story once per engine.
    pub fn each(story: impl Fn(World)) {
        for place in Place::all() {
            story(World::new(place));
        }
    }
    pub fn new(place: Place) -> World {
        let clock = Arc::new(ManualClock::new(Timestamp::from_civil(2026, 11, 22, 14, 32, 0)));
        let mut world =
            World { place: Arc::new(place), clock, facts: Facts::default(), shop: shop(), store: None, next_event: 0 };
        world.open();
        world
    }
    pub fn open(&mut self) {
        let open = Open {
            location: self.place.location.clone(),
            sync: Sync::UnsafeFast,
            migrations: &[db::migrate::MIGRATIONS, MIGRATIONS],
            options: db::writer::Options::default(),
            clock: self.clock.clone() as Arc<dyn Clock>,
            holder: "a test".into(),
            take_over: false,
            before: None,
            recover: None,
            ticker: None,
            observer: None,
            readers: 1,
        };
        self.store = Some(Store::open(open).expect("the store opens"));
    }
    /// Ends the program as a kill would, and starts it again.
    pub fn crash(&mut self) {
        if let Some(store) = self.store.take() {
            store.abandon();
        }
        self.open();
        self.write(|tx| outbox::expire_all(tx, 1000));
    }
    pub fn store(&self) -> &Store {
        self.store.as_ref().expect("the store is open")
    }
    pub fn try_write<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut Tx) -> Result<T, MessagingError> + Send + 'static,
    ) -> Result<T, MessagingError> {
        self.store().write(f)
    }
    pub fn write<T: Send + 'static>(&self, mut f: impl FnMut(&mut Tx) -> Result<T, DbError> + Send + 'static) -> T {
        self.try_write(move |tx| f(tx).map_err(MessagingError::from)).expect("the write succeeds")
    }

    /// A person of one profile with an address that agreed to marketing.
    pub fn person(&self, id: i64) {
        let mut truth = self.facts.truth();
        truth.person_of.insert(id, id);
        truth.emails.insert(id, vec![email(id)]);
        truth.consents.insert((email(id), "marketing".into()), true);
        let name = serde_json::json!({ "firstName": format!("Olena{id}") });
        truth.traits.insert(id, name.as_object().cloned().unwrap_or_default());
    }
    pub fn consent(&self, id: i64, granted: Option<bool>) {
        let key = (email(id), "marketing".to_string());
        match granted {
            Some(granted) => self.facts.truth().consents.insert(key, granted),
            None => self.facts.truth().consents.remove(&key),
        };
    }
    pub fn template(&self, subject: &str, text: &str) -> i64 {
        let draft = draft(subject, text);
        self.try_write(move |tx| create_template(tx, &draft)).expect("a template").after.id
    }
    pub fn rule(&self, template_id: i64) -> i64 {
        self.rule_with(rule_draft(template_id)).expect("a rule").id
    }
    pub fn rule_with(&self, draft: RuleDraft) -> Result<Rule, MessagingError> {
        let mut facts = self.facts.clone();
        self.try_write(move |tx| create_rule(tx, &mut facts, &draft)).map(|c| c.after)
    }
    pub fn change_rule(&self, id: i64, draft: RuleDraft) -> Rule {
        let mut facts = self.facts.clone();
        self.try_write(move |tx| update_rule(tx, &mut facts, id, &draft, None)).expect("a changed rule").after
    }
    pub fn caps(&self, limit: i64, window: &str) {
        let caps = [Cap { channel: "email".into(), purpose: "marketing".into(), limit, window: window.into() }];
        self.try_write(move |tx| put_caps(tx, &caps)).expect("caps");
    }

    /// The person enters segment 1 by an event of its own.
    pub fn enter(&mut self, profile: i64) -> Vec<Derived> {
        self.next_event += 1;
        self.enter_by(profile, self.next_event)
    }
    pub fn enter_by(&mut self, profile: i64, seq: i64) -> Vec<Derived> {
        let person_id = {
            let mut truth = self.facts.truth();
            let person_id = truth.person_of.get(&profile).copied().unwrap_or(profile);
            truth.members.insert((1, person_id));
            truth.events.entry(seq).or_insert_with(|| format!("{{\"product\":\"shoe-{seq}\"}}"));
            person_id
        };
        let mut facts = self.facts.clone();
        self.write(move |tx| {
            let event_id = format!("e{seq}");
            outbox::intend(tx, &mut facts, &[Entry { segment_id: 1, person_id, event_seq: seq, event_id: &event_id }])
        })
    }
    pub fn leave(&mut self, profile: i64) {
        let mut truth = self.facts.truth();
        for p in truth.profiles_of(profile) {
            truth.members.remove(&(1, p));
        }
    }
    pub fn claim(&self) -> ClaimedBatch {
        let (mut facts, shop) = (self.facts.clone(), self.shop.clone());
        self.write(move |tx| {
            outbox::claim_due(tx, &mut facts, ClaimOptions { shop: &shop, limit: 100, lease_us: LEASE_US })
        })
    }
    pub fn settle(&self, id: i64, attempt: i64, outcome: Outcome) -> (Settled, Vec<Derived>) {
        self.write(move |tx| outbox::settle(tx, id, attempt, &outcome))
    }
    pub fn sent(&self, id: i64, attempt: i64) -> (Settled, Vec<Derived>) {
        self.settle(id, attempt, Outcome::Sent { reply: "250 ok".into() })
    }
    pub fn settle_unknown(&self, id: i64, how: SettleAs) -> Result<(), MessagingError> {
        self.try_write(move |tx| outbox::settle_unknown(tx, id, how)).map(drop)
    }
    pub fn expire(&self) -> i64 {
        self.write(|tx| outbox::expire_leases(tx, 1000))
    }

    pub fn messages(&self) -> Vec<MessageItem> {
        let page = self.store().query(|db| lists::messages(db, &MessageFilter::default(), 200)).expect("a list");
        page.items.into_iter().rev().collect()
    }
    /// `sent`, `stopped no_consent`, … in the order of intent.
    pub fn statuses(&self) -> Vec<String> {
        let brief = |m: MessageItem| format!("{} {}", m.message.status.as_str(), m.message.reason).trim().to_string();
        self.messages().into_iter().map(brief).collect()
    }
    pub fn totals(&self) -> Counts {
        self.store().query(lists::totals).expect("counts")
    }
    /// What `doctor` finds, notes left out.
    pub fn findings(&self) -> Vec<Finding> {
        let now = self.clock.now();
        let all = self.store().query(move |db| doctor::check(db, now)).expect("the doctor reads");
        all.into_iter().filter(|f| f.severity != Severity::Note).collect()
    }
    pub fn check(&self) {
        assert_eq!(self.findings(), []);
        assert!(self.totals().balance());
        for item in self.messages() {
            let reason = item.message.reason;
            assert!(reason.is_empty() || REASONS.contains(&reason.as_str()), "{reason}");
        }
    }
}

pub fn email(id: i64) -> String {
    format!("olena{id}@example.com")
}

pub fn draft(subject: &str, text: &str) -> TemplateDraft {
    TemplateDraft {
        name: "Welcome".into(),
        channel: "email".into(),
        subject: subject.into(),
        body_html: String::new(),
        body_text: text.into(),
    }
}

pub fn rule_draft(template_id: i64) -> RuleDraft {
    RuleDraft {
        name: "Welcome".into(),
        segment_id: 1,
        template_id,
        channel: "email".into(),
        purpose: "marketing".into(),
        topic: String::new(),
        once: true,
        enabled: true,
    }
}

pub fn shop() -> Shop {
    Shop {
        name: "Kvitka".into(),
        time_zone: "Europe/Kyiv".into(),
        currency: "UAH".into(),
        locale: "uk".into(),
        country: "UA".into(),
        public_url: "https://shop.example".into(),
        mail_domain: "shop.example".into(),
        quiet_hours: None,
    }
}

pub fn names(derived: &[Derived]) -> BTreeSet<(i64, &'static str)> {
    derived.iter().map(|d| (d.profile_id, d.name)).collect()
}

pub const WEEK_US: i64 = 7 * DAY_US;
