//! The roll-out: what is to be done before a part of the shop's work is Braid's, how far it is, and who said go.
//!
//! [`checklist`] is the rule: facts in, steps with their state out. Nobody ticks a box by hand but one: that the quality report was
//! read, which nobody else can know.
use super::store;
use crate::exports::kinds::Kind as ExportKind;
use crate::exports::spec::Spec as ExportSpec;
use crate::imports::spec::{KIND as IMPORT, Spec as ImportSpec};
use base::{DAY_US, Timestamp};
use db::{DbError, Engine, Tx, settings};
use exchange::compare::Verdict;
use exchange::compare::module::Module;
use exchange::compare::ready::Standing;
use exchange::mapping::Kind;
use serde::{Deserialize, Serialize};

/// How long a report that was read, or a way back that was tried, counts.
pub const FRESH_US: i64 = 30 * DAY_US;
/// Where it stands who read which report.
const READ: &str = "quality.read";
/// Jobs that are looked through for imports and ways back, the newest first.
const JOBS: i64 = 2_000;

/// A part of the shop's work that goes over to Braid at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RolloutArea)]
pub enum Area {
    /// Customers and who is who.
    Customers,
    /// Consents, opt-outs and blacklists.
    Consents,
    /// What is sent.
    Sends,
    /// Orders and receipts.
    Orders,
    Segments,
}

impl Area {
    /// All parts, in the order in which shops move.
    pub const ALL: [Area; 5] = [Self::Consents, Self::Customers, Self::Orders, Self::Segments, Self::Sends];
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Consents => "consents",
            Self::Sends => "sends",
            Self::Orders => "orders",
            Self::Segments => "segments",
        }
    }
    /// The inverse of [`Area::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
    /// Files that must be in before: sending wants the opt-outs, segments want the past.
    pub fn imports(self) -> &'static [Kind] {
        match self {
            Self::Customers => &[Kind::Customers],
            Self::Consents | Self::Sends => &[Kind::Consents],
            Self::Orders => &[Kind::Orders],
            Self::Segments => &[Kind::Orders, Kind::Events],
        }
    }
    /// What of it is compared with the old tool.
    pub fn compared(self) -> &'static [Module] {
        match self {
            Self::Customers => &[Module::Customers],
            Self::Consents => &[Module::OptIns],
            Self::Sends => &[Module::Sends],
            Self::Orders => &[Module::Orders, Module::Receipts, Module::Refunds, Module::Revenue],
            Self::Segments => &[Module::Segments],
        }
    }
    /// The file with which the old tool could take it over again.
    pub fn way_back(self) -> Option<Kind> {
        match self {
            Self::Customers => Some(Kind::Customers),
            Self::Consents | Self::Sends => Some(Kind::Consents),
            Self::Orders => Some(Kind::Orders),
            Self::Segments => None,
        }
    }
    /// Whether the report on the data's quality is about it.
    pub fn is_of_people(self) -> bool {
        self != Self::Orders
    }
}

/// How a compared module stands, as far as the checklist asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    pub module: Module,
    pub wanted_days: u32,
    pub standing: Standing,
}

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Imports that were done for good: what and when.
    pub imports: Vec<(Kind, i64)>,
    /// When the newest quality report was made, and when one was read last.
    pub report_at: Option<i64>,
    pub read_at: Option<i64>,
    pub compared: Vec<Compared>,
    /// Sources that are observed only.
    pub observed: i64,
    /// Files of the way back that were made.
    pub backs: Vec<(Kind, i64)>,
}

/// What a step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RolloutStepName)]
pub enum Name {
    /// The old tool's data is in.
    Import,
    /// Somebody read the newest report on the data's quality.
    Quality,
    /// Both systems say the same for long enough.
    Compare,
    /// No source is observed only.
    Live,
    /// A file of the way back was made.
    WayBack,
}

