//! `/session`, `/sessions`: signing in and out on the console, and everything about one's own way in.
use crate::access::{Act, Role};
use crate::accounts::{self, Origin, Via};
use crate::api::accounts::hashed;
use crate::app::App;
use crate::caller::{Caller, From, SignedIn, session_token};
use crate::change::Done;
use crate::input::{Input, List, Nothing};
use crate::problem::{
    BAD_CREDENTIALS, BAD_INPUT, CONFLICT, INTERNAL, NOT_FOUND, PASSWORD_OFF, Problem, SECOND_FACTOR_NEEDED,
    TOO_MANY_ATTEMPTS, internal,
};
use crate::secrets::verify_password;
use crate::session::cookie;
use crate::{audit, second_factor, totp};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Who signs in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: String,
    password: String,
    /// The code of the second factor, or a recovery code.
    code: Option<String>,
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
    /// What they may, by the names of docs/roles.md: screens show what is in here.
    rights: Vec<String>,
    /// The stores that they keep to; null for the whole shop.
    stores: Option<Vec<String>>,
    /// Whether they have a second factor.
    second_factor: bool,
    /// Whether they have to set one up before anything else.
    second_factor_owed: bool,
    /// Whether they set their own password.
    own_password: bool,
    /// Whether they have a password at all.
    has_password: bool,
    shop: Shop,
}

fn me(app: &App, caller: &Caller) -> Me {
    let config = &app.config;
    let name = app.accounts().shop.name.clone();
    let shop = Shop {
        time_zone: config.time_zone.clone(),
        currency: config.currency.clone(),
        locale: config.locale.clone(),
        country: config.country.clone(),
        name,
    };
    let (email, name) = match &caller.user {
        Some(user) => (user.email.clone(), user.name.clone()),
        None => (String::new(), caller.actor.clone()),
    };
    Me {
        email,
        name,
        role: caller.role,
        rights: Act::all().into_iter().filter(|a| caller.may(*a)).map(Act::name).collect(),
        stores: caller.stores.as_ref().map(|s| s.to_vec()),
        second_factor: caller.user.as_ref().is_some_and(|u| u.totp),
        second_factor_owed: caller.owes_second_factor,
        own_password: caller.user.as_ref().is_none_or(|u| u.password_at.micros() > 0),
        has_password: caller.user.as_ref().is_some_and(|u| u.has_password),
        shop,
    }
}

/// Somebody who has just signed in.
pub fn me_of(app: &App, user: accounts::User, via: Via) -> Me {
    me(app, &Caller::of_session(user, via, &app.accounts()))
}

/// Signs in: sets the session's cookie. Who has a second factor sends its code too.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Credentials,
    responses((status = 200, body = Me)))]
pub async fn sign_in(
    State(app): State<Arc<App>>,
    from: From,
    headers: HeaderMap,
    input: Input<Credentials>,
) -> Result<Response, Problem> {
    let Credentials { email, password, code } = input.value;
    let email = base::normalise_email(&email).unwrap_or_else(|| email.trim().chars().take(254).collect());
    let (now, from) = (app.now(), from.text());
    if let Err(seconds) = app.logins.check(&email, &from, now) {
        return Err(TOO_MANY_ATTEMPTS.because("too many wrong passwords").retry_after(seconds));
    }
    app.logins.note(&email, &from, now);
    let wanted = email.clone();
    let found = app.query(move |db| Ok(accounts::find_login(db, &wanted)?)).await?;
    let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), Some(hash)));
    let matches = matches(password, hash).await?;
    let Some(user) = user.filter(|u| matches && u.active) else {
        return Err(BAD_CREDENTIALS.because("no user has this address with this password"));
    };
    if !app.accounts().oidc.takes_password(user.role) {
        return Err(PASSWORD_OFF.because("sign in at the shop's identity provider"));
    }
    if user.totp {
        check_code(&app, user.id, code.unwrap_or_default()).await?;
    }
    app.logins.forget(&email, &from);
    begin(&app, user, Origin::of_password(&from, &headers)).await
}

/// Begins a session for somebody who has shown who they are.
async fn begin(app: &Arc<App>, user: accounts::User, from: Origin) -> Result<Response, Problem> {
    let token = base::random_token();
    let (id, email, days) = (user.id, user.email.clone(), app.accounts().policy.session_days);
    let (stored, via) = (token.clone(), from.via);
    app.write(move |tx| {
        accounts::add_session(tx, id, &stored, days, &from)?;
        let after = json!({"address": from.address, "agent": from.agent});
        Ok(audit::note(tx, &email, ("sign_in", "user"), &id.to_string(), None, Some(&after))?)
    })
    .await?;
    app.reload_accounts().await?;
    let mut response = Json(me_of(app, user, via)).into_response();
    set_cookie(app, response.headers_mut(), &token);
    Ok(response)
}

