//! `/session/ways`, `/session/provider`, and the page to which the provider sends browsers back.
use crate::accounts::Origin;
use crate::api::session::{self, Me};
use crate::app::App;
use crate::caller::From;
use crate::input::Input;
use crate::oidc::decide::Decision;
use crate::oidc::enter::{self, Entered, Visitor};
use crate::oidc::ticket::{self, Begun, Waiting};
use crate::oidc::{Passwords, Reason, Refusal, Settings, links, redirect_uri};
use crate::problem::{NOT_SIGNED_IN, Problem, SECOND_FACTOR_NEEDED, SIGN_IN_REFUSED, TOO_MANY_ATTEMPTS, internal};
use crate::secrets;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base::{SECOND_US, Timestamp};
use connect::oidc::{Claims, Exchange, flow};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Under which name attempts that come back in vain are counted.
const COUNTED_AS: &str = "#provider";

/// How people may sign in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignInWays {
    /// What the identity provider is called; null where there is none.
    provider: Option<String>,
    /// Who may use a password.
    passwords: Passwords,
}

/// Says how people may sign in.
#[utoipa::path(get, path = "/api/v1/session/ways", tag = "session", responses((status = 200, body = SignInWays)))]
pub async fn sign_in_ways(State(app): State<Arc<App>>) -> Json<SignInWays> {
    let settings = app.accounts().oidc.clone();
    let passwords = if settings.enabled { settings.passwords } else { Passwords::Everyone };
    Json(SignInWays { provider: settings.enabled.then_some(settings.label), passwords })
}

/// Somebody who wants to sign in at the provider.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginSignIn {
    /// The page of the console to go to afterwards.
    return_to: Option<String>,
}

/// Where the browser is to go.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProviderAddress {
    url: String,
}

fn secure(app: &App) -> bool {
    app.public_url.starts_with("https://")
}

/// Begins to sign in at the identity provider: gives the address to which the browser goes, and a cookie that binds the
/// attempt to it.
#[utoipa::path(post, path = "/api/v1/session/provider", tag = "session", request_body = BeginSignIn,
    responses((status = 200, body = ProviderAddress)))]
