//! What people decided about sources: what their events mean and must look like, and whether anything reacts at customers.
//!
//! A plan belongs to the source, not to an event: the present one gives all events of the source their meaning, past ones
//! too. Changing what it means therefore reads history again ([`reread`]). What is expected of events and what was learned of
//! them ([`learned`]) changes no meaning.
pub mod learned;
pub mod observe;
pub mod reread;

use collect::plan::{Compiled, Plan, PlanError};
use db::jobs::{self, New};
use db::tx::Memory;
use db::{DbError, Engine, Tx};
use hashbrown::HashMap;
use std::sync::Arc;

/// The plans of all sources; replaced as a whole when one changes.
#[derive(Debug, Default)]
pub struct Plans {
    /// Rises with every change.
    pub version: u64,
    by_source: HashMap<i64, (i64, Arc<Compiled>)>,
}

impl Plans {
    /// The present plan of a source; `None` for sources without one.
    pub fn of(&self, source: i64) -> Option<&Compiled> {
        self.by_source.get(&source).map(|(_, plan)| &**plan)
    }
}

/// The plans as the writer holds them.
pub struct PlansMemory {
    current: Arc<Plans>,
    before: Option<Arc<Plans>>,
}

impl Memory for PlansMemory {
    fn load(db: &mut Engine) -> Result<Self, DbError> {
        let mut plans = Plans::default();
        let newest = "SELECT p.source, p.version, p.text FROM source_plans p JOIN (SELECT source, MAX(version) AS version \
                      FROM source_plans GROUP BY source) n ON n.source = p.source AND n.version = p.version";
        for row in db.rows(newest, &[])? {
            let plan = Plan::parse(row.text(2)?).map_err(|e| DbError::damaged("source_plans", e))?;
            plans.by_source.insert(row.int(0)?, (row.int(1)?, Arc::new(Compiled::new(plan))));
            plans.version += row.int(1)?.unsigned_abs();
        }
        Ok(Self { current: Arc::new(plans), before: None })
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

/// The plans of this moment.
pub fn plans(tx: &mut Tx) -> Result<Arc<Plans>, DbError> {
    Ok(tx.memory::<PlansMemory>()?.current.clone())
}

/// A version of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub version: i64,
    pub text: String,
    pub actor: String,
    pub created_at_us: i64,
}

const VERSIONS: &str = "SELECT version, text, actor, created_at FROM source_plans WHERE source = $1 AND version < $2 \
                        ORDER BY version DESC LIMIT $3";

/// Versions of a source's plan before a number, newest first.
pub fn versions(db: &mut Engine, source: i64, before: i64, limit: i64) -> Result<Vec<Version>, DbError> {
    db.rows(VERSIONS, &[source.into(), before.into(), limit.into()])?
        .iter()
        .map(|r| {
            Ok(Version {
                version: r.int(0)?,
                text: r.text(1)?.into(),
                actor: r.text(2)?.into(),
                created_at_us: r.int(3)?,
            })
        })
        .collect()
}

/// Why a plan is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Somebody wrote another version meanwhile.
    #[error("the plan is at version {0}")]
    Changed(i64),
    /// History is being read again.
    #[error("job {0} has not read the source's history again to its end")]
    Rereading(i64),
    #[error(transparent)]
    Store(#[from] DbError),
}

/// A plan that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    pub version: i64,
    /// The job that reads history again, where the meaning of events changed.
    pub job: Option<i64>,
}

/// Writes a new version of a source's plan. `expected` is the version that the writer saw.
pub fn put(tx: &mut Tx, source: i64, text: &str, actor: &str, expected: Option<i64>) -> Result<Put, PutError> {
    let plan = Plan::parse(text)?;
    let memory = tx.memory::<PlansMemory>()?;
    let (version, old) = match memory.current.by_source.get(&source) {
        Some((version, compiled)) => (*version, compiled.plan().clone()),
        None => (0, Plan::default()),
    };
    if expected.is_some_and(|e| e != version) {
        return Err(PutError::Changed(version));
    }
    let same = plan.means_the_same(&old);
    if !same && let Some(job) = reread::open(tx, source)? {
        return Err(PutError::Rereading(job));
    }
    let now = tx.now().micros();
    let next = version + 1;
    tx.execute(
        "INSERT INTO source_plans (source, version, text, actor, created_at) VALUES ($1, $2, $3, $4, $5)",
        &[source.into(), next.into(), text.into(), actor.into(), now.into()],
    )?;
    let memory = tx.memory::<PlansMemory>()?;
    let mut plans = Plans { version: memory.current.version + 1, by_source: memory.current.by_source.clone() };
    plans.by_source.insert(source, (next, Arc::new(Compiled::new(plan))));
    let old_plans = std::mem::replace(&mut memory.current, Arc::new(plans));
    memory.before.get_or_insert(old_plans);
    if same {
        return Ok(Put { version: next, job: None });
    }
    let payload = reread::payload(version, next);
    let total = tx.next_seq();
    let job = jobs::add(tx, &New { subject: source, total, actor, ..New::of(reread::REREAD, &payload) })?;
    Ok(Put { version: next, job: Some(job) })
}

/// A version of a source's plan, compiled; 0 is the one that every source begins with.
fn version_of(tx: &mut Tx, source: i64, version: i64) -> Result<Compiled, DbError> {
    if version == 0 {
        return Ok(Compiled::default());
    }
    let sql = "SELECT text FROM source_plans WHERE source = $1 AND version = $2";
    let row = tx.first(sql, &[source.into(), version.into()])?;
    let row = row.ok_or_else(|| DbError::damaged("source_plans", format!("version {version} is missing")))?;
    let plan = Plan::parse(row.text(0)?).map_err(|e| DbError::damaged("source_plans", e))?;
    Ok(Compiled::new(plan))
}

impl Plans {
    /// One source's plan alone.
    fn only(source: i64, plan: Compiled) -> Self {
        let mut by_source = HashMap::new();
        by_source.insert(source, (0, Arc::new(plan)));
        Self { version: 0, by_source }
    }
}
