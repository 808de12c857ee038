//! Keys, tokens and passwords: how they are made, hashed and compared. Nothing secret is ever stored as it is.
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use sha2::{Digest, Sha256};

/// The hash by which a key or a token is stored and found. Keys have 142 random bits, so one fast hash is enough.
pub type KeyHash = [u8; 32];

/// A key as it is given out once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The key itself.
    pub key: String,
    /// Its first letters, by which people tell keys apart.
    pub prefix: String,
    /// What is stored.
    pub hash: String,
}

/// Makes a key that begins with `kind`: `wk` for sources, `ak` for the admin API.
pub fn new_key(kind: &str) -> NewKey {
    let key = format!("{kind}_{}", base::random_token());
    let prefix = key.chars().take(kind.len() + 5).collect();
    let hash = hex(&hash_key(&key));
    NewKey { key, prefix, hash }
}

/// The hash of a key or token.
pub fn hash_key(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}

/// A hash as text, for the database.
pub fn hex(hash: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)] as char;
    hash.iter().flat_map(|b| [digit(b >> 4), digit(*b)]).collect()
}

/// The inverse of [`hex`]; `None` when the text is no hash.
pub fn unhex(text: &str) -> Option<KeyHash> {
    let (mut out, bytes) = ([0u8; 32], text.as_bytes());
    if bytes.len() != 64 {
        return None;
    }
    for (at, pair) in bytes.chunks_exact(2).enumerate() {
        let nibble = |b: u8| (b as char).to_digit(16);
        out[at] = (nibble(pair[0])? << 4 | nibble(pair[1])?) as u8;
    }
    Some(out)
}

/// Whether two secrets are equal, in a time that does not tell how much of them is.
pub fn same(left: &str, right: &str) -> bool {
    // Hashes are compared, so that neither length nor content of the secrets shows in the time.
    let (left, right) = (hash_key(left), hash_key(right));
    left.iter().zip(right).fold(0, |differs, (l, r)| differs | (l ^ r)) == 0
}

/// Hashes a password with Argon2id; takes tens of milliseconds on purpose.
pub fn hash_password(password: &str) -> Option<String> {
    let hash = Argon2::default().hash_password(password.as_bytes()).ok()?;
    Some(hash.to_string())
}

/// Whether a password is the hashed one; takes as long as hashing, also when there is no hash to compare with.
pub fn verify_password(password: &str, hash: Option<&str>) -> bool {
    // Somebody who does not exist costs the same time as a wrong password: names cannot be guessed by the clock.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$0CpHHSiRRpyxoVQlWNVYEgqyOHCnTEvnS7+n6mLrWRY";
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    let matches = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    matches && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_their_hash() {
        let key = new_key("wk");
        assert!(key.key.starts_with(&key.prefix) && key.key.len() > 20 && key.prefix.len() == 7);
        assert_eq!(unhex(&key.hash), Some(hash_key(&key.key)));
        assert_eq!((unhex("zz"), unhex(&"g".repeat(64))), (None, None));
        assert!(same("a", "a") && !same("a", "ab"));
    }

    #[test]
    fn a_password_is_known_by_its_hash_only() {
        let hash = hash_password("correct horse").expect("hashes");
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password("correct horse", Some(&hash)));
        assert!(!verify_password("wrong", Some(&hash)));
        assert!(!verify_password("wrong", None));
    }
}
