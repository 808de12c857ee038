//! Compared modules in the store: what they are, every comparison, the newest of each day, open differences, decisions.
use base::Timestamp;
use db::{DbError, Engine, Tx, Value};
use exchange::compare::module::Module;
use exchange::compare::ready::{Bar, Standing, standing};
use exchange::compare::{Cause, Comparison, Item, Sums, Thresholds, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Differences of one comparison that are listed; the figures count all.
pub const LISTED_MAX: usize = 5_000;
/// Modules, at most.
pub const MODULES_MAX: i64 = 200;
/// Days that a standing looks back on.
const DAYS: i64 = 400;

/// How a module is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompareSettings)]
pub struct Settings {
    /// Differing items in a thousand, at most, for a green day.
    pub items_permille: u64,
    /// Difference of the sums in a thousand, at most, for a green day.
    pub sum_permille: u64,
    /// Whether things on a neighbouring day, or in another time zone, count as differing.
    pub day_border_counts: bool,
    /// Green days in a row that go needs.
    pub green_days: u32,
    /// Differences that nobody has explained, at most, for go.
    pub open_differences: u64,
    /// How many days ago the newest compared day may lie for go.
    pub stale_days: u32,
    /// Whether only what came live counts, not what was imported from files.
    pub live_only: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let (t, b) = (Thresholds::default(), Bar::default());
        Self {
            items_permille: t.items_permille,
            sum_permille: t.sum_permille,
            day_border_counts: t.day_border_counts,
            green_days: b.green_days,
            open_differences: b.open_differences,
            stale_days: b.stale_days,
            live_only: true,
        }
    }
}

impl Settings {
    /// For one day.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds {
            items_permille: self.items_permille,
            sum_permille: self.sum_permille,
            day_border_counts: self.day_border_counts,
        }
    }
    /// For the switch.
    pub fn bar(&self) -> Bar {
        Bar { green_days: self.green_days, open_differences: self.open_differences, stale_days: self.stale_days }
    }
    /// What is wrong, with its place.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.items_permille > 1000 {
            return Err(("/settings/items_permille", "0 to 1000 in a thousand"));
        }
        if self.sum_permille > 1000 {
            return Err(("/settings/sum_permille", "0 to 1000 in a thousand"));
        }
        if !(1..=365).contains(&self.green_days) {
            return Err(("/settings/green_days", "1 to 365 days"));
        }
        if !(1..=365).contains(&self.stale_days) {
            return Err(("/settings/stale_days", "1 to 365 days"));
        }
        Ok(())
    }
}

/// A module.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub id: i64,
    pub name: String,
    pub module: Module,
    pub settings: Settings,
    pub switched: bool,
    pub version: i64,
    pub created_at: i64,
    pub created_by: String,
    pub switched_at: i64,
    pub switched_by: String,
}

const COLUMNS: &str = "id, name, module, settings, state, version, created_at, created_by, switched_at, switched_by";

fn row(r: &db::Row) -> Result<Row, DbError> {
    let module = Module::parse(r.text(2)?).ok_or_else(|| DbError::damaged("compare_modules", "no such module"))?;
    Ok(Row {
        id: r.int(0)?,
        name: r.text(1)?.into(),
        module,
        settings: serde_json::from_str(r.text(3)?).unwrap_or_default(),
        switched: r.text(4)? == "switched",
        version: r.int(5)?,
        created_at: r.int(6)?,
        created_by: r.text(7)?.into(),
        switched_at: r.int(8)?,
        switched_by: r.text(9)?.into(),
    })
}

/// All modules, by name.
pub fn list(db: &mut Engine) -> Result<Vec<Row>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM compare_modules ORDER BY name, id LIMIT $1");
    db.rows(&sql, &[MODULES_MAX.into()])?.iter().map(row).collect()
}

/// One module.
pub fn find(db: &mut Engine, id: i64) -> Result<Option<Row>, DbError> {
    db.first(&format!("SELECT {COLUMNS} FROM compare_modules WHERE id = $1"), &[id.into()])?
        .as_ref()
        .map(row)
        .transpose()
}

