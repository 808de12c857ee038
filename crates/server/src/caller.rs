//! Who asks, and whether they may: extractors that stand before anything of the request is read.
use crate::access::{Act, Area, Role, allows};
use crate::accounts::Via;
use crate::app::App;
use crate::problem::{CSRF_MISSING, NOT_ALLOWED, NOT_SIGNED_IN, Problem};
use crate::secrets;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use std::net::IpAddr;
use std::sync::Arc;

/// The cookie that holds a session's token.
pub const COOKIE: &str = "braid_session";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// As the audit names them: an address, or a key's name and prefix.
    pub actor: String,
    /// What they may at most.
    pub role: Role,
    /// Rights of the role that they have; none: all of them.
    pub scopes: Option<Arc<[Act]>>,
    /// Stores whose customers they see; none: all.
    pub stores: Option<Arc<[String]>>,
    /// The user, when it is a person.
    pub user: Option<crate::accounts::User>,
    /// The session's token, when they signed in on the console.
    pub token: Option<String>,
    /// Whether they have to set up a second factor before anything else.
    pub owes_second_factor: bool,
}

/// The actor of commands on this machine, such as `braid import`.
pub const LOCAL: &str = "this machine";

impl Caller {
    /// Somebody with everything that a role may.
    pub fn of_role(actor: &str, role: Role) -> Self {
        let stores = role.keeps_to_stores().then(|| Arc::from([]));
        let actor = actor.to_string();
        Self { actor, role, scopes: None, stores, user: None, token: None, owes_second_factor: false }
    }
    /// A user who is signed in.
    pub fn of_user(user: crate::accounts::User, policy: &crate::policy::Policy) -> Self {
        Self {
            stores: user.role.keeps_to_stores().then(|| user.stores.clone()),
            owes_second_factor: policy.owners_need_second_factor && user.role == Role::Owner && !user.totp,
            user: Some(user.clone()),
            ..Self::of_role(&user.email, user.role)
        }
    }
    /// A user who is signed in, by how their session began: where the identity provider asks for a second factor, whoever
    /// came from there owes none here.
    pub fn of_session(user: crate::accounts::User, via: Via, known: &crate::accounts::Snapshot) -> Self {
        let shown = known.oidc.provider_second_factor && via == Via::Provider;
        let caller = Self::of_user(user, &known.policy);
        Self { owes_second_factor: caller.owes_second_factor && !shown, ..caller }
    }
    /// A program with a key.
    fn of_key(key: &crate::keys::ApiKey) -> Self {
        let bound = !key.stores.is_empty() || key.role.keeps_to_stores();
        Self {
            scopes: Some(key.scopes.clone()).filter(|s| !s.is_empty()),
            stores: bound.then(|| key.stores.clone()),
            ..Self::of_role(&format!("{} ({}…)", key.name, key.prefix), key.role)
        }
    }
    /// Whether it is a program on this machine, known by the token that only it can read.
    pub fn is_local(&self) -> bool {
        self.actor == LOCAL && self.user.is_none()
    }
    /// Whether they may do something.
    pub fn may(&self, act: Act) -> bool {
        if act == Act::Own {
            return true;
        }
        // Whoever is bound to stores sees customers one by one; figures and lists of the whole shop are not for them.
        let of_stores = matches!(
            act,
            Act::Read(
                Area::Customers
                    | Area::Consents
                    | Area::Orders
                    | Area::Service
                    | Area::Reviews
                    | Area::Catalog
                    | Area::Stock
                    | Area::Prices
            ) | Act::Write(Area::Customers | Area::Consents | Area::Stock | Area::Orders)
                | Act::Contact
        );
        allows(self.role, act)
            && !self.owes_second_factor
            && (self.stores.is_none() || of_stores)
            && self.scopes.as_ref().is_none_or(|s| s.contains(&act))
    }
    /// Why they may not.
    fn refusal(&self, act: Act) -> Problem {
        let why = if self.owes_second_factor {
            "this shop asks of its owners that they set up a second factor first".to_string()
        } else if allows(self.role, act) {
            format!("{} does not have the right {}", self.actor, act.name())
        } else {
            format!("{} has the role {}", self.actor, self.role.as_str())
        };
        NOT_ALLOWED.because(why)
    }
}

