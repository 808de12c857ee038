//! Applying retention: pieces of bounded size, each one transaction, each of which changes nothing the second time.
//!
//! Events lose their detail and keep who did what when: type, name, ids and time stay, so that places, counts and identity
//! stay true. An event that says more of who somebody is than an anonymous or user id, that states a consent, or that is an
//! order or refund stays as it is. What was counted from details is counted again from what is left: the touched profiles are
//! made again, as after a change of a plan. People of whom nothing was heard are erased. Documents that law kept go at the end
//! of their term.
use crate::preparer::Preparer;
use crate::{backfill, erasure, step};
use base::Timestamp;
use customers::privacy::retention::Rule;
use db::event::{Event, EventKind, Origin};
use db::log::{self, LogRow};
use db::message::Items;
use db::{DbError, Engine, Tx, settings};
use hashbrown::HashSet;
use serde_json::{Map, Value};

/// The kind of these jobs.
pub const KIND: &str = "retention";
/// Log rows of one piece.
const ROWS: i64 = 64;
/// Rows of other tables in one piece.
const TEXTS: i64 = 500;
/// Profiles that one piece looks at, and people whom it erases.
const PROFILES: i64 = 500;
const PEOPLE: usize = 5;
/// Log rows that a preview reads.
const PREVIEW_ROWS: usize = 20_000;

/// How far a rule about events was applied: the next seq to look at.
fn done_setting(rule: i64) -> String {
    format!("retention.done.{rule}")
}

/// What stays of an item: nothing for one that stays as it is.
fn bare(item: &str, passive: bool) -> Option<String> {
    const KEPT: [&str; 8] = ["type", "event", "name", "category", "messageId", "anonymousId", "userId", "timestamp"];
    let item: Map<String, Value> = serde_json::from_str(item).ok()?;
    let mut out: Map<String, Value> =
        KEPT.iter().filter_map(|k| Some(((*k).to_string(), item.get(*k)?.clone()))).collect();
    if passive {
        out.insert("context".into(), serde_json::json!({"active": false}));
    }
    (out != item).then(|| Value::Object(out).to_string())
}

/// Whether an event may lose its detail.
fn may_lose(event: &Event) -> bool {
    let plain = event.identifiers.iter().all(|i| matches!(&*i.kind, "anonymous_id" | "user_id"));
    let kind = matches!(event.kind, EventKind::Track | EventKind::Page | EventKind::Screen);
    kind && plain && event.consent.is_none() && event.amount.is_none() && event.traits.is_empty()
}

/// Whether two readings of an event say the same of who did what when.
fn same_deed(a: &Event, b: &Event) -> bool {
    (a.index, a.id, &a.message_id, a.timestamp, a.kind, &a.name, &a.identifiers, a.passive, a.weak_id)
        == (b.index, b.id, &b.message_id, b.timestamp, b.kind, &b.name, &b.identifiers, b.passive, b.weak_id)
        && a.previous_id == b.previous_id
}

/// Items of a row that a rule is about and that may lose their detail, with what stays of each.
fn bared(
    preparer: &Preparer,
    current: &crate::preparer::Current,
    row: &LogRow,
    rule: &Rule,
) -> Result<Vec<(usize, Option<String>)>, DbError> {
    if row.origin == Origin::Derived || (rule.source != 0 && rule.source != row.source) {
        return Ok(Vec::new());
    }
    let items = Items::split(&row.body).map_err(|e| DbError::damaged(&format!("log row {}", row.first_seq), e))?;
    let mut out = Vec::new();
    for event in preparer.decode_row(current, row)? {
        if !may_lose(&event) || !rule.is_about(row.source, &event.name) {
            continue;
        }
        let at = event.index as usize;
        if let Some(text) = items.items.get(at).and_then(|item| bare(item.get(), event.passive)) {
            out.push((at, Some(text)));
        }
    }
    Ok(out)
}

