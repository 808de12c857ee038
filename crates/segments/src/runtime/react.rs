//! What an event, or a moment, changes.
use super::changes::{self, Change};
use super::definitions::{self, Compiled};
use super::memberships::{Cause, Memberships};
use super::timers;
use crate::evaluate::{PersonView, Verdict, evaluate};
use base::Timestamp;
use customers::State;
use customers::counters::Summary;
use customers::derived::Rules;
use db::reactor::{Happened, Moved};
use db::{DbError, Tx};
use std::borrow::Cow;
use std::sync::Arc;

/// One person as conditions see it.
pub(super) struct View<'a> {
    state: &'a State,
    rules: &'a Rules,
    /// Channel, purpose and answer, read beforehand.
    consents: &'a [(Box<str>, Box<str>, Option<bool>)],
    members_of: &'a [Box<str>],
}

impl<'a> View<'a> {
    /// A person as counters alone see it.
    pub fn of(state: &'a State, rules: &'a Rules) -> Self {
        Self { state, rules, consents: &[], members_of: &[] }
    }
}

impl PersonView for View<'_> {
    fn state(&self) -> &State {
        self.state
    }
    fn rules(&self) -> &Rules {
        self.rules
    }
    fn trait_json(&self, name: &str) -> Option<Cow<'_, str>> {
        self.state.traits.json(name)
    }
    fn counter(&self, id: u32) -> Option<Cow<'_, Summary>> {
        self.state.counters.get(id).map(Cow::Borrowed)
    }
    fn any_identifier(&self, kind: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.state.identifiers.own_of_kind(kind).any(test)
    }
    fn consent(&self, channel: &str, purpose: &str) -> Option<bool> {
        self.consents.iter().find(|(c, p, _)| **c == *channel && **p == *purpose).and_then(|(_, _, granted)| *granted)
    }
    fn in_segment(&self, name: &str) -> bool {
        self.members_of.iter().any(|n| **n == *name)
    }
}

/// Evaluates what an event can change, after it was folded.
pub fn react(tx: &mut Tx, happened: &mut Happened<'_>) -> Result<(), DbError> {
    if happened.person_id == 0 {
        return Ok(());
    }
    let compiled = definitions::current(tx)?;
    if compiled.segments.is_empty() {
        return Ok(());
    }
    if happened.created {
        // Known to be empty, so that nobody asks the database for it.
        tx.put::<Memberships>(happened.person_id, super::memberships::Person::default());
    }
    let mut affected = Vec::new();
    if happened.person_changed {
        affected.extend(0..compiled.segments.len());
    } else {
        compiled.affected(happened.event, &mut affected);
    }
    if affected.is_empty() {
        return Ok(());
    }
    let cause = if happened.absorbed.is_empty() { Cause::Event } else { Cause::Merge };
    let kept = take_over(tx, &happened.absorbed)?;
    let moved = evaluate_person(tx, &compiled, happened.person_id, affected, cause, tx.now(), &kept)?;
    happened.moved.extend(moved);
    Ok(())
}

/// Takes the memberships of absorbed people: their rows go, what they had is told, so that who stays in keeps the earliest
/// beginning and triggers nothing.
pub fn take_over(tx: &mut Tx, absorbed: &[i64]) -> Result<Vec<(i64, i64)>, DbError> {
    let mut kept = Vec::new();
    for person_id in absorbed {
        let list = tx.get::<Memberships>(*person_id)?.map(|row| row.list.clone()).unwrap_or_default();
        let at = tx.now();
        for m in list {
            kept.push((m.segment_id, m.since_us));
            let change = Change {
                segment_id: m.segment_id,
                person_id: *person_id,
                entered: false,
                at,
                leaves_at_us: 0,
                cause: Cause::Merge,
            };
            changes::apply(tx, &[change])?;
        }
        timers::disarm(tx, *person_id)?;
    }
    Ok(kept)
}

/// Takes an erased person out of every segment; its rows and its moment go, the counts fall.
pub fn leave_all(tx: &mut Tx, person_id: i64) -> Result<(), DbError> {
    take_over(tx, &[person_id])?;
    tx.flush_keys::<Memberships>(&[person_id])
}

/// Evaluates a person whose moment has come; `due` is when that was.
pub fn look_again(tx: &mut Tx, person_id: i64, due: Timestamp) -> Result<Vec<Moved>, DbError> {
    if customers::commands::person_of(tx, person_id)? != person_id {
        // Absorbed meanwhile: whoever it belongs to has a moment of its own.
        return Ok(Vec::new());
    }
    let compiled = definitions::current(tx)?;
    let all = (0..compiled.segments.len()).collect();
    evaluate_person(tx, &compiled, person_id, all, Cause::Timer, due, &[])
}