/// Adds a module.
pub fn add(tx: &mut Tx, name: &str, module: Module, settings: &Settings, actor: &str) -> Result<Row, DbError> {
    let (id, now) = (tx.next_id(), tx.now().micros());
    let text = serde_json::to_string(settings).map_err(|e| DbError::damaged("compare_modules", e))?;
    tx.execute(
        "INSERT INTO compare_modules (id, name, module, settings, state, version, created_at, created_by, switched_at, switched_by) \
         VALUES ($1, $2, $3, $4, 'running', 1, $5, $6, 0, '')",
        &[id.into(), name.into(), module.as_str().into(), (&text).into(), now.into(), actor.into()],
    )?;
    find(tx.engine(), id)?.ok_or_else(|| DbError::damaged("compare_modules", "a new row is gone"))
}

/// Changes name and settings; gives the new version.
pub fn update(tx: &mut Tx, id: i64, name: &str, settings: &Settings) -> Result<(), DbError> {
    let text = serde_json::to_string(settings).map_err(|e| DbError::damaged("compare_modules", e))?;
    let sql = "UPDATE compare_modules SET name = $2, settings = $3, version = version + 1 WHERE id = $1";
    tx.execute(sql, &[id.into(), name.into(), (&text).into()]).map(drop)
}

/// How a module stands on a day of the shop.
pub fn stands(db: &mut Engine, module: &Row, today: &str) -> Result<Standing, DbError> {
    let sql = "SELECT day, verdict, unlisted FROM compare_days WHERE module_id = $1 ORDER BY day DESC LIMIT $2";
    let (mut days, mut open) = (BTreeMap::new(), 0u64);
    for r in db.rows(sql, &[module.id.into(), DAYS.into()])? {
        days.insert(r.text(0)?.to_string(), Verdict::parse(r.text(1)?));
        open += r.int(2)?.max(0) as u64;
    }
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM compare_differences WHERE module_id = $1 AND counts = 1 AND explained_at = 0";
    open += db.first(sql, &[module.id.into()])?.map_or(Ok(0), |r| r.int(0))?.max(0) as u64;
    Ok(standing(&days, open, module.settings.bar(), today))
}

/// A compared day.
#[derive(Debug, Clone, PartialEq)]
pub struct DayRow {
    pub day: String,
    pub figures: String,
    pub verdict: Verdict,
    pub why: String,
}

/// Compared days, the newest first.
pub fn days(db: &mut Engine, module: i64, limit: i64) -> Result<Vec<DayRow>, DbError> {
    let sql = "SELECT day, figures, verdict, why FROM compare_days WHERE module_id = $1 ORDER BY day DESC LIMIT $2";
    let day = |r: &db::Row| {
        Ok(DayRow {
            day: r.text(0)?.into(),
            figures: r.text(1)?.into(),
            verdict: Verdict::parse(r.text(2)?),
            why: r.text(3)?.into(),
        })
    };
    db.rows(sql, &[module.into(), limit.into()])?.iter().map(day).collect()
}

/// A comparison that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    pub id: i64,
    pub job_id: i64,
    pub at: Timestamp,
    pub actor: String,
    pub file: String,
    pub file_rows: i64,
    pub from_day: String,
    pub to_day: String,
    pub figures: String,
    pub shift_minutes: i64,
    pub verdict: Verdict,
    pub why: String,
}

/// Comparisons, the newest first.
pub fn runs(db: &mut Engine, module: i64, limit: i64) -> Result<Vec<RunRow>, DbError> {
    let sql = "SELECT id, job_id, at, actor, file, file_rows, from_day, to_day, figures, shift_minutes, verdict, why \
               FROM compare_runs WHERE module_id = $1 ORDER BY id DESC LIMIT $2";
    let run = |r: &db::Row| {
        Ok(RunRow {
            id: r.int(0)?,
            job_id: r.int(1)?,
            at: Timestamp::from_micros(r.int(2)?),
            actor: r.text(3)?.into(),
            file: r.text(4)?.into(),
            file_rows: r.int(5)?,
            from_day: r.text(6)?.into(),
            to_day: r.text(7)?.into(),
            figures: r.text(8)?.into(),
            shift_minutes: r.int(9)?,
            verdict: Verdict::parse(r.text(10)?),
            why: r.text(11)?.into(),
        })
    };
    db.rows(sql, &[module.into(), limit.into()])?.iter().map(run).collect()
}

