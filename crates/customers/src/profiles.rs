//! The cached tables: profiles, who owns an identifier, what may be sent to a contact point; and their migrations.
use crate::codec;
use crate::consent::Standing;
use crate::model::{Identifiers, Key, Profile, Seen, Trait};
use base::{MINUTE_US, Timestamp};
use db::{Bulk, DbError, Engine, Lookup, Owned, Table, Value};
use hashbrown::HashMap;

/// This crate's tables.
pub const MIGRATIONS: db::Migrations = db::Migrations {
    owner: "customers",
    steps: &[
        ("0001_customers", include_str!("../migrations/0001_customers.sql")),
        ("0002_privacy", include_str!("../migrations/0002_privacy.sql")),
        ("0003_identity", include_str!("../migrations/0003_identity.sql")),
        ("0004_requests_and_retention", include_str!("../migrations/0004_requests_and_retention.sql")),
        ("0005_profile", include_str!("../migrations/0005_profile.sql")),
    ],
};

/// Rows of profiles by id. They follow the log by rotating flush.
pub struct Profiles;

static PROFILES: Bulk = Bulk {
    table: "profiles",
    columns: &[
        ("profile_id", 'i'),
        ("folded_to", 'i'),
        ("orders", 'i'),
        ("revenue", 'i'),
        ("last_seen", 'i'),
        ("state", 'b'),
    ],
    key: 1,
    insert_only: false,
};

static BY_ID: Lookup =
    Lookup { table: "profiles", keys: &[("profile_id", 'i')], columns: "state, folded_to", order: "" };

impl Table for Profiles {
    type Key = i64;
    type Row = Profile;
    const NAME: &'static str = "profiles";
    const LAZY: bool = true;

