//! Memberships and timers against evaluation from scratch.
use super::Findings;
use super::profiles::Rebuilt;
use base::Timestamp;
use customers::profiles::Profiles;
use db::{DbError, Tx};
use hashbrown::{HashMap, HashSet};
use segments::runtime::memberships::TIMER_KIND;
use segments::runtime::{Memberships, changes, definitions};

/// Checks every person. `profiles` are the rows as they must be; `folded_again` are profiles whose people a start looks at
/// anyway, so that their timers may wait to be written.
pub(super) fn check(
    tx: &mut Tx,
    profiles: Vec<Rebuilt>,
    now: Timestamp,
    folded_again: &HashSet<i64>,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let mut people = Vec::new();
    let (mut total, mut absorbed) = (0, 0);
    let mut last_event: HashMap<i64, Timestamp> = HashMap::new();
    let mut looked_at: HashSet<i64> = HashSet::new();
    for Rebuilt { id, profile, last_received } in profiles {
        let last = last_event.entry(profile.person).or_default();
        *last = (*last).max(last_received);
        total += 1;
        if folded_again.contains(&id) {
            looked_at.insert(profile.person);
        }
        if profile.person == id {
            people.push(id);
        } else {
            absorbed += 1;
        }
        // From here on this transaction sees the profiles as they must be.
        tx.put::<Profiles>(id, profile);
    }
    let row = tx.writer_row().clone();
    for (what, counted, found) in
        [("profiles", row.counts.profiles, total), ("absorbed", row.counts.absorbed, absorbed)]
    {
        if counted != found {
            findings.error("counts", what, format!("{counted} are counted, there are {found}"));
        }
    }
    // Memberships follow lazily too: the facts since the oldest unflushed group are applied on top.
    changes::recover(tx, row.unflushed_group)?;
    let as_of = last_moment(tx, now)?;
    let timers = timers(tx)?;
    let mut counts: HashMap<i64, i64> = HashMap::new();
    nobody(tx, &people, findings)?;
    for person in people {
        let moments = [as_of, now, last_event.get(&person).copied().unwrap_or(now)];
        let timers = (!looked_at.contains(&person)).then_some(&timers);
        check_person(tx, person, moments, timers, &mut counts, findings)?;
    }
    let compiled = definitions::current(tx)?;
    for segment in compiled.segments.iter().filter(|s| s.filling == segments::runtime::Filling::Live) {
        let (counted, found) = (changes::count(tx, segment.id)?, counts.get(&segment.id).copied().unwrap_or(0));
        if counted != found {
            findings.error("segments.count", segment.id, format!("{counted} people are counted, {found} are in"));
        }
    }
    Ok(())
}

/// The last moment at which the writer acted: what time alone changed since then is work for a timer, not a finding.
fn last_moment(tx: &mut Tx, now: Timestamp) -> Result<Timestamp, DbError> {
    let mut last = tx.writer_row().acted_at.micros();
    // A store that only an older program wrote does not say it.
    for sql in ["SELECT MAX(received_at) FROM log", "SELECT MAX(at) FROM membership_changes"] {
        last = last.max(tx.first(sql, &[])?.map(|r| r.opt_int(0)).transpose()?.flatten().unwrap_or(0));
    }
    Ok(if last == 0 { now } else { Timestamp::from_micros(last).min(now) })
}

/// Only people are in segments: neither profiles that belong to somebody else nor ids that nobody has.
fn nobody(tx: &mut Tx, people: &[i64], findings: &mut Findings) -> Result<(), DbError> {
    let mut ids = Vec::new();
    tx.engine().each("SELECT DISTINCT person_id FROM memberships ORDER BY person_id", &[], &mut |r| {
        ids.push(r.int(0)?);
        Ok(true)
    })?;
    for id in ids.into_iter().filter(|id| people.binary_search(id).is_err()) {
        // Rows follow lazily: what the facts say by now is asked.
        if tx.get::<Memberships>(id)?.is_some_and(|row| !row.list.is_empty()) {
            findings.error("memberships", id, "a row of somebody who is no person");
        }
    }
    Ok(())
}

fn timers(tx: &mut Tx) -> Result<HashMap<i64, i64>, DbError> {
    let mut out = HashMap::new();
    tx.engine().each("SELECT subject, due_at FROM timers WHERE kind = $1", &[TIMER_KIND.into()], &mut |r| {
        out.insert(r.int(0)?, r.int(1)?);
        Ok(true)
    })?;
    Ok(out)
}

fn check_person(
    tx: &mut Tx,
    person: i64,
    moments: [Timestamp; 3],
    timers: Option<&HashMap<i64, i64>>,
    counts: &mut HashMap<i64, i64>,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let row = tx.get::<Memberships>(person)?;
    let armed = row.map_or(0, |row| row.armed_us);
    let held: Vec<i64> = row.map(|row| row.list.iter().map(|m| m.segment_id).collect()).unwrap_or_default();
    for segment in &held {
        *counts.entry(*segment).or_default() += 1;
    }
    // Right is what holds now, or held when the writer acted last, or when the person's last event came: what only time
    // has changed since then waits for its timer.
    let mut next_look: Option<Timestamp> = None;
    let mut right: HashMap<i64, bool> = HashMap::new();
    // Many people may be due at once, such as at midnight, while others' events go on: it held until the timer that waits.
    let waits = (armed > 0 && armed <= moments[1].micros()).then(|| Timestamp::from_micros(armed - 1));
    for at in moments.into_iter().chain(waits) {
        for (segment, verdict) in segments::runtime::expected(tx, person, &held, at)? {
            *right.entry(segment).or_default() |= verdict.member == held.contains(&segment);
            if at == moments[0] {
                next_look = [next_look, verdict.valid_until].into_iter().flatten().min();
            }
        }
    }
    for (segment, _) in right.into_iter().filter(|(_, right)| !right) {
        let is = if held.contains(&segment) { "in" } else { "not in" };
        findings.error(
            "memberships",
            person,
            format!("the person is {is} segment {segment}, evaluation says otherwise"),
        );
    }
    if let (Some(look), Some(timers)) = (next_look, timers) {
        match timers.get(&person) {
            Some(due) if *due <= look.micros() => {}
            other => {
                findings.error("timers", person, format!("a look is due at {look}, the timer stands at {other:?}"))
            }
        }
    }
    Ok(())
}