/// What a comparison was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub job_id: i64,
    pub actor: String,
    pub file: String,
    pub file_rows: u64,
    /// The days that were compared, first and last; things without a day count for the last.
    pub window: (String, String),
    /// Things without a day of their own, such as customers: the newest comparison is all that is known of them.
    pub of_now: bool,
    pub comparison: Comparison,
}

/// Keeps a comparison: its days take the place of what was known of them, what was explained stays explained.
pub fn keep(tx: &mut Tx, module: &Row, made: &Made) -> Result<i64, DbError> {
    let (id, now) = (tx.next_id(), tx.now().micros());
    let thresholds = module.settings.thresholds();
    let (verdict, why) = made.comparison.all.judge(thresholds);
    let json = |sums: &Sums| serde_json::to_string(sums).map_err(|e| DbError::damaged("compare_runs", e));
    let (from, to) = (&made.window.0, &made.window.1);
    let figures = json(&made.comparison.all)?;
    let sql = "INSERT INTO compare_runs (id, module_id, job_id, at, actor, file, file_rows, from_day, to_day, figures, shift_minutes, verdict, why) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    tx.execute(
        sql,
        &[
            id.into(),
            module.id.into(),
            made.job_id.into(),
            now.into(),
            (&made.actor).into(),
            (&made.file).into(),
            (made.file_rows as i64).into(),
            from.into(),
            to.into(),
            (&figures).into(),
            made.comparison.shift_minutes.into(),
            verdict.as_str().into(),
            (&why).into(),
        ],
    )?;
    let explained = replaced(tx, module, made)?;
    let sql = "DELETE FROM compare_days WHERE module_id = $1 AND day >= $2 AND day <= $3";
    tx.execute(sql, &[module.id.into(), from.into(), to.into()])?;
    let unlisted = differences(tx, module, made, &explained)?;
    let mut days: BTreeMap<String, Sums> = BTreeMap::new();
    for (day, sums) in &made.comparison.days {
        let day = if day.is_empty() { to } else { day };
        // A pair on the window's border stands on the file's day, which lies within.
        if from <= day && day <= to {
            days.insert(day.clone(), sums.clone());
        }
    }
    for day in every_day(from, to) {
        days.entry(day).or_default();
    }
    for (day, sums) in &days {
        let (verdict, why) = sums.judge(thresholds);
        tx.execute(
            "INSERT INTO compare_days (module_id, day, run_id, figures, verdict, why, unlisted) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            &[
                module.id.into(),
                day.into(),
                id.into(),
                (&json(sums)?).into(),
                verdict.as_str().into(),
                (&why).into(),
                unlisted.get(day).copied().unwrap_or(0).into(),
            ],
        )?;
    }
    Ok(id)
}

/// Takes the differences away that a comparison replaces; gives those of them that somebody explained.
fn replaced(tx: &mut Tx, module: &Row, made: &Made) -> Result<Explained, DbError> {
    let (from, to) = if made.of_now { ("", "~") } else { (made.window.0.as_str(), made.window.1.as_str()) };
    let sql = "SELECT day, item, cause, explained_at, explained_by, note FROM compare_differences \
               WHERE module_id = $1 AND day >= $2 AND day <= $3 AND explained_at > 0";
    let mut explained: Explained = HashMap::new();
    for r in tx.rows(sql, &[module.id.into(), from.into(), to.into()])? {
        let day = if made.of_now { String::new() } else { r.text(0)?.to_string() };
        let key = (day, r.text(1)?.to_string(), r.text(2)?.to_string());
        explained.insert(key, (r.int(3)?, r.text(4)?.into(), r.text(5)?.into()));
    }
    let sql = "DELETE FROM compare_differences WHERE module_id = $1 AND day >= $2 AND day <= $3";
    tx.execute(sql, &[module.id.into(), from.into(), to.into()])?;
    if made.of_now {
        // What found no room in an older list is known by the newest one alone.
        tx.execute("UPDATE compare_days SET unlisted = 0 WHERE module_id = $1", &[module.id.into()])?;
    }
    Ok(explained)
}

/// Every day of a window; at most some years.
fn every_day(from: &str, to: &str) -> Vec<String> {
    let (Some(mut at), Some(to)) = (exchange::compare::day(from), exchange::compare::day(to)) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    while at <= to && out.len() < 4_000 {
        out.push(at.to_string());
        let Ok(next) = at.tomorrow() else { break };
        at = next;
    }
    out
}

