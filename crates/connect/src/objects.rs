//! Where files lie that are no rows: a folder of the shop, or a bucket of a service that speaks S3 (Amazon, MinIO, Ceph, R2 and others).
//!
//! Both are reached through `object_store`. Calls here wait for their answer, so that threads that do other slow work (thumbnails,
//! imports) can use them; never call them on a thread that serves requests.
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long one request to a bucket may take, and all tries of it together.
const REQUEST: Duration = Duration::from_secs(20);
const ALL_TRIES: Duration = Duration::from_secs(60);

/// Why files cannot be reached where the setting says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    #[error("it begins with folder: or s3://")]
    Scheme,
    #[error("a bucket is s3://ACCESS_KEY:SECRET_KEY@BUCKET/PREFIX?region=…&endpoint=…")]
    Bucket,
    #[error("{0:?} is not known here: region and endpoint are")]
    Parameter(String),
    #[error("an endpoint is https://HOST, or http:// on this machine")]
    Endpoint,
}

/// Why a file could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ObjectsError(String);

/// Where files lie, as a setting says it.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder; a relative one lies in the shop's.
    Folder(PathBuf),
    /// A bucket of S3's protocol.
    Bucket { name: String, prefix: String, region: String, endpoint: String, access_key: String, secret_key: String },
}

impl Place {
    /// Reads `folder:PATH`, or `s3://ACCESS_KEY:SECRET_KEY@BUCKET/PREFIX?region=R&endpoint=URL`; parts of it are percent-encoded where they
    /// hold `:`, `/`, `@` or `?`. Without an endpoint it is Amazon's, without a region `us-east-1`.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        if let Some(path) = text.strip_prefix("folder:") {
            return if path.is_empty() { Err(PlaceError::Scheme) } else { Ok(Place::Folder(path.into())) };
        }
        if !text.starts_with("s3://") {
            return Err(PlaceError::Scheme);
        }
        let url = reqwest::Url::parse(text).map_err(|_| PlaceError::Bucket)?;
        let plain = |part: &str| percent_decoded(part).ok_or(PlaceError::Bucket);
        let name = url.host_str().unwrap_or_default().to_string();
        let (access_key, secret_key) = (plain(url.username())?, plain(url.password().unwrap_or_default())?);
        if name.is_empty() || access_key.is_empty() || secret_key.is_empty() {
            return Err(PlaceError::Bucket);
        }
        let (mut region, mut endpoint) = ("us-east-1".to_string(), String::new());
        for (parameter, value) in url.query_pairs() {
            match &*parameter {
                "region" => region = value.into_owned(),
                "endpoint" => endpoint = value.trim_end_matches('/').to_string(),
                other => return Err(PlaceError::Parameter(other.chars().take(60).collect())),
            }
        }
        // Names of customers' files and pictures travel: over the network only where nobody else reads them.
        let near = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let near =
            near.iter().any(|host| endpoint.strip_prefix(host).is_some_and(|r| r.is_empty() || r.starts_with(':')));
        if !endpoint.is_empty() && !endpoint.starts_with("https://") && !near {
            return Err(PlaceError::Endpoint);
        }
        let prefix = plain(url.path().trim_matches('/'))?;
        Ok(Place::Bucket { name, prefix, region, endpoint, access_key, secret_key })
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Folder(path) => write!(f, "folder:{}", path.display()),
            Place::Bucket { name, prefix, .. } => write!(f, "s3://…@{name}/{prefix}"),
        }
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| (b as char).to_digit(16));
        out.push((digit(bytes.next())? * 16 + digit(bytes.next())?) as u8);
    }
    String::from_utf8(out).ok()
}

/// Files under names. Cheap to clone.
#[derive(Clone)]
pub struct Objects(Arc<Inner>);

struct Inner {
    store: Box<dyn ObjectStore>,
    prefix: Key,
    /// The folder itself, whose files are synced: `object_store` leaves that to chance.
    folder: Option<PathBuf>,
    /// Requests to a bucket run here; it has no thread of its own.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Waiting for it is not allowed where requests are served.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Objects {
    /// Opens a place; `shop` is the folder that relative ones lie in. A folder is made with its first file, a bucket has to be there.
    pub fn open(place: &Place, shop: &Path) -> Result<Self, ObjectsError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = Some(runtime.map_err(|e| ObjectsError(e.to_string()))?);
        let inner = match place {
            Place::Folder(path) => Inner {
                store: Box::new(LocalFileSystem::new()),
                prefix: Key::default(),
                folder: Some(shop.join(path)),
                runtime,
            },
            Place::Bucket { name, prefix, region, endpoint, access_key, secret_key } => {
                let near = endpoint.starts_with("http://");
                let mut builder = AmazonS3Builder::new()
                    .with_bucket_name(name)
                    .with_region(region)
                    .with_access_key_id(access_key)
                    .with_secret_access_key(secret_key)
                    .with_config(AmazonS3ConfigKey::VirtualHostedStyleRequest, "false")
                    .with_client_options(ClientOptions::new().with_timeout(REQUEST).with_allow_http(near))
                    .with_retry(RetryConfig {
                        backoff: BackoffConfig::default(),
                        max_retries: 4,
                        retry_timeout: ALL_TRIES,
                    });
                if !endpoint.is_empty() {
                    builder = builder.with_endpoint(endpoint);
                }
                let store = builder.build().map_err(said)?;
                Inner { store: Box::new(store), prefix: Key::from(prefix.as_str()), folder: None, runtime }
            }
        };
        Ok(Self(Arc::new(inner)))
    }

    fn key(&self, name: &str) -> Result<Key, ObjectsError> {
        match &self.0.folder {
            Some(folder) => Key::from_absolute_path(folder.join(name)).map_err(|e| ObjectsError(e.to_string())),
            None => Ok(self.0.prefix.parts().chain(Key::from(name).parts()).collect()),
        }
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        match &self.0.runtime {
            Some(runtime) => runtime.block_on(future),
            None => unreachable!("it is taken only at the end"),
        }
    }

    /// Keeps a file under a name of ASCII letters, digits, `/`, `.`, `-` and `_`. Nobody reads half of it; once this returns it is there
    /// after a power cut too.
    pub fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), ObjectsError> {
        let path = self.0.folder.as_ref().map(|folder| folder.join(name));
        if let Some(parent) = path.as_ref().and_then(|p| p.parent()) {
            std::fs::create_dir_all(parent).map_err(|e| ObjectsError(format!("{}: {e}", parent.display())))?;
        }
        let key = self.key(name)?;
        self.wait(self.0.store.put(&key, bytes.into())).map_err(said)?;
        if let Some(path) = path {
            let sync = |path: &Path| std::fs::File::open(path)?.sync_all();
            sync(&path).map_err(|e| ObjectsError(format!("{}: {e}", path.display())))?;
            path.parent().map_or(Ok(()), sync).map_err(|e| ObjectsError(format!("{}: {e}", path.display())))?;
        }
        Ok(())
    }

    /// A file by its name; `None` when it is not there.
    pub fn get(&self, name: &str) -> Result<Option<Vec<u8>>, ObjectsError> {
        let key = match self.key(name) {
            // The folder itself is not there yet.
            Err(_) if self.0.folder.as_ref().is_some_and(|folder| !folder.exists()) => return Ok(None),
            other => other?,
        };
        let found = self.wait(async { self.0.store.get(&key).await?.bytes().await });
        match found {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(said(e)),
        }
    }
}