/// Evaluates people after profiles were joined or separated, or after a consent changed. `before` are memberships that the
/// people had under other ids: who stays in keeps the earliest beginning and triggers nothing.
pub fn reevaluate(tx: &mut Tx, people: &[i64], cause: Cause, before: &[(i64, i64)]) -> Result<Vec<Moved>, DbError> {
    let compiled = definitions::current(tx)?;
    let mut out = Vec::new();
    for person_id in people {
        let all = match cause {
            Cause::Event => compiled.on_consent().to_vec(),
            _ => (0..compiled.segments.len()).collect(),
        };
        let at = tx.now();
        out.extend(evaluate_person(tx, &compiled, *person_id, all, cause, at, before)?);
    }
    // No event of theirs in the log tells a start that somebody armed a moment here.
    tx.flush_keys::<Memberships>(people)?;
    Ok(out)
}

/// Evaluates one filling segment for a person; entries are marked `initial` and trigger nothing.
pub fn evaluate_now(tx: &mut Tx, person_id: i64, segment_id: i64) -> Result<(), DbError> {
    let compiled = definitions::current(tx)?;
    let Some(at) = compiled.segments.iter().position(|s| s.id == segment_id) else { return Ok(()) };
    let now = tx.now();
    evaluate_with(tx, &compiled, person_id, vec![at], Cause::Initial, now, &[], true).map(drop)
}

fn evaluate_person(
    tx: &mut Tx,
    compiled: &Arc<Compiled>,
    person_id: i64,
    affected: Vec<usize>,
    cause: Cause,
    at: Timestamp,
    kept: &[(i64, i64)],
) -> Result<Vec<Moved>, DbError> {
    evaluate_with(tx, compiled, person_id, affected, cause, at, kept, false)
}

#[allow(clippy::too_many_arguments, reason = "one private function with two callers; a struct would only rename them")]
fn evaluate_with(
    tx: &mut Tx,
    compiled: &Arc<Compiled>,
    person_id: i64,
    affected: Vec<usize>,
    cause: Cause,
    at: Timestamp,
    kept: &[(i64, i64)],
    filling: bool,
) -> Result<Vec<Moved>, DbError> {
    let now = tx.now();
    let held = tx.get::<Memberships>(person_id)?.map(|row| row.list.clone()).unwrap_or_default();
    let names_needed = compiled.segments.iter().any(|s| !s.plan.dependencies().segments.is_empty());
    let mut members_of: Vec<Box<str>> = Vec::new();
    if names_needed {
        let name = |id: i64| compiled.find(id).map(|s| s.name.as_str().into());
        members_of = held.iter().filter_map(|m| name(m.segment_id)).collect();
    }
    let consents = read_consents(tx, compiled, &affected, person_id)?;
    let (mut moved, mut next_look) = (Vec::new(), None::<Timestamp>);
    let mut queue = affected;
    let mut at_queue = 0;
    let mut found: Vec<Change> = Vec::new();
    {
        let state = customers::commands::person_state(tx, person_id, &compiled.counters)?;
        while let Some(&index) = queue.get(at_queue) {
            at_queue += 1;
            let segment = &compiled.segments[index];
            if !filling && !segment.filling.covers(person_id) {
                continue;
            }
            let view = View { state: &state, rules: &compiled.rules, consents: &consents, members_of: &members_of };
            let Verdict { member, valid_until } = evaluate(&segment.plan, &view, now, &compiled.zone);
            if let Some(until) = valid_until {
                next_look = Some(next_look.map_or(until, |n| n.min(until)));
            }
            let was = held.iter().find(|m| m.segment_id == segment.id);
            if member == was.is_some() {
                continue;
            }
            let leaves_at_us = if member { valid_until.map_or(0, Timestamp::micros) } else { 0 };
            let since = kept.iter().filter(|(s, _)| *s == segment.id).map(|(_, since)| *since).min();
            let when = since.filter(|_| member).map_or(at, Timestamp::from_micros);
            found.push(Change { segment_id: segment.id, person_id, entered: member, at: when, leaves_at_us, cause });
            let triggers = since.is_none() && cause != Cause::Initial;
            moved.push(Moved { segment_id: segment.id, person_id, entered: member, triggers, at: when });
            if names_needed {
                members_of.retain(|n| **n != *segment.name);
                if member {
                    members_of.push(segment.name.as_str().into());
                }
                // Those that name this one stand behind it in the order, so each is looked at once more at most.
                for naming in compiled.naming(segment.id) {
                    if !queue[at_queue..].contains(naming) {
                        queue.push(*naming);
                    }
                }
            }
        }
    }
    if !kept.is_empty() {
        keep_earliest(tx, person_id, kept)?;
    }
    if !found.is_empty() {
        changes::apply(tx, &found)?;
    }
    if let Some(look) = next_look {
        timers::arm(tx, person_id, look.max(now.plus(1)))?;
    }
    Ok(moved)
}