    fn slice(key: i64) -> i64 {
        key >> 10
    }
    fn weight(row: &Profile) -> usize {
        weight(row)
    }
    fn load(db: &mut Engine, key: i64) -> Result<Option<Profile>, DbError> {
        let row = db.first("SELECT state, folded_to FROM profiles WHERE profile_id = $1", &[key.into()])?;
        row.map(|r| codec::decode(r.blob(0)?, r.int(1)?)).transpose()
    }
    fn load_many(db: &mut Engine, keys: &[i64]) -> Result<Vec<(i64, Option<Profile>)>, DbError> {
        let ids: Vec<[Value<'_>; 1]> = keys.iter().map(|k| [(*k).into()]).collect();
        let refs: Vec<&[Value<'_>]> = ids.iter().map(|v| &v[..]).collect();
        let mut out: Vec<(i64, Option<Profile>)> = keys.iter().map(|k| (*k, None)).collect();
        db.lookup(&BY_ID, &refs, &mut |at, row| {
            out[at].1 = Some(codec::decode(row.blob(0)?, row.int(1)?)?);
            Ok(())
        })?;
        Ok(out)
    }
    fn flush(db: &mut Engine, rows: &[(i64, &Profile)], group: i64) -> Result<(), DbError> {
        let mut states = Vec::with_capacity(rows.len());
        let mut ends = Vec::with_capacity(rows.len());
        for (_, profile) in rows {
            codec::encode(profile, &mut states);
            ends.push(states.len());
        }
        let mut from = 0;
        let mut values: Vec<[Value<'_>; 6]> = Vec::with_capacity(rows.len());
        for ((id, profile), end) in rows.iter().zip(&ends) {
            let totals = &profile.state.totals;
            let (orders, revenue) = (totals.orders, totals.revenue.greatest());
            let state = &states[from..*end];
            from = *end;
            values.push([
                (*id).into(),
                group.into(),
                orders.into(),
                revenue.into(),
                last_seen(profile).into(),
                state.into(),
            ]);
        }
        let refs: Vec<&[Value<'_>]> = values.iter().map(<[Value<'_>; 6]>::as_slice).collect();
        db.bulk(&PROFILES, &refs)?;
        list::follow(db, rows)
    }
}

/// When it was seen, or else made, so that a profile without events of its own has its place in lists.
fn last_seen(profile: &Profile) -> i64 {
    profile.state.totals.last_seen.unwrap_or(profile.created_at).micros()
}

/// Up to `limit` profiles after an id, in order, as of their last flush; for whoever walks through all of them.
pub fn page(db: &mut Engine, after: i64, limit: i64) -> Result<Vec<(i64, Profile)>, DbError> {
    let sql = "SELECT profile_id, state, folded_to FROM profiles WHERE profile_id > $1 ORDER BY profile_id LIMIT $2";
    let rows = db.rows(sql, &[after.into(), limit.into()])?;
    rows.iter().map(|r| Ok((r.int(0)?, codec::decode(r.blob(1)?, r.int(2)?)?))).collect()
}

/// Bytes in memory. What copies share is counted with each, since the committed row is the one that stays.
fn weight(row: &Profile) -> usize {
    const BOX: usize = 16;
    let Identifiers { keys, .. } = &row.state.identifiers;
    let text = |k: &Key| k.kind.len() + k.value.len() + k.evidence.as_ref().map_or(0, |e| e.message_id.len()) + 3 * BOX;
    let keys: usize = keys.iter().map(|k| size_of::<Key>() + size_of::<Seen>() + text(k)).sum();
    let one = |t: &Trait| size_of::<Trait>() + t.name.len() + t.value.as_ref().map_or(0, |v| v.len()) + 2 * BOX + 40;
    let traits: usize = row.state.traits.0.iter().map(one).sum();
    let members = row.members.as_ref().map_or(0, |m| m.len() * 8 + 2 * BOX);
    size_of::<Profile>()
        + keys
        + traits
        + members
        + row.tail.weight()
        + row.state.counters.weight()
        + row.state.facts.weight()
}

/// Five minutes: lists by last event sort by this first. A finer value would move an index entry with every flush, which
/// dirties a random page each; within one of these a list is put in order when it is read.
pub const SLOT_US: i64 = 5 * MINUTE_US;

/// What lists are sorted by.
mod list {
    use super::{Bulk, DbError, Engine, HashMap, Lookup, Profile, SLOT_US, Value, last_seen};
    use db::Row;

    static LIST: Bulk = Bulk {
        table: "profile_list",
        columns: &[("profile_id", 'i'), ("person", 'i'), ("orders", 'i'), ("revenue", 'i'), ("slot", 'i')],
        key: 1,
        insert_only: false,
    };

    const READ_RANGE: &str =
        "SELECT profile_id, person, orders, revenue, slot FROM profile_list WHERE profile_id BETWEEN $1 AND $2";
    static LINE: Lookup = Lookup {
        table: "profile_list",
        keys: &[("profile_id", 'i')],
        columns: "person, orders, revenue, slot",
        order: "",
    };
    // A person's figures are those of all its profiles.
    static MEMBERS: Lookup =
        Lookup { table: "profile_list", keys: &[("person", 'i')], columns: "profile_id", order: "profile_id" };
    static FIGURES: Lookup =
        Lookup { table: "profiles", keys: &[("profile_id", 'i')], columns: "orders, revenue, last_seen", order: "" };

    type Line = [i64; 4];

    /// Brings the list up to the flushed rows; writes only what moved.
    pub fn follow(db: &mut Engine, rows: &[(i64, &Profile)]) -> Result<(), DbError> {
        let mut changed: Vec<(i64, Line)> = Vec::new();
        let mut people: Vec<i64> = Vec::new();
        for slice in rows.chunk_by(|a, b| a.0 >> 10 == b.0 >> 10) {
            let known = read(db, slice)?;
            for (id, profile) in slice {
                let totals = &profile.state.totals;
                let line = if profile.person == *id {
                    [*id, totals.orders, totals.revenue.greatest(), last_seen(profile).div_euclid(SLOT_US).max(0)]
                } else {
                    [profile.person, -1, -1, -1]
                };
                let old = known.get(id);
                // What an erasure left is in no list, and has no person whose figures could be summed up.
                if profile.person != 0 && (profile.members.is_some() || profile.person != *id) {
                    people.push(profile.person);
                    // The person's own figures are summed up below; only whom the profile belongs to is written here.
                    if old.is_some_and(|o| o[0] == profile.person && (o[1] < 0) == (line[1] < 0)) {
                        continue;
                    }
                }
                if old != Some(&line) {
                    changed.push((*id, line));
                }
            }
        }
        write(db, &changed)?;
        people.sort_unstable();
        people.dedup();
        let mut sums: Vec<(i64, Line)> = Vec::new();
        let old = lines(db, &people)?;
        for (person, line) in people.iter().zip(figures(db, &people)?) {
            if let Some(line) = line.filter(|line| old.get(person) != Some(line)) {
                sums.push((*person, line));
            }
        }
        write(db, &sums)
    }

    fn read(db: &mut Engine, slice: &[(i64, &Profile)]) -> Result<HashMap<i64, Line>, DbError> {
        let mut known = HashMap::with_capacity(slice.len());
        let (Some(first), Some(last)) = (slice.first(), slice.last()) else { return Ok(known) };
        // Neighbours are read in one go; a few scattered rows by their ids.
        if (last.0 - first.0) as usize > slice.len() * 16 {
            return lines(db, &slice.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        }
        db.each(READ_RANGE, &[first.0.into(), last.0.into()], &mut |r| {
            known.insert(r.int(0)?, [r.int(1)?, r.int(2)?, r.int(3)?, r.int(4)?]);
            Ok(true)
        })?;
        Ok(known)
    }

    fn lines(db: &mut Engine, ids: &[i64]) -> Result<HashMap<i64, Line>, DbError> {
        let mut known = HashMap::with_capacity(ids.len());
        of_each(db, &LINE, ids, &mut |at, r| {
            known.insert(ids[at], [r.int(0)?, r.int(1)?, r.int(2)?, r.int(3)?]);
            Ok(())
        })?;
        Ok(known)
    }

    /// The lines of people as the figures of all their profiles make them; `None` for whom no list shows.
    fn figures(db: &mut Engine, people: &[i64]) -> Result<Vec<Option<Line>>, DbError> {
        let (mut profiles, mut whose) = (Vec::new(), Vec::new());
        of_each(db, &MEMBERS, people, &mut |at, r| {
            profiles.push(r.int(0)?);
            whose.push(at);
            Ok(())
        })?;
        let mut sums: Vec<Option<[i64; 3]>> = vec![None; people.len()];
        of_each(db, &FIGURES, &profiles, &mut |at, r| {
            let [orders, revenue, seen] = sums[whose[at]].unwrap_or([0, 0, i64::MIN]);
            let sum = [orders.saturating_add(r.int(0)?), revenue.saturating_add(r.int(1)?), seen.max(r.int(2)?)];
            sums[whose[at]] = Some(sum);
            Ok(())
        })?;
        let line = |(person, sum): (&i64, Option<[i64; 3]>)| {
            sum.map(|[orders, revenue, seen]| [*person, orders, revenue, seen.div_euclid(SLOT_US).max(0)])
        };
        Ok(people.iter().zip(sums).map(line).collect())
    }

    fn of_each(
        db: &mut Engine,
        lookup: &'static Lookup,
        ids: &[i64],
        visit: &mut dyn FnMut(usize, Row) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        let keys: Vec<[Value<'_>; 1]> = ids.iter().map(|id| [(*id).into()]).collect();
        db.lookup(lookup, &keys.iter().map(|k| &k[..]).collect::<Vec<_>>(), visit)
    }

    fn write(db: &mut Engine, lines: &[(i64, Line)]) -> Result<(), DbError> {
        let values: Vec<[Value<'_>; 5]> = lines
            .iter()
            .map(|(id, [p, o, r, s])| [(*id).into(), (*p).into(), (*o).into(), (*r).into(), (*s).into()])
            .collect();
        let refs: Vec<&[Value<'_>]> = values.iter().map(<[Value<'_>; 5]>::as_slice).collect();
        db.bulk(&LIST, &refs)
    }
}

/// Who owns an identifier, by its hash. Rows are facts: whoever puts one appends it too. That nobody owns it is held as well.
pub struct IdentifierTable;

/// The owner of an identifier and the event that decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// 0 = nobody, any more.
    pub profile_id: i64,
    pub seq: i64,
}

impl Owner {
    /// Of a value that was taken off its profile.
    pub const NOBODY: Owner = Owner { profile_id: 0, seq: 0 };
}

impl Table for IdentifierTable {
    type Key = u128;
    type Row = Owner;
    const NAME: &'static str = "identifiers";
    const LAZY: bool = false;

    fn slice(_: u128) -> i64 {
        0
    }
    fn weight(_: &Owner) -> usize {
        size_of::<Owner>()
    }
    fn load(_: &mut Engine, _: u128) -> Result<Option<Owner>, DbError> {
        // A hash cannot be turned back: rows are read by kind and value, see `commands::owner`.
        Err(DbError::damaged("identifiers", "a row was asked for by hash alone"))
    }
    fn flush(_: &mut Engine, _: &[(u128, &Owner)], _: i64) -> Result<(), DbError> {
        Ok(())
    }
}

/// Consents of a contact point, or of a profile as a whole, by the hash of channel and address.
pub struct ConsentTable;

impl Table for ConsentTable {
    type Key = u128;
    type Row = Vec<Standing>;
    const NAME: &'static str = "consents";
    const LAZY: bool = false;

    fn slice(_: u128) -> i64 {
        0
    }
    fn weight(row: &Vec<Standing>) -> usize {
        row.iter().map(|s| size_of::<Standing>() + s.purpose.len()).sum()
    }
    fn load(_: &mut Engine, _: u128) -> Result<Option<Vec<Standing>>, DbError> {
        Err(DbError::damaged("consents", "a row was asked for by hash alone"))
    }
    fn flush(_: &mut Engine, _: &[(u128, &Vec<Standing>)], _: i64) -> Result<(), DbError> {
        Ok(())
    }
}

/// Where rows are read from: the writer's transaction, which sees what is not flushed yet, or a connection of one's own,
/// which sees profiles as of their last flush.
pub trait Read {
    /// Runs a query.
    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<db::Row>, DbError>;
    /// A profile by id, copied.
    fn profile(&mut self, id: i64) -> Result<Option<Profile>, DbError>;
    /// Spilled index entries of a profile.
    fn chunks(&mut self, id: i64) -> Result<Vec<db::index::Entry>, DbError>;
}

impl Read for db::Tx {
    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<db::Row>, DbError> {
        self.rows(sql, params)
    }
    fn profile(&mut self, id: i64) -> Result<Option<Profile>, DbError> {
        Ok(self.get::<Profiles>(id)?.cloned())
    }
    fn chunks(&mut self, id: i64) -> Result<Vec<db::index::Entry>, DbError> {
        // Chunks of this transaction may wait to be written; a query writes them.
        self.rows("SELECT CAST(1 AS BIGINT)", &[])?;
        db::index::chunks(self.engine(), id)
    }
}

impl Read for Engine {
    fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Vec<db::Row>, DbError> {
        self.rows(sql, params)
    }
    fn profile(&mut self, id: i64) -> Result<Option<Profile>, DbError> {
        Profiles::load(self, id)
    }
    fn chunks(&mut self, id: i64) -> Result<Vec<db::index::Entry>, DbError> {
        db::index::chunks(self, id)
    }
}

/// A value of a row that waits to be written.
pub(crate) fn time(at: Timestamp) -> Owned {
    at.micros().into()
}