pub async fn begin_provider_sign_in(
    State(app): State<Arc<App>>,
    from: From,
    input: Input<BeginSignIn>,
) -> Result<Response, Problem> {
    let (now, settings) = (app.now(), app.accounts().oidc.clone());
    if !settings.enabled {
        return Err(SIGN_IN_REFUSED.because("this shop has no identity provider"));
    }
    let wait = app.oidc.begin(&from.text(), now).err();
    if let Some(seconds) = wait.or_else(|| app.logins.check(COUNTED_AS, &from.text(), now).err()) {
        return Err(TOO_MANY_ATTEMPTS.because("too many attempts at the identity provider").retry_after(seconds));
    }
    let metadata = app.oidc.metadata(&settings.issuer, now).await.map_err(|failure| {
        // Whoever asks is nobody yet: the details are for the log and for the owner's check.
        tracing::warn!(error = %failure, "the identity provider cannot be used");
        SIGN_IN_REFUSED.because("the identity provider does not answer as it should")
    })?;
    let begun = Begun {
        state: base::random_token(),
        nonce: base::random_token(),
        verifier: flow::verifier(base::random_bytes::<32>()),
        issuer: settings.issuer.clone(),
        return_to: ticket::own_page(&input.value.return_to.unwrap_or_default()),
        until: now.plus(ticket::BEGUN_US).micros(),
    };
    let asked = flow::Asked {
        client_id: &settings.client_id,
        redirect_uri: &redirect_uri(&app.public_url),
        state: &begun.state,
        nonce: &begun.nonce,
        verifier: &begun.verifier,
    };
    let mut response = Json(ProviderAddress { url: flow::authorization_url(&metadata, asked) }).into_response();
    let cookie = ticket::give(&app.vault, &begun, now, secure(&app));
    let cookie = cookie.ok_or_else(|| internal(&crate::vault::VaultError::Closed))?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// What the provider sends along with the browser (Core, 3.1.2.5 and 3.1.2.6; RFC 9207).
#[derive(Debug, Default, Deserialize)]
struct Back {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// The browser comes back: signs in and leads to the console, or to the sign-in page with the reason why not.
pub async fn callback(State(app): State<Arc<App>>, from: From, headers: HeaderMap, uri: Uri) -> Response {
    let now = app.now();
    let origin = Origin::of_provider(&from.text(), &headers);
    let settings = app.accounts().oidc.clone();
    if app.logins.check(COUNTED_AS, &origin.address, now).is_err() {
        // Not in the audit: whoever hammers would fill it.
        return to_page(&app, &refused_page(Reason::TooOften), None, None);
    }
    app.logins.note(COUNTED_AS, &origin.address, now);
    match come_back(&app, &settings, &origin, &headers, &uri, now).await {
        Ok((entered, return_to, claims)) => {
            app.logins.forget(COUNTED_AS, &origin.address);
            match entered {
                Entered::In { token, .. } => to_page(&app, &return_to, Some(&token), None),
                Entered::Code(_) => {
                    let waiting = Waiting {
                        id: base::random_token(),
                        issuer: settings.issuer,
                        subject: claims.subject,
                        email: claims.email,
                        email_verified: claims.email_verified,
                        return_to,
                        until: now.plus(ticket::CODE_US).micros(),
                    };
                    to_page(&app, "/?signin=code", None, ticket::give(&app.vault, &waiting, now, secure(&app)))
                }
                Entered::Refused(refusal) => refuse(&app, refusal, origin).await,
            }
        }
        Err(refusal) => refuse(&app, refusal, origin).await,
    }
}

async fn come_back(
    app: &Arc<App>,
    settings: &Settings,
    origin: &Origin,
    headers: &HeaderMap,
    uri: &Uri,
    now: Timestamp,
) -> Result<(Entered, String, Claims), Refusal> {
    if !settings.enabled {
        return Err(Refusal::new(Reason::Off, "this shop has no identity provider"));
    }
    let Query(back) = Query::<Back>::try_from_uri(uri).unwrap_or_default();
    let begun = begun_here(app, settings, headers, back.state.as_deref(), now)?;
    let (state, until) = (begun.state.clone(), Timestamp::from_micros(begun.until));
    let first = app.write(move |tx| Ok(links::use_up(tx, &state, until)?)).await.map_err(broken)?;
    if !first {
        return Err(Refusal::new(Reason::Replayed, "this attempt to sign in came back before"));
    }
    if let Some(error) = back.error {
        let plain: String = error.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(60).collect();
        let reason = if plain == "access_denied" { Reason::Cancelled } else { Reason::ProviderRefused };
        return Err(Refusal::new(reason, format!("the provider said {plain}")));
    }
    let metadata = app.oidc.metadata(&settings.issuer, now).await?;
    if back.iss.as_deref().map_or(metadata.names_issuer, |iss| iss != settings.issuer) {
        return Err(Refusal::new(Reason::NotBelieved, "the browser came back from another provider"));
    }
    let code = back.code.filter(|c| !c.is_empty() && c.len() <= 4096);
    let code = code.ok_or_else(|| Refusal::new(Reason::NotBelieved, "the provider gave no code"))?;
    let secret = settings.open_secret(&app.vault).map_err(|e| Refusal::new(Reason::ProviderAway, e.to_string()))?;
    let exchange = Exchange {
        code: &code,
        verifier: &begun.verifier,
        redirect_uri: &redirect_uri(&app.public_url),
        client_id: &settings.client_id,
        client_secret: &secret,
    };
    let client = app.oidc.client()?;
    let tokens = client.exchange(&metadata, exchange).await?;
    // The clock is read again: the provider took its time.
    let expected = (settings.client_id.as_str(), begun.nonce.as_str());
    let mut claims = app.oidc.believe(&metadata, &tokens.id_token, expected, app.now()).await?;
    if claims.email.is_none()
        && metadata.userinfo_endpoint.is_some()
        && let Some(access) = &tokens.access_token
    {
        claims = client.person(&metadata, access, &claims.subject).await?;
    }
    let visitor = Visitor {
        issuer: settings.issuer.clone(),
        claims: claims.clone(),
        from: origin.clone(),
        proven: None,
        attempt: None,
    };
    let entered = enter(app, visitor).await.map_err(broken)?;
    Ok((entered, begun.return_to, claims))
}

/// The attempt that this browser began, if it is the one that comes back and not too old.
fn begun_here(
    app: &App,
    settings: &Settings,
    headers: &HeaderMap,
    state: Option<&str>,
    now: Timestamp,
) -> Result<Begun, Refusal> {
    let begun = ticket::read::<Begun>(&app.vault, headers);
    let begun = begun.filter(|b| state.is_some_and(|s| secrets::same(s, &b.state)) && b.issuer == settings.issuer);
    let begun = begun.ok_or_else(|| Refusal::new(Reason::NotBegun, "this browser did not begin this attempt"))?;
    if begun.until <= now.micros() {
        return Err(Refusal::new(Reason::TooLate, "the attempt to sign in took longer than ten minutes"));
    }
    Ok(begun)
}

/// A failure of our own on the way in; its details are in the log already.
fn broken(problem: Problem) -> Refusal {
    Refusal::new(Reason::ProviderAway, problem.detail)
}

async fn enter(app: &Arc<App>, visitor: Visitor) -> Result<Entered, Problem> {
    let known = app.accounts();
    let (settings, days) = (known.oidc.clone(), known.policy.session_days);
    let entered = app.write(move |tx| enter::enter(tx, &settings, days, &visitor)).await?;
    if matches!(entered, Entered::In { .. }) {
        app.reload_accounts().await?;
    }
    Ok(entered)
}

async fn refuse(app: &Arc<App>, refusal: Refusal, origin: Origin) -> Response {
    let page = refused_page(refusal.reason);
    if let Err(problem) = app.write(move |tx| Ok(enter::note_refusal(tx, &refusal, &origin)?)).await {
        tracing::error!(detail = %problem.detail, "a refusal at the door could not be noted");
    }
    to_page(app, &page, None, None)
}

fn refused_page(reason: Reason) -> String {
    format!("/?signin={}", reason.as_str())
}

/// Leads to a page of the console, with a session or a ticket; without a ticket the old one is taken away.
fn to_page(app: &App, page: &str, token: Option<&str>, ticket: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    let page = HeaderValue::from_str(page).unwrap_or_else(|_| HeaderValue::from_static("/"));
    headers.insert(header::LOCATION, page);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The address that is left holds a code.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.append(header::SET_COOKIE, ticket.unwrap_or_else(|| ticket::take_away(secure(app))));
    if let Some(token) = token {
        session::set_cookie(app, headers, token);
    }
    response
}

/// The code of the second factor of somebody whom the provider knows.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderCode {
    code: String,
}

/// Who is signed in, and where they wanted to go.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignedInAtProvider {
    me: Me,
    return_to: String,
}