/// Who was in before under two ids is in since the earlier moment.
fn keep_earliest(tx: &mut Tx, person_id: i64, kept: &[(i64, i64)]) -> Result<(), DbError> {
    let list = tx.get::<Memberships>(person_id)?.map(|row| row.list.clone()).unwrap_or_default();
    for membership in list {
        let earlier = kept.iter().filter(|(s, since)| *s == membership.segment_id && *since < membership.since_us);
        let Some(since) = earlier.map(|(_, since)| *since).min() else { continue };
        // The fact is written as an entry at the earlier moment: replayed, it sets the same row. The count stays.
        changes::correct(
            tx,
            Change {
                segment_id: membership.segment_id,
                person_id,
                entered: true,
                at: Timestamp::from_micros(since),
                leaves_at_us: membership.leaves_at_us,
                cause: membership.cause,
            },
        )?;
    }
    Ok(())
}

type Consents = Vec<(Box<str>, Box<str>, Option<bool>)>;

fn read_consents(tx: &mut Tx, compiled: &Compiled, affected: &[usize], person_id: i64) -> Result<Consents, DbError> {
    let mut out: Consents = Vec::new();
    for index in affected {
        for (channel, purpose) in &compiled.segments[*index].plan.dependencies().consents {
            if !out.iter().any(|(c, p, _)| c == channel && p == purpose) {
                let members = customers::commands::members_of(tx, person_id)?;
                let granted = customers::consent::person_consent(tx, &members, channel, purpose)?;
                out.push((channel.clone(), purpose.clone(), granted));
            }
        }
    }
    Ok(out)
}

/// What evaluation from scratch says of a person and every segment that covers it: segment, and the verdict at `at`.
pub fn expected(tx: &mut Tx, person_id: i64, held: &[i64], at: Timestamp) -> Result<Vec<(i64, Verdict)>, DbError> {
    let compiled = definitions::current(tx)?;
    let all: Vec<usize> = (0..compiled.segments.len()).collect();
    let consents = read_consents(tx, &compiled, &all, person_id)?;
    let name = |id: &i64| compiled.find(*id).map(|s| Box::<str>::from(s.name.as_str()));
    let members_of: Vec<Box<str>> = held.iter().filter_map(name).collect();
    let state = customers::commands::person_state(tx, person_id, &compiled.counters)?;
    let view = View { state: &state, rules: &compiled.rules, consents: &consents, members_of: &members_of };
    let covered = compiled.segments.iter().filter(|s| s.filling == super::Filling::Live);
    Ok(covered.map(|s| (s.id, evaluate(&s.plan, &view, at, &compiled.zone))).collect())
}

/// Who is in which segment right now, by evaluation; what an overdue timer has not done yet is seen all the same.
pub fn read_person(tx: &mut Tx, person_id: i64) -> Result<Vec<super::Membership>, DbError> {
    let compiled = definitions::current(tx)?;
    let now = tx.now();
    let held = tx.get::<Memberships>(person_id)?.map(|row| row.list.clone()).unwrap_or_default();
    let all: Vec<usize> = (0..compiled.segments.len()).collect();
    let consents = read_consents(tx, &compiled, &all, person_id)?;
    let name = |id: i64| compiled.find(id).map(|s| Box::<str>::from(s.name.as_str()));
    let members_of: Vec<Box<str>> = held.iter().filter_map(|m| name(m.segment_id)).collect();
    let state = customers::commands::person_state(tx, person_id, &compiled.counters)?;
    let view = View { state: &state, rules: &compiled.rules, consents: &consents, members_of: &members_of };
    let mut out = Vec::new();
    for mut membership in held {
        let Some(segment) = compiled.find(membership.segment_id) else { continue };
        let Verdict { member, valid_until } = evaluate(&segment.plan, &view, now, &compiled.zone);
        if member || !segment.filling.covers(person_id) {
            membership.leaves_at_us = valid_until.map_or(0, Timestamp::micros);
            out.push(membership);
        }
    }
    Ok(out)
}
