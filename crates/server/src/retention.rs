//! Retention: once a day, and when somebody asks, a job applies the rules. It goes rule by rule, then through documents whose
//! term is over, then makes profiles again; where it stands is its bookmark, so that a kill repeats one piece.
use crate::app::App;
use crate::audit;
use base::{DAY_US, SECOND_US};
use customers::privacy::retention::{self, Kind as What, Rule};
use db::jobs::{self, Job, New, Progress};
use db::{DbError, Tx, settings};
use pipeline::jobs::{Hands, Kind, Step};
use pipeline::retention::{self as apply, KIND};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked whether a day is over.
const LOOK: Duration = Duration::from_secs(60);
/// When a job was begun last, in microseconds.
const RAN_AT: &str = "retention.ran_at";

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// The number of the rule; after the last one, documents, then profiles.
    step: usize,
    at: i64,
}

/// The kind, for the runner.
pub fn kind() -> Kind {
    Kind::stepping(KIND, advance)
}

/// Begins a job with the rules that are on, unless one is open. Gives its number.
pub fn begin(tx: &mut Tx, actor: &str) -> Result<i64, DbError> {
    if let Some(open) = open(tx)? {
        return Ok(open);
    }
    let rules: Vec<Rule> = retention::list(tx.engine())?.into_iter().filter(|r| r.enabled).collect();
    let payload = serde_json::to_string(&rules).map_err(|e| DbError::damaged("retention_rules", e))?;
    let total = rules.len() as i64 + 2;
    let now = tx.now().micros();
    settings::set(tx.engine(), RAN_AT, &now.to_string())?;
    jobs::add(tx, &New { kind: KIND, subject: 0, position: 0, total, payload: &payload, actor })
}

fn open(tx: &mut Tx) -> Result<Option<i64>, DbError> {
    let sql = "SELECT id FROM jobs WHERE kind = $1 AND state IN ('queued', 'running') ORDER BY id LIMIT 1";
    tx.first(sql, &[KIND.into()])?.map(|r| r.int(0)).transpose()
}

fn advance(tx: &mut Tx, job: &Job, hands: &mut Hands<'_>) -> Result<Step, DbError> {
    let damaged = |e: serde_json::Error| DbError::damaged("jobs", e);
    let rules: Vec<Rule> = serde_json::from_str(&job.payload).map_err(damaged)?;
    let place = match &*job.bookmark {
        "" => Place { step: 0, at: 0 },
        text => serde_json::from_str(text).map_err(damaged)?,
    };
    let more = |step: usize, at: i64| {
        let bookmark = serde_json::to_string(&Place { step, at }).map_err(damaged)?;
        Ok(Step::More(Progress { bookmark: Some(bookmark), ..Progress::to(step as i64) }))
    };
    if let Some(rule) = rules.get(place.step) {
        db::erase::overwrite(tx, true)?;
        let next = piece(tx, job.id, rule, place.at, hands)?;
        db::erase::overwrite(tx, false)?;
        return match next {
            Some(at) => more(place.step, at),
            None => more(place.step + 1, 0),
        };
    }
    if place.step == rules.len() {
        db::erase::overwrite(tx, true)?;
        let some = apply::documents(tx)?;
        db::erase::overwrite(tx, false)?;
        return if some { more(place.step, 0) } else { more(place.step + 1, 0) };
    }
    if pipeline::backfill::is_waiting(tx)? {
        let later = tx.now().plus(SECOND_US / 4);
        let progress = Progress { not_before: Some(later), ..Progress::to(job.position) };
        return Ok(Step::More(progress.noting("waits until segments are filled")));
    }
    if apply::profiles(tx, hands.preparer, job.id)? { more(place.step, 0) } else { Ok(Step::Done(String::new())) }
}

fn piece(tx: &mut Tx, job: i64, rule: &Rule, at: i64, hands: &mut Hands<'_>) -> Result<Option<i64>, DbError> {
    let before = rule.cutoff(tx.now());
    match rule.kind {
        What::Events => apply::events(tx, hands.preparer, job, rule, at),
        What::Rejects => apply::rejects(tx, before, at),
        What::Messages => apply::messages(tx, before, at),
        What::Audit => audit::expire(tx, job, before, at),
        What::Inactive => apply::inactive(tx, hands.preparer, before, at),
    }
}

/// When a job was begun last.
pub fn ran_at(tx: &mut Tx) -> Result<Option<base::Timestamp>, DbError> {
    let text = settings::get(tx.engine(), RAN_AT)?;
    Ok(text.and_then(|t| t.parse().ok()).map(base::Timestamp::from_micros))
}

/// Whether a day is over since the last time, and there is something to apply.
fn due(tx: &mut Tx) -> Result<bool, DbError> {
    let now = tx.now();
    if ran_at(tx)?.is_some_and(|at| at.plus(DAY_US) > now) {
        return Ok(false);
    }
    let rules = retention::list(tx.engine())?.iter().any(|r| r.enabled);
    Ok(rules || apply::documents_waiting(tx.engine(), now)? > 0)
}

/// Begins the job of the day until the server stops.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.wait_for(|s| *s) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        // A look costs the writer nothing but a read.
        if !matches!(app.read(|tx| Ok(due(tx)?)).await, Ok(true)) {
            continue;
        }
        match app.write(|tx| Ok(begin(tx, "")?)).await {
            Ok(job) => tracing::info!(job, "what is kept too long goes"),
            Err(problem) => tracing::warn!(detail = %problem.detail, "retention could not begin"),
        }
    }
}
