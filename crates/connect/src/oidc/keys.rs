//! A provider's keys (JSON Web Key Set, RFC 7517) and signatures by them (RFC 7518, 3.3 and 3.4).
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

/// Keys of one set that are looked at.
const KEYS_MAX: usize = 100;

/// How a token is signed. There is no third: `none` is no signature, and with HS256 whoever knows a public key could sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
}

impl Algorithm {
    /// The algorithm of a token's head.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Public {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
}

/// A key that can check signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    id: Option<String>,
    public: Public,
}

impl Key {
    /// Whether the key made a signature. RSA keys have 2048 to 8192 bits, else nothing is theirs.
    pub fn verify(&self, signed: &[u8], signature: &[u8]) -> bool {
        match &self.public {
            Public::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }
            Public::P256(point) => {
                let key = UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
                key.verify(signed, signature).is_ok()
            }
        }
    }
    fn algorithm(&self) -> Algorithm {
        match self.public {
            Public::Rsa { .. } => Algorithm::Rs256,
            Public::P256(_) => Algorithm::Es256,
        }
    }
}

/// Why a document is no set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// No list.
    #[error("the provider's keys are no key set")]
    Shape,
    /// None that is of use.
    #[error("the provider publishes no key for RS256 or ES256")]
    Empty,
}

/// The keys of a provider that can check signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a set. Keys of other kinds and for other uses are passed over, as RFC 7517, 5 says.
    pub fn parse(document: &Value) -> Result<Self, KeysError> {
        let items = document["keys"].as_array().ok_or(KeysError::Shape)?;
        let keys: Vec<Key> = items.iter().take(KEYS_MAX).filter_map(read).collect();
        if keys.is_empty() { Err(KeysError::Empty) } else { Ok(Self(keys)) }
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Never: a set without keys is refused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// The key of a token: by its name, or the only one of its kind where the token names none (Core, 10.1).
    pub fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting =
            self.0.iter().filter(|k| k.algorithm() == algorithm && id.is_none_or(|id| k.id.as_deref() == Some(id)));
        let key = fitting.next()?;
        if id.is_none() && fitting.next().is_some() { None } else { Some(key) }
    }
}

fn read(item: &Value) -> Option<Key> {
    let bytes = |name: &str| BASE64.decode(item[name].as_str()?.trim_end_matches('=')).ok();
    let public = match item["kty"].as_str()? {
        "RSA" => Public::Rsa { n: whole(bytes("n")?), e: whole(bytes("e")?) },
        "EC" if item["crv"].as_str()? == "P-256" => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            // An uncompressed point (SEC 1, 2.3.3).
            Public::P256([&[4], x.as_slice(), y.as_slice()].concat())
        }
        _ => return None,
    };
    let key = Key { id: item["kid"].as_str().map(str::to_string), public };
    let says = |name: &str, wanted: &str| item[name].as_str().is_none_or(|found| found == wanted);
    (says("use", "sig") && says("alg", key.algorithm().name())).then_some(key)
}

/// A number without the zeros before it, which some providers write.
fn whole(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|b| *b == 0).collect()
}
