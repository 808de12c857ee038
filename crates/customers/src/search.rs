//! Finding people by what somebody types, and listing them by last event, orders or revenue.
use crate::model::{PersonView, Profile};
use crate::profiles::{Read, SLOT_US};
use crate::rules::Rules;
use base::Country;
use db::DbError;
use db::event::Event;

/// Characters that a part of a value must have to be searched for.
pub const PREFIX_MIN: usize = 3;
/// People that one query finds, at most; who has more must say more.
pub const FOUND_MAX: usize = 1_000;
/// Kinds of identifiers that a search looks through.
const KINDS_MAX: usize = 64;

/// Words of a text as they are searched for: lower case, letters and digits.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    parts.take(8).map(|w| w.chars().take(32).flat_map(char::to_lowercase).collect())
}

/// Words of the name that an event states.
/// The words of a name as the search knows them.
pub(crate) fn words_of(text: &str) -> Vec<String> {
    words(text).collect()
}

/// The words of the names that an event states.
pub fn name_words(event: &Event) -> Vec<String> {
    let named = event.traits.iter().filter(|(name, _)| matches!(&**name, "name" | "firstName" | "lastName"));
    let texts = named.filter_map(|(_, value)| serde_json::from_str::<String>(value.as_deref()?).ok());
    texts.flat_map(|t| words(&t).collect::<Vec<_>>()).collect()
}

/// What was found: people in order of their ids, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    pub people: Vec<i64>,
    /// Where the next page begins.
    pub next: Option<i64>,
    /// All that match, unless there are more than [`FOUND_MAX`].
    pub total: Option<usize>,
}

/// Which identifiers a search finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// Those that begin with what was written.
    Beginnings,
    /// Only those that are what was written: who may not see phones and e-mails could else guess them letter by letter.
    Whole,
}

/// People with an identifier that is `query` in any spelling or begins with it (see [`Matching`]), or with a name whose words
/// begin with those of `query`. `cursor` is the last page's `next`.
pub fn find_people(
    read: &mut impl Read,
    query: &str,
    (rules, country, matching): (&Rules, Country, Matching),
    cursor: Option<i64>,
    limit: usize,
) -> Result<Found, DbError> {
    let query = query.trim();
    if query.is_empty() {
        return Ok(Found { total: Some(0), ..Found::default() });
    }
    let mut profiles = by_identifier(read, query, rules, (country, matching))?;
    profiles.extend(by_name(read, query)?);
    let full = profiles.len() >= FOUND_MAX;
    profiles.sort_unstable();
    profiles.dedup();
    let mut people = Vec::with_capacity(profiles.len());
    for profile in profiles {
        people.extend(person_of(read, profile)?);
    }
    people.sort_unstable_by(|a, b| b.cmp(a));
    people.dedup();
    let total = (!full).then_some(people.len());
    people.retain(|p| cursor.is_none_or(|c| *p < c));
    let next = (people.len() > limit && limit > 0).then(|| people[limit - 1]);
    people.truncate(limit);
    Ok(Found { people, next, total })
}

fn person_of(read: &mut impl Read, profile: i64) -> Result<Option<i64>, DbError> {
    Ok(read.profile(profile)?.map(|p| p.person).filter(|person| *person != 0))
}

const NEXT_KIND: &str = "SELECT kind FROM identifiers WHERE kind > $1 ORDER BY kind LIMIT 1";
const BY_PREFIX: &str =
    "SELECT profile_id FROM identifiers WHERE kind = $1 AND value >= $2 AND value < $3 ORDER BY value LIMIT $4";
const BY_VALUE: &str = "SELECT profile_id FROM identifiers WHERE kind = $1 AND value = $2";
const BY_WORD: &str =
    "SELECT profile_id FROM name_words WHERE word >= $1 AND word < $2 ORDER BY word, profile_id LIMIT $3";

