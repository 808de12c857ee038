//! Who asks, and whether they may: extractors that stand before anything of the request is read.
use crate::access::{Act, Area, Role, allows};
use crate::app::App;
use crate::problem::{CSRF_MISSING, NOT_ALLOWED, NOT_SIGNED_IN, Problem};
use crate::secrets;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use std::sync::Arc;

/// The cookie that holds a session's token.
pub const COOKIE: &str = "braid_session";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// As the audit names them: an address, or a key's name and prefix.
    pub actor: String,
    /// What they may.
    pub role: Role,
    /// The user, when it is a person.
    pub user: Option<crate::accounts::User>,
    /// The session's token, when they signed in on the console.
    pub token: Option<String>,
}

/// The actor of commands on this machine, such as `braid import`.
pub const LOCAL: &str = "this machine";

impl Caller {
    /// Whether it is a program on this machine, known by the token that only it can read.
    pub fn is_local(&self) -> bool {
        self.actor == LOCAL && self.user.is_none()
    }
}

/// The session's token in a request's cookies.
pub fn session_token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    cookies.flat_map(|c| c.split(';')).find_map(|c| {
        let (name, value) = c.trim().split_once('=')?;
        (name == COOKIE).then(|| value.to_string())
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Finds out who asks.
pub fn identify(app: &App, method: &Method, headers: &HeaderMap) -> Result<Caller, Problem> {
    let refused = || NOT_SIGNED_IN.because("sign in, or send an API key");
    if let Some(key) = bearer(headers) {
        if secrets::same(key, &app.local_token) {
            return Ok(Caller { actor: LOCAL.into(), role: Role::Owner, user: None, token: None });
        }
        let accounts = app.accounts();
        let key = accounts.key(key).ok_or_else(refused)?;
        return Ok(Caller {
            actor: format!("{} ({}…)", key.name, key.prefix),
            role: key.role,
            user: None,
            token: None,
        });
    }
    let token = session_token(headers).ok_or_else(refused)?;
    let accounts = app.accounts();
    let user = accounts.session(&token, app.now()).ok_or_else(refused)?.clone();
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe && headers.get("x-braid-csrf").is_none_or(|v| v != "1") {
        return Err(CSRF_MISSING.because("send x-braid-csrf: 1 with every change"));
    }
    Ok(Caller { actor: user.email.clone(), role: user.role, user: Some(user), token: Some(token) })
}

fn permitted(parts: &Parts, app: &App, act: Act) -> Result<Caller, Problem> {
    let caller = identify(app, &parts.method, &parts.headers)?;
    if allows(caller.role, act) {
        Ok(caller)
    } else {
        Err(NOT_ALLOWED.because(format!("{} has the role {}", caller.actor, caller.role.as_str())))
    }
}

/// One extractor an act: a handler names what it does, and whoever may not never gets into it.
macro_rules! extractors {
    ($($name:ident: $act:expr;)*) => {$(
        #[doc = concat!("Somebody who may [`", stringify!($act), "`].")]
        pub struct $name(pub Caller);
        impl FromRequestParts<Arc<App>> for $name {
            type Rejection = Problem;
            async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
                permitted(parts, app, $act).map($name)
            }
        }
    )*};
}

extractors! {
    SignedIn: Act::Own;
    ReadHome: Act::Read(Area::Home);
    ReadCustomers: Act::Read(Area::Customers);
    WriteCustomers: Act::Write(Area::Customers);
    ReadIdentity: Act::Read(Area::Identity);
    WriteIdentity: Act::Write(Area::Identity);
    ReadConsents: Act::Read(Area::Consents);
    WriteConsents: Act::Write(Area::Consents);
    ReadSegments: Act::Read(Area::Segments);
    WriteSegments: Act::Write(Area::Segments);
    ReadMessages: Act::Read(Area::Messages);
    WriteMessages: Act::Write(Area::Messages);
    ReadEvents: Act::Read(Area::Events);
    WriteEvents: Act::Write(Area::Events);
    ReadSources: Act::Read(Area::Sources);
    WriteSources: Act::Write(Area::Sources);
    ReadImports: Act::Read(Area::Imports);
    WriteImports: Act::Write(Area::Imports);
    ReadExports: Act::Read(Area::Exports);
    WriteExports: Act::Write(Area::Exports);
    ReadPrivacy: Act::Read(Area::Privacy);
    WritePrivacy: Act::Write(Area::Privacy);
    ReadSettings: Act::Read(Area::Settings);
    WriteSettings: Act::Write(Area::Settings);
    ReadAccounts: Act::Read(Area::Accounts);
    WriteAccounts: Act::Write(Area::Accounts);
    ReadAudit: Act::Read(Area::Audit);
    WriteAudit: Act::Write(Area::Audit);
    ReadJobs: Act::Read(Area::Jobs);
    WriteJobs: Act::Write(Area::Jobs);
    RevealContact: Act::RevealContact;
    UseContact: Act::Contact;
    ApproveExport: Act::ApproveExport;
    // The three of before areas, until every route names its own.
    Reader: Act::Read(Area::Customers);
    Writer: Act::Write(Area::Settings);
    Governor: Act::Write(Area::Accounts);
}