/// The session's token in a request's cookies.
pub fn session_token(headers: &HeaderMap) -> Option<String> {
    cookie_of(headers, COOKIE)
}

/// A cookie of a request.
pub fn cookie_of(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    cookies.flat_map(|c| c.split(';')).find_map(|c| {
        let (name, value) = c.trim().split_once('=')?;
        (name == wanted).then(|| value.to_string())
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Finds out who asks, where the address does not matter: keys that are bound to networks are not taken.
pub fn identify(app: &App, method: &Method, headers: &HeaderMap) -> Result<Caller, Problem> {
    identify_from(app, method, headers, None)
}

/// Finds out who asks, from which address.
pub fn identify_from(app: &App, method: &Method, headers: &HeaderMap, from: Option<IpAddr>) -> Result<Caller, Problem> {
    let refused = || NOT_SIGNED_IN.because("sign in, or send an API key");
    let now = app.now();
    let accounts = app.accounts();
    if let Some(key) = bearer(headers) {
        if secrets::same(key, &app.local_token) {
            return Ok(Caller::of_role(LOCAL, Role::Owner));
        }
        let key = accounts.key(key, now).ok_or_else(refused)?;
        if !key.takes(from) {
            return Err(NOT_ALLOWED.because(format!("the key {} is not taken from this address", key.prefix)));
        }
        app.touches.key(key.id, now);
        return Ok(Caller::of_key(key));
    }
    let token = session_token(headers).ok_or_else(refused)?;
    let (user, session) = accounts.session(&token, now, &app.touches).ok_or_else(refused)?;
    let safe = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe && headers.get("x-braid-csrf").is_none_or(|v| v != "1") {
        return Err(CSRF_MISSING.because("send x-braid-csrf: 1 with every change"));
    }
    app.touches.session(&session.id, now);
    Ok(Caller { token: Some(token), ..Caller::of_session(user.clone(), session.via, &accounts) })
}

fn permitted(parts: &Parts, app: &App, act: Act) -> Result<Caller, Problem> {
    let found = parts.extensions.get::<crate::border::Identified>().map(|i| (*i.0).clone());
    let from = || crate::listen::client_address(app, &parts.extensions, &parts.headers);
    let caller = found.unwrap_or_else(|| identify_from(app, &parts.method, &parts.headers, from()))?;
    if caller.may(act) { Ok(caller) } else { Err(caller.refusal(act)) }
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
    ReadPrices: Act::Read(Area::Prices);
    WritePrices: Act::Write(Area::Prices);
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
    ReadCatalog: Act::Read(Area::Catalog);
    WriteCatalog: Act::Write(Area::Catalog);
    ReadStock: Act::Read(Area::Stock);
    WriteStock: Act::Write(Area::Stock);
    ReadOrders: Act::Read(Area::Orders);
    WriteOrders: Act::Write(Area::Orders);
    ReadReviews: Act::Read(Area::Reviews);
    WriteReviews: Act::Write(Area::Reviews);
    RevealContact: Act::RevealContact;
    UseContact: Act::Contact;
    ApproveExport: Act::ApproveExport;
    SeeCosts: Act::SeeCosts;
}

/// The address that somebody asks from, signed in or not.
pub struct From(pub Option<IpAddr>);

impl From {
    /// The address as it is counted: of IPv6 the network of one customer (/64), which has more addresses than one can count.
    pub fn text(&self) -> String {
        match self.0.map(|a| a.to_canonical()) {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Some(address) => address.to_string(),
            None => String::new(),
        }
    }
}

impl FromRequestParts<Arc<App>> for From {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(Self(crate::listen::client_address(app, &parts.extensions, &parts.headers)))
    }
}
