//! What a browser carries while its user is at the provider: a cookie that only this shop can read and write. Nothing is stored
//! for an attempt until it comes back, so nobody can fill the store by beginning many.
use crate::vault::Vault;
use axum::http::{HeaderMap, HeaderValue};
use base::{MINUTE_US, SECOND_US, Timestamp};
use connect::oidc::Claims;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The cookie. It is not the session's: the browser must send it when the provider sends it back, so it is `SameSite=Lax`.
pub const COOKIE: &str = "braid_signin";
/// How long an attempt may take.
pub const BEGUN_US: i64 = 10 * MINUTE_US;
/// How long the code of a second factor may take.
pub const CODE_US: i64 = 5 * MINUTE_US;

/// A cookie's content.
pub trait Ticket: Serialize + DeserializeOwned {
    /// What it is sealed for, so that one is never taken for another.
    const BOUND_TO: &'static str;
    /// Until when it is good, microseconds.
    fn until(&self) -> i64;
}

/// An attempt that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Comes back in the address.
    pub state: String,
    /// Comes back in the token.
    pub nonce: String,
    /// Of PKCE.
    pub verifier: String,
    /// The provider at which it began.
    pub issuer: String,
    /// Where the user wanted to go.
    pub return_to: String,
    /// Until when.
    pub until: i64,
}

/// Somebody whom the provider knows, and whose second factor is still asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Names this attempt: it is used once.
    pub id: String,
    /// The provider.
    pub issuer: String,
    /// What it calls them.
    pub subject: String,
    /// What it told.
    pub email: Option<String>,
    /// Whether it vouches for it.
    pub email_verified: bool,
    /// Where the user wanted to go.
    pub return_to: String,
    /// Until when.
    pub until: i64,
}

impl Waiting {
    /// What the provider told.
    pub fn claims(&self) -> Claims {
        let (subject, email) = (self.subject.clone(), self.email.clone());
        Claims { subject, email, email_verified: self.email_verified, name: None }
    }
}

impl Ticket for Begun {
    const BOUND_TO: &'static str = "oidc/begun";
    fn until(&self) -> i64 {
        self.until
    }
}

impl Ticket for Waiting {
    const BOUND_TO: &'static str = "oidc/waiting";
    fn until(&self) -> i64 {
        self.until
    }
}

/// The cookie's header for a ticket; `None` when it cannot be sealed.
pub fn give<T: Ticket>(vault: &Vault, ticket: &T, now: Timestamp, secure: bool) -> Option<HeaderValue> {
    let sealed = vault.seal(T::BOUND_TO, &serde_json::to_string(ticket).ok()?).ok()?;
    let age = (ticket.until() - now.micros()) / SECOND_US;
    HeaderValue::from_str(&cookie(&sealed, age, secure)).ok()
}

/// The header that takes the cookie away.
pub fn take_away(secure: bool) -> HeaderValue {
    HeaderValue::from_str(&cookie("", 0, secure)).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn cookie(value: &str, age_s: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age_s}{secure}")
}

/// The ticket that a browser sends; its time is not looked at.
pub fn read<T: Ticket>(vault: &Vault, headers: &HeaderMap) -> Option<T> {
    let value = crate::caller::cookie_of(headers, COOKIE)?;
    serde_json::from_str(&vault.open_text(T::BOUND_TO, &value).ok()?).ok()
}

/// Where to go afterwards: a page of the console, else its first one. Anything that a browser could take for another host is none.
pub fn own_page(text: &str) -> String {
    let odd = |c: char| c.is_control() || c == '\\' || c.is_whitespace();
    let own = text.starts_with('/') && !text.starts_with("//") && text.len() <= 500 && !text.contains(odd);
    let callback = text.starts_with(super::CALLBACK);
    if own && !callback && text.is_ascii() { text.into() } else { "/".into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header;

    #[test]
    fn a_ticket_is_read_by_its_shop_and_for_its_purpose_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::open(folder.path()).expect("a key");
        let text = |t: &str| t.to_string();
        let begun = Begun {
            state: text("s"),
            nonce: text("n"),
            verifier: text("the verifier"),
            issuer: text("i"),
            return_to: text("/"),
            until: 600 * SECOND_US,
        };
        let value = give(&vault, &begun, Timestamp::from_micros(0), true).expect("sealed");
        let value = value.to_str().expect("text").to_string();
        assert!(value.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure"), "{value}");
        assert!(!value.contains("verifier"), "{value}");
        let mut headers = HeaderMap::new();
        let own = value.split(';').next().unwrap_or_default();
        headers.insert(header::COOKIE, HeaderValue::from_str(&format!("a=b; {own}")).expect("a header"));
        assert_eq!(read::<Begun>(&vault, &headers), Some(begun));
        assert_eq!(read::<Waiting>(&vault, &headers), None);
        let other = tempfile::tempdir().expect("a folder");
        assert_eq!(read::<Begun>(&Vault::open(other.path()).expect("a key"), &headers), None);
    }

    #[test]
    fn nobody_is_led_to_another_host() {
        for own in ["/", "/customers?q=a%20b&sel=1", "/settings/own"] {
            assert_eq!(own_page(own), own);
        }
        for odd in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a b",
            "/a\nb",
            "/\u{2028}",
            "/signin/oidc?x",
        ] {
            assert_eq!(own_page(odd), "/", "{odd:?}");
        }
    }
}
