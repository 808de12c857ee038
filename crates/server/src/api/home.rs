//! `/home` and `/health`: how the shop is doing.
use crate::access::{Act, Area};
use crate::api::wire::Money;
use crate::app::App;
use crate::caller::{Caller, ReadHome};
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use base::{DAY_US, HOUR_US, Timestamp};
use db::{DbError, Engine};
use pipeline::hours::{self, Hour};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Counts of the store, as `braid doctor` shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counts {
    events: i64,
    derived: i64,
    rejected: i64,
    profiles: i64,
    people: i64,
    messages: i64,
    outbox_pending: i64,
}

/// Reads the counts.
pub fn counts(db: &mut Engine) -> Result<Counts, DbError> {
    let c = pipeline::doctor::counts(db)?;
    Ok(Counts {
        events: c.events,
        derived: c.derived,
        rejected: c.rejected,
        profiles: c.profiles,
        people: c.people,
        messages: c.messages,
        outbox_pending: c.outbox_pending,
    })
}

/// One hour.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Hour)]
pub struct HourBody {
    #[schema(value_type = String, format = DateTime)]
    hour: Timestamp,
    events: i64,
    orders: i64,
    revenue: Money,
}

/// Since midnight in the shop's zone.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Today {
    events: i64,
    orders: i64,
    revenue: Money,
    new_people: i64,
    messages_sent: i64,
}

/// How a segment moved.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SegmentMovement {
    id: crate::input::Id,
    name: String,
    count: i64,
    entered_24h: i64,
    left_24h: i64,
}

/// What kind of thing wants to be looked at.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// Items were refused.
    Rejects,
    /// Nobody knows whether messages arrived.
    UnknownMessages,
    /// Two people may be one, or one two.
    Review,
    /// A value seems to be shared by many people.
    Suspects,
    /// The share of visitors who become known, or of joins, left its usual range.
    StitchRate,
    /// The past is not decided by the present rules of identity yet.
    IdentityRules,
    /// Messages wait and no mail server is set.
    SendingStopped,
    /// Commits may be lost in a power cut.
    FastSyncOff,
    /// Somebody looked at unusually many customers.
    UnusualViews,
    /// An export waits for a second person.
    ExportApprovals,
    /// Requests of people about their data are late, or must be answered within days.
    PrivacyRequests,
    /// Other systems are told nothing any more: their endpoint failed for days, is gone, or let too much wait.
    WebhookDisabled,
}

/// Something that wants to be looked at.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Attention {
    kind: AttentionKind,
    count: i64,
    detail: String,
    link: String,
}

/// The first page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Home {
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    counts: Counts,
    hours: Vec<HourBody>,
    today: Today,
    segments: Vec<SegmentMovement>,
    attention: Vec<Attention>,
}

/// How long before the end of its term an open request wants to be looked at.
const REQUESTS_SOON_US: i64 = 7 * DAY_US;

struct Figures {
    counts: Counts,
    hours: Vec<(Timestamp, Hour)>,
    new_people: i64,
    sent: i64,
    moved: Vec<(i64, bool, i64)>,
    rejects: i64,
    unknown: i64,
    review: i64,
    views: i64,
    approvals: i64,
    suspects: i64,
    stitch: Vec<customers::stitch::Alarm>,
    rules_waiting: i64,
    requests: (i64, i64),
    /// Webhook endpoints that Braid disabled: number and name.
    webhooks: Vec<(i64, String)>,
}

fn figures(
    db: &mut Engine,
    now: Timestamp,
    from: Timestamp,
    midnight: Timestamp,
    rules: &customers::rules::Rules,
) -> Result<Figures, DbError> {
    let one = |db: &mut Engine, sql: &str, since: i64| db.first(sql, &[since.into()])?.map_or(Ok(0), |r| r.int(0));
    let day = now.plus(-DAY_US);
    let first_new = first_profile_since(db, midnight)?;
    let new = "SELECT CAST(COUNT(*) AS BIGINT) FROM profile_list WHERE profile_id >= $1 AND person = profile_id";
    let rejects = "SELECT CAST(COUNT(*) AS BIGINT) FROM rejects WHERE received_at >= $1";
    Ok(Figures {
        counts: counts(db)?,
        hours: hours::since(db, from)?,
        new_people: one(db, new, first_new)?,
        sent: messaging::lists::sent_since(db, midnight)?,
        moved: moved_since(db, day)?,
        rejects: one(db, rejects, day.micros())?,
        unknown: messaging::lists::totals(db)?.unknown,
        views: crate::views::open_alarms(db)?,
        approvals: crate::approvals::waiting(db, now)?,
        review: customers::review::open(db, now)?,
        suspects: customers::hubs::list(db, rules, now, 100)?.len() as i64,
        stitch: customers::stitch::rates(db, rules.stitch.alarm_factor, now)?.2,
        requests: customers::privacy::requests::pressing(db, now, REQUESTS_SOON_US)?,
        rules_waiting: customers::rules::current(db)?.version - customers::rules::applied(db)?,
        webhooks: crate::webhooks::endpoints::disabled(db)?,
    })
}

