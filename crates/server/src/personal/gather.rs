//! The sections of an export that fit into memory: rows of named values, read in one snapshot.
use crate::api::customers::known;
use crate::sources::Snapshot;
use base::Timestamp;
use customers::PersonView;
use customers::privacy::requests;
use db::{DbError, Tx};
use messaging::lists::{self, MessageFilter};
use segments::runtime::definitions;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

/// A table of an export. Rows hold the fields in the section's order; what a row lacks is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its name in the JSON.
    pub key: &'static str,
    pub fields: &'static [&'static str],
    pub rows: Vec<Map<String, Value>>,
}

impl Section {
    pub(super) fn new(key: &'static str, fields: &'static [&'static str], rows: Vec<Value>) -> Self {
        let object = |row| if let Value::Object(map) = row { map } else { Map::new() };
        Self { key, fields, rows: rows.into_iter().map(object).collect() }
    }
}

/// Members of staff by number, in the order in which the export meets them.
#[derive(Debug, Default)]
pub struct Staff(HashMap<String, usize>);

impl Staff {
    /// What stands for somebody; nothing for nobody.
    pub(super) fn hide(&mut self, actor: &str) -> Value {
        if actor.is_empty() {
            return Value::Null;
        }
        let next = self.0.len() + 1;
        let number = *self.0.entry(actor.to_string()).or_insert(next);
        format!("staff {number}").into()
    }
    /// The same within a JSON object that names an actor.
    fn hide_in(&mut self, mut evidence: Value) -> Value {
        if let Some(actor) = evidence.get("actor").and_then(Value::as_str).map(str::to_string) {
            evidence["actor"] = self.hide(&actor);
        }
        evidence
    }
}

/// What an import brought of the person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    events: i64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Brought {
    /// Counts an event.
    pub fn add(&mut self, at: Timestamp) {
        self.events += 1;
        self.first = Some(self.first.map_or(at, |f| f.min(at)));
        self.last = Some(self.last.map_or(at, |l| l.max(at)));
    }
}

/// A source as people call it.
pub fn source_name(sources: &Snapshot, id: i64) -> String {
    sources.get(id).map_or_else(|| "braid".to_string(), |s| s.name.clone())
}

/// The files that brought events.
pub fn imports(of: &BTreeMap<i64, Brought>, sources: &Snapshot) -> Section {
    let rows = of.iter().map(|(source, b)| {
        json!({"source": source_name(sources, *source), "events": b.events, "first_at": b.first, "last_at": b.last})
    });
    Section::new("imports", &["source", "events", "first_at", "last_at"], rows.collect())
}

/// All sections but the events and the imports.
pub fn sections(
    tx: &mut Tx,
    view: &PersonView,
    sources: &Snapshot,
    staff: &mut Staff,
) -> Result<Vec<Section>, DbError> {
    let members: Vec<i64> = view.members.iter().map(|m| m.profile_id).collect();
    let mut out = vec![identifiers(view), traits(view, sources)];
    out.extend(known(tx, view, &members)?);
    out.push(consents(tx, view, &members, sources, staff)?);
    out.push(preferences(tx, &members, staff)?);
    out.push(memberships(tx, view)?);
    out.push(messages(tx, &members)?);
    out.push(waiting(tx, view)?);
    out.extend(super::orders::sections(tx, view, staff)?);
    out.push(profiles(view, sources));
    out.push(joins(tx, &members, staff)?);
    out.push(changes(tx, &members, staff)?);
    out.push(requested(tx, view.person_id)?);
    out.push(views(tx, &members, staff)?);
    out.push(acts(tx, &members, staff)?);
    Ok(out)
}

fn identifiers(view: &PersonView) -> Section {
    let row = |i: &customers::model::OwnIdentifier| {
        json!({"kind": &*i.kind, "value": &*i.value, "first_seen": i.seen.first, "last_seen": i.seen.last,
            "profile_id": i.profile_id.to_string(), "evidence_message_id": &*i.evidence.message_id, "evidence_at": i.evidence.at})
    };
    let fields = &["kind", "value", "first_seen", "last_seen", "profile_id", "evidence_message_id", "evidence_at"];
    Section::new("identifiers", fields, view.identifiers.iter().map(row).collect())
}

fn traits(view: &PersonView, sources: &Snapshot) -> Section {
    let row = |(name, text, stamp): (&str, &str, &customers::model::Stamp)| {
        let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
        json!({"name": name, "value": value, "timestamp": stamp.timestamp, "source": source_name(sources, stamp.source),
            "message_id": &*stamp.message_id})
    };
    let rows = view.state.traits.iter().map(|(n, t, s)| row((n, t, s))).collect();
    Section::new("traits", &["name", "value", "timestamp", "source", "message_id"], rows)
}

