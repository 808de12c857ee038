//! What is remembered of the provider: its document and its keys, for an hour. A key that is not known is asked for once, and
//! then not again for a minute, so that nobody can make us ask by showing made-up tokens.
use super::refusal::Refusal;
use base::{HOUR_US, MINUTE_US, Timestamp};
use connect::oidc::{Claims, Expected, KeySet, Metadata, OidcClient, OidcFailure, OidcOptions, TokenError, id_token};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How long document and keys are good.
const FRESH_US: i64 = HOUR_US;
/// How long no key is asked for again because of a token with one that is not known.
const AGAIN_US: i64 = MINUTE_US;
/// Attempts that may begin within a minute: from one address, and in all.
const BEGIN_MAX: (u32, u32) = (60, 1200);

#[derive(Default)]
struct Remembered {
    metadata: Option<(Arc<Metadata>, Timestamp)>,
    keys: Option<(Arc<KeySet>, Timestamp)>,
    asked_again: Option<Timestamp>,
    minute: i64,
    begun: HashMap<String, u32>,
    begun_in_all: u32,
}

/// The provider as far as it is known. One for the program.
#[derive(Default)]
pub struct Provider {
    client: OnceLock<Option<OidcClient>>,
    roots_pem: Option<Vec<u8>>,
    inner: Mutex<Remembered>,
}

impl Provider {
    /// A provider of which nothing is known; a PEM file may hold further certificates to trust. Says what is wrong with it.
    pub fn open(ca_file: Option<&Path>) -> Result<Self, String> {
        let Some(file) = ca_file else { return Ok(Self::default()) };
        let said = |why: &dyn std::fmt::Display| format!("sign_in.ca_file {}: {why}", file.display());
        let pem = std::fs::read(file).map_err(|e| said(&e))?;
        let provider = Self { roots_pem: Some(pem), ..Self::default() };
        // Better at the start than when somebody wants to come in.
        provider.client().map_err(|_| said(&"this holds no certificates"))?;
        Ok(provider)
    }
    fn inner(&self) -> MutexGuard<'_, Remembered> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// What asks; made when it is first needed.
    pub fn client(&self) -> Result<&OidcClient, OidcFailure> {
        let options = || OidcOptions { root_certificates_pem: self.roots_pem.clone(), ..OidcOptions::default() };
        self.client.get_or_init(|| OidcClient::new(options()).ok()).as_ref().ok_or(OidcFailure::Client)
    }
    /// Forgets everything, after a change of the settings.
    pub fn forget(&self) {
        let mut inner = self.inner();
        (inner.metadata, inner.keys) = (None, None);
    }
    /// Counts an attempt that begins; says how many seconds to wait where there are too many.
    pub fn begin(&self, from: &str, now: Timestamp) -> Result<(), u32> {
        let mut inner = self.inner();
        let minute = now.micros().div_euclid(MINUTE_US);
        if inner.minute != minute {
            (inner.minute, inner.begun_in_all) = (minute, 0);
            inner.begun.clear();
        }
        let (own, all) = (inner.begun.get(from).copied().unwrap_or(0), inner.begun_in_all);
        if own >= BEGIN_MAX.0 || all >= BEGIN_MAX.1 {
            return Err(60);
        }
        inner.begun.insert(from.into(), own + 1);
        inner.begun_in_all += 1;
        Ok(())
    }
    /// The document of a provider.
    pub async fn metadata(&self, issuer: &str, now: Timestamp) -> Result<Arc<Metadata>, OidcFailure> {
        if let Some((metadata, at)) = &self.inner().metadata
            && metadata.issuer == issuer
            && now.micros() - at.micros() < FRESH_US
        {
            return Ok(metadata.clone());
        }
        let metadata = Arc::new(self.client()?.discover(issuer).await?);
        let mut inner = self.inner();
        let same = inner.metadata.as_ref().is_some_and(|(m, _)| m.jwks_uri == metadata.jwks_uri);
        if !same {
            inner.keys = None;
        }
        inner.metadata = Some((metadata.clone(), now));
        Ok(metadata)
    }
    async fn keys(&self, metadata: &Metadata, now: Timestamp) -> Result<Arc<KeySet>, OidcFailure> {
        if let Some((keys, at)) = &self.inner().keys
            && now.micros() - at.micros() < FRESH_US
        {
            return Ok(keys.clone());
        }
        let keys = Arc::new(self.client()?.keys(metadata).await?);
        self.inner().keys = Some((keys.clone(), now));
        Ok(keys)
    }
    /// Whether keys may be asked for again now; notes that they are.
    fn may_ask_again(&self, now: Timestamp) -> bool {
        let mut inner = self.inner();
        let may = inner.asked_again.is_none_or(|at| now.micros() - at.micros() >= AGAIN_US);
        if may {
            (inner.asked_again, inner.keys) = (Some(now), None);
        }
        may
    }
    /// Who somebody is, by a token that is believed.
    pub async fn believe(
        &self,
        metadata: &Metadata,
        token: &str,
        (client_id, nonce): (&str, &str),
        now: Timestamp,
    ) -> Result<Claims, Refusal> {
        let now_s = now.micros().div_euclid(base::SECOND_US);
        let expected = Expected { issuer: &metadata.issuer, client_id, nonce, now_s };
        let keys = self.keys(metadata, now).await?;
        match id_token::check(token, &keys, expected) {
            Err(TokenError::UnknownKey) if self.may_ask_again(now) => {
                let keys = self.keys(metadata, now).await?;
                Ok(id_token::check(token, &keys, expected)?)
            }
            other => Ok(other?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_begins_without_end() {
        let provider = Provider::default();
        let at = |s: i64| Timestamp::from_micros(s * base::SECOND_US);
        assert!((0..60).all(|_| provider.begin("1", at(1)).is_ok()));
        assert_eq!((provider.begin("1", at(2)), provider.begin("2", at(2))), (Err(60), Ok(())));
        assert_eq!(provider.begin("1", at(61)), Ok(()));
        assert!((0..1199).all(|n| provider.begin(&format!("a{n}"), at(61)).is_ok()));
        assert_eq!(provider.begin("another", at(62)), Err(60));
    }

    #[test]
    fn a_file_without_certificates_is_refused_at_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        let why = |file: &Path| Provider::open(Some(file)).err().unwrap_or_default();
        assert!(why(&file).contains("ca.pem: No such file"), "{}", why(&file));
        std::fs::write(&file, "nonsense").expect("writes");
        assert!(why(&file).ends_with("this holds no certificates"), "{}", why(&file));
        std::fs::write(&file, connect::fake::CA_PEM).expect("writes");
        assert_eq!(why(&file), "");
    }

    #[test]
    fn keys_are_asked_for_again_once_a_minute() {
        let provider = Provider::default();
        let at = |s: i64| Timestamp::from_micros(s * base::SECOND_US);
        let may: Vec<bool> = [0, 1, 59, 60, 61].iter().map(|s| provider.may_ask_again(at(*s))).collect();
        assert_eq!(may, [true, false, false, true, false]);
    }
}