/// What a store says, without what would be a secret: it names keys and addresses, never signatures.
fn said(error: object_store::Error) -> ObjectsError {
    ObjectsError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{BucketTrick, FakeBucket};

    #[test]
    fn places_are_read_and_faults_named() {
        assert_eq!(Place::parse("folder:media"), Ok(Place::Folder("media".into())));
        let bucket =
            Place::parse("s3://AKIA:se%2Fcret@goods/shop/pics?region=eu-central-1&endpoint=https://s3.example.com/");
        let bucket = bucket.expect("a bucket");
        assert_eq!(format!("{bucket:?}"), "s3://…@goods/shop/pics", "no key is printed");
        let Place::Bucket { name, prefix, region, endpoint, access_key, secret_key } = bucket else {
            panic!("a bucket")
        };
        assert_eq!((&*name, &*prefix, &*region), ("goods", "shop/pics", "eu-central-1"));
        assert_eq!((&*endpoint, &*access_key, &*secret_key), ("https://s3.example.com", "AKIA", "se/cret"));
        for (bad, why) in [
            ("media", PlaceError::Scheme),
            ("folder:", PlaceError::Scheme),
            ("s3://goods", PlaceError::Bucket),
            ("s3://AKIA@goods", PlaceError::Bucket),
            ("s3://A:B@goods?zone=x", PlaceError::Parameter("zone".into())),
            ("s3://A:B@goods?endpoint=http://s3.example.com", PlaceError::Endpoint),
            ("s3://A:B@goods?endpoint=http://localhost.example.com", PlaceError::Endpoint),
        ] {
            assert_eq!(Place::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn files_lie_in_a_folder_that_is_made_with_the_first() {
        let shop = tempfile::tempdir().expect("a folder");
        let objects = Objects::open(&Place::Folder("media".into()), shop.path()).expect("open");
        assert!(objects.get("ab/abc").expect("asked").is_none());
        objects.put("ab/abc", b"one".to_vec()).expect("kept");
        objects.put("ab/abc", b"two".to_vec()).expect("kept again");
        assert_eq!(objects.get("ab/abc").expect("asked").as_deref(), Some(&b"two"[..]));
        assert_eq!(std::fs::read(shop.path().join("media/ab/abc")).expect("there"), b"two");
        assert!(objects.get("ab/abd").expect("asked").is_none());
    }

    fn bucket(fake: &FakeBucket, secret: &str) -> Objects {
        let place = format!("s3://{}:{secret}@goods/shop?region=eu-west-1&endpoint={}", fake.access_key(), fake.url());
        Objects::open(&Place::parse(&place).expect("a bucket"), Path::new("/")).expect("open")
    }

    #[test]
    fn files_lie_in_a_bucket_and_its_bad_days_pass() {
        let fake = FakeBucket::start("goods", "eu-west-1");
        let objects = bucket(&fake, fake.secret_key());
        assert!(objects.get("ab/abc.96").expect("asked").is_none());
        // Busy, then broken amid the answer: asked again, kept once.
        fake.then([BucketTrick::SlowDown, BucketTrick::Error]);
        objects.put("ab/abc.96", b"small".to_vec()).expect("kept");
        assert_eq!(fake.names(), ["shop/ab/abc.96"]);
        fake.then([BucketTrick::Error]);
        assert_eq!(objects.get("ab/abc.96").expect("asked").as_deref(), Some(&b"small"[..]));
        assert_eq!(fake.refused(), 0, "every request was signed as it has to be");
    }

    #[test]
    fn a_bucket_refuses_who_does_not_know_its_key() {
        let fake = FakeBucket::start("goods", "eu-west-1");
        let objects = bucket(&fake, "wrong");
        let refused = objects.put("ab/abc", b"x".to_vec()).expect_err("refused").to_string();
        assert!(refused.contains("SignatureDoesNotMatch"), "{refused}");
        assert!(!refused.contains("wrong"), "no key is told");
        assert!(fake.names().is_empty());
        assert!(objects.get("ab/abc").is_err());
    }
}
