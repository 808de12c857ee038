//! ukrainealarm's webhooks: RSA with SHA-256 (PKCS #1 v1.5) over `{timestamp}.{raw body}`, the signature in base64.
//!
//! Whether an alert goes on is said by its levels, not by `status`: a change from red to yellow also comes as a message. Older
//! bodies have no levels; there `status` counts.
use super::ukraine_alarm::{territory, threat};
use super::value::{FeedAlert, Threat, moment};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;
use tokio_rustls::rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject as _};

/// The farthest that a message's time may be from ours, in seconds.
pub const SKEW_MAX_S: i64 = 300;

/// Why a message is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The service's key cannot be used.
    #[error("the key of the alert feed is no RSA public key in PEM")]
    Key,
    /// Signed with something else.
    #[error("the alert message is signed with {0:?}, not rsa-sha256")]
    Algorithm(String),
    /// Too old, from the future, or no number.
    #[error("the alert message is not of the last five minutes")]
    Time,
    /// Not by the feed.
    #[error("the alert message's signature is wrong")]
    Signature,
    /// Not what the feed documents.
    #[error("the alert message cannot be read: {0}")]
    Unreadable(String),
}

/// The three headers of a message.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    /// `x-webhook-signature`.
    pub signature: &'a str,
    /// `x-webhook-timestamp`.
    pub timestamp: &'a str,
    /// `x-webhook-signature-alg`.
    pub algorithm: &'a str,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// An alert began or changed; it goes on.
    On(FeedAlert),
    /// It is over.
    Off {
        /// Where.
        territory: String,
        /// What had threatened.
        threat: Threat,
        /// Since when.
        at_us: i64,
    },
    /// About the test region.
    Test,
}

/// The service's key, as it publishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookKey(Vec<u8>);

impl HookKey {
    /// Reads `webhook-public.pem`.
    pub fn parse(pem: &[u8]) -> Result<Self, HookError> {
        let info = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| HookError::Key)?;
        key_of(info.as_ref()).map(|key| Self(key.to_vec())).ok_or(HookError::Key)
    }
    /// Believes a message, or says why not. `now_s` are Unix seconds.
    pub fn read(&self, headers: Headers<'_>, body: &[u8], now_s: i64) -> Result<News, HookError> {
        if !headers.algorithm.eq_ignore_ascii_case("rsa-sha256") {
            return Err(HookError::Algorithm(headers.algorithm.chars().take(32).collect()));
        }
        let time: i64 = headers.timestamp.parse().map_err(|_| HookError::Time)?;
        // Services that write milliseconds do not become messages of the year 50,000.
        let time = if time > 100_000_000_000 { time / 1_000 } else { time };
        if time.abs_diff(now_s) > SKEW_MAX_S as u64 {
            return Err(HookError::Time);
        }
        let signature = BASE64.decode(headers.signature).map_err(|_| HookError::Signature)?;
        let signed = [headers.timestamp.as_bytes(), b".", body].concat();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0);
        key.verify(&signed, &signature).map_err(|_| HookError::Signature)?;
        news(body)
    }
}

fn news(body: &[u8]) -> Result<News, HookError> {
    let unreadable = |what: &str| HookError::Unreadable(what.into());
    let message: Value = serde_json::from_slice(body).map_err(|e| unreadable(&e.to_string()))?;
    if message["regionId"].is_null() {
        return Err(unreadable("there is no regionId"));
    }
    let Some(territory) = territory(&message["regionId"]) else { return Ok(News::Test) };
    let at = message["createdAt"].as_str().and_then(moment);
    let at_us = at.ok_or_else(|| unreadable("there is no createdAt"))?;
    let threat = threat(message["alarmType"].as_str().unwrap_or_default());
    let on = match (message["activeAlertLevels"].as_array(), message["status"].as_str()) {
        (Some(levels), _) => !levels.is_empty(),
        (None, Some("ACTIVATE" | "Activate")) => true,
        (None, Some("DEACTIVATE" | "Deactivate")) => false,
        _ => return Err(unreadable("there is neither a level nor a status")),
    };
    Ok(match on {
        true => News::On(FeedAlert { territory, threat, began_us: at_us, ended_us: None }),
        false => News::Off { territory, threat, at_us },
    })
}

/// The `RSAPublicKey` inside a `SubjectPublicKeyInfo` (RFC 5280): a sequence of the algorithm and a bit string.
fn key_of(info: &[u8]) -> Option<&[u8]> {
    let (outer, _) = element(info, 0x30)?;
    let (_, rest) = element(outer, 0x30)?;
    let (bits, _) = element(rest, 0x03)?;
    bits.strip_prefix(&[0])
}

/// The content of a DER element of a tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, length], rest) = bytes.split_first_chunk::<2>()?;
    if first != tag {
        return None;
    }
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), &rest[2..]),
        _ => return None,
    };
    (rest.len() >= length).then(|| rest.split_at(length))
}
