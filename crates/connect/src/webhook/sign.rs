//! Signatures: HMAC-SHA256 over `id.timestamp.body`, base64, as Standard Webhooks 1.0.0 says (symmetric, `v1`).
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;

/// How a secret begins when it is shown.
const PREFIX: &str = "whsec_";
/// Bytes of a secret that a receiver may have chosen.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Why a text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not base64.
    #[error("a secret is whsec_ and base64")]
    Base64,
    /// Too few bytes protect nothing, more than 64 are hashed down anyway.
    #[error("a secret has 24 to 64 bytes; this one has {0}")]
    Length(usize),
}

/// What both sides know of an endpoint. Prints as `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl Secret {
    /// A new secret of 32 bytes that somebody else drew.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random.to_vec())
    }
    /// Parses `whsec_…`; the beginning may be missing, as some receivers write it.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = BASE64.decode(text).map_err(|_| SecretError::Base64)?;
        if !BYTES.contains(&bytes.len()) {
            return Err(SecretError::Length(bytes.len()));
        }
        Ok(Self(bytes))
    }
    /// `whsec_…`, for the one moment at which it is shown, and for sealing.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.0))
    }
    fn tag(&self, id: &str, timestamp_s: i64, body: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        for part in [id.as_bytes(), b".", timestamp_s.to_string().as_bytes(), b".", body] {
            context.update(part);
        }
        context.sign()
    }
}

/// The value of `webhook-signature`: one signature for each secret that is good now, so that a receiver may change over at
/// any moment of a rotation. `id` has no dot and `timestamp_s` is of this attempt.
pub fn signatures(secrets: &[Secret], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    debug_assert!(!id.contains('.'), "a dot in the id would make the signed text ambiguous");
    let one = |secret: &Secret| format!("v1,{}", BASE64.encode(secret.tag(id, timestamp_s, body)));
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Why a receiver does not believe a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Older or newer than the tolerance: perhaps a repeat of somebody who listened.
    #[error("the request's time is too far from now")]
    Time,
    /// No signature is of this secret.
    #[error("no signature fits")]
    Signature,
}

/// What a receiver does: any signature of the list fits, in a time that tells nothing, and the moment is near.
pub fn verify(
    secret: &Secret,
    (id, timestamp_s, header): (&str, i64, &str),
    body: &[u8],
    (now_s, tolerance_s): (i64, i64),
) -> Result<(), VerifyError> {
    if now_s.abs_diff(timestamp_s) > tolerance_s.unsigned_abs() {
        return Err(VerifyError::Time);
    }
    let wanted = secret.tag(id, timestamp_s, body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]);
    let fits = header.split(' ').filter_map(|item| item.strip_prefix("v1,")).any(|given| {
        // Tags of tags are compared, so that the time says nothing of the first byte that differs.
        let given = BASE64.decode(given).unwrap_or_default();
        hmac::verify(&key, &given, hmac::sign(&key, wanted.as_ref()).as_ref()).is_ok()
    });
    if fits { Ok(()) } else { Err(VerifyError::Signature) }
}
