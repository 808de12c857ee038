//! `/identity/stitch`: how many of those who came without a name became known.
use crate::app::App;
use crate::caller::ReadIdentity;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use base::{DAY_US, Timestamp};
use customers::stitch::{self, Alarm, Hour, Rates};
use serde::Serialize;
use std::sync::Arc;

/// One hour, by the time of receipt.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StitchHour {
    #[schema(value_type = String, format = DateTime)]
    hour: Timestamp,
    events: i64,
    /// New profiles that only a browser's or device's id names.
    anonymous: i64,
    /// Of those: that became known within the rules' days.
    known: i64,
    /// Anonymous profiles of any hour that became known in this one.
    stitched: i64,
    joins: i64,
}

/// Rates over a stretch of time; null where there is too little to say.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StitchRates {
    events: i64,
    anonymous: i64,
    stitched_share: Option<f64>,
    joins_per_1000: Option<f64>,
    anonymous_per_1000: Option<f64>,
}

/// A rate that left its usual range.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StitchAlarm {
    rate: String,
    now: f64,
    before: f64,
}

/// The stitch rate.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StitchBody {
    /// The last 24 hours.
    last_day: StitchRates,
    /// The four weeks before.
    before: StitchRates,
    alarms: Vec<StitchAlarm>,
    /// The last week, hour by hour; hours in which nothing happened are left out.
    hours: Vec<StitchHour>,
}

/// Shows the stitch rate.
#[utoipa::path(get, path = "/api/v1/identity/stitch", tag = "identity", responses((status = 200, body = StitchBody)))]
pub async fn stitch_rate(State(app): State<Arc<App>>, _: ReadIdentity) -> Result<Json<StitchBody>, Problem> {
    let (now, factor) = (app.now(), app.domain.preparer().current().rules.stitch.alarm_factor);
    let (rates, hours) =
        app.query(move |db| Ok((stitch::rates(db, factor, now)?, stitch::since(db, now.plus(-7 * DAY_US))?))).await?;
    let (last, before, alarms) = rates;
    let body = |r: Rates| StitchRates {
        events: r.events,
        anonymous: r.anonymous,
        stitched_share: r.stitched_share,
        joins_per_1000: r.joins_per_1000,
        anonymous_per_1000: r.anonymous_per_1000,
    };
    let hour = |(hour, h): (Timestamp, Hour)| StitchHour {
        hour,
        events: h.events,
        anonymous: h.anonymous,
        known: h.known,
        stitched: h.stitched,
        joins: h.joins,
    };
    let alarm = |a: Alarm| StitchAlarm { rate: a.rate.into(), now: a.now, before: a.before };
    Ok(Json(StitchBody {
        last_day: body(last),
        before: body(before),
        alarms: alarms.into_iter().map(alarm).collect(),
        hours: hours.into_iter().map(hour).collect(),
    }))
}
