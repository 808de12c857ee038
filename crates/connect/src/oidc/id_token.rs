//! Whether an ID token is believed: OpenID Connect Core 1.0, 3.1.3.7, over JSON Web Signatures (RFC 7515).
use super::keys::{Algorithm, KeySet};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;

/// The longest token that is read.
pub const TOKEN_MAX: usize = 32 << 10;
/// How far the provider's clock may be off, seconds.
pub const LEEWAY_S: i64 = 60;
/// How long ago a token may have been made, seconds: it was asked for a moment ago, and some providers date it some minutes back.
pub const AGE_MAX_S: i64 = 15 * 60;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The provider's name, letter by letter.
    pub issuer: &'a str,
    /// Ours.
    pub client_id: &'a str,
    /// What was sent along with this attempt.
    pub nonce: &'a str,
    /// Unix seconds.
    pub now_s: i64,
}

/// Who somebody is, by a provider that is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// Names the person at this provider for ever.
    pub subject: String,
    /// As the provider has it.
    pub email: Option<String>,
    /// Whether the provider vouches that the address is theirs.
    pub email_verified: bool,
    /// As they are shown.
    pub name: Option<String>,
}

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url with JSON in the first two.
    #[error("the ID token cannot be read")]
    Shape,
    /// Another algorithm.
    #[error("the ID token is signed with {0:.20}; only RS256 and ES256 are taken")]
    Algorithm(String),
    /// An extension that must be understood.
    #[error("the ID token has an extension that is not known")]
    Critical,
    /// No such key: perhaps a new one.
    #[error("the ID token is signed with a key that the provider does not publish")]
    UnknownKey,
    /// Somebody else's signature.
    #[error("the signature of the ID token is wrong")]
    Signature,
    /// Another provider.
    #[error("the ID token is from another issuer: {0:.200}")]
    Issuer(String),
    /// For somebody else.
    #[error("the ID token is for another client")]
    Audience,
    /// Made for another party.
    #[error("the ID token was given to another party")]
    Party,
    /// A claim that must be there.
    #[error("the ID token does not say {0}")]
    Missing(&'static str),
    /// Over.
    #[error("the ID token has expired; if this happens always, a clock is wrong")]
    Expired,
    /// Made in the future.
    #[error("the ID token is from the future; a clock is wrong")]
    Future,
    /// Made long ago.
    #[error("the ID token is too old")]
    Old,
    /// Of another attempt.
    #[error("the ID token belongs to another attempt to sign in")]
    Nonce,
}

/// Checks a token and gives what it says.
pub fn check(token: &str, keys: &KeySet, expected: Expected<'_>) -> Result<Claims, TokenError> {
    let claims = verified(token, keys)?;
    let text = |name: &'static str| claims[name].as_str().ok_or(TokenError::Missing(name));
    let issuer = text("iss")?;
    if issuer != expected.issuer {
        return Err(TokenError::Issuer(issuer.into()));
    }
    audience(&claims, expected.client_id)?;
    times(&claims, expected.now_s)?;
    if text("nonce")? != expected.nonce {
        return Err(TokenError::Nonce);
    }
    let subject = text("sub")?;
    // Core, 2: at most 255 ASCII characters.
    if subject.is_empty() || subject.len() > 255 || subject.contains(char::is_control) {
        return Err(TokenError::Missing("sub"));
    }
    Ok(Claims { subject: subject.into(), ..person(issuer, &claims) })
}

/// The claims of a token whose signature holds.
fn verified(token: &str, keys: &KeySet) -> Result<Value, TokenError> {
    let mut parts = token.split('.');
    let (Some(head), Some(body), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Shape);
    };
    if token.len() > TOKEN_MAX {
        return Err(TokenError::Shape);
    }
    let bytes = |part: &str| BASE64.decode(part).map_err(|_| TokenError::Shape);
    let object = |part: &str| {
        let value: Value = serde_json::from_slice(&bytes(part)?).map_err(|_| TokenError::Shape)?;
        if value.is_object() { Ok(value) } else { Err(TokenError::Shape) }
    };
    let header = object(head)?;
    let name = header["alg"].as_str().unwrap_or_default();
    let algorithm = Algorithm::parse(name).ok_or_else(|| TokenError::Algorithm(name.into()))?;
    // RFC 7515, 4.1.11: what is critical and not known makes the token invalid.
    if header.get("crit").is_some() {
        return Err(TokenError::Critical);
    }
    let key = keys.find(header["kid"].as_str(), algorithm).ok_or(TokenError::UnknownKey)?;
    let signed = &token[..head.len() + 1 + body.len()];
    if !key.verify(signed.as_bytes(), &bytes(signature)?) {
        return Err(TokenError::Signature);
    }
    object(body)
}

/// The token is for us and nobody else: we know no other party that we would trust with it.
fn audience(claims: &Value, client_id: &str) -> Result<(), TokenError> {
    let ours = |v: &Value| v.as_str() == Some(client_id);
    let fits = match &claims["aud"] {
        Value::Array(all) => !all.is_empty() && all.iter().all(ours),
        one => ours(one),
    };
    if !fits {
        return Err(TokenError::Audience);
    }
    if claims.get("azp").is_none_or(ours) { Ok(()) } else { Err(TokenError::Party) }
}

fn times(claims: &Value, now_s: i64) -> Result<(), TokenError> {
    // Some write seconds with a fraction. What is beyond a whole number of them is cut off to its greatest.
    let second = |name: &'static str| claims[name].as_f64().map(|n| n as i64).ok_or(TokenError::Missing(name));
    let (expires, made) = (second("exp")?, second("iat")?);
    if now_s >= expires.saturating_add(LEEWAY_S) {
        return Err(TokenError::Expired);
    }
    let begins = if claims.get("nbf").is_some() { second("nbf")?.max(made) } else { made };
    if begins > now_s + LEEWAY_S {
        return Err(TokenError::Future);
    }
    if made < now_s - AGE_MAX_S { Err(TokenError::Old) } else { Ok(()) }
}

/// What claims, of a token or of the provider's page about a person, say of somebody; without the subject.
pub(super) fn person(issuer: &str, claims: &Value) -> Claims {
    let text = |name: &str| claims[name].as_str().map(str::trim).filter(|t| !t.is_empty());
    let short = |t: &str| -> String { t.chars().filter(|c| !c.is_control()).take(200).collect() };
    let email = text("email").map(str::to_string);
    let email_verified = email.as_deref().is_some_and(|e| vouched(issuer, claims, e));
    Claims { subject: String::new(), email_verified, email, name: text("name").map(short) }
}

/// Whether the provider vouches for an address.
fn vouched(issuer: &str, claims: &Value, email: &str) -> bool {
    // Some providers write the word.
    let says = |name: &str| match &claims[name] {
        Value::Bool(yes) => *yes,
        Value::String(text) => text == "true" || text == "1",
        Value::Number(n) => n.as_i64() == Some(1),
        _ => false,
    };
    if issuer == "https://accounts.google.com" {
        // A private account may carry an address that was its owner's once. Google answers for its own mail and for
        // domains that it hosts.
        let own = email.to_ascii_lowercase().ends_with("@gmail.com");
        return says("email_verified") && (own || claims["hd"].as_str().is_some_and(|d| !d.is_empty()));
    }
    // Microsoft Entra has no `email_verified`; `xms_edov` says that the domain's owner was verified.
    if claims.get("email_verified").is_some() { says("email_verified") } else { says("xms_edov") }
}