type Explained = HashMap<(String, String, String), (i64, String, String)>;

/// Lists the differences; gives how many of each day found no room.
fn differences(tx: &mut Tx, module: &Row, made: &Made, explained: &Explained) -> Result<HashMap<String, i64>, DbError> {
    let (thresholds, last) = (module.settings.thresholds(), &made.window.1);
    let counts = |cause: Cause| thresholds.day_border_counts || !cause.is_of_days();
    let mut unlisted: HashMap<String, i64> = HashMap::new();
    let all = &made.comparison.differences;
    // Those that count come first.
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| !counts(all[*at].cause));
    for chunk in order[..order.len().min(LISTED_MAX)].chunks(200) {
        let mut values: Vec<Value<'_>> = Vec::with_capacity(chunk.len() * 12);
        let mut texts: Vec<[String; 6]> = Vec::with_capacity(chunk.len());
        let mut numbers: Vec<[i64; 3]> = Vec::with_capacity(chunk.len());
        for at in chunk {
            let d = &all[*at];
            let day = if d.day.is_empty() { last.clone() } else { d.day.clone() };
            let side =
                |item: &Option<Item>| item.as_ref().and_then(|i| serde_json::to_string(i).ok()).unwrap_or_default();
            let of = if made.of_now { String::new() } else { day.clone() };
            let known = explained.get(&(of, d.key.clone(), d.cause.as_str().to_string()));
            let (explained_at, by, note) = known.cloned().unwrap_or_default();
            numbers.push([tx.next_id(), i64::from(counts(d.cause)), explained_at]);
            texts.push([day, side(&d.there), side(&d.here), by, note, String::new()]);
        }
        for ((at, texts), numbers) in chunk.iter().zip(&texts).zip(&numbers) {
            let d = &all[*at];
            values.extend([
                Value::from(numbers[0]),
                module.id.into(),
                (&texts[0]).into(),
                (&d.key).into(),
                d.cause.as_str().into(),
                (&texts[1]).into(),
                (&texts[2]).into(),
                (&d.why).into(),
                numbers[1].into(),
                numbers[2].into(),
                (&texts[3]).into(),
                (&texts[4]).into(),
            ]);
        }
        let places: Vec<String> = (0..chunk.len())
            .map(|n| format!("({})", (1..=12).map(|c| format!("${}", n * 12 + c)).collect::<Vec<_>>().join(", ")))
            .collect();
        let sql = format!(
            "INSERT INTO compare_differences (id, module_id, day, item, cause, there, here, why, counts, explained_at, explained_by, note) VALUES {}",
            places.join(", ")
        );
        tx.execute(&sql, &values)?;
    }
    for at in order.iter().skip(LISTED_MAX).filter(|at| counts(all[**at].cause)) {
        let day = if all[*at].day.is_empty() { last.clone() } else { all[*at].day.clone() };
        *unlisted.entry(day).or_default() += 1;
    }
    Ok(unlisted)
}

/// A difference as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceRow {
    pub id: i64,
    pub day: String,
    pub item: String,
    pub cause: String,
    pub there: Option<Item>,
    pub here: Option<Item>,
    pub why: String,
    pub counts: bool,
    pub explained_at: i64,
    pub explained_by: String,
    pub note: String,
}

/// Which differences.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Which {
    /// Empty: all.
    pub day: String,
    pub cause: String,
    pub open: bool,
}

/// Differences, the newest day first; `after` is the last id of the page before.
pub fn listed(
    db: &mut Engine,
    module: i64,
    which: &Which,
    before: Option<(String, i64)>,
    limit: i64,
) -> Result<Vec<DifferenceRow>, DbError> {
    let (day, id) = before.unwrap_or(("~".into(), i64::MAX));
    let sql = "SELECT id, day, item, cause, there, here, why, counts, explained_at, explained_by, note FROM compare_differences \
               WHERE module_id = $1 AND ($2 = '' OR day = $2) AND ($3 = '' OR cause = $3) AND ($4 = 0 OR (explained_at = 0 AND counts = 1)) \
               AND (day < $5 OR (day = $5 AND id < $6)) ORDER BY day DESC, id DESC LIMIT $7";
    let params = [
        module.into(),
        (&which.day).into(),
        (&which.cause).into(),
        i64::from(which.open).into(),
        (&day).into(),
        id.into(),
        limit.into(),
    ];
    let read = |r: &db::Row| {
        Ok(DifferenceRow {
            id: r.int(0)?,
            day: r.text(1)?.into(),
            item: r.text(2)?.into(),
            cause: r.text(3)?.into(),
            there: serde_json::from_str(r.text(4)?).ok(),
            here: serde_json::from_str(r.text(5)?).ok(),
            why: r.text(6)?.into(),
            counts: r.int(7)? != 0,
            explained_at: r.int(8)?,
            explained_by: r.text(9)?.into(),
            note: r.text(10)?.into(),
        })
    };
    db.rows(sql, &params)?.iter().map(read).collect()
}

