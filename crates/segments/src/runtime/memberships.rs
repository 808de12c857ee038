//! Who is in which segment: the cached table, keyed by person.
use db::{Bulk, DbError, Engine, Lookup, Table, Value};
use std::cell::{Cell, RefCell};

/// Why a membership began or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// An event of the person.
    Event,
    /// A moment that came.
    Timer,
    /// The segment was made or changed; such an entry triggers nothing.
    Initial,
    /// Profiles were joined.
    Merge,
    /// Profiles were separated.
    Unmerge,
}

impl Cause {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Event => "event",
            Cause::Timer => "timer",
            Cause::Initial => "initial",
            Cause::Merge => "merge",
            Cause::Unmerge => "unmerge",
        }
    }
    /// The inverse of [`Cause::as_str`]; an unknown word is an event.
    pub fn parse(text: &str) -> Self {
        match text {
            "timer" => Cause::Timer,
            "initial" => Cause::Initial,
            "merge" => Cause::Merge,
            "unmerge" => Cause::Unmerge,
            _ => Cause::Event,
        }
    }
}

/// One person in one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    pub segment_id: i64,
    pub since_us: i64,
    /// When the membership ends if nothing happens, as far as known; never later than the true moment. 0 = never.
    pub leaves_at_us: i64,
    pub cause: Cause,
}

/// All memberships of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Sorted by segment.
    pub list: Vec<Membership>,
    /// When the person is to be looked at again; 0 = never. Moved forward only by the look itself: writing it whenever an
    /// event moves it costs more than a look too many.
    pub armed_us: i64,
    /// Segments whose rows differ from the database: those in `list` are to be written, others to be deleted. Emptied by the
    /// flush: whatever fails after it has memory loaded again.
    fresh: RefCell<Vec<i64>>,
    /// Whether `armed_us` differs from the database.
    timer_fresh: Cell<bool>,
}

impl Person {
    /// The membership in a segment.
    pub fn find(&self, segment_id: i64) -> Option<&Membership> {
        self.list.iter().find(|m| m.segment_id == segment_id)
    }
    /// Adds or replaces a membership.
    pub fn put(&mut self, membership: Membership) {
        match self.list.binary_search_by_key(&membership.segment_id, |m| m.segment_id) {
            Ok(at) => self.list[at] = membership,
            Err(at) => self.list.insert(at, membership),
        }
        self.touch(membership.segment_id);
    }
    /// Removes a membership.
    pub fn remove(&mut self, segment_id: i64) {
        self.list.retain(|m| m.segment_id != segment_id);
        self.touch(segment_id);
    }
    /// Sets the moment of the next look; 0 = none.
    pub fn arm(&mut self, at_us: i64) {
        self.armed_us = at_us;
        self.timer_fresh.set(true);
    }
    fn touch(&mut self, segment_id: i64) {
        let fresh = self.fresh.get_mut();
        if !fresh.contains(&segment_id) {
            fresh.push(segment_id);
        }
    }
}

/// The number under which timers of memberships stand.
pub const TIMER_KIND: i64 = 1;

static MEMBERSHIPS: Bulk = Bulk {
    table: "memberships",
    columns: &[("person_id", 'i'), ("segment_id", 'i'), ("since", 'i'), ("leaves_at", 'i'), ("cause", 't')],
    key: 2,
    insert_only: false,
};
static TIMERS: Bulk =
    Bulk { table: "timers", columns: &[("kind", 'i'), ("subject", 'i'), ("due_at", 'i')], key: 2, insert_only: false };

static OF_PERSON: Lookup = Lookup {
    table: "memberships",
    keys: &[("person_id", 'i')],
    columns: "segment_id, since, leaves_at, cause",
    order: "segment_id",
};
static TIMER_OF: Lookup =
    Lookup { table: "timers", keys: &[("kind", 'i'), ("subject", 'i')], columns: "due_at", order: "" };

fn membership(row: &db::Row) -> Result<Membership, DbError> {
    Ok(Membership {
        segment_id: row.int(0)?,
        since_us: row.int(1)?,
        leaves_at_us: row.int(2)?,
        cause: Cause::parse(row.text(3)?),
    })
}

/// The cached table.
pub struct Memberships;

impl Table for Memberships {
    type Key = i64;
    type Row = Person;
    const NAME: &'static str = "memberships";
    const LAZY: bool = true;
    fn slice(key: i64) -> i64 {
        key >> 10
    }
    fn weight(row: &Person) -> usize {
        size_of::<Person>() + row.list.len() * size_of::<Membership>() + 16
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Person>, DbError> {
        let sql =
            "SELECT segment_id, since, leaves_at, cause FROM memberships WHERE person_id = $1 ORDER BY segment_id";
        let mut person = Person::default();
        for row in db.rows(sql, &[key.into()])? {
            person.list.push(membership(&row)?);
        }
        let sql = "SELECT due_at FROM timers WHERE kind = $1 AND subject = $2";
        person.armed_us = db.first(sql, &[TIMER_KIND.into(), key.into()])?.map_or(Ok(0), |r| r.int(0))?;
        Ok(Some(person))
    }
    fn load_many(db: &mut Engine, keys: &[i64]) -> Result<Vec<(i64, Option<Person>)>, DbError> {
        let mut people = vec![Person::default(); keys.len()];
        let ids: Vec<[Value<'_>; 1]> = keys.iter().map(|k| [(*k).into()]).collect();
        let refs: Vec<&[Value<'_>]> = ids.iter().map(|v| &v[..]).collect();
        db.lookup(&OF_PERSON, &refs, &mut |at, row| {
            people[at].list.push(membership(&row)?);
            Ok(())
        })?;
        let ids: Vec<[Value<'_>; 2]> = keys.iter().map(|k| [TIMER_KIND.into(), (*k).into()]).collect();
        let refs: Vec<&[Value<'_>]> = ids.iter().map(|v| &v[..]).collect();
        db.lookup(&TIMER_OF, &refs, &mut |at, row| {
            people[at].armed_us = row.int(0)?;
            Ok(())
        })?;
        Ok(keys.iter().copied().zip(people.into_iter().map(Some)).collect())
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Person)], _group: i64) -> Result<(), DbError> {
        let mut members: Vec<[Value<'_>; 5]> = Vec::new();
        let mut gone: Vec<[Value<'_>; 2]> = Vec::new();
        let mut timers: Vec<[Value<'_>; 3]> = Vec::new();
        for (person, row) in rows {
            for segment in row.fresh.take() {
                match row.find(segment) {
                    Some(m) => {
                        let cause = m.cause.as_str();
                        members.push([
                            (*person).into(),
                            segment.into(),
                            m.since_us.into(),
                            m.leaves_at_us.into(),
                            cause.into(),
                        ]);
                    }
                    None => gone.push([(*person).into(), segment.into()]),
                }
            }
            // A timer that is no longer wanted is left to fire: it finds nothing to do and goes then.
            if row.timer_fresh.take() && row.armed_us != 0 {
                timers.push([TIMER_KIND.into(), (*person).into(), row.armed_us.into()]);
            }
        }
        let refs: Vec<&[Value<'_>]> = gone.iter().map(|v| &v[..]).collect();
        db.delete_many(&MEMBERSHIPS, &refs)?;
        let refs: Vec<&[Value<'_>]> = members.iter().map(|v| &v[..]).collect();
        db.bulk(&MEMBERSHIPS, &refs)?;
        let refs: Vec<&[Value<'_>]> = timers.iter().map(|v| &v[..]).collect();
        db.bulk(&TIMERS, &refs)
    }
}
