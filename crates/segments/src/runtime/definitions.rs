//! The segments as the writer knows them, compiled.
use crate::computed::{self, Known};
use crate::language::parse;
use crate::language::parse_formula;
use crate::{Plan, compile_with};
use customers::counters::Kind;
use customers::counters::{CounterSet, Definition, Meaning};
use customers::derived::Rules;
use customers::model::Currency;
use db::tx::Memory;
use db::{DbError, Engine, Tx, settings};
use hashbrown::HashMap;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// How far a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    /// Its counters do not know the past yet: nobody is evaluated.
    Counting,
    /// People up to this id have been evaluated; the others will be.
    Evaluating { upto: i64 },
    /// Everybody is evaluated with each of their events.
    Live,
}

impl Filling {
    /// Whether a person's events move this segment already.
    pub fn covers(self, person_id: i64) -> bool {
        match self {
            Filling::Counting => false,
            Filling::Evaluating { upto } => person_id <= upto,
            Filling::Live => true,
        }
    }
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        if self == Filling::Live { "live" } else { "filling" }
    }
}

/// One segment.
#[derive(Debug, Clone)]
pub struct Segment {
    pub id: i64,
    pub name: String,
    pub expression: String,
    pub filling: Filling,
    /// Rises with every change of the expression.
    pub version: i64,
    pub created_at_us: i64,
    pub updated_at_us: i64,
    pub(crate) plan: Plan,
}

/// One computed trait.
#[derive(Debug, Clone)]
pub struct ComputedTrait {
    pub id: i64,
    pub name: String,
    /// As people call it.
    pub title: String,
    pub expression: String,
    pub kind: Kind,
    /// Whether its counters know the past.
    pub live: bool,
    /// Rises with every change of expression or type.
    pub version: i64,
    pub created_at_us: i64,
    pub updated_at_us: i64,
    pub plan: computed::Plan,
}

impl Segment {
    /// What it needs to be evaluated.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// All segments that are not archived, ready to be evaluated; replaced as a whole when one changes.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub zone: TimeZone,
    pub counters: Arc<CounterSet>,
    /// What derived traits know of the shop.
    pub rules: Arc<Rules>,
    /// Those that others name in `in segment` come before those that name them.
    pub segments: Vec<Segment>,
    /// Traits that the shop defines itself, by name.
    pub computed: Vec<ComputedTrait>,
    /// The same for compiling conditions.
    pub known: Arc<Known>,
    by_counter: HashMap<u32, Vec<usize>>,
    by_trait: HashMap<Box<str>, Vec<usize>>,
    by_identifier: HashMap<Box<str>, Vec<usize>>,
    by_facts: Vec<usize>,
    by_consent: Vec<usize>,
    by_segment: HashMap<i64, Vec<usize>>,
}

impl Compiled {
    /// A segment by id.
    pub fn find(&self, id: i64) -> Option<&Segment> {
        self.segments.iter().find(|s| s.id == id)
    }
    /// A computed trait by id.
    pub fn find_computed(&self, id: i64) -> Option<&ComputedTrait> {
        self.computed.iter().find(|c| c.id == id)
    }
    /// Segments that an event can change, by position, ascending.
    pub(crate) fn affected(&self, event: &db::event::Event, out: &mut Vec<usize>) {
        for hit in &event.hits {
            out.extend(self.by_counter.get(&hit.counter).into_iter().flatten());
        }
        if !self.by_trait.is_empty() {
            for (name, _) in &event.traits {
                out.extend(self.by_trait.get(name).into_iter().flatten());
                // `name` is composed of its parts where nobody said it.
                if matches!(&**name, "firstName" | "lastName") {
                    out.extend(self.by_trait.get("name").into_iter().flatten());
                }
            }
        }
        if !self.by_identifier.is_empty() {
            for identifier in &event.identifiers {
                out.extend(self.by_identifier.get(&identifier.kind).into_iter().flatten());
            }
        }
        if event.touch.act != 0 {
            out.extend(&self.by_facts);
        }
        if event.consent.is_some() {
            out.extend(&self.by_consent);
        }
        out.sort_unstable();
        out.dedup();
    }
    /// Whether an event can change who is in a segment.
    pub fn touches(&self, event: &db::event::Event, segment_id: i64) -> bool {
        let mut affected = Vec::new();
        self.affected(event, &mut affected);
        affected.iter().any(|at| self.segments[*at].id == segment_id)
    }
    /// Segments that depend on a consent.
    pub(crate) fn on_consent(&self) -> &[usize] {
        &self.by_consent
    }
    /// Segments that name a segment.
    pub(crate) fn naming(&self, id: i64) -> &[usize] {
        self.by_segment.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// The definitions in memory, with what the running group replaced.
pub struct Segments {
    current: Arc<Compiled>,
    before: Option<Arc<Compiled>>,
}

impl Memory for Segments {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        Ok(Self { current: Arc::new(load(db)?), before: None })
    }
    fn commit(&mut self) {
        self.before = None;
    }
    fn rollback(&mut self) {
        if let Some(before) = self.before.take() {
            self.current = before;
        }
    }
}

/// The definitions now.
pub fn current(tx: &mut Tx) -> Result<Arc<Compiled>, DbError> {
    Ok(tx.memory::<Segments>()?.current.clone())
}

/// Reads the definitions again after a command changed their rows.
pub fn reload(tx: &mut Tx) -> Result<Arc<Compiled>, DbError> {
    // The rows may wait in the transaction's buffer.
    tx.rows("SELECT id FROM segments WHERE id = 0", &[])?;
    let fresh = Arc::new(load(tx.engine())?);
    let memory = tx.memory::<Segments>()?;
    let old = std::mem::replace(&mut memory.current, fresh.clone());
    memory.before.get_or_insert(old);
    Ok(fresh)
}

/// Notes how far a filling segment has come, without compiling anything again.
pub fn set_filling(tx: &mut Tx, id: i64, filling: Filling) -> Result<(), DbError> {
    let memory = tx.memory::<Segments>()?;
    let old = memory.current.clone();
    let mut fresh = (*old).clone();
    if let Some(segment) = fresh.segments.iter_mut().find(|s| s.id == id) {
        segment.filling = filling;
    }
    memory.current = Arc::new(fresh);
    memory.before.get_or_insert(old);
    Ok(())
}

/// Notes that a computed trait's counters know the past, without compiling anything again.
pub(crate) fn set_computed_live(tx: &mut Tx, id: i64) -> Result<(), DbError> {
    let memory = tx.memory::<Segments>()?;
    let old = memory.current.clone();
    let mut fresh = (*old).clone();
    if let Some(computed) = fresh.computed.iter_mut().find(|c| c.id == id) {
        computed.live = true;
    }
    memory.current = Arc::new(fresh);
    memory.before.get_or_insert(old);
    Ok(())
}

/// The word of a type that is stored, and its inverse.
pub fn kind_text(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::Number => "number",
        Kind::Text => "text",
    }
}

