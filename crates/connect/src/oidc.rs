//! OpenID Connect, from the side of the one who trusts: somebody signs in at their provider, and we learn who they are.
//!
//! OpenID Connect Core 1.0 and Discovery 1.0, the authorization code flow with PKCE (RFC 7636, `S256`). Start at
//! [`OidcClient::discover`], which learns where a provider's doors are; [`flow::authorization_url`] sends a browser there,
//! [`OidcClient::exchange`] changes the code that comes back into an ID token, and [`id_token::check`], a pure function, says
//! whose it is or why it is not believed.
//!
//! Invariants: no redirect is followed; plain http goes to this machine only; an answer is read up to a limit and every wait
//! has one; a token is believed only after its signature by a published key, with RS256 or ES256 and nothing else.
//! Deliberately absent: sessions, users, what is remembered between two steps (the server's), other flows, encrypted tokens.
mod client;
pub mod discovery;
pub mod flow;
pub mod id_token;
pub mod keys;

pub use client::{Exchange, OidcClient, OidcFailure, OidcOptions, Tokens};
pub use discovery::{IssuerError, Metadata, MetadataError, check_issuer};
pub use id_token::{Claims, Expected, TokenError};
pub use keys::{Algorithm, KeySet, KeysError};

#[cfg(test)]
mod tests;
