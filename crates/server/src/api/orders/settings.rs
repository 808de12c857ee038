//! The settings of orders: carriers, zones, ways, hours, rules, policies.
use crate::app::App;
use crate::caller::{ReadOrders, WriteSettings};
use crate::change::{Done, check_version, with_version};
use crate::input::{Input, if_match};
use crate::problem::{BAD_INPUT, Problem};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use orders::OrderError;
use orders::commands;
use orders::settings::Settings;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The settings of orders; docs/orders.md has their fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderSettings(pub Settings);

impl utoipa::PartialSchema for OrderSettings {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Value::schema()
    }
}
impl utoipa::ToSchema for OrderSettings {}

/// Shows how orders are promised, sourced and confirmed.
#[utoipa::path(get, path = "/api/v1/order-settings", tag = "orders", responses((status = 200, body = OrderSettings)))]
pub async fn get_order_settings(State(app): State<Arc<App>>, _: ReadOrders) -> Result<Response, Problem> {
    let (version, settings) = app.read(|tx| Ok(commands::settings(tx)?)).await?;
    Ok(with_version(OrderSettings((*settings).clone()), version))
}

/// Changes how orders are promised, sourced and confirmed: from the next order on, without a release.
#[utoipa::path(put, path = "/api/v1/order-settings", tag = "orders", request_body = OrderSettings,
    responses((status = 200, body = OrderSettings)))]
pub async fn put_order_settings(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    headers: HeaderMap,
    input: Input<OrderSettings>,
) -> Result<Response, Problem> {
    let wanted = if_match(&headers)?;
    let fresh = input.value.0;
    let response = app
        .change(&caller, input.request, move |tx| {
            let (version, before) = commands::settings(tx)?;
            check_version(wanted, version)?;
            let version = commands::put_settings(tx, &fresh).map_err(|e| match e {
                OrderError::Field { pointer, detail } => BAD_INPUT.at(&pointer, detail),
                other => super::refused(tx, other),
            })?;
            let (before, after) = (json!(*before), json!(fresh));
            let done = Done::ok(OrderSettings(fresh.clone())).versioned(version);
            Ok(done.noted(("update", "order_settings"), "orders", Some(before), Some(after)))
        })
        .await?;
    app.reload_order_settings().await?;
    app.alerts.changed.notify_one();
    Ok(response)
}