fn by_identifier(
    read: &mut impl Read,
    query: &str,
    rules: &Rules,
    (country, matching): (Country, Matching),
) -> Result<Vec<i64>, DbError> {
    let mut out = Vec::new();
    for kind in kinds(read)? {
        if let Some(value) = rules.normalise(&kind, query, country) {
            for row in read.query(BY_VALUE, &[(&kind).into(), (&*value).into()])? {
                out.push(row.int(0)?);
            }
        }
        let prefix = prefix(&kind, query, country);
        if matching == Matching::Whole || prefix.chars().count() < PREFIX_MIN || out.len() >= FOUND_MAX {
            continue;
        }
        let end = format!("{prefix}\u{10ffff}");
        for row in
            read.query(BY_PREFIX, &[(&kind).into(), (&prefix).into(), (&end).into(), (FOUND_MAX as i64).into()])?
        {
            out.push(row.int(0)?);
        }
    }
    Ok(out)
}

/// The kinds that there are, by one step into the index each.
fn kinds(read: &mut impl Read) -> Result<Vec<String>, DbError> {
    let mut out: Vec<String> = Vec::new();
    while out.len() < KINDS_MAX {
        let last = out.last().map_or("", String::as_str);
        let Some(row) = read.query(NEXT_KIND, &[last.into()])?.into_iter().next() else { break };
        out.push(row.text(0)?.to_string());
    }
    Ok(out)
}

/// The beginning of a stored value, from the beginning of a written one.
fn prefix(kind: &str, query: &str, country: Country) -> String {
    match kind {
        "email" => query.to_lowercase(),
        "phone" => {
            let digits: String = query.chars().filter(char::is_ascii_digit).collect();
            let odd = query.chars().any(|c| c.is_alphabetic() || c == '@');
            if odd {
                String::new()
            } else if query.starts_with('+') {
                format!("+{digits}")
            } else if let Some(rest) = digits.strip_prefix("00") {
                format!("+{rest}")
            } else if let Some(rest) = digits.strip_prefix(country.trunk).filter(|_| !country.trunk.is_empty()) {
                format!("+{}{rest}", country.dial)
            } else {
                format!("+{digits}")
            }
        }
        _ => query.to_string(),
    }
}

/// Profiles whose name has, for every word of the query, one that begins with it. The longest word is looked up, the
/// others are compared with the name as it is now.
fn by_name(read: &mut impl Read, query: &str) -> Result<Vec<i64>, DbError> {
    let wanted: Vec<String> = words(query).collect();
    let Some(longest) = wanted.iter().max_by_key(|w| w.chars().count()).filter(|w| w.chars().count() >= 2) else {
        return Ok(Vec::new());
    };
    let end = format!("{longest}\u{10ffff}");
    let mut out = Vec::new();
    for row in read.query(BY_WORD, &[longest.into(), (&end).into(), (FOUND_MAX as i64).into()])? {
        let id = row.int(0)?;
        if let Some(profile) = read.profile(id)?
            && is_named(&profile, &wanted)
        {
            out.push(id);
        }
    }
    Ok(out)
}

fn is_named(profile: &Profile, wanted: &[String]) -> bool {
    let traits = &profile.state.traits;
    let texts: Vec<String> = ["name", "firstName", "lastName"].into_iter().filter_map(|n| traits.text(n)).collect();
    let known: Vec<String> = texts.iter().flat_map(|t| words(t)).collect();
    wanted.iter().all(|w| known.iter().any(|k| k.starts_with(w.as_str())))
}

/// What a list is sorted by, greatest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    LastSeen,
    Orders,
    Revenue,
}

/// Where a page of a list ended: the sort value and the person of its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub value: i64,
    pub person_id: i64,
}

const BY_ORDERS: &str = "SELECT profile_id, orders FROM profile_list WHERE orders >= 0 AND (orders < $1 OR (orders = $1 AND profile_id < $2)) \
     ORDER BY orders DESC, profile_id DESC LIMIT $3";
const BY_REVENUE: &str = "SELECT profile_id, revenue FROM profile_list WHERE revenue >= 0 AND (revenue < $1 OR (revenue = $1 AND profile_id < $2)) \
     ORDER BY revenue DESC, profile_id DESC LIMIT $3";
