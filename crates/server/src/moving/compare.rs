//! Comparing a file of the old system with Braid's own numbers: the job and what it is asked.
use super::here::{self, Ask, HereError};
use super::store::{self, Made};
use super::work::{Ended, WorkError, step};
use crate::domain::Domain;
use crate::imports::spec;
use crate::problem::{BAD_INPUT, Problem};
use base::{Clock, Timestamp};
use db::jobs::{self, Job, New, Progress};
use db::{DbError, Tx};
use exchange::compare::module::Module;
use exchange::compare::there::{Reader, There, Totals, day_of};
use exchange::compare::{Comparison, Item, Sides, compare};
use exchange::convert::Context;
use exchange::groups::Groups;
use exchange::mapping::{Mapping, Plan};
use exchange::rows::Layout;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Jobs that compare.
pub const KIND: &str = "compare";
/// Days that are compared at once, at most.
const DAYS_MAX: i64 = 1_100;

/// A comparison of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub module_id: i64,
    pub path: PathBuf,
    /// As people call it.
    pub name: String,
    pub sha256: String,
    pub layout: Layout,
    /// What the columns of an export mean; `None`: the file holds totals.
    pub mapping: Option<Mapping>,
    pub file_time: Timestamp,
    /// The days that the file is about, where its rows do not show it.
    pub from_day: Option<String>,
    pub to_day: Option<String>,
}

impl Spec {
    /// Finds out how a file is to be read for a module.
    pub fn read_as(module: Module, layout: &Layout, mapping: Option<Mapping>) -> Result<Option<Mapping>, Problem> {
        if mapping.is_none() && Totals::find(module, &layout.columns).is_some() {
            return Ok(None);
        }
        let Some(kind) = module.kind() else {
            let wanted = if module.is_of_now() { "segment and value" } else { "day, channel and value" };
            return Err(BAD_INPUT.at("/upload", format!("a file of totals has the columns {wanted}")));
        };
        let mapping = mapping.ok_or_else(|| BAD_INPUT.at("/mapping", "say what the columns mean"))?;
        let consents = module == Module::OptIns && mapping.kind == exchange::mapping::Kind::Consents;
        if mapping.kind != kind && !consents {
            return Err(BAD_INPUT.at(
                "/mapping/kind",
                format!("{} are compared with a file of {}, or of totals by day", module.as_str(), kind.as_str()),
            ));
        }
        Plan::new(mapping.clone(), &layout.columns).map_err(|e| BAD_INPUT.at("/mapping", e.to_string()))?;
        Ok(Some(mapping))
    }
}

/// Queues a comparison; gives the job.
pub fn begin(tx: &mut Tx, spec: &Spec, actor: &str) -> Result<i64, DbError> {
    let payload = serde_json::to_string(spec).map_err(|e| DbError::damaged("jobs", e))?;
    jobs::add(tx, &New { subject: spec.module_id, actor, ..New::of(KIND, &payload) })
}

/// Reads the old system's numbers.
fn there(spec: &Spec, module: Module, context: &Context) -> Result<(There, bool), WorkError> {
    let cannot = |e: std::io::Error| WorkError::Lasting(format!("{}: {e}", spec.name));
    let found = spec::fingerprint(&spec.path).map_err(cannot)?;
    if found.sha256 != spec.sha256 {
        return Err(WorkError::Lasting(format!("{} has changed since; compare it again", spec.name)));
    }
    let input = spec::open(&spec.path).map_err(cannot)?;
    let mut rows = spec.layout.rows(input).map_err(|e| WorkError::Lasting(format!("{}: {e}", spec.name)))?;
    let Some(mapping) = &spec.mapping else {
        let totals = Totals::find(module, &spec.layout.columns);
        let totals = totals.ok_or_else(|| WorkError::Lasting(format!("{} holds no totals", spec.name)))?;
        let mut out = There::default();
        while let Some(next) = rows.next_row().map_err(cannot)? {
            out.rows += 1;
            match next {
                Ok(row) => match totals.read(module, &row, context, Default::default()) {
                    Ok(item) => out.items.push(item),
                    Err(bad) => out.rejected.push(bad),
                },
                Err(bad) => {
                    let (line, reason) = (bad.line, bad.reason);
                    out.rejected.push(exchange::compare::Rejected {
                        key: String::new(),
                        day: String::new(),
                        line,
                        reason,
                    });
                }
            }
        }
        return Ok((out, true));
    };
    let plan = Plan::new(mapping.clone(), &spec.layout.columns).map_err(|e| WorkError::Lasting(e.to_string()))?;
    let mut groups = Groups::new(rows, &plan);
    let mut reader = Reader::new(module, &plan, context);
    while let Some(next) = groups.next_group().map_err(cannot)? {
        reader.take(&next);
    }
    Ok((reader.finish(), module == Module::Revenue))
}

