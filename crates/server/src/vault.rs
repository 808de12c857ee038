//! Secrets that must be used again, such as passwords of mail servers or the keys of second factors: sealed with a key that
//! is not in the database (`secret.key` in the shop's folder, for this user's eyes only).
//!
//! A sealed value is `v1.<key>.<nonce and text>`, AES-256-GCM (NIST SP 800-38D) with 96 random bits of nonce; what it is for
//! is bound to it, so that a value cannot be put in another one's place. The file holds the present key first and older ones
//! below, so that a rotation may be interrupted anywhere.
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::path::{Path, PathBuf};

/// The file in the shop's folder.
pub const FILE: &str = "secret.key";

/// Why a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The file cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not one that Braid wrote.
    #[error("{path} line {line} is no key; put the file back from where it is kept")]
    Format {
        /// Which.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// The value was sealed with a key that is not here, for something else, or was changed.
    #[error(
        "a secret cannot be opened with the keys in secret.key; put the file back that belongs to this database, or enter the secret again"
    )]
    Closed,
}

struct NamedKey {
    name: String,
    key: LessSafeKey,
}

/// The keys.
pub struct Vault {
    path: PathBuf,
    keys: Vec<NamedKey>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({} keys)", self.keys.len())
    }
}

impl Vault {
    /// Opens a folder's keys; a folder without them gets some.
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        let path = folder.join(FILE);
        let failed = |source| VaultError::File { path: path.display().to_string(), source };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let text = fresh_line();
                write_private(&path, &text).map_err(failed)?;
                text
            }
            Err(e) => return Err(failed(e)),
        };
        let keys = parse(&text).map_err(|line| VaultError::Format { path: path.display().to_string(), line })?;
        Ok(Self { path, keys })
    }
    /// Seals a text for one use.
    pub fn seal(&self, for_what: &str, text: &str) -> Result<String, VaultError> {
        let newest = self.keys.first().ok_or(VaultError::Closed)?;
        let nonce: [u8; NONCE_LEN] = base::random_bytes();
        let mut sealed = text.as_bytes().to_vec();
        let aad = Aad::from(for_what.as_bytes());
        let done = newest.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed);
        done.map_err(|_| VaultError::Closed)?;
        let mut out = nonce.to_vec();
        out.extend(sealed);
        Ok(format!("v1.{}.{}", newest.name, BASE64.encode(out)))
    }
    /// Opens what was sealed for the same use.
    pub fn open_text(&self, for_what: &str, sealed: &str) -> Result<String, VaultError> {
        let read = || -> Option<String> {
            let (name, body) = sealed.strip_prefix("v1.")?.split_once('.')?;
            let key = &self.keys.iter().find(|k| k.name == name)?.key;
            let mut bytes = BASE64.decode(body).ok()?;
            let nonce: [u8; NONCE_LEN] = bytes.get(..NONCE_LEN)?.try_into().ok()?;
            let aad = Aad::from(for_what.as_bytes());
            let text = key.open_within(Nonce::assume_unique_for_key(nonce), aad, &mut bytes, NONCE_LEN..).ok()?;
            String::from_utf8(text.to_vec()).ok()
        };
        read().ok_or(VaultError::Closed)
    }
    /// Whether a value was sealed with the newest key.
    pub fn is_newest(&self, sealed: &str) -> bool {
        let name = sealed.strip_prefix("v1.").and_then(|s| s.split('.').next());
        self.keys.first().is_some_and(|k| Some(k.name.as_str()) == name)
    }
    /// Puts a new key before the others.
    pub fn add_key(&mut self) -> Result<(), VaultError> {
        let old = std::fs::read_to_string(&self.path).map_err(|e| self.failed(e))?;
        self.replace(&format!("{}{old}", fresh_line()))
    }
    /// Takes every key away but the newest, once everything is sealed with it.
    pub fn drop_old_keys(&mut self) -> Result<(), VaultError> {
        let old = std::fs::read_to_string(&self.path).map_err(|e| self.failed(e))?;
        let newest = old.lines().next().map(|l| format!("{l}\n")).unwrap_or_default();
        self.replace(&newest)
    }
    fn failed(&self, source: std::io::Error) -> VaultError {
        VaultError::File { path: self.path.display().to_string(), source }
    }
    fn replace(&mut self, text: &str) -> Result<(), VaultError> {
        let temporary = self.path.with_extension("key.tmp");
        let _ = std::fs::remove_file(&temporary);
        write_private(&temporary, text)
            .and_then(|()| std::fs::rename(&temporary, &self.path))
            .map_err(|e| self.failed(e))?;
        let wrong = |line| VaultError::Format { path: self.path.display().to_string(), line };
        self.keys = parse(text).map_err(wrong)?;
        Ok(())
    }
}

fn fresh_line() -> String {
    let name = crate::secrets::hex(&base::random_bytes::<4>());
    format!("{name} {}\n", BASE64.encode(base::random_bytes::<32>()))
}

fn parse(text: &str) -> Result<Vec<NamedKey>, usize> {
    let mut keys = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let read = || {
            let (name, key) = line.split_once(' ')?;
            let key = UnboundKey::new(&AES_256_GCM, &BASE64.decode(key).ok()?).ok()?;
            Some(NamedKey { name: name.to_string(), key: LessSafeKey::new(key) })
        };
        keys.push(read().ok_or(at + 1)?);
    }
    if keys.is_empty() { Err(1) } else { Ok(keys) }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_for_its_use_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::open(folder.path()).expect("makes a key");
        let sealed = vault.seal("totp/1", "secret").expect("seals");
        assert!(!sealed.contains("secret"));
        assert_ne!(sealed, vault.seal("totp/1", "secret").expect("seals"), "every sealing has a nonce of its own");
        let again = Vault::open(folder.path()).expect("reads the key");
        assert_eq!(again.open_text("totp/1", &sealed).expect("opens"), "secret");
        assert!(again.open_text("totp/2", &sealed).is_err());
        let mut torn = sealed.clone();
        torn.replace_range(sealed.len() - 1.., if sealed.ends_with('A') { "Q" } else { "A" });
        assert!(again.open_text("totp/1", &torn).is_err());
        let other = tempfile::tempdir().expect("a folder");
        assert!(Vault::open(other.path()).expect("opens").open_text("totp/1", &sealed).is_err());
    }

    #[test]
    fn the_file_is_private_and_keys_change() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let mut vault = Vault::open(folder.path()).expect("opens");
        let mode = |f: &Path| std::fs::metadata(f.join(FILE)).expect("is there").permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o600);
        let old = vault.seal("x", "text").expect("seals");
        vault.add_key().expect("adds");
        assert!(!vault.is_newest(&old));
        assert_eq!(vault.open_text("x", &old).expect("an older key is kept"), "text");
        let new = vault.seal("x", "text").expect("seals");
        vault.drop_old_keys().expect("drops");
        assert_eq!(mode(folder.path()), 0o600);
        assert!(vault.open_text("x", &old).is_err() && vault.is_newest(&new));
        assert_eq!(vault.open_text("x", &new).expect("opens"), "text");
        std::fs::write(folder.path().join(FILE), "nonsense\n").expect("writes");
        assert!(matches!(Vault::open(folder.path()), Err(VaultError::Format { line: 1, .. })));
    }
}