/// Whether a password is the hashed one. Hashing takes tens of milliseconds, too long for the runtime's own threads.
async fn matches(password: String, hash: Option<String>) -> Result<bool, Problem> {
    let done = tokio::task::spawn_blocking(move || verify_password(&password, hash.as_deref())).await;
    done.map_err(|_| INTERNAL.because("the password could not be checked"))
}

/// Checks the code of a second factor, and uses it up.
pub async fn check_code(app: &Arc<App>, user: i64, code: String) -> Result<(), Problem> {
    let refused = || SECOND_FACTOR_NEEDED.because("send the present code of your app, or a recovery code");
    if code.is_empty() || code.len() > 64 {
        return Err(refused());
    }
    let shared = app.clone();
    let good = app.write(move |tx| {
        let Some(stored) = second_factor::find(tx, user)? else { return Ok(false) };
        let secret = secret_of(&shared, user, &stored.sealed)?;
        Ok(second_factor::take(tx, user, &secret, stored.last_step, &code)?)
    });
    if good.await? { Ok(()) } else { Err(refused()) }
}

fn secret_of(app: &App, user: i64, sealed: &str) -> Result<Vec<u8>, Problem> {
    let text = app.vault.open_text(&second_factor::bound_to(user), sealed).map_err(|e| internal(&e))?;
    totp::from_base32(&text).ok_or_else(|| INTERNAL.because("the second factor's secret is damaged"))
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

/// Sets the session's cookie; an empty token takes it away.
pub fn set_cookie(app: &App, headers: &mut HeaderMap, token: &str) {
    let secure = app.public_url.starts_with("https://");
    if let Ok(value) = HeaderValue::from_str(&cookie(token, app.accounts().policy.session_days, secure)) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// Somewhere where one is signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    /// How it began.
    via: Via,
    address: String,
    agent: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// The user who asks; programs have none.
fn user_of(caller: &Caller) -> Result<&accounts::User, Problem> {
    caller.user.as_ref().ok_or_else(|| CONFLICT.because("a key has no sessions, password or second factor"))
}

/// Lists where one is signed in.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "session",
    responses((status = 200, body = inline(List<SessionBody>))))]
pub async fn list_sessions(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
) -> Result<Json<List<SessionBody>>, Problem> {
    let Some(user) = &caller.user else { return Ok(Json(List::whole(Vec::new()))) };
    let known = app.accounts();
    let own =
        caller.token.as_deref().and_then(|t| known.session(t, app.now(), &app.touches)).map(|(_, s)| s.id.clone());
    let items = known.sessions_of(user.id).into_iter().map(|s| SessionBody {
        current: Some(&s.id) == own.as_ref(),
        seen_at: app.touches.session_at(&s),
        via: s.via,
        id: s.id,
        address: s.address,
        agent: s.agent,
        created_at: s.created_at,
        expires_at: s.expires_at,
    });
    Ok(Json(List::whole(items.collect())))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "session", params(("id" = String, Path)),
    responses((status = 204, description = "Done")))]
pub async fn end_session(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let none = || NOT_FOUND.because("you have no such session");
    let user = user_of(&caller).map_err(|_| none())?.id;
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(none());
    }
    let answer = app.change(&caller, input.request, move |tx| {
        if !accounts::end_session(tx, user, &id)? {
            return Err(none());
        }
        Ok(Done::nothing().noted(("end_session", "user"), user, None, None))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

/// A new password.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    password: String,
    new_password: String,
}

/// Changes one's own password, and signs out everywhere else.
#[utoipa::path(post, path = "/api/v1/session/password", tag = "session", request_body = PasswordChange,
    responses((status = 204, description = "Done")))]
