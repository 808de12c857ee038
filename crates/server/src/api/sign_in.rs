//! `/settings/sign-in`: the shop's identity provider, for owners.
use crate::access::Role;
use crate::app::App;
use crate::caller::{ReadAccounts, WriteAccounts};
use crate::change::Done;
use crate::input::Input;
use crate::oidc::check::{self, Step};
use crate::oidc::settings::seal;
use crate::oidc::{Passwords, Settings, redirect_uri};
use crate::problem::{BAD_INPUT, CONFLICT, Problem, internal};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How people sign in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignInSettings {
    /// Whether anybody may sign in at the provider.
    enabled: bool,
    /// The provider's name, letter by letter.
    issuer: String,
    /// What the provider calls Braid.
    client_id: String,
    /// Whether there is a secret; it is never shown.
    has_secret: bool,
    /// What the button says the provider is.
    label: String,
    /// Domains of addresses that are taken; empty: all.
    domains: Vec<String>,
    /// Whether people of these domains who are not here yet are added.
    create: bool,
    /// As what.
    role: Role,
    /// Whether the provider asks for a second factor, so that ours is not asked for.
    provider_second_factor: bool,
    /// Who may use a password.
    passwords: Passwords,
    /// What to enter at the provider.
    redirect_uri: String,
}

/// How people sign in from now on.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInChange {
    enabled: bool,
    issuer: String,
    client_id: String,
    /// A new secret; absent: the one that is there; empty: none.
    client_secret: Option<String>,
    label: String,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    create: bool,
    role: Role,
    #[serde(default)]
    provider_second_factor: bool,
    #[serde(default)]
    passwords: Passwords,
}

fn shown(app: &App, s: Settings) -> SignInSettings {
    SignInSettings {
        enabled: s.enabled,
        issuer: s.issuer,
        client_id: s.client_id,
        has_secret: !s.secret.is_empty(),
        label: s.label,
        domains: s.domains,
        create: s.create,
        role: s.role,
        provider_second_factor: s.provider_second_factor,
        passwords: s.passwords,
        redirect_uri: redirect_uri(&app.public_url),
    }
}

/// Shows how people sign in.
#[utoipa::path(get, path = "/api/v1/settings/sign-in", tag = "settings",
    responses((status = 200, body = SignInSettings)))]
pub async fn get_sign_in_settings(State(app): State<Arc<App>>, _: ReadAccounts) -> Json<SignInSettings> {
    Json(shown(&app, app.accounts().oidc.clone()))
}

/// The secret must not go to another provider than the one it was made for.
fn foreign_secret(before: &Settings, issuer: &str, client_id: &str, new: Option<&str>) -> Result<(), Problem> {
    let moved = before.issuer != issuer || before.client_id != client_id;
    if new.is_none() && moved && !before.secret.is_empty() {
        let why = "enter the client secret again: the one that is kept belongs to another issuer or client";
        return Err(BAD_INPUT.at("/client_secret", why));
    }
    Ok(())
}

/// Changes how people sign in.
#[utoipa::path(put, path = "/api/v1/settings/sign-in", tag = "settings", request_body = SignInChange,
    responses((status = 200, body = SignInSettings)))]
pub async fn put_sign_in_settings(
    State(app): State<Arc<App>>,
    WriteAccounts(caller): WriteAccounts,
    input: Input<SignInChange>,
) -> Result<Response, Problem> {
    let change = input.value;
    let secret = change.client_secret.as_deref().map(secret_of).transpose()?;
    let sealed = secret.map(|s| seal(&app.vault, s)).transpose().map_err(|e| internal(&e))?;
    let mut domains: Vec<String> = change.domains.iter().map(|d| d.trim().to_lowercase()).collect();
    domains.sort_unstable();
    domains.dedup();
    let fresh = Settings {
        enabled: change.enabled,
        issuer: change.issuer.trim().into(),
        client_id: change.client_id.trim().into(),
        secret: String::new(),
        label: change.label.trim().into(),
        domains,
        create: change.create,
        role: change.role,
        provider_second_factor: change.provider_second_factor,
        passwords: change.passwords,
    };
    fresh.check().map_err(|(at, why)| BAD_INPUT.at(at, why))?;
    let shared = app.clone();
    let answer = app.change(&caller, input.request, move |tx| {
        let before = Settings::load(tx.engine())?;
        foreign_secret(&before, &fresh.issuer, &fresh.client_id, sealed.as_deref())?;
        if fresh.enabled && fresh.passwords == Passwords::Owners && crate::accounts::other_owners(tx, 0)? == 0 {
            return Err(
                CONFLICT.because("no owner has a password; somebody must be able to come in when the provider is away")
            );
        }
        let secret = sealed.clone().unwrap_or_else(|| before.secret.clone());
        let changed = secret != before.secret;
        let after = Settings { secret, ..fresh.clone() };
        after.store(tx.engine())?;
        let mut noted = after.audited();
        noted["secret_changed"] = changed.into();
        let done = Done::ok(shown(&shared, after));
        Ok(done.noted(("update", "sign_in"), "sign_in", Some(before.audited()), Some(noted)))
    });
    let answer = answer.await?;
    app.oidc.forget();
    app.reload_accounts().await?;
    Ok(answer)
}

fn secret_of(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    let fits = text.len() <= 1000 && !text.contains(char::is_control);
    fits.then_some(text).ok_or_else(|| BAD_INPUT.at("/client_secret", "a secret has at most 1000 characters"))
}

/// A provider to be tried.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInTry {
    issuer: String,
    client_id: String,
    /// Absent: the one that is kept.
    client_secret: Option<String>,
}

/// What was tried, and how it went.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignInCheck {
    steps: Vec<Step>,
}

/// Tries a provider: its document, its keys, and whether it knows the client. Changes nothing.
#[utoipa::path(post, path = "/api/v1/settings/sign-in/check", tag = "settings", request_body = SignInTry,
    responses((status = 200, body = SignInCheck)))]
pub async fn check_sign_in_settings(
    State(app): State<Arc<App>>,
    _: WriteAccounts,
    input: Input<SignInTry>,
) -> Result<Json<SignInCheck>, Problem> {
    let SignInTry { issuer, client_id, client_secret } = input.value;
    let (issuer, client_id) = (issuer.trim(), client_id.trim());
    let own = app.accounts().oidc.clone();
    foreign_secret(&own, issuer, client_id, client_secret.as_deref())?;
    let secret = match &client_secret {
        Some(given) => secret_of(given)?.to_string(),
        None => own.open_secret(&app.vault).map_err(|e| internal(&e))?,
    };
    let steps = check::check(&app.oidc, issuer, (client_id, &secret), &redirect_uri(&app.public_url)).await;
    Ok(Json(SignInCheck { steps }))
}
