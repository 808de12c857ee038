//! `/alerts`: what the feed of air-raid alerts says, how old that is, and which places stand still.
use super::refused;
use crate::alerts::{address, key, put_key};
use crate::app::App;
use crate::caller::{ReadOrders, WriteSettings};
use crate::change::Done;
use crate::input::Input;
use crate::problem::{BAD_INPUT, CONFLICT, Problem, internal};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base::{SECOND_US, Timestamp};
use connect::alerts::{Health, health};
use orders::calendar::OPEN_END;
use orders::commands::{self, pauses};
use orders::settings::AlertFeed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// The feed and what follows from it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AlertsShown {
    /// `off`, `alerts_in_ua` or `ukraine_alarm`; order settings choose it.
    feed: String,
    /// Whether there is a key for the feed's address.
    has_key: bool,
    /// `off`, `no_key`, `waiting` (never answered), `alive`, or `silent`: what it said last may be wrong either way.
    state: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    asked_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Timestamp>,
    /// Since the feed answered.
    age_seconds: Option<i64>,
    /// Requests in a row that failed.
    failures: i64,
    /// Why the last one failed.
    error: Option<String>,
    /// Alerts that go on, or ended within a day.
    items: Vec<AlertShown>,
    /// Places that stand still now, whatever for.
    paused: Vec<PausedPlace>,
}

/// An alert.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AlertShown {
    /// The feed's uid.
    territory: String,
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// When the feed last said that it goes on.
    #[schema(value_type = String, format = DateTime)]
    confirmed_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Whether it counts now: it has not ended, and was confirmed lately.
    goes_on: bool,
    /// Our places there.
    locations: Vec<String>,
}

/// A place that stands still.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PausedPlace {
    location_id: String,
    /// `alert`, `blackout`, `closed` or `hand`.
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Null where nobody knows.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Whether the end is a guess.
    assumed: bool,
}

impl PausedPlace {
    /// As a page shows it.
    pub fn of(location_id: &str, pause: &orders::calendar::Pause) -> Self {
        let until = Some(pause.until_us).filter(|until| *until != OPEN_END).map(Timestamp::from_micros);
        Self {
            location_id: location_id.into(),
            kind: pause.kind.as_str().into(),
            from: Timestamp::from_micros(pause.from_us),
            until,
            assumed: pause.assumed || until.is_none(),
        }
    }
}

/// Shows the feed of alerts: its state, its age, its last error, what it says, and which places stand still.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "orders", responses((status = 200, body = AlertsShown)))]
pub async fn get_alerts(State(app): State<Arc<App>>, _: ReadOrders) -> Result<Json<AlertsShown>, Problem> {
    let settings = app.desk.settings().1;
    let (shared, of) = (app.clone(), address(&settings.alerts).to_string());
    let has_key = app.query(move |db| Ok(key(db, &shared.vault, &of)?.is_some())).await?;
    let of = settings.clone();
    let (feed, paused) = app
        .read(move |tx| {
            let feed = commands::alerts::feed(tx)?;
            let places = stock::commands::places(tx)?;
            let mut paused = Vec::new();
            for location in places.all().iter().filter(|location| location.kind.sells()) {
                if let Some(pause) = pauses::holding(&pauses::pauses_of(tx, location.no)?, tx.now()) {
                    paused.push(PausedPlace::of(&location.id, &pause));
                }
            }
            Ok((feed, paused))
        })
        .await?;
    let (now, policy) = (app.now(), of.alerts.policy());
    let some = |at: Timestamp| (at.micros() > 0).then_some(at);
    let answered_at = some(feed.answered_at);
    let state = match (of.alerts.feed, has_key, answered_at) {
        (AlertFeed::Off, ..) => "off",
        (_, false, _) => "no_key",
        (.., None) => "waiting",
        (.., Some(at)) => match health(Some(at.micros()), now.micros()) {
            Health::Alive => "alive",
            Health::Unknown { .. } => "silent",
        },
    };
    let items = feed.alerts.iter().map(|alert| AlertShown {
        territory: alert.territory.clone(),
        began_at: Timestamp::from_micros(alert.began_us),
        confirmed_at: Timestamp::from_micros(alert.confirmed_us),
        ended_at: alert.ended_us.map(Timestamp::from_micros),
        goes_on: alert.goes_on(now.micros(), &policy),
        locations: of
            .places
            .iter()
            .filter(|(_, place)| place.territories.contains(&alert.territory))
            .map(|(id, _)| id.clone())
            .collect(),
    });
    Ok(Json(AlertsShown {
        feed: json!(of.alerts.feed).as_str().unwrap_or_default().into(),
        has_key,
        state: state.into(),
        asked_at: some(feed.asked_at),
        answered_at,
        age_seconds: answered_at.map(|at| (now.micros() - at.micros()).max(0) / SECOND_US),
        failures: feed.failures,
        error: Some(feed.error.clone()).filter(|error| !error.is_empty()),
        items: items.collect(),
        paused,
    }))
}

/// The key that the feed's service gave.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertKey {
    /// Empty takes it away.
    key: String,
}

/// Whether there is one now.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AlertKeyKept {
    has_key: bool,
}

/// Keeps the key of the alert feed, sealed for the address that the order settings name now; it is never shown again.
#[utoipa::path(put, path = "/api/v1/alerts/key", tag = "orders", request_body = AlertKey,
    responses((status = 200, body = AlertKeyKept)))]
pub async fn put_alert_key(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<AlertKey>,
) -> Result<Response, Problem> {
    let given = input.value.key.trim().to_string();
    if given.len() > 500 || given.chars().any(|c| c.is_control() || c == ' ') {
        return Err(BAD_INPUT.at("/key", "a key has at most 500 bytes and no blanks"));
    }
    let shared = app.clone();
    let answer = app
        .change(&caller, input.request, move |tx| {
            let settings = commands::settings(tx).map_err(|e| refused(tx, e.into()))?.1;
            if settings.alerts.feed == AlertFeed::Off && !given.is_empty() {
                return Err(
                    CONFLICT.because("choose a feed in the order settings first: its key is kept for its address")
                );
            }
            let address = address(&settings.alerts).to_string();
            put_key(tx.engine(), &shared.vault, &address, &given)?.map_err(|e| internal(&e))?;
            let has_key = !given.is_empty();
            let done = Done::ok(AlertKeyKept { has_key });
            Ok(done.noted(
                ("update", "alert_key"),
                "alerts",
                None,
                Some(json!({"has_key": has_key, "address": address})),
            ))
        })
        .await?;
    app.alerts.changed.notify_one();
    Ok(answer)
}
