//! Signing in at the shop's identity provider (OpenID Connect).
//!
//! The protocol is [`connect::oidc`]; here stands what a shop makes of it. [`settings`]: which provider, for whom. [`ticket`]:
//! what the browser carries between two steps, sealed, so that nothing is stored for somebody who only began. [`provider`]:
//! what is remembered of the provider. [`decide`]: who somebody is here, a pure rule. [`enter`]: the one transaction in which
//! somebody comes in, with links, audit and session. [`refusal`]: why not.
//!
//! Invariants: an attempt comes back once, to the browser that began it, within ten minutes; a user is found by the provider's
//! subject first and by an address that the provider vouches for only once; every entry, link and refusal has its line in the
//! audit; owners can always use their passwords. (ADR 0029)
pub mod check;
pub mod decide;
pub mod enter;
pub mod links;
pub mod provider;
pub mod refusal;
pub mod settings;
pub mod ticket;

pub use refusal::{Reason, Refusal};
pub use settings::{Passwords, Settings};

/// The page to which the provider sends browsers back.
pub const CALLBACK: &str = "/signin/oidc";

/// The address to enter at the provider.
pub fn redirect_uri(public_url: &str) -> String {
    format!("{}{CALLBACK}", public_url.trim_end_matches('/'))
}