const NEXT_SLOT: &str = "SELECT slot FROM profile_list WHERE slot <= $1 ORDER BY slot DESC LIMIT 1";
const OF_SLOT: &str = "SELECT profile_id FROM profile_list WHERE slot = $1 ORDER BY profile_id DESC LIMIT $2";
const OF_SLOT_PAGE: &str =
    "SELECT profile_id FROM profile_list WHERE slot = $1 AND profile_id < $2 ORDER BY profile_id DESC LIMIT $3";

/// People seen within one slot that a list still puts in exact order; beyond, the newest profiles come first within the slot.
const EXACT_MAX: i64 = 500;

/// A page of people; those absorbed into others are left out. Sees what is flushed: a writer flushes first, a connection of
/// one's own is a turn behind.
pub fn list_people(
    read: &mut impl Read,
    sort: Sort,
    after: Option<Position>,
    limit: usize,
) -> Result<(Vec<Position>, bool), DbError> {
    let after = after.unwrap_or(Position { value: i64::MAX, person_id: i64::MAX });
    let want = limit as i64 + 1;
    let mut out = match sort {
        Sort::Orders | Sort::Revenue => {
            let sql = if sort == Sort::Orders { BY_ORDERS } else { BY_REVENUE };
            let rows = read.query(sql, &[after.value.into(), after.person_id.into(), want.into()])?;
            rows.iter()
                .map(|r| Ok(Position { person_id: r.int(0)?, value: r.int(1)? }))
                .collect::<Result<Vec<_>, DbError>>()?
        }
        Sort::LastSeen => by_last_seen(read, after, want as usize)?,
    };
    let more = out.len() > limit;
    out.truncate(limit);
    Ok((out, more))
}

fn by_last_seen(read: &mut impl Read, after: Position, want: usize) -> Result<Vec<Position>, DbError> {
    let mut out: Vec<Position> = Vec::with_capacity(want);
    let mut bound = after.value.div_euclid(SLOT_US).max(0);
    while out.len() < want {
        let Some(slot) = read.query(NEXT_SLOT, &[bound.into()])?.first().map(|r| r.int(0)).transpose()? else { break };
        if slot < 0 {
            break;
        }
        let rows = read.query(OF_SLOT, &[slot.into(), (EXACT_MAX + 1).into()])?;
        if rows.len() as i64 <= EXACT_MAX {
            let mut found = Vec::with_capacity(rows.len());
            for row in &rows {
                let person_id = row.int(0)?;
                found.push(Position { value: person_last_seen(read, person_id)?, person_id });
            }
            found.sort_unstable_by_key(|p| std::cmp::Reverse((p.value, p.person_id)));
            out.extend(found.into_iter().filter(|p| (p.value, p.person_id) < (after.value, after.person_id)));
        } else {
            // Every line of such a slot has the slot's own time as its value.
            let value = slot * SLOT_US;
            let from = if value == after.value { after.person_id } else { i64::MAX };
            let rows = read.query(OF_SLOT_PAGE, &[slot.into(), from.into(), (want as i64).into()])?;
            for row in &rows {
                out.push(Position { value, person_id: row.int(0)? });
            }
        }
        bound = slot - 1;
    }
    out.truncate(want);
    Ok(out)
}

const LAST_SEEN: &str =
    "SELECT MAX(p.last_seen) FROM profile_list l JOIN profiles p ON p.profile_id = l.profile_id WHERE l.person = $1";

fn person_last_seen(read: &mut impl Read, person_id: i64) -> Result<i64, DbError> {
    let rows = read.query(LAST_SEEN, &[person_id.into()])?;
    rows.first().map_or(Ok(0), |r| Ok(r.opt_int(0)?.unwrap_or(0)))
}

/// The value that a person stands for in a list of this sort.
pub fn sort_value(person: &PersonView, sort: Sort) -> i64 {
    let totals = &person.state.totals;
    match sort {
        Sort::LastSeen => totals.last_seen.map_or(0, base::Timestamp::micros),
        Sort::Orders => totals.orders,
        Sort::Revenue => totals.revenue.greatest(),
    }
}
