//! What a condition can ask for: for the choosers and the completion of an editor.
use crate::app::App;
use crate::caller::ReadSegments;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use customers::counters::filter::write_name;
use customers::profiles::Profiles;
use db::{Engine, Tx};
use segments::runtime::definitions::{self, kind_text};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// People of the newest whose traits are looked at.
const PEOPLE_MAX: i64 = 200;
/// Sent traits, events and properties of each that are listed.
const SENT_MAX: usize = 200;
const EVENTS_MAX: i64 = 200;
const PROPERTIES_MAX: usize = 40;
/// Channels that consents are about.
const CHANNELS: [&str; 6] = ["email", "sms", "viber", "telegram", "push", "call"];

/// Something that a condition can ask of a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SegmentField {
    /// As it is written: `trait.lifecycle_stage`.
    path: String,
    /// `derived` by Braid, `computed` by the shop, `sent` with events, `identifier`, `consent`.
    origin: &'static str,
    /// `text`, `number`, `bool`, `list`, `object`.
    kind: String,
    /// `money`, `days`, `hour`, or nothing.
    unit: String,
    /// What it can be, where that is a fixed list.
    options: Vec<String>,
    /// What it means.
    doc: String,
}

/// A property of an event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventProperty {
    name: String,
    count: i64,
}

/// An event that a condition can count.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EventField {
    name: String,
    count: i64,
    properties: Vec<EventProperty>,
}

/// What a condition can ask for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SegmentFields {
    fields: Vec<SegmentField>,
    /// The most frequent first.
    events: Vec<EventField>,
}

/// Lists what a condition can ask for: traits with their types and values, and events with their properties.
#[utoipa::path(get, path = "/api/v1/segment-fields", tag = "segments", responses((status = 200, body = SegmentFields)))]
pub async fn list_segment_fields(State(app): State<Arc<App>>, _: ReadSegments) -> Result<Json<SegmentFields>, Problem> {
    let (people, events) = app.query(|db| Ok((newest_people(db)?, events(db)?))).await?;
    let fields = app
        .read(move |tx| {
            let mut out = derived();
            let compiled = definitions::current(tx)?;
            out.extend(compiled.computed.iter().map(|one| SegmentField {
                path: format!("trait.{}", one.name),
                origin: "computed",
                kind: kind_text(one.kind).into(),
                unit: String::new(),
                options: Vec::new(),
                doc: if one.title.is_empty() { one.expression.clone() } else { one.title.clone() },
            }));
            let taken: Vec<String> = out.iter().map(|f| f.path.clone()).collect();
            let sent = sent(tx, &people)?;
            out.extend(sent.into_iter().filter(|f| !taken.contains(&f.path)));
            out.extend(beside(tx)?);
            Ok(out)
        })
        .await?;
    Ok(Json(SegmentFields { fields, events }))
}

fn derived() -> Vec<SegmentField> {
    let one = |d: &customers::derived::Derived| SegmentField {
        path: format!("trait.{}", d.name),
        origin: "derived",
        kind: d.kind.as_str().into(),
        unit: d.unit.into(),
        options: d.options.iter().map(|o| (*o).into()).collect(),
        doc: d.doc.into(),
    };
    customers::derived::ALL.iter().map(one).collect()
}

fn newest_people(db: &mut Engine) -> Result<Vec<i64>, db::DbError> {
    let sql = "SELECT profile_id FROM profile_list WHERE person > 0 ORDER BY slot DESC, profile_id DESC LIMIT $1";
    db.rows(sql, &[PEOPLE_MAX.into()])?.iter().map(|r| r.int(0)).collect()
}

/// Traits of the people seen last, by how many of them have each.
fn sent(tx: &mut Tx, people: &[i64]) -> Result<Vec<SegmentField>, db::DbError> {
    let mut found: BTreeMap<String, (i64, String)> = BTreeMap::new();
    for person in people {
        let Some(profile) = tx.get::<Profiles>(*person)? else { continue };
        for (name, json, _) in profile.state.traits.iter() {
            let kind = match json.as_bytes().first() {
                Some(b'"') => "text",
                Some(b't' | b'f') => "bool",
                Some(b'[') => "list",
                Some(b'{') => "object",
                _ => "number",
            };
            let known = found.entry(name.to_string()).or_insert_with(|| (0, kind.into()));
            known.0 += 1;
        }
    }
    let mut all: Vec<_> = found.into_iter().collect();
    all.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    all.truncate(SENT_MAX);
    let field = |(name, (_, kind)): (String, (i64, String))| {
        let mut path = String::from("trait.");
        // Writing to a string never fails.
        let _ = write_name(&mut path, &name);
        SegmentField { path, origin: "sent", kind, unit: String::new(), options: Vec::new(), doc: String::new() }
    };
    Ok(all.into_iter().map(field).collect())
}

/// Consents and kinds of identifiers.
fn beside(tx: &mut Tx) -> Result<Vec<SegmentField>, db::DbError> {
    let field = |path: String, origin, options: &[&str]| SegmentField {
        path,
        origin,
        kind: "text".into(),
        unit: String::new(),
        options: options.iter().map(|o| (*o).into()).collect(),
        doc: String::new(),
    };
    let mut out = Vec::new();
    for channel in CHANNELS {
        let paths = ["marketing", "service"].map(|purpose| format!("consent.{channel}.{purpose}"));
        out.extend(paths.map(|path| field(path, "consent", &["granted", "denied"])));
    }
    let rules = customers::rules::newest(tx.engine())?.rules;
    out.extend(rules.kinds.iter().map(|kind| field(format!("identifier.{}", kind.kind), "identifier", &[])));
    Ok(out)
}

fn events(db: &mut Engine) -> Result<Vec<EventField>, db::DbError> {
    let sql = "SELECT event, CAST(SUM(count) AS BIGINT) FROM learned_events WHERE event <> '' \
               GROUP BY event ORDER BY 2 DESC, event LIMIT $1";
    let mut out = Vec::new();
    for row in db.rows(sql, &[EVENTS_MAX.into()])? {
        out.push(EventField { name: row.text(0)?.into(), count: row.int(1)?, properties: Vec::new() });
    }
    let sql = "SELECT event, property, CAST(SUM(count) AS BIGINT) FROM learned_properties \
               GROUP BY event, property ORDER BY event, 3 DESC, property";
    for row in db.rows(sql, &[])? {
        let name = row.text(0)?;
        if let Some(event) = out.iter_mut().find(|e| e.name == name && e.properties.len() < PROPERTIES_MAX) {
            event.properties.push(EventProperty { name: row.text(1)?.into(), count: row.int(2)? });
        }
    }
    Ok(out)
}
