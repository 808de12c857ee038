//! Links of one-click unsubscribing (RFC 8058 over RFC 2369).
//!
//! A token names a message and proves by HMAC-SHA256 over message, address and purpose that this program wrote it. It holds
//! no personal data, so a link that leaks into a log says nothing about anybody, and it cannot be made for another person.
use crate::error::MessagingError;
use crate::model::Shop;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use db::{DbError, Notice, Tx};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The setting that holds the secret, in base64.
const SECRET: &str = "messaging.unsubscribe_secret";

/// The key of all tokens of a store.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Secret {
    /// A secret of known bytes, for tests.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    fn mac(&self, message_id: i64, address: &str, purpose: &str) -> Hmac<Sha256> {
        // A key of any length is fine for HMAC, so this cannot fail.
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&message_id.to_be_bytes());
        // Lengths keep ("ab", "c") apart from ("a", "bc").
        for part in [address, purpose] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// The token for a message to an address. The same message always gets the same one.
pub fn token(secret: &Secret, message_id: i64, address: &str, purpose: &str) -> String {
    let mut bytes = message_id.to_be_bytes().to_vec();
    bytes.extend_from_slice(&secret.mac(message_id, address, purpose).finalize().into_bytes());
    BASE64.encode(bytes)
}

/// The message that a token names; says nothing yet about whether the token is ours.
pub fn message_of(token: &str) -> Option<i64> {
    let bytes = BASE64.decode(token).ok().filter(|b| b.len() == 40)?;
    Some(i64::from_be_bytes(bytes.first_chunk::<8>().copied()?))
}

/// Whether this store made the token for this message. Takes the same time for every wrong token.
pub fn verify(secret: &Secret, token: &str, message_id: i64, address: &str, purpose: &str) -> bool {
    let Ok(bytes) = BASE64.decode(token) else { return false };
    if message_of(token) != Some(message_id) {
        return false;
    }
    secret.mac(message_id, address, purpose).verify_slice(&bytes[8..]).is_ok()
}

/// The address of the page that a token opens.
pub fn url(shop: &Shop, token: &str) -> String {
    format!("{}/u/{token}", shop.public_url.trim_end_matches('/'))
}

/// The header fields that every marketing mail carries. There is no `mailto:`: nobody reads such mail here yet, and a way
/// out that leads nowhere is worse than none.
pub fn headers(url: &str) -> Vec<(String, String)> {
    vec![
        ("List-Unsubscribe".into(), format!("<{url}>")),
        ("List-Unsubscribe-Post".into(), "List-Unsubscribe=One-Click".into()),
    ]
}

/// The consent that a person takes back through a link; `customers` records it as a denial with this proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The message whose link was used.
    pub message_id: i64,
    /// The profile that the message was intended for; resolve it to the person.
    pub profile_id: i64,
    pub channel: String,
    pub address: String,
    pub purpose: String,
    /// What the person did, for the ledger.
    pub wording: &'static str,
}

/// What a link would take back. A `GET` shows this and changes nothing, since scanners open every link.
pub fn find(tx: &mut Tx, token: &str) -> Result<Revocation, MessagingError> {
    let id = message_of(token).ok_or(MessagingError::BadToken)?;
    let row = tx.first("SELECT profile_id, channel, address, purpose FROM messages WHERE id = $1", &[id.into()])?;
    let row = row.ok_or(MessagingError::BadToken)?;
    let (channel, address, purpose) = (row.text(1)?.to_string(), row.text(2)?.to_string(), row.text(3)?.to_string());
    // Read only: this answers a `GET` too. Without a secret nothing was ever signed.
    let ours = read_secret(tx)?.is_some_and(|secret| verify(&secret, token, id, &address, &purpose));
    if !ours {
        return Err(MessagingError::BadToken);
    }
    Ok(Revocation {
        message_id: id,
        profile_id: row.int(0)?,
        channel,
        address,
        purpose,
        wording: "one-click unsubscribe",
    })
}

/// Takes the consent back (a `POST`): gives what has to be recorded in the same transaction. Idempotent: a second click gives
/// the same denial again.
pub fn unsubscribe(tx: &mut Tx, token: &str) -> Result<Revocation, MessagingError> {
    let revocation = find(tx, token)?;
    tx.notify(Notice::Person { person_id: revocation.profile_id });
    Ok(revocation)
}

/// The store's secret; made when it is wanted for the first time.
pub fn load_secret(tx: &mut Tx) -> Result<Secret, DbError> {
    if let Some(secret) = read_secret(tx)? {
        return Ok(secret);
    }
    let bytes: [u8; 32] = base::random_bytes();
    tx.execute("INSERT INTO settings (name, value) VALUES ($1, $2)", &[SECRET.into(), (&BASE64.encode(bytes)).into()])?;
    Ok(Secret(bytes))
}

fn read_secret(tx: &mut Tx) -> Result<Option<Secret>, DbError> {
    let Some(row) = tx.first("SELECT value FROM settings WHERE name = $1", &[SECRET.into()])? else { return Ok(None) };
    let bytes = BASE64.decode(row.text(0)?).ok().and_then(|b| <[u8; 32]>::try_from(b).ok());
    bytes.map(|b| Some(Secret(b))).ok_or_else(|| DbError::damaged(SECRET, "it is not 32 bytes in base64"))
}
