//! The writer's part: adding up what was learned, and noticing what changed.
use super::{Learner, Property, Seen};
use crate::sources::plans;
use base::DAY_US;
use collect::plan::{Compiled, Found, Kind};
use db::{Bulk, DbError, Tx};
use hashbrown::HashMap;

/// A source is settled after a day with a thousand events; before that, everything is new and nothing is drift.
const SETTLED_EVENTS: i64 = 1_000;
const SETTLED_US: i64 = DAY_US;
/// Events of a name after which a new property is drift, and of a property after which a new kind of value is.
const KNOWN_EVENTS: i64 = 200;
const KNOWN_VALUES: i64 = 50;
/// Looked-at events below which a share of missing properties says nothing.
const SHARE_OF: u64 = 20;
/// Message ids kept of one drift.
const EXAMPLES: usize = 5;

static EVENTS: Bulk = Bulk {
    table: "learned_events",
    columns: &[("source", 'i'), ("event", 't'), ("count", 'i'), ("first_at", 'i'), ("last_at", 'i'), ("overflow", 'i')],
    key: 2,
    insert_only: false,
};
static PROPERTIES: Bulk = Bulk {
    table: "learned_properties",
    columns: &[
        ("source", 'i'),
        ("event", 't'),
        ("property", 't'),
        ("count", 'i'),
        ("first_at", 'i'),
        ("last_at", 'i'),
        ("kinds", 'i'),
        ("shape", 't'),
    ],
    key: 3,
    insert_only: false,
};

#[derive(Default)]
struct Known {
    events: HashMap<String, [i64; 4]>,
    properties: HashMap<(String, String), (i64, i64, i64, String)>,
    /// Events of the source before this flush, and when the first came.
    total: i64,
    first_at: i64,
}

fn known(tx: &mut Tx, source: i64) -> Result<Known, DbError> {
    let mut out = Known::default();
    let events = "SELECT event, count, first_at, last_at, overflow FROM learned_events WHERE source = $1";
    for row in tx.rows(events, &[source.into()])? {
        let line = [row.int(1)?, row.int(2)?, row.int(3)?, row.int(4)?];
        out.total += line[0];
        out.first_at = if out.first_at == 0 { line[1] } else { out.first_at.min(line[1]) };
        out.events.insert(row.text(0)?.into(), line);
    }
    let properties = "SELECT event, property, count, first_at, kinds, shape FROM learned_properties WHERE source = $1";
    for row in tx.rows(properties, &[source.into()])? {
        let line = (row.int(2)?, row.int(3)?, row.int(4)?, row.text(5)?.to_string());
        out.properties.insert((row.text(0)?.into(), row.text(1)?.into()), line);
    }
    Ok(out)
}

/// Something that changed.
struct Drift<'a> {
    kind: &'static str,
    event: &'a str,
    property: &'a str,
    detail: String,
    count: u64,
    message_id: &'a str,
}

/// Adds what was learned since the last time to the tables.
pub fn flush(tx: &mut Tx, learner: &Learner) -> Result<(), DbError> {
    let plans = plans(tx)?;
    for (source, events) in learner.take() {
        let known = known(tx, source)?;
        let now = tx.now().micros();
        let settled = known.total >= SETTLED_EVENTS && now - known.first_at >= SETTLED_US;
        let mut drifts: Vec<Drift<'_>> = Vec::new();
        for (name, seen) in &events {
            let before = known.events.get(&**name);
            if before.is_none() && settled && !name.is_empty() {
                let detail = "the source did not send this before".into();
                let (count, message_id) = (seen.count, &*seen.message_id);
                drifts.push(Drift { kind: "new_event", event: name, property: "", detail, count, message_id });
            }
            let line = before.copied().unwrap_or([0, seen.first_at, 0, 0]);
            tx.append(
                &EVENTS,
                vec![
                    source.into(),
                    (&**name).into(),
                    (line[0] + seen.count as i64).into(),
                    line[1].into(),
                    line[2].max(seen.last_at).into(),
                    (line[3] + seen.overflow as i64).into(),
                ],
            );
            properties(tx, source, name, seen, (&known, line[0]), &mut drifts);
            misfits(plans.of(source), name, seen, &mut drifts);
        }
        for drift in &drifts {
            note(tx, source, drift)?;
        }
    }
    Ok(())
}

