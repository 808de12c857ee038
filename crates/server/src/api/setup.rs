//! `/setup`, `/settings`: what a new shop has still to do, and what it may change while it runs.
use crate::app::App;
use crate::caller::{ReadHome, ReadSettings, WriteSettings};
use crate::change::Done;
use crate::input::Input;
use crate::policy::Policy;
use crate::problem::{BAD_INPUT, Problem};
use crate::shop::{Profile, Store};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use db::{DbError, Engine};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// What a new shop has done.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Setup {
    /// An owner chose a password of their own.
    owner_password: bool,
    /// The shop has a name.
    shop: bool,
    /// There is a source besides the first ones, or the first one was used.
    source: bool,
    /// An event came in.
    first_event: bool,
    /// Somebody else signs in too, or is invited.
    users: bool,
    /// An owner has a second factor.
    second_factor: bool,
    /// Messages can be sent.
    mail: bool,
    /// Nothing that must be done is left: the first five.
    done: bool,
}

fn facts(db: &mut Engine) -> Result<(i64, i64, i64), DbError> {
    let one = |db: &mut Engine, sql: &str| db.first(sql, &[])?.map_or(Ok(0), |r| r.int(0));
    Ok((
        one(db, "SELECT CAST(COUNT(*) AS BIGINT) FROM sources WHERE kind <> 'system'")?,
        one(db, "SELECT CAST(COALESCE(SUM(events), 0) AS BIGINT) FROM writers")?,
        one(db, "SELECT CAST(COUNT(*) AS BIGINT) FROM invitations WHERE used_at = 0 AND user_id = 0")?,
    ))
}

/// Says what a new shop has still to do.
#[utoipa::path(get, path = "/api/v1/setup", tag = "settings", responses((status = 200, body = Setup)))]
pub async fn setup(State(app): State<Arc<App>>, _: ReadHome) -> Result<Json<Setup>, Problem> {
    let (sources, events, invited) = app.query(|db| Ok(facts(db)?)).await?;
    let known = app.accounts();
    let owners = || known.users().filter(|u| u.active && u.role == crate::access::Role::Owner);
    let mut setup = Setup {
        owner_password: owners().any(|u| u.password_at.micros() > 0),
        shop: known.shop.set,
        source: sources > 1 || events > 0,
        first_event: events > 0,
        users: invited > 0 || known.users().filter(|u| u.active).count() > 1,
        second_factor: owners().any(|u| u.totp),
        mail: !app.config.smtp_url.is_empty(),
        done: false,
    };
    setup.done = setup.owner_password && setup.shop && setup.source && setup.first_event && setup.users;
    Ok(Json(setup))
}

/// The shop's settings.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ShopSettings)]
pub struct ShopBody {
    name: String,
    stores: Vec<Store>,
    /// From braid.toml, like the three below: a change needs a restart.
    time_zone: String,
    currency: String,
    locale: String,
    country: String,
}

/// What may change while the shop runs.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopChange {
    name: String,
    stores: Vec<Store>,
}

fn shop(app: &App, profile: Profile) -> ShopBody {
    let config = &app.config;
    ShopBody {
        name: profile.name,
        stores: profile.stores,
        time_zone: config.time_zone.clone(),
        currency: config.currency.clone(),
        locale: config.locale.clone(),
        country: config.country.clone(),
    }
}

/// Shows the shop's settings.
#[utoipa::path(get, path = "/api/v1/settings/shop", tag = "settings", responses((status = 200, body = ShopBody)))]
pub async fn get_shop_settings(State(app): State<Arc<App>>, _: ReadSettings) -> Json<ShopBody> {
    Json(shop(&app, app.accounts().shop.clone()))
}

/// Changes the shop's name and stores.
#[utoipa::path(put, path = "/api/v1/settings/shop", tag = "settings", request_body = ShopChange,
    responses((status = 200, body = ShopBody)))]
pub async fn put_shop_settings(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<ShopChange>,
) -> Result<Response, Problem> {
    let ShopChange { name, stores } = input.value;
    let fresh = Profile { name: name.trim().into(), stores, set: true };
    fresh.check().map_err(|(at, why)| BAD_INPUT.at(&at, why))?;
    let shared = app.clone();
    let answer = app.change(&caller, input.request, move |tx| {
        let before = Profile::load(tx.engine())?;
        fresh.store(tx.engine())?;
        let audited = |p: &Profile| Some(json!({"name": p.name, "stores": p.stores}));
        let states = (audited(&before), audited(&fresh));
        Ok(Done::ok(shop(&shared, fresh.clone())).noted(("update", "shop"), "shop", states.0, states.1))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

/// Shows how the shop guards itself.
#[utoipa::path(get, path = "/api/v1/settings/security", tag = "settings", responses((status = 200, body = Policy)))]
pub async fn get_security_settings(State(app): State<Arc<App>>, _: ReadSettings) -> Json<Policy> {
    Json(app.accounts().policy)
}

/// Changes how the shop guards itself.
#[utoipa::path(put, path = "/api/v1/settings/security", tag = "settings", request_body = Policy,
    responses((status = 200, body = Policy)))]
pub async fn put_security_settings(
    State(app): State<Arc<App>>,
    WriteSettings(caller): WriteSettings,
    input: Input<Policy>,
) -> Result<Response, Problem> {
    let fresh = input.value;
    fresh.check().map_err(|(at, why)| BAD_INPUT.at(at, why))?;
    let answer = app.change(&caller, input.request, move |tx| {
        let before = Policy::load(tx.engine())?;
        fresh.store(tx.engine())?;
        let states = (serde_json::to_value(before).ok(), serde_json::to_value(fresh).ok());
        Ok(Done::ok(fresh).noted(("update", "security"), "security", states.0, states.1))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}