/// Applies a rule about events to the next rows of the log that are old enough, and notes whose profiles are made again under
/// `job`. Gives where to go on, `None` at the end.
pub fn events(tx: &mut Tx, preparer: &Preparer, job: i64, rule: &Rule, position: i64) -> Result<Option<i64>, DbError> {
    let setting = done_setting(rule.id);
    let done = settings::get(tx.engine(), &setting)?.and_then(|t| t.parse().ok()).unwrap_or(1);
    let (from, cutoff) = (position.max(done), rule.cutoff(tx.now()));
    let rows = log::page(tx.engine(), from, ROWS)?;
    let old: Vec<&LogRow> = rows.iter().take_while(|r| r.received_at < cutoff).collect();
    let Some(last) = old.last() else { return Ok(None) };
    let next = last.first_seq + last.ids.len() as i64;
    let current = step::current(tx)?;
    let moved = backfill::moved_between(tx, from, next)?;
    let mut touched: HashSet<i64> = HashSet::new();
    for row in &old {
        let mut replace = bared(preparer, &current, row, rule)?;
        if replace.is_empty() {
            continue;
        }
        // A plan may read a name out of what goes: then the item stays, for who did what when must not change.
        let tried = LogRow { body: db::erase::replace_items(&row.body, &replace)?, ..(*row).clone() };
        let (before, after) = (preparer.decode_row(&current, row)?, preparer.decode_row(&current, &tried)?);
        let same = |index: usize| {
            let of = |all: &[Event]| all.iter().position(|e| e.index as usize == index);
            of(&before).zip(of(&after)).is_some_and(|(b, a)| same_deed(&before[b], &after[a]))
        };
        replace.retain(|(at, _)| same(*at));
        if replace.is_empty() {
            continue;
        }
        for (at, _) in &replace {
            let seq = row.first_seq + *at as i64;
            touched.insert(moved.get(&seq).copied().unwrap_or(row.profiles[*at]));
        }
        let dropped = (0..row.ids.len()).filter(|at| row.ids[*at] == 0).map(|at| (at, None));
        replace.extend(dropped);
        let body = db::erase::replace_items(&row.body, &replace)?;
        db::erase::rewrite_row(tx, row.first_seq, &row.profiles, &body)?;
    }
    touched.remove(&0);
    crate::sources::reread::note(tx, job, touched);
    settings::set(tx.engine(), &setting, &next.to_string())?;
    Ok(((old.len() as i64) == ROWS).then_some(next))
}

/// How many events a rule would take the detail of now, and whether all rows were looked at.
pub fn events_waiting(
    db: &mut Engine,
    preparer: &Preparer,
    rule: &Rule,
    now: Timestamp,
) -> Result<(i64, bool), DbError> {
    let done = settings::get(db, &done_setting(rule.id))?.and_then(|t| t.parse().ok()).unwrap_or(1);
    let (mut from, cutoff, mut count, mut read) = (done, rule.cutoff(now), 0, 0);
    let current = preparer.current();
    loop {
        let rows = log::page(db, from, ROWS)?;
        let Some(last) = rows.last() else { return Ok((count, true)) };
        from = last.first_seq + last.ids.len() as i64;
        for row in &rows {
            if row.received_at >= cutoff {
                return Ok((count, true));
            }
            count += bared(preparer, &current, row, rule)?.len() as i64;
        }
        read += rows.len();
        if read >= PREVIEW_ROWS {
            return Ok((count, false));
        }
    }
}

const OLD_REJECTS: &str = "SELECT id FROM rejects WHERE id > $1 AND received_at < $2 AND (raw <> '' OR envelope <> '' OR message_id <> '') ORDER BY id LIMIT $3";
const OLD_MESSAGES: &str = "SELECT id FROM messages WHERE id > $1 AND settled_at > 0 AND settled_at < $2 AND (subject <> '' OR why <> '') ORDER BY id LIMIT $3";

fn empty(tx: &mut Tx, (find, empty): (&str, &str), before: Timestamp, position: i64) -> Result<Option<i64>, DbError> {
    let rows = tx.rows(find, &[position.into(), before.micros().into(), TEXTS.into()])?;
    let mut last = None;
    for row in &rows {
        let id = row.int(0)?;
        tx.execute(empty, &[id.into()])?;
        last = Some(id);
    }
    Ok(last)
}

/// Empties refused items that are old enough: what was wrong and when stays.
pub fn rejects(tx: &mut Tx, before: Timestamp, position: i64) -> Result<Option<i64>, DbError> {
    let sql =
        "UPDATE rejects SET raw = '', envelope = '', message_id = '', detail = 'expired', whole = 0 WHERE id = $1";
    empty(tx, (OLD_REJECTS, sql), before, position)
}

/// Empties subjects and reasons of messages that were settled long enough ago: that and where they went stays, for a rule
/// that reaches people once must know it.
pub fn messages(tx: &mut Tx, before: Timestamp, position: i64) -> Result<Option<i64>, DbError> {
    empty(tx, (OLD_MESSAGES, "UPDATE messages SET subject = '', why = '' WHERE id = $1"), before, position)
}