/// The inverse of [`kind_text`].
pub fn parse_kind(text: &str) -> Option<Kind> {
    [Kind::Bool, Kind::Number, Kind::Text].into_iter().find(|kind| kind_text(*kind) == text)
}

/// The computed traits of the database, in the order of their names.
fn load_computed(db: &mut Engine, zone: &TimeZone) -> Result<(Vec<ComputedTrait>, Known), DbError> {
    let sql = "SELECT id, name, title, expression, kind, state, version, created_at, updated_at FROM computed_traits \
               WHERE archived_at = 0 ORDER BY name, id";
    let (mut out, mut known) = (Vec::new(), Known::new());
    for row in db.rows(sql, &[])? {
        let place = || format!("computed trait {}", row.int(0).unwrap_or(0));
        let expression = row.text(3)?.to_string();
        let formula = parse_formula(&expression).map_err(|e| DbError::damaged(&place(), e))?;
        let kind = parse_kind(row.text(4)?).ok_or_else(|| DbError::damaged(&place(), "its type is none"))?;
        let definition = computed::Definition { formula, kind };
        out.push(ComputedTrait {
            id: row.int(0)?,
            name: row.text(1)?.to_string(),
            title: row.text(2)?.to_string(),
            expression,
            kind,
            live: row.text(5)? == "live",
            version: row.int(6)?,
            created_at_us: row.int(7)?,
            updated_at_us: row.int(8)?,
            plan: computed::compile(&definition, zone),
        });
        known.insert(row.text(1)?.into(), definition);
    }
    Ok((out, known))
}

/// The columns of a segment's row: state is `live`, `counting` or `evaluating:UPTO`.
pub(crate) fn parse_state(text: &str) -> Filling {
    match text.strip_prefix("evaluating:") {
        Some(upto) => Filling::Evaluating { upto: upto.parse().unwrap_or(0) },
        None if text == "live" => Filling::Live,
        None => Filling::Counting,
    }
}

/// The inverse of [`parse_state`].
pub(crate) fn state_text(filling: Filling) -> String {
    match filling {
        Filling::Counting => "counting".into(),
        Filling::Evaluating { upto } => format!("evaluating:{upto}"),
        Filling::Live => "live".into(),
    }
}

/// Where the shop's thresholds of derived traits stand in the settings, as JSON.
pub const THRESHOLDS: &str = "profile.thresholds";

/// What derived traits know of the shop, as the store has it.
pub fn rules(db: &mut Engine) -> Result<Rules, DbError> {
    let zone = settings::get(db, "shop.time_zone")?.unwrap_or_else(|| "Europe/Kyiv".into());
    let zone = TimeZone::get(&zone).map_err(|e| DbError::damaged("settings", e))?;
    let currency = settings::get(db, "shop.currency")?.and_then(|c| Currency::parse(&c));
    let thresholds = settings::get(db, THRESHOLDS)?.and_then(|text| serde_json::from_str(&text).ok());
    let usual = Rules::default();
    Ok(Rules { zone, currency: currency.unwrap_or(usual.currency), thresholds: thresholds.unwrap_or_default() })
}