pub async fn change_password(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    from: From,
    input: Input<PasswordChange>,
) -> Result<Response, Problem> {
    let PasswordChange { password, new_password } = input.value;
    let user = known(&app, &caller, &from, password, "/password").await?;
    let hash = hashed(new_password, "/new_password").await?;
    let token = caller.token.clone();
    let answer = app.change(&caller, input.request, move |tx| {
        accounts::set_password(tx, user, &hash, token.as_deref())?;
        Ok(Done::nothing().noted(("change_password", "user"), user, None, None))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

/// Checks the password of somebody who is signed in: a session left open is not enough to change the way in.
async fn known(app: &Arc<App>, caller: &Caller, from: &From, password: String, at: &str) -> Result<i64, Problem> {
    let user = user_of(caller)?.clone();
    if !user.has_password {
        return Err(CONFLICT.because("you have no password; ask an owner for a link to set one"));
    }
    let (now, from) = (app.now(), from.text());
    if let Err(seconds) = app.logins.check(&user.email, &from, now) {
        return Err(TOO_MANY_ATTEMPTS.because("too many wrong passwords").retry_after(seconds));
    }
    app.logins.note(&user.email, &from, now);
    let wanted = user.email.clone();
    let found = app.query(move |db| Ok(accounts::find_login(db, &wanted)?)).await?;
    if !matches(password, found.map(|(_, hash)| hash)).await? {
        return Err(BAD_INPUT.at(at, "this is not your password"));
    }
    app.logins.forget(&user.email, &from);
    Ok(user.id)
}

/// One's password, once more.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    password: String,
}

/// The secret of a second factor, shown once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SecondFactorSecret {
    /// To type into an app.
    secret: String,
    /// To show as a picture.
    uri: String,
}

/// Begins to set up a second factor: gives the secret for an app. It works from its first code on.
#[utoipa::path(post, path = "/api/v1/session/second-factor", tag = "session", request_body = Confirmation,
    responses((status = 200, body = SecondFactorSecret)))]
pub async fn begin_second_factor(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    from: From,
    input: Input<Confirmation>,
) -> Result<Json<SecondFactorSecret>, Problem> {
    let user = known(&app, &caller, &from, input.value.password, "/password").await?;
    let secret = totp::base32(&base::random_bytes::<20>());
    let sealed = app.vault.seal(&second_factor::bound_to(user), &secret).map_err(|e| internal(&e))?;
    app.write(move |tx| Ok(second_factor::propose(tx, user, &sealed)?)).await?;
    let uri = totp::uri(&secret, &caller.actor, &format!("Braid {}", app.accounts().shop.name));
    Ok(Json(SecondFactorSecret { secret, uri }))
}

/// The first code of a new second factor.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstCode {
    code: String,
}

/// Codes that stand in for a lost app, shown once; each works once.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// Turns the second factor on with its first code.
#[utoipa::path(post, path = "/api/v1/session/second-factor/confirm", tag = "session", request_body = FirstCode,
    responses((status = 200, body = RecoveryCodes)))]
pub async fn confirm_second_factor(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    input: Input<FirstCode>,
) -> Result<Response, Problem> {
    let user = user_of(&caller)?.id;
    let recovery_codes: Vec<String> = (0..second_factor::CODES).map(|_| totp::recovery_code()).collect();
    let (shared, code) = (app.clone(), input.value.code);
    let answer = app.change(&caller, input.request, move |tx| {
        let pending = second_factor::find(tx, user)?.map(|s| s.pending).filter(|p| !p.is_empty());
        let pending = pending.ok_or_else(|| CONFLICT.because("begin with POST /api/v1/session/second-factor"))?;
        let secret = secret_of(&shared, user, &pending)?;
        let now_s = tx.now().micros().div_euclid(base::SECOND_US);
        let step = totp::accepted(&secret, &code, now_s, 0);
        let step = step.ok_or_else(|| BAD_INPUT.at("/code", "this is not the present code of the app"))?;
        second_factor::confirm(tx, user, step, &recovery_codes)?;
        let body = RecoveryCodes { recovery_codes: recovery_codes.clone() };
        let kept = Some(json!({"recovery_codes": []}));
        let done = Done::ok(body).noted(("add_second_factor", "user"), user, None, None);
        Ok(Done { kept, ..done })
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}

/// Takes one's own second factor away.
#[utoipa::path(delete, path = "/api/v1/session/second-factor", tag = "session", request_body = Confirmation,
    responses((status = 204, description = "Done")))]
pub async fn remove_second_factor(
    State(app): State<Arc<App>>,
    SignedIn(caller): SignedIn,
    from: From,
    input: Input<Confirmation>,
) -> Result<Response, Problem> {
    let user = known(&app, &caller, &from, input.value.password, "/password").await?;
    let answer = app.change(&caller, input.request, move |tx| {
        second_factor::remove(tx, user)?;
        Ok(Done::nothing().noted(("remove_second_factor", "user"), user, None, None))
    });
    let answer = answer.await?;
    app.reload_accounts().await?;
    Ok(answer)
}