/// How many rows of a table a rule would empty now.
pub fn texts_waiting(db: &mut Engine, of_rejects: bool, before: Timestamp) -> Result<i64, DbError> {
    let sql = if of_rejects {
        "SELECT COUNT(*) FROM rejects WHERE received_at < $1 AND (raw <> '' OR envelope <> '' OR message_id <> '')"
    } else {
        "SELECT COUNT(*) FROM messages WHERE settled_at > 0 AND settled_at < $1 AND (subject <> '' OR why <> '')"
    };
    db.first(sql, &[before.micros().into()])?.map_or(Ok(0), |r| r.int(0))
}

/// Whether nothing was heard of a person since a moment.
fn silent(read: &mut impl customers::profiles::Read, person: i64, before: Timestamp) -> Result<bool, DbError> {
    let Some(root) = read.profile(person)?.filter(|p| p.person == person) else { return Ok(false) };
    let members = root.members.clone().unwrap_or_else(|| [person].into());
    for member in members.iter() {
        let Some(profile) = read.profile(*member)? else { return Ok(false) };
        // A person is old from when Braid knows them, so that a list of former customers is not erased on the day it comes.
        let last = profile.state.totals.last_seen.map_or(profile.created_at, |seen| seen.max(profile.created_at));
        if last >= before {
            return Ok(false);
        }
    }
    Ok(true)
}

const PEOPLE_AFTER: &str =
    "SELECT profile_id FROM profile_list WHERE profile_id > $1 AND person = profile_id ORDER BY profile_id LIMIT $2";

/// Erases the next people of whom nothing was heard since a moment.
pub fn inactive(tx: &mut Tx, preparer: &Preparer, before: Timestamp, position: i64) -> Result<Option<i64>, DbError> {
    let rows = tx.rows(PEOPLE_AFTER, &[position.into(), PROFILES.into()])?;
    let mut erased = 0;
    for row in &rows {
        let person = row.int(0)?;
        if silent(tx, person, before)? {
            match erasure::begin(tx, preparer, person) {
                Ok(_) => erased += 1,
                Err(erasure::EraseError::NoPerson(_)) => {}
                Err(erasure::EraseError::Store(e)) => return Err(e),
            }
        }
        if erased == PEOPLE {
            return Ok(Some(person));
        }
    }
    rows.last().map(|r| r.int(0)).transpose()
}

/// How many people a rule would erase now, and whether all were looked at.
pub fn inactive_waiting(db: &mut Engine, before: Timestamp) -> Result<(i64, bool), DbError> {
    let (mut position, mut count, mut read) = (0, 0, 0);
    loop {
        let rows = db.rows(PEOPLE_AFTER, &[position.into(), PROFILES.into()])?;
        for row in &rows {
            position = row.int(0)?;
            count += i64::from(silent(db, position, before)?);
        }
        read += rows.len();
        if (rows.len() as i64) < PROFILES || read >= PREVIEW_ROWS {
            return Ok((count, (rows.len() as i64) < PROFILES));
        }
    }
}

/// Takes the next documents whose term is over out of the log.
pub fn documents(tx: &mut Tx) -> Result<bool, DbError> {
    let sql = "SELECT seq FROM retained_documents WHERE until < $1 ORDER BY until, seq LIMIT $2";
    let now = tx.now().micros();
    let seqs: Vec<i64> =
        tx.rows(sql, &[now.into(), ROWS.into()])?.iter().map(|r| r.int(0)).collect::<Result<_, _>>()?;
    let mut sorted = seqs.clone();
    sorted.sort_unstable();
    for row in log::rows_of(tx.engine(), &sorted)? {
        let inside = |seq: &&i64| **seq >= row.first_seq && **seq < row.first_seq + row.ids.len() as i64;
        let gone: Vec<(usize, Option<String>)> =
            sorted.iter().filter(inside).map(|seq| ((*seq - row.first_seq) as usize, None)).collect();
        let body = db::erase::replace_items(&row.body, &gone)?;
        db::erase::rewrite_row(tx, row.first_seq, &row.profiles, &body)?;
    }
    for seq in &seqs {
        tx.execute("DELETE FROM retained_documents WHERE seq = $1", &[(*seq).into()])?;
    }
    Ok(!seqs.is_empty())
}

/// How many documents are past their term.
pub fn documents_waiting(db: &mut Engine, now: Timestamp) -> Result<i64, DbError> {
    let sql = "SELECT COUNT(*) FROM retained_documents WHERE until < $1";
    db.first(sql, &[now.micros().into()])?.map_or(Ok(0), |r| r.int(0))
}

/// Makes the next profiles again whose events lost detail; says whether some are left. People are evaluated, and nothing is
/// triggered.
pub fn profiles(tx: &mut Tx, preparer: &std::sync::Arc<Preparer>, job: i64) -> Result<bool, DbError> {
    crate::sources::reread::make_some(tx, job, preparer)
}