/// Sums, habits, and what Braid concludes from them.
fn known(tx: &mut Tx, view: &PersonView, members: &[i64]) -> Result<[Section; 2], DbError> {
    let rules = definitions::current(tx)?.rules.clone();
    let now = tx.now();
    let mut granted: Vec<(&'static str, Option<bool>)> = Vec::new();
    for channel in customers::derived::ALL.iter().flat_map(|d| d.consents) {
        granted.push((channel, customers::consent::person_consent(tx, members, channel, "marketing")?));
    }
    let consent = |channel: &str, _: &str| granted.iter().find(|(c, _)| *c == channel).and_then(|(_, g)| *g);
    let derived = known::derived_of(&view.state, &rules, now, &consent);
    let derived = derived.into_iter().filter(|d| d.value.is_some());
    let derived =
        derived.map(|d| json!({"name": d.name, "value": d.value, "unit": d.unit, "window": d.window, "why": d.why}));
    let totals = &view.state.totals;
    let money = |a: &customers::model::Amounts| -> Value {
        a.0.iter().map(|(c, minor)| json!({"currency": c.as_str(), "minor": minor})).collect()
    };
    let mut facts = vec![
        json!({"name": "events", "value": totals.events}),
        json!({"name": "orders", "value": totals.orders}),
        json!({"name": "refunds", "value": totals.refunds}),
        json!({"name": "revenue", "value": money(&totals.revenue)}),
        json!({"name": "refunded", "value": money(&totals.refunded)}),
        json!({"name": "first_seen", "value": totals.first.map(|(at, _)| at)}),
        json!({"name": "last_seen", "value": totals.last_seen}),
        json!({"name": "last_order_at", "value": totals.last_order_at}),
    ];
    let standing = serde_json::to_value(known::facts_of(&view.state, &rules, now)).unwrap_or_default();
    if let Value::Object(standing) = standing {
        facts.extend(standing.into_iter().map(|(name, value)| json!({"name": name, "value": value})));
    }
    Ok([
        Section::new("facts", &["name", "value"], facts),
        Section::new("derived", &["name", "value", "unit", "window", "why"], derived.collect()),
    ])
}

fn consents(
    tx: &mut Tx,
    view: &PersonView,
    members: &[i64],
    sources: &Snapshot,
    staff: &mut Staff,
) -> Result<Section, DbError> {
    let addresses: Vec<&str> = view.identifiers.iter().map(|i| &*i.value).collect();
    let mut rows = Vec::new();
    for row in customers::consent::rows_of_person(tx, members, &addresses)? {
        rows.push(json!({"channel": row.channel, "address": row.address, "purpose": row.purpose,
            "state": if row.granted { "granted" } else { "denied" }, "at": row.at, "claimed_at": row.claimed_at,
            "wording": row.wording, "wording_version": row.wording_version, "source": source_name(sources, row.source),
            "by": staff.hide(&row.actor), "imported": row.imported, "message_id": row.message_id}));
    }
    let fields = &[
        "channel",
        "address",
        "purpose",
        "state",
        "at",
        "claimed_at",
        "wording",
        "wording_version",
        "source",
        "by",
        "imported",
        "message_id",
    ];
    Ok(Section::new("consents", fields, rows))
}

fn preferences(tx: &mut Tx, members: &[i64], staff: &mut Staff) -> Result<Section, DbError> {
    let mut rows = Vec::new();
    for row in messaging::preferences::of_profiles(tx, members)? {
        rows.push(json!({"channel": row.channel, "topic": row.topic, "wanted": row.wanted, "at": row.at, "by": staff.hide(&row.actor)}));
    }
    Ok(Section::new("preferences", &["channel", "topic", "wanted", "at", "by"], rows))
}

fn memberships(tx: &mut Tx, view: &PersonView) -> Result<Section, DbError> {
    let compiled = definitions::current(tx)?;
    let mut rows = Vec::new();
    for m in segments::runtime::read_person(tx, view.person_id)? {
        if let Some(segment) = compiled.find(m.segment_id) {
            let leaves = crate::api::wire::moment(m.leaves_at_us);
            rows.push(json!({"name": segment.name, "since": Timestamp::from_micros(m.since_us), "leaves_at": leaves}));
        }
    }
    Ok(Section::new("segments", &["name", "since", "leaves_at"], rows))
}

fn messages(tx: &mut Tx, members: &[i64]) -> Result<Section, DbError> {
    let mut rows = Vec::new();
    let mut filter = MessageFilter { profiles: members.to_vec(), ..MessageFilter::default() };
    loop {
        let page = lists::messages(tx.engine(), &filter, 500)?;
        for item in page.items {
            let m = item.message;
            rows.push(json!({"intended_at": m.intended_at, "settled_at": m.settled_at, "channel": m.channel, "purpose": m.purpose,
                "address": m.address, "status": m.status.as_str(), "reason": m.reason, "subject": m.subject,
                "rule": item.rule_name, "template": item.template_name}));
        }
        filter.before = page.next;
        if filter.before.is_none() {
            break;
        }
    }
    let fields = &[
        "intended_at",
        "settled_at",
        "channel",
        "purpose",
        "address",
        "status",
        "reason",
        "subject",
        "rule",
        "template",
    ];
    Ok(Section::new("messages", fields, rows))
}

/// Goods that the person waits for, or waited.
fn waiting(tx: &mut Tx, view: &PersonView) -> Result<Section, DbError> {
    let mut rows = Vec::new();
    for contact in view.identifiers.iter().filter(|i| matches!(&*i.kind, "email" | "phone")).map(|i| &*i.value) {
        for (w, sku) in stock::waiting::of_contact(tx, contact)? {
            rows.push(json!({"address": contact, "name": sku, "channel": &*w.channel, "state": w.state.as_str(), "at": w.joined_at}));
        }
    }
    Ok(Section::new("waiting_list", &["address", "name", "channel", "state", "at"], rows))
}

fn profiles(view: &PersonView, sources: &Snapshot) -> Section {
    let row = |m: &customers::model::Member| json!({"profile_id": m.profile_id.to_string(), "created_at": m.created_at, "source": m.source.map(|s| source_name(sources, s))});
    Section::new("profiles", &["profile_id", "created_at", "source"], view.members.iter().map(row).collect())
}

fn joins(tx: &mut Tx, members: &[i64], staff: &mut Staff) -> Result<Section, DbError> {
    let mut rows = Vec::new();
    for e in customers::cuts::edges_of(tx, members)? {
        rows.push(json!({"a": e.a.to_string(), "b": e.b.to_string(), "rule": e.rule, "kind": e.kind, "value": e.value,
            "at": e.at, "message_id": e.message_id, "by": staff.hide(&e.actor)}));
    }
    Ok(Section::new("joins", &["a", "b", "rule", "kind", "value", "at", "message_id", "by"], rows))
}

/// Merges and splits in which a profile of the person took part. They are not indexed by person: all are looked through.
fn changes(tx: &mut Tx, members: &[i64], staff: &mut Staff) -> Result<Section, DbError> {
    const PAGE: i64 = 1_000;
    let ids: Vec<String> = members.iter().map(i64::to_string).collect();
    let touches = |sides: &[customers::changes::Side]| {
        sides.iter().any(|s| ids.contains(&s.person_id) || s.profile_ids.iter().any(|p| ids.contains(p)))
    };
    let (mut rows, mut position) = (Vec::new(), 0);
    loop {
        let page = customers::changes::after(tx.engine(), position, PAGE)?;
        let more = page.len() as i64 == PAGE;
        position = page.last().map_or(position, |c| c.id);
        for c in page.into_iter().filter(|c| touches(&c.before) || touches(&c.after)) {
            let people =
                |sides: &[customers::changes::Side]| sides.iter().map(|s| s.person_id.clone()).collect::<Vec<_>>();
            rows.push(json!({"at": c.at, "kind": c.kind, "before": people(&c.before), "after": people(&c.after),
                "cause": c.cause, "evidence": staff.hide_in(c.evidence)}));
        }
        if !more {
            break;
        }
    }
    Ok(Section::new("identity_changes", &["at", "kind", "before", "after", "cause", "evidence"], rows))
}

fn requested(tx: &mut Tx, person_id: i64) -> Result<Section, DbError> {
    let rows = requests::of_person(tx.engine(), person_id)?.into_iter().map(|r| {
        json!({"kind": r.kind.as_str(), "state": r.state.as_str(), "who": r.who, "contact": r.contact, "note": r.note,
            "received_at": r.received_at, "due_at": r.due_at, "closed_at": crate::api::wire::moment(r.closed_at), "reason": r.reason})
    });
    let fields = &["kind", "state", "who", "contact", "note", "received_at", "due_at", "closed_at", "reason"];
    Ok(Section::new("requests", fields, rows.collect()))
}

/// Hours in which somebody saw the person.
fn views(tx: &mut Tx, members: &[i64], staff: &mut Staff) -> Result<Section, DbError> {
    let mut rows = Vec::new();
    for member in members {
        for (hour, actor, times) in crate::views::of_person(tx.engine(), *member, 100_000)? {
            rows.push(json!({"hour": hour, "by": staff.hide(&actor), "times": times}));
        }
    }
    Ok(Section::new("views", &["hour", "by", "times"], rows))
}

/// What was done to the person by staff, from the audit: the act and its moment.
fn acts(tx: &mut Tx, members: &[i64], staff: &mut Staff) -> Result<Section, DbError> {
    let mut rows = Vec::new();
    for (kind, member) in members.iter().flat_map(|m| [("customer", m), ("person", m)]) {
        let filter = crate::audit::Filter {
            subject_kind: Some(kind.into()),
            subject: Some(member.to_string()),
            ..crate::audit::Filter::default()
        };
        for line in crate::audit::list(tx.engine(), &filter, i64::MAX, 10_000)? {
            rows.push(json!({"at": line.at, "action": line.action, "by": staff.hide(&line.actor)}));
        }
    }
    Ok(Section::new("audit", &["at", "action", "by"], rows))
}