fn properties<'a>(
    tx: &mut Tx,
    source: i64,
    event: &'a str,
    seen: &'a Seen,
    (known, events_before): (&Known, i64),
    drifts: &mut Vec<Drift<'a>>,
) {
    let mut all: Vec<(&Box<str>, &Property)> = seen.properties.iter().collect();
    all.sort_unstable_by_key(|(name, _)| *name);
    for (name, property) in all {
        let before = known.properties.get(&(event.to_string(), name.to_string()));
        let (count, first_at, kinds, shape) =
            before.cloned().unwrap_or((0, seen.first_at, 0, property.shape.to_string()));
        let fresh = i64::from(property.kinds) & !kinds;
        let mut drift = |kind, detail| {
            let (count, message_id) = (property.count, &*property.message_id);
            drifts.push(Drift { kind, event, property: name, detail, count, message_id });
        };
        if before.is_none() && events_before >= KNOWN_EVENTS {
            drift("new_property", "events of this name did not have it before".to_string());
        } else if before.is_some() && count >= KNOWN_VALUES && fresh != 0 {
            drift("type_change", format!("it was {}, now it is {} too", words(kinds), words(fresh)));
        }
        tx.append(
            &PROPERTIES,
            vec![
                source.into(),
                event.into(),
                (&**name).into(),
                (count + property.count as i64).into(),
                first_at.into(),
                seen.last_at.into(),
                (kinds | i64::from(property.kinds)).into(),
                shape.into(),
            ],
        );
    }
}

/// What does not fit a plan that warns.
fn misfits<'a>(plan: Option<&Compiled>, event: &'a str, seen: &'a Seen, drifts: &mut Vec<Drift<'a>>) {
    let Some(plan) = plan else { return };
    let mut found: Vec<_> = seen.found.iter().collect();
    found.sort_unstable_by_key(|(f, _)| *f);
    for (found, (count, message_id)) in found {
        let (kind, property, detail) = match found {
            Found::UnknownEvent => ("unknown_event", "", "the plan does not know this event".to_string()),
            Found::Missing(name) => {
                let share = count * 100 / seen.looked.max(1);
                if seen.looked < SHARE_OF || share <= u64::from(plan.plan().missing_percent) {
                    continue;
                }
                ("missing_property", &**name, format!("it is required, and missing in {share} % of the events"))
            }
            Found::WrongKind { property, expected, found } => {
                ("wrong_kind", &**property, format!("the plan expects {expected}, found {found}"))
            }
        };
        drifts.push(Drift { kind, event, property, detail, count: *count, message_id });
    }
}

/// The kinds of some bits, as words.
pub(crate) fn words(bits: i64) -> String {
    let named = Kind::OF_VALUES.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
    named.map(|(_, kind)| kind.as_str()).collect::<Vec<_>>().join(", ")
}

/// One line a thing that drifts: again and again it grows older and larger, and it opens again if it was resolved.
fn note(tx: &mut Tx, source: i64, drift: &Drift<'_>) -> Result<(), DbError> {
    let now = tx.now().micros();
    let find =
        "SELECT id, examples, resolved_at FROM drift WHERE source = $1 AND kind = $2 AND event = $3 AND property = $4";
    let key = [source.into(), drift.kind.into(), drift.event.into(), drift.property.into()];
    let row = tx.first(find, &key)?;
    let mut examples: Vec<String> = match &row {
        Some(row) => serde_json::from_str(row.text(1)?).unwrap_or_default(),
        None => Vec::new(),
    };
    examples.retain(|e| e != drift.message_id);
    examples.insert(0, drift.message_id.to_string());
    examples.truncate(EXAMPLES);
    let examples = serde_json::to_string(&examples).unwrap_or_default();
    let count = drift.count as i64;
    match row {
        Some(row) => {
            let resolved = row.int(2)? != 0;
            let sql = "UPDATE drift SET detail = $2, last_at = $3, count = count + $4, examples = $5, \
                       since = CASE WHEN $6 = 1 THEN $3 ELSE since END, resolved_at = 0, resolved_by = '' WHERE id = $1";
            let again = i64::from(resolved);
            tx.execute(
                sql,
                &[
                    row.int(0)?.into(),
                    drift.detail.as_str().into(),
                    now.into(),
                    count.into(),
                    examples.as_str().into(),
                    again.into(),
                ],
            )?;
        }
        None => {
            let id = tx.next_id();
            let sql = "INSERT INTO drift (id, source, kind, event, property, detail, since, last_at, count, examples, resolved_at, \
                       resolved_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, 0, '')";
            tx.execute(
                sql,
                &[
                    id.into(),
                    source.into(),
                    drift.kind.into(),
                    drift.event.into(),
                    drift.property.into(),
                    drift.detail.as_str().into(),
                    now.into(),
                    count.into(),
                    examples.as_str().into(),
                ],
            )?;
        }
    }
    Ok(())
}