/// The days that a file is about.
fn window(spec: &Spec, there: &There, today: &str) -> Option<(String, String)> {
    let days = || there.items.iter().map(|i| i.day.as_str()).chain(there.rejected.iter().map(|r| r.day.as_str()));
    let known = || days().filter(|d| !d.is_empty());
    let first = spec.from_day.as_deref().or(known().min())?;
    let last = spec.to_day.as_deref().or(known().max()).unwrap_or(today);
    Some((first.to_string(), last.to_string()))
}

/// Totals of things that neither file nor log names are zero, not missing.
fn fill_zeros(there: &[Item], here: &mut Vec<Item>) {
    let known: HashSet<&str> = here.iter().map(|i| i.key.as_str()).collect();
    let zeros: Vec<Item> = there
        .iter()
        .filter(|i| !known.contains(i.key.as_str()))
        .map(|i| Item { key: i.key.clone(), day: i.day.clone(), ..Item::default() })
        .collect();
    let mut seen = HashSet::new();
    here.extend(zeros.into_iter().filter(|i| seen.insert(i.key.clone())));
}

/// Does a comparison.
pub fn drive(domain: &Domain, job: &Job, clock: &dyn Clock, stop: &AtomicBool) -> Result<Ended, WorkError> {
    let spec: Spec =
        serde_json::from_str(&job.payload).map_err(|e| WorkError::Lasting(format!("the job is damaged: {e}")))?;
    let id = spec.module_id;
    let module = domain.store().query(move |db| store::find(db, id))?;
    let module = module.ok_or_else(|| WorkError::Lasting("the compared module is gone".into()))?;
    let (settings, now) = (domain.settings(), clock.now());
    let today = day_of(now, &settings.zone);
    let context = Context {
        zone: settings.zone.clone(),
        country: settings.country,
        currency: settings.currency.clone(),
        file_time: spec.file_time,
        now,
        source: module.name.clone(),
    };
    let (found, totals) = there(&spec, module.module, &context)?;
    if !step(domain, job.id, Progress::to(1).noting(format!("{} rows of the file are read", found.rows)))? {
        return Ok(Ended::Stopped);
    }
    let window = window(&spec, &found, &today);
    if let Some((from, to)) = &window
        && let (Some(from), Some(to)) = (exchange::compare::day(from), exchange::compare::day(to))
        && i64::from((to - from).get_days()) > DAYS_MAX
    {
        return Err(WorkError::Lasting(format!("the file spans more than {DAYS_MAX} days; compare a part of it")));
    }
    let ask = Ask {
        module: module.module,
        window: window.clone(),
        totals,
        named: found.items.iter().any(|i| i.key != i.day),
        live_only: module.settings.live_only,
    };
    let mut here = match here::numbers(domain, &ask, &found.items, now, stop) {
        Ok(items) => items,
        Err(HereError::Interrupted) => return Ok(Ended::Interrupted),
        Err(HereError::Store(error)) => return Err(error.into()),
        Err(error @ HereError::TooMuch) => return Err(WorkError::Lasting(error.to_string())),
    };
    if totals {
        fill_zeros(&found.items, &mut here);
    }
    let rows = found.rows;
    let sides = Sides { there: found.items, rejected: found.rejected, here, window: window.clone(), totals };
    let comparison = compare(sides);
    let of_now = window.is_none() || module.module.is_of_now();
    let window = window.unwrap_or_else(|| (today.clone(), today));
    let (actor, file, job_id) = (job.actor.clone(), spec.name.clone(), job.id);
    let made = Made { job_id, actor, file, file_rows: rows, window, of_now, comparison };
    let stopped = domain.store().write(move |tx| {
        let state = jobs::find(tx, job_id)?.map(|j| j.state);
        if !state.is_some_and(jobs::State::is_open) {
            return Ok::<_, DbError>(true);
        }
        let run = store::keep(tx, &module, &made)?;
        jobs::finish(tx, job_id, &result(&module, &made, run).to_string())?;
        Ok(false)
    })?;
    Ok(if stopped { Ended::Stopped } else { Ended::Done })
}

/// What a job says at its end.
fn result(module: &store::Row, made: &Made, run: i64) -> serde_json::Value {
    let Comparison { all, shift_minutes, differences, .. } = &made.comparison;
    let (verdict, why) = all.judge(module.settings.thresholds());
    let first: Vec<_> = differences.iter().take(100).collect();
    json!({"module_id": module.id.to_string(), "run_id": run.to_string(), "rows": made.file_rows, "from_day": made.window.0,
        "to_day": made.window.1, "figures": all, "shift_minutes": shift_minutes, "verdict": verdict, "why": why,
        "differences": differences.len(), "first": first})
}