/// The first profile made at or after a moment, by halving: profiles are numbered as they are made.
fn first_profile_since(db: &mut Engine, since: Timestamp) -> Result<i64, DbError> {
    let last = db.first("SELECT CAST(COALESCE(MAX(profile_id), 0) AS BIGINT) FROM profile_list", &[])?;
    let (mut low, mut high) = (1, last.map_or(Ok(0), |r| r.int(0))? + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        // A row that is not written yet is new.
        match customers::profiles::Read::profile(db, middle)? {
            Some(profile) if profile.created_at < since => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Groups of changes that are looked through, at most.
const GROUPS_MAX: usize = 20_000;

/// How many came to and left each segment since a moment: segment, came, how many.
fn moved_since(db: &mut Engine, since: Timestamp) -> Result<Vec<(i64, bool, i64)>, DbError> {
    let mut out: HashMap<(i64, bool), i64> = HashMap::new();
    let mut groups = 0;
    let sql = "SELECT at, changes FROM membership_changes ORDER BY group_id DESC";
    db.each(sql, &[], &mut |row| {
        groups += 1;
        if row.int(0)? < since.micros() || groups > GROUPS_MAX {
            return Ok(false);
        }
        // As `segments` writes them: segment, person, flags with the lowest bit for "came", when, until when.
        let mut reader = db::pack::Reader::new(row.blob(1)?);
        for _ in 0..reader.u64()? {
            let (segment, _, flags) = (reader.i64()?, reader.i64()?, reader.u64()?);
            let (_, _) = (reader.i64()?, reader.i64()?);
            *out.entry((segment, flags & 1 == 1)).or_default() += 1;
        }
        Ok(true)
    })?;
    Ok(out.into_iter().map(|((segment, came), count)| (segment, came, count)).collect())
}

/// Shows the first page.
#[utoipa::path(get, path = "/api/v1/home", tag = "home", responses((status = 200, body = Home)))]
pub async fn home(State(app): State<Arc<App>>, ReadHome(caller): ReadHome) -> Result<Json<Home>, Problem> {
    let now = app.now();
    let zone = app.domain.settings().zone.clone();
    let midnight = midnight(now, &zone);
    let this_hour = now.micros().div_euclid(HOUR_US) * HOUR_US;
    let from = Timestamp::from_micros((this_hour - 23 * HOUR_US).min(midnight.micros().div_euclid(HOUR_US) * HOUR_US));
    app.settle().await?;
    let rules = app.domain.preparer().current().rules;
    let f = app.query(move |db| Ok(figures(db, now, from, midnight, &rules)?)).await?;
    let segments = app.read(|tx| Ok(segments::runtime::commands::list(tx)?)).await?;
    let currency = app.config.currency.clone();
    let money = |minor: i64| Money { minor, currency: currency.clone() };
    let at = |hour: i64| f.hours.iter().find(|(h, _)| h.micros() == hour).map(|(_, h)| *h).unwrap_or_default();
    let hours = (0..24).map(|n| {
        let hour = this_hour - (23 - n) * HOUR_US;
        let h = at(hour);
        HourBody {
            hour: Timestamp::from_micros(hour),
            events: h.events,
            orders: h.orders,
            revenue: money(h.revenue_minor),
        }
    });
    let mut day = Hour::default();
    for (_, h) in f.hours.iter().filter(|(h, _)| *h >= midnight) {
        day.events += h.events;
        day.orders += h.orders;
        day.revenue_minor += h.revenue_minor;
    }
    let moved =
        |id: i64, entered: bool| f.moved.iter().find(|(s, e, _)| *s == id && *e == entered).map_or(0, |(_, _, n)| *n);
    let segments = segments.into_iter().map(|(s, count)| SegmentMovement {
        id: crate::input::Id(s.id),
        name: s.name,
        count,
        entered_24h: moved(s.id, true),
        left_24h: moved(s.id, false),
    });
    Ok(Json(Home {
        as_of: now,
        counts: f.counts,
        hours: hours.collect(),
        today: Today {
            events: day.events,
            orders: day.orders,
            revenue: money(day.revenue_minor),
            new_people: f.new_people,
            messages_sent: f.sent,
        },
        segments: segments.collect(),
        attention: attention(&app, &caller, &f),
    }))
}

fn attention(app: &App, caller: &Caller, f: &Figures) -> Vec<Attention> {
    let mut out = Vec::new();
    let mut add = |kind, count: i64, detail: &str, link: &str| {
        if count > 0 {
            out.push(Attention { kind, count, detail: detail.into(), link: link.into() });
        }
    };
    add(AttentionKind::Rejects, f.rejects, "items refused in the last 24 hours", "/live?status=rejected");
    add(
        AttentionKind::UnknownMessages,
        f.unknown,
        "messages of which nobody knows whether they arrived",
        "/messages?status=unknown",
    );
    add(AttentionKind::UnusualViews, f.views, "somebody looked at unusually many customers", "/audit");
    add(AttentionKind::ExportApprovals, f.approvals, "exports wait for a second person", "/exports");
    add(AttentionKind::Review, f.review, "identities to look at", "/customers");
    let (late, soon) = f.requests;
    let detail = format!("{late} requests about personal data are late, {soon} must be answered within 7 days");
    add(AttentionKind::PrivacyRequests, late + soon, &detail, "/privacy");
    if let ([(id, _), ..], true) = (&*f.webhooks, caller.may(Act::Read(Area::Settings))) {
        let names: Vec<&str> = f.webhooks.iter().map(|(_, name)| name.as_str()).collect();
        let link = if names.len() == 1 { format!("/webhooks/{id}") } else { "/webhooks".into() };
        add(AttentionKind::WebhookDisabled, names.len() as i64, &names.join(", "), &link);
    }
    add(AttentionKind::Suspects, f.suspects, "values that many people seem to share", "/customers");
    for alarm in &f.stitch {
        let detail = format!("{} is {:.3}, in the weeks before it was {:.3}", alarm.rate, alarm.now, alarm.before);
        add(AttentionKind::StitchRate, 1, &detail, "/customers");
    }
    let waiting = f.rules_waiting.max(0);
    add(
        AttentionKind::IdentityRules,
        waiting,
        "changes of identity's rules that the past does not follow yet",
        "/customers",
    );
    let stopped = if app.config.smtp_url.is_empty() { f.counts.outbox_pending } else { 0 };
    add(AttentionKind::SendingStopped, stopped, "messages wait, and no mail server is set", "/messages?status=pending");
    let fast = i64::from(app.domain.store().sync() != db::Sync::Full);
    add(
        AttentionKind::FastSyncOff,
        fast,
        "the server runs with --unsafe-fast: a power cut may lose what was acknowledged",
        "/settings",
    );
    out
}

/// The last midnight in a zone.
fn midnight(now: Timestamp, zone: &jiff::tz::TimeZone) -> Timestamp {
    let local = jiff::Timestamp::from_microsecond(now.micros()).ok().map(|t| t.to_zoned(zone.clone()));
    let start = local.and_then(|t| t.start_of_day().ok()).map(|t| t.timestamp().as_microsecond());
    Timestamp::from_micros(start.unwrap_or_else(|| now.micros().div_euclid(DAY_US) * DAY_US))
}

/// What runs below.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DatabaseHealth {
    engine: String,
    sync: String,
}

/// How the program is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    database: DatabaseHealth,
    queue_depth: i64,
    #[schema(value_type = HashMap<String, Value>)]
    dedup: Value,
    version: String,
}

/// Shows how the program is doing.
#[utoipa::path(get, path = "/api/v1/health", tag = "health", responses((status = 200, body = Health)))]
pub async fn health(State(app): State<Arc<App>>, _: ReadHome) -> Json<Health> {
    let store = app.domain.store();
    let engine = match store.location() {
        db::Location::Sqlite { .. } => "sqlite",
        db::Location::Postgres { .. } => "postgresql",
    };
    let sync = if store.sync() == db::Sync::Full { "full" } else { "unsafe_fast" };
    Json(Health {
        database: DatabaseHealth { engine: engine.into(), sync: sync.into() },
        queue_depth: store.figures().queue_depth as i64,
        dedup: json!({"days": app.config.dedup_days}),
        version: env!("CARGO_PKG_VERSION").into(),
    })
}