/// Shows the second factor after the identity provider, and signs in.
#[utoipa::path(post, path = "/api/v1/session/provider/code", tag = "session", request_body = ProviderCode,
    responses((status = 200, body = SignedInAtProvider)))]
pub async fn finish_provider_sign_in(
    State(app): State<Arc<App>>,
    from: From,
    headers: HeaderMap,
    input: Input<ProviderCode>,
) -> Result<Response, Problem> {
    let (now, from) = (app.now(), from.text());
    let settings = app.accounts().oidc.clone();
    let waiting = ticket::read::<Waiting>(&app.vault, &headers);
    let waiting = waiting.filter(|w| settings.enabled && w.issuer == settings.issuer && w.until > now.micros());
    let waiting = waiting.ok_or_else(|| NOT_SIGNED_IN.because("this attempt took too long; begin again"))?;
    let claims = waiting.claims();
    let (known, issuer, subject) = (settings.clone(), waiting.issuer.clone(), claims.clone());
    let found = app.write(move |tx| Ok(enter::who(tx, &known, &issuer, &subject)?)).await?;
    let origin = Origin::of_provider(&from, &headers);
    let user = match found {
        Ok(Decision::Enter(user) | Decision::Link(user)) => user,
        Ok(_) => return Err(NOT_SIGNED_IN.because("this attempt took too long; begin again")),
        Err(refusal) => return Err(refuse_code(&app, refusal, origin).await),
    };
    if let Err(seconds) = app.logins.check(&user.email, &from, now) {
        return Err(TOO_MANY_ATTEMPTS.because("too many wrong codes").retry_after(seconds));
    }
    app.logins.note(&user.email, &from, now);
    if user.totp {
        session::check_code(&app, user.id, input.value.code).await?;
    }
    app.logins.forget(&user.email, &from);
    let visitor = Visitor {
        issuer: waiting.issuer,
        claims,
        from: origin.clone(),
        proven: Some(user.id),
        // What was used is remembered until no clock could make it good again.
        attempt: Some((waiting.id, Timestamp::from_micros(waiting.until).plus(60 * SECOND_US))),
    };
    match enter(&app, visitor).await? {
        Entered::In { user, token } => {
            let me = session::me_of(&app, user, crate::accounts::Via::Provider);
            let mut response = Json(SignedInAtProvider { me, return_to: waiting.return_to }).into_response();
            response.headers_mut().append(header::SET_COOKIE, ticket::take_away(secure(&app)));
            session::set_cookie(&app, response.headers_mut(), &token);
            Ok(response)
        }
        Entered::Code(_) => Err(SECOND_FACTOR_NEEDED.because("send the present code of your app, or a recovery code")),
        Entered::Refused(refusal) => Err(refuse_code(&app, refusal, origin).await),
    }
}

async fn refuse_code(app: &Arc<App>, refusal: Refusal, origin: Origin) -> Problem {
    let problem = SIGN_IN_REFUSED.because(refusal.detail.clone());
    refuse(app, refusal, origin).await;
    problem
}