/// A step of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = RolloutStep)]
pub struct Step {
    #[schema(inline)]
    pub step: Name,
    pub done: bool,
    /// So many of [`Step::want`]: imports, green days of the worst comparison, sources that are live; 0 or 1 elsewhere.
    pub have: i64,
    pub want: i64,
    /// When it was done last, where it is a deed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// The steps of a part with their state.
pub fn checklist(area: Area, facts: &Facts, now: Timestamp) -> Vec<Step> {
    let at = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    let fresh = |micros: &i64| now.micros() - micros <= FRESH_US;
    let deed = |step, done: bool, when: Option<i64>| Step { step, done, have: i64::from(done), want: 1, at: at(when) };
    let imports = facts.imports.iter().filter(|(kind, _)| area.imports().contains(kind));
    let imported = imports.map(|(_, at)| *at).max();
    let mut out = vec![deed(Name::Import, imported.is_some(), imported)];
    if area.is_of_people() {
        let read = facts.read_at.filter(|read| fresh(read) && facts.report_at.is_some());
        out.push(deed(Name::Quality, read.is_some(), facts.read_at));
    }
    let mine: Vec<&Compared> = facts.compared.iter().filter(|c| area.compared().contains(&c.module)).collect();
    let worst = mine.iter().min_by_key(|c| (c.standing.verdict == Verdict::Go, c.standing.green_days));
    out.push(Step {
        step: Name::Compare,
        done: worst.is_some_and(|c| c.standing.verdict == Verdict::Go),
        have: worst.map_or(0, |c| i64::from(c.standing.green_days)),
        want: worst.map_or(1, |c| i64::from(c.wanted_days)),
        at: None,
    });
    out.push(Step { step: Name::Live, done: facts.observed == 0, have: facts.observed, want: 0, at: None });
    if let Some(kind) = area.way_back() {
        let tried = facts.backs.iter().filter(|(of, _)| *of == kind).map(|(_, at)| *at).max();
        out.push(deed(Name::WayBack, tried.as_ref().is_some_and(fresh), tried));
    }
    out
}

/// Collects the facts.
pub fn facts(db: &mut Engine, today: &str) -> Result<Facts, DbError> {
    let mut facts = Facts::default();
    let sql = "SELECT payload, finished_at FROM jobs WHERE kind = $1 AND state = 'done' ORDER BY id DESC LIMIT $2";
    for row in db.rows(sql, &[IMPORT.into(), JOBS.into()])? {
        // A payload of an older version that is read no more tells nothing here.
        if let Ok(spec) = serde_json::from_str::<ImportSpec>(row.text(0)?)
            && !spec.dry_run
        {
            facts.imports.push((spec.mapping.kind, row.int(1)?));
        }
    }
    let newest = db.first("SELECT MAX(at) FROM quality_days", &[])?;
    facts.report_at = newest.map(|r| r.opt_int(0)).transpose()?.flatten();
    facts.read_at = settings::get(db, READ)?.and_then(|at| at.parse().ok());
    for module in store::list(db)? {
        let standing = store::stands(db, &module, today)?;
        facts.compared.push(Compared { module: module.module, wanted_days: module.settings.green_days, standing });
    }
    let observed = "SELECT COUNT(DISTINCT source) FROM observations WHERE to_seq = 0";
    facts.observed = db.first(observed, &[])?.map_or(Ok(0), |r| r.int(0))?;
    let backs = "SELECT j.payload, e.ready_at FROM exports e JOIN jobs j ON j.id = e.job_id \
                 WHERE e.kind = $1 AND e.ready_at > 0 ORDER BY e.id DESC LIMIT $2";
    for row in db.rows(backs, &[ExportKind::WayBack.as_str().into(), JOBS.into()])? {
        let spec = serde_json::from_str::<ExportSpec>(row.text(0)?).ok();
        if let Some(preset) = spec.and_then(|s| s.chosen.format()) {
            facts.backs.push((preset.kind, row.int(1)?));
        }
    }
    Ok(facts)
}

/// Notes that the report on the data's quality was read.
pub fn read_report(tx: &mut Tx) -> Result<(), DbError> {
    let now = tx.now().micros().to_string();
    settings::set(tx.engine(), READ, &now)
}

/// A decision that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub id: i64,
    pub at: Timestamp,
    pub actor: String,
    pub go: bool,
    pub reason: String,
    /// Steps that were not done then, as JSON.
    pub lacking: String,
}

