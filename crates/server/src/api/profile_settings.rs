//! What the shop decides about derived traits.
use crate::app::App;
use crate::caller::{ReadSettings, WriteSettings};
use crate::change::Done;
use crate::input::Input;
use crate::problem::{BAD_INPUT, Problem};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use customers::derived::Thresholds;
use segments::runtime::{commands, definitions};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Numbers by which stages of life and the cost of service are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileSettings {
    /// Days after the first order in which a customer is new.
    new_days: i64,
    /// Days without an order after which a customer is at risk, where their own rhythm is not known.
    at_risk_days: i64,
    /// Days without an order after which a customer has lapsed, where their own rhythm is not known.
    lapsed_days: i64,
    /// Orders from which a customer is loyal.
    loyal_orders: i64,
    /// What an hour of the staff's time costs, in minor units of the shop's currency; 0 = not known.
    service_hour_minor: i64,
}

impl From<Thresholds> for ProfileSettings {
    fn from(t: Thresholds) -> Self {
        let Thresholds { new_days, at_risk_days, lapsed_days, loyal_orders, service_hour_minor } = t;
        Self { new_days, at_risk_days, lapsed_days, loyal_orders, service_hour_minor }
    }
}

/// Shows the numbers by which derived traits are found.
#[utoipa::path(get, path = "/api/v1/profile-settings", tag = "customers", responses((status = 200, body = ProfileSettings)))]
pub async fn get_profile_settings(
    State(app): State<Arc<App>>,
    _: ReadSettings,
) -> Result<Json<ProfileSettings>, Problem> {
    app.read(|tx| Ok(Json(definitions::current(tx)?.rules.thresholds.clone().into()))).await
}

/// Changes them; segments that rest on derived traits are evaluated again, and who enters by that triggers nothing.
#[utoipa::path(put, path = "/api/v1/profile-settings", tag = "customers", request_body = ProfileSettings,
    responses((status = 200, body = ProfileSettings)))]
pub async fn put_profile_settings(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<ProfileSettings>,
) -> Result<Response, Problem> {
    let ProfileSettings { new_days, at_risk_days, lapsed_days, loyal_orders, service_hour_minor } = input.value;
    let wanted = Thresholds { new_days, at_risk_days, lapsed_days, loyal_orders, service_hour_minor };
    app.change(&caller, input.request, move |tx| {
        wanted.check().map_err(|bad| BAD_INPUT.at(&format!("/{}", bad.field), bad.detail))?;
        let before = definitions::current(tx)?.rules.thresholds.clone();
        if before != wanted {
            let text = serde_json::to_string(&wanted).unwrap_or_default();
            db::settings::set(tx.engine(), definitions::THRESHOLDS, &text)?;
            definitions::reload(tx)?;
            commands::refill_facts(tx)?;
        }
        let (before, after) = (ProfileSettings::from(before), ProfileSettings::from(wanted.clone()));
        let as_json = |s: &ProfileSettings| serde_json::to_value(s).ok();
        let noted = (as_json(&before), as_json(&after));
        Ok(Done::ok(after).noted(("update", "profile settings"), "", noted.0, noted.1))
    })
    .await
}