/// Compiles what the database holds.
fn load(db: &mut Engine) -> Result<Compiled, DbError> {
    let rules = rules(db)?;
    let zone = rules.zone.clone();
    let ids: HashMap<String, u32> = db
        .rows("SELECT id, meaning FROM counters", &[])?
        .iter()
        .map(|r| Ok((r.text(1)?.to_string(), u32::try_from(r.int(0)?).unwrap_or(0))))
        .collect::<Result<_, DbError>>()?;
    let sql = "SELECT id, name, expression, state, version, created_at, updated_at FROM segments WHERE archived_at = 0 ORDER BY id";
    let mut segments = Vec::new();
    let mut meanings: Vec<Meaning> = Vec::new();
    let (mut computed, known) = load_computed(db, &zone)?;
    meanings.extend(computed.iter().flat_map(|c| c.plan.meanings().cloned()));
    for row in db.rows(sql, &[])? {
        let expression = row.text(2)?.to_string();
        let expr =
            parse(&expression).map_err(|e| DbError::damaged(&format!("segment {}", row.int(0).unwrap_or(0)), e))?;
        let plan = compile_with(&expr, &zone, &known);
        meanings.extend(plan.meanings().cloned());
        segments.push(Segment {
            id: row.int(0)?,
            name: row.text(1)?.to_string(),
            expression,
            filling: parse_state(row.text(3)?),
            version: row.int(4)?,
            created_at_us: row.int(5)?,
            updated_at_us: row.int(6)?,
            plan,
        });
    }
    let definitions: Vec<Definition> = meanings
        .into_iter()
        .filter_map(|meaning| ids.get(&meaning.to_string()).map(|id| Definition { id: *id, meaning }))
        .collect();
    let mut numbers: Vec<u32> = definitions.iter().map(|d| d.id).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let set = CounterSet::build(version_of(&numbers), definitions).map_err(|e| DbError::damaged("counters", e))?;
    for segment in &mut segments {
        segment.plan.bind(&set).map_err(|e| DbError::damaged(&format!("segment {}", segment.id), e))?;
    }
    for one in &mut computed {
        one.plan.bind(&set).map_err(|e| DbError::damaged(&format!("computed trait {}", one.id), e))?;
    }
    Ok(Compiled { computed, known: Arc::new(known), ..arrange(Arc::new(rules), set, segments) })
}

/// Sets of the same counters have the same version, whenever they were compiled.
fn version_of(numbers: &[u32]) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = siphasher::sip::SipHasher13::new();
    numbers.hash(&mut hasher);
    hasher.finish()
}

fn arrange(rules: Arc<Rules>, set: CounterSet, mut segments: Vec<Segment>) -> Compiled {
    // Few segments name others, and never in a circle (that is refused): a few passes put them in order.
    let mut ordered: Vec<Segment> = Vec::with_capacity(segments.len());
    while !segments.is_empty() {
        let waiting: Vec<String> = segments.iter().map(|s| s.name.clone()).collect();
        let ready = segments
            .iter()
            .position(|s| s.plan.dependencies().segments.iter().all(|n| !waiting.iter().any(|w| **w == **n)));
        ordered.push(segments.remove(ready.unwrap_or(0)));
    }
    let mut out = Compiled {
        zone: rules.zone.clone(),
        counters: Arc::new(set),
        rules,
        segments: ordered,
        computed: Vec::new(),
        known: Arc::default(),
        by_counter: HashMap::new(),
        by_trait: HashMap::new(),
        by_identifier: HashMap::new(),
        by_facts: Vec::new(),
        by_consent: Vec::new(),
        by_segment: HashMap::new(),
    };
    let ids: HashMap<String, i64> = out.segments.iter().map(|s| (s.name.clone(), s.id)).collect();
    for (at, segment) in out.segments.iter().enumerate() {
        let needs = segment.plan.dependencies();
        for counter in &needs.counters {
            out.by_counter.entry(*counter).or_default().push(at);
        }
        for name in &needs.traits {
            out.by_trait.entry(name.clone()).or_default().push(at);
        }
        for kind in &needs.identifiers {
            out.by_identifier.entry(kind.clone()).or_default().push(at);
        }
        if needs.facts {
            out.by_facts.push(at);
        }
        if !needs.consents.is_empty() {
            out.by_consent.push(at);
            // A new address brings its consents along.
            for kind in ["email", "phone"] {
                out.by_identifier.entry(kind.into()).or_default().push(at);
            }
        }
        for name in &needs.segments {
            if let Some(id) = ids.get(&**name) {
                out.by_segment.entry(*id).or_default().push(at);
            }
        }
    }
    out
}