/// Decisions about a part, the newest first.
pub fn decisions(db: &mut Engine, area: Area) -> Result<Vec<Decided>, DbError> {
    let sql = "SELECT id, at, actor, decision, reason, standing FROM rollout_decisions WHERE area = $1 ORDER BY id DESC LIMIT 100";
    let read = |r: &db::Row| {
        Ok(Decided {
            id: r.int(0)?,
            at: Timestamp::from_micros(r.int(1)?),
            actor: r.text(2)?.into(),
            go: r.text(3)? == "go",
            reason: r.text(4)?.into(),
            lacking: r.text(5)?.into(),
        })
    };
    db.rows(sql, &[area.as_str().into()])?.iter().map(read).collect()
}

/// Keeps a decision with what was lacking.
pub fn decide(tx: &mut Tx, area: Area, go: bool, reason: &str, lacking: &[Name], actor: &str) -> Result<i64, DbError> {
    let (id, now) = (tx.next_id(), tx.now().micros());
    let standing = serde_json::to_string(lacking).map_err(|e| DbError::damaged("rollout_decisions", e))?;
    let decision = if go { "go" } else { "no_go" };
    tx.execute(
        "INSERT INTO rollout_decisions (id, area, at, actor, decision, reason, standing) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            id.into(),
            area.as_str().into(),
            now.into(),
            actor.into(),
            decision.into(),
            reason.into(),
            (&standing).into(),
        ],
    )?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(module: Module, green_days: u32, verdict: Verdict) -> Compared {
        let standing = Standing { green_days, newest: None, open_differences: 0, verdict, lacking: Vec::new() };
        Compared { module, wanted_days: 14, standing }
    }

    fn open(area: Area, facts: &Facts, now: i64) -> Vec<Name> {
        let steps = checklist(area, facts, Timestamp::from_micros(now));
        steps.into_iter().filter(|s| !s.done).map(|s| s.step).collect()
    }

    #[test]
    fn nothing_done_leaves_everything_open_but_what_needs_no_deed() {
        let none = Facts::default();
        assert_eq!(open(Area::Customers, &none, 0), [Name::Import, Name::Quality, Name::Compare, Name::WayBack]);
        assert_eq!(open(Area::Orders, &none, 0), [Name::Import, Name::Compare, Name::WayBack]);
        assert_eq!(open(Area::Segments, &none, 0), [Name::Import, Name::Quality, Name::Compare]);
        assert_eq!(open(Area::Segments, &Facts { observed: 2, ..none }, 0).last(), Some(&Name::Live));
    }

    #[test]
    fn each_part_looks_at_its_own_facts_and_old_deeds_count_no_more() {
        let facts = Facts {
            imports: vec![(Kind::Consents, 5), (Kind::Orders, 7)],
            report_at: Some(8),
            read_at: Some(9),
            compared: vec![compared(Module::OptIns, 14, Verdict::Go), compared(Module::Orders, 20, Verdict::Go)],
            observed: 0,
            backs: vec![(Kind::Consents, 10), (Kind::Orders, 11)],
        };
        assert!(open(Area::Consents, &facts, 12).is_empty() && open(Area::Orders, &facts, 12).is_empty());
        assert_eq!(open(Area::Customers, &facts, 12), [Name::Import, Name::Compare, Name::WayBack]);
        assert_eq!(open(Area::Sends, &facts, 12), [Name::Compare]);
        assert_eq!(open(Area::Consents, &facts, 10 + FRESH_US), [Name::Quality]);
        assert_eq!(open(Area::Consents, &facts, 11 + FRESH_US), [Name::Quality, Name::WayBack]);
    }

    #[test]
    fn the_worst_comparison_speaks_for_all() {
        let compared = vec![
            compared(Module::Orders, 30, Verdict::Go),
            compared(Module::Revenue, 40, Verdict::NoGo),
            compared(Module::Sends, 0, Verdict::Nothing),
        ];
        let steps = checklist(Area::Orders, &Facts { compared, ..Facts::default() }, Timestamp::default());
        let step = steps.iter().find(|s| s.step == Name::Compare).expect("the step");
        assert_eq!((step.done, step.have, step.want), (false, 40, 14));
    }
}