/// Explains differences; gives how many were open.
pub fn explain(tx: &mut Tx, module: i64, ids: &[i64], note: &str, actor: &str) -> Result<u64, DbError> {
    let now = tx.now().micros();
    let mut done = 0;
    for id in ids {
        let sql = "UPDATE compare_differences SET explained_at = $3, explained_by = $4, note = $5 \
                   WHERE module_id = $1 AND id = $2 AND explained_at = 0";
        done += tx.execute(sql, &[module.into(), (*id).into(), now.into(), actor.into(), note.into()])?;
    }
    Ok(done)
}

/// A decision about a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CompareDecision)]
pub enum Decision {
    /// Braid's numbers may be relied on.
    Go,
    /// Not yet.
    NoGo,
    /// From now on Braid does it, the old tool only looks on.
    Switch,
    /// The old tool does it again.
    Back,
}

impl Decision {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::NoGo => "no_go",
            Self::Switch => "switch",
            Self::Back => "back",
        }
    }
}

/// A decision that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRow {
    pub id: i64,
    pub at: Timestamp,
    pub actor: String,
    pub decision: String,
    pub reason: String,
    pub standing: String,
}

/// Decisions, the newest first.
pub fn decisions(db: &mut Engine, module: i64) -> Result<Vec<DecisionRow>, DbError> {
    let sql = "SELECT id, at, actor, decision, reason, standing FROM compare_decisions WHERE module_id = $1 ORDER BY id DESC LIMIT 100";
    let read = |r: &db::Row| {
        Ok(DecisionRow {
            id: r.int(0)?,
            at: Timestamp::from_micros(r.int(1)?),
            actor: r.text(2)?.into(),
            decision: r.text(3)?.into(),
            reason: r.text(4)?.into(),
            standing: r.text(5)?.into(),
        })
    };
    db.rows(sql, &[module.into()])?.iter().map(read).collect()
}

/// Records a decision; a switch and the way back change who does the work.
pub fn decide(
    tx: &mut Tx,
    module: i64,
    decision: Decision,
    reason: &str,
    standing: &Standing,
    actor: &str,
) -> Result<(), DbError> {
    let (id, now) = (tx.next_id(), tx.now().micros());
    let text = serde_json::to_string(standing).map_err(|e| DbError::damaged("compare_decisions", e))?;
    tx.execute(
        "INSERT INTO compare_decisions (id, module_id, at, actor, decision, reason, standing) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[id.into(), module.into(), now.into(), actor.into(), decision.as_str().into(), reason.into(), (&text).into()],
    )?;
    let (state, at, by) = match decision {
        Decision::Switch => ("switched", now, actor),
        Decision::Back => ("running", 0, ""),
        Decision::Go | Decision::NoGo => return Ok(()),
    };
    let sql = "UPDATE compare_modules SET state = $2, switched_at = $3, switched_by = $4, version = version + 1 WHERE id = $1";
    tx.execute(sql, &[module.into(), state.into(), at.into(), by.into()]).map(drop)
}

/// Open differences by cause.
pub fn open_by_cause(db: &mut Engine, module: i64) -> Result<BTreeMap<String, i64>, DbError> {
    let sql = "SELECT cause, CAST(COUNT(*) AS BIGINT) FROM compare_differences \
               WHERE module_id = $1 AND counts = 1 AND explained_at = 0 GROUP BY cause ORDER BY cause";
    db.rows(sql, &[module.into()])?.iter().map(|r| Ok((r.text(0)?.to_string(), r.int(1)?))).collect()
}
