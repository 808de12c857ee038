//! `/session`: signing in and out on the console.
use crate::access::Role;
use crate::accounts;
use crate::app::App;
use crate::caller::{Caller, SignedIn, session_token};
use crate::input::Input;
use crate::problem::{BAD_CREDENTIALS, INTERNAL, Problem, TOO_MANY_ATTEMPTS};
use crate::secrets::verify_password;
use crate::session::cookie;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who signs in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    password: String,
}

/// The shop, as far as screens need it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Shop {
    time_zone: String,
    currency: String,
    locale: String,
    country: String,
    name: String,
}

/// Who is signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Me {
    email: String,
    name: String,
    role: Role,
    shop: Shop,
}

fn me(app: &App, caller: &Caller) -> Me {
    let config = &app.config;
    let shop = Shop {
        time_zone: config.time_zone.clone(),
        currency: config.currency.clone(),
        locale: config.locale.clone(),
        country: config.country.clone(),
        name: "Braid".into(),
    };
    let (email, name) = match &caller.user {
        Some(user) => (user.email.clone(), user.name.clone()),
        None => (String::new(), caller.actor.clone()),
    };
    Me { email, name, role: caller.role, shop }
}

/// Signs in: sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Credentials,
    responses((status = 200, body = Me)))]
pub async fn sign_in(State(app): State<Arc<App>>, input: Input<Credentials>) -> Result<Response, Problem> {
    let Credentials { email, password } = input.value;
    let email = base::normalise_email(&email).unwrap_or_else(|| email.trim().chars().take(254).collect());
    let now = app.now();
    if let Err(seconds) = app.logins.check(&email, now) {
        return Err(TOO_MANY_ATTEMPTS.because("too many wrong passwords").retry_after(seconds));
    }
    app.logins.note(&email, now);
    let wanted = email.clone();
    let found = app.query(move |db| Ok(accounts::find_login(db, &wanted)?)).await?;
    let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), Some(hash)));
    // Hashing takes tens of milliseconds, too long for the runtime's own threads.
    let matches = tokio::task::spawn_blocking(move || verify_password(&password, hash.as_deref())).await;
    let matches = matches.map_err(|_| INTERNAL.because("the password could not be checked"))?;
    let Some(user) = user.filter(|_| matches) else {
        return Err(BAD_CREDENTIALS.because("no user has this address with this password"));
    };
    app.logins.forget(&email);
    let token = base::random_token();
    let (id, stored) = (user.id, token.clone());
    app.write(move |tx| Ok(accounts::add_session(tx, id, &stored)?)).await?;
    app.reload_accounts().await?;
    let caller = Caller { actor: user.email.clone(), role: user.role, user: Some(user), token: None };
    let mut response = Json(me(&app, &caller)).into_response();
    set_cookie(&app, response.headers_mut(), &token);
    Ok(response)
}

/// Says who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses((status = 200, body = Me)))]
pub async fn current_session(State(app): State<Arc<App>>, SignedIn(caller): SignedIn) -> Json<Me> {
    Json(me(&app, &caller))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204, description = "Done")))]
pub async fn sign_out(State(app): State<Arc<App>>, _: SignedIn, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(token) = session_token(&headers) {
        app.write(move |tx| Ok(accounts::remove_session(tx, &token)?)).await?;
        app.reload_accounts().await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&app, response.headers_mut(), "");
    Ok(response)
}

fn set_cookie(app: &App, headers: &mut HeaderMap, token: &str) {
    let secure = app.public_url.starts_with("https://");
    if let Ok(value) = HeaderValue::from_str(&cookie(token, secure)) {
        headers.insert(header::SET_COOKIE, value);
    }
}
