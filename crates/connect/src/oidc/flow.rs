//! The way to the provider: PKCE and the address to which the browser goes.
use super::discovery::Metadata;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::digest;

/// What is asked for: who they are, their address, their name.
pub const SCOPE: &str = "openid email profile";

/// What one attempt to sign in carries.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who asks.
    pub client_id: &'a str,
    /// Where the browser comes back to.
    pub redirect_uri: &'a str,
    /// Comes back with the browser.
    pub state: &'a str,
    /// Comes back in the ID token.
    pub nonce: &'a str,
    /// What only we know until the code is changed into a token: 43 to 128 unreserved characters (RFC 7636, 4.1).
    pub verifier: &'a str,
}

/// The challenge of a verifier (RFC 7636, 4.2, `S256`).
pub fn challenge(verifier: &str) -> String {
    BASE64.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// A verifier of 32 random bytes that somebody else drew: 43 characters.
pub fn verifier(random: [u8; 32]) -> String {
    BASE64.encode(random)
}

/// Where the browser goes (Core, 3.1.2.1). What the provider's address has as a query stays.
pub fn authorization_url(metadata: &Metadata, asked: Asked<'_>) -> String {
    let mut url = metadata.authorization_endpoint.clone();
    let challenge = challenge(asked.verifier);
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", asked.client_id),
        ("redirect_uri", asked.redirect_uri),
        ("scope", SCOPE),
        ("state", asked.state),
        ("nonce", asked.nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    url.into()
}

/// Pairs as `application/x-www-form-urlencoded` (WHATWG URL, 5.2).
pub(super) fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    // The address is only a place where the library writes pairs as forms have them.
    let Ok(mut url) = reqwest::Url::parse("form:") else { return String::new() };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_string()
}

/// One value of a form.
pub(super) fn form_value(text: &str) -> String {
    form([("", text)]).trim_start_matches('=').to_string()
}
