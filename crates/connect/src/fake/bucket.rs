//! A bucket that speaks as much of S3 as files need (`PutObject`, `GetObject`, `HeadObject`), checks Signature Version 4 as Amazon describes
//! it (docs.aws.amazon.com, "Authenticating Requests: Using the Authorization Header"), and fails on demand.
use ring::{digest, hmac};
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How the bucket fails a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketTrick {
    /// 503 `SlowDown`.
    SlowDown,
    /// 500 `InternalError`.
    Error,
}

const ACCESS: &str = "AKIAFAKE";
const SECRET: &str = "fake/secret+key";

struct Inner {
    bucket: String,
    region: String,
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    tricks: Mutex<VecDeque<BucketTrick>>,
    refused: AtomicUsize,
    stop: AtomicBool,
}

/// A bucket on a real port; ends when it is dropped.
pub struct FakeBucket {
    address: SocketAddr,
    inner: Arc<Inner>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl FakeBucket {
    /// A bucket of a region, on this machine, addressed by path.
    pub fn start(bucket: &str, region: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("has one");
        let inner = Arc::new(Inner {
            bucket: bucket.into(),
            region: region.into(),
            objects: Mutex::default(),
            tricks: Mutex::default(),
            refused: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let shared = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                let shared = shared.clone();
                std::thread::spawn(move || while matches!(serve(&stream, &shared), Ok(true)) {});
            }
        });
        Self { address, inner }
    }
    /// The endpoint.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
    pub fn access_key(&self) -> &'static str {
        ACCESS
    }
    /// As it stands in an address.
    pub fn secret_key(&self) -> &'static str {
        "fake%2Fsecret+key"
    }
    /// Fails the next requests so, one each.
    pub fn then(&self, tricks: impl IntoIterator<Item = BucketTrick>) {
        lock(&self.inner.tricks).extend(tricks);
    }
    /// Names of what was kept.
    pub fn names(&self) -> Vec<String> {
        lock(&self.inner.objects).keys().cloned().collect()
    }
    /// Requests with a wrong signature.
    pub fn refused(&self) -> usize {
        self.inner.refused.load(Ordering::Relaxed)
    }
}

impl Drop for FakeBucket {
    fn drop(&mut self) {
        self.inner.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, inner: &Inner) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let Some(request) = read(&mut BufReader::new(stream.try_clone()?))? else { return Ok(false) };
    let (status, body) = answer(&request, inner);
    let mut out = stream;
    let error = status >= 400;
    let kind = if error { "application/xml" } else { "application/octet-stream" };
    write!(
        out,
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nContent-Type: {kind}\r\nETag: \"{}\"\r\nLast-Modified: Sun, 01 Nov 2026 10:00:00 GMT\r\n\r\n",
        body.len(),
        hex(digest::digest(&digest::SHA256, &body).as_ref()),
    )?;
    if request.method != "HEAD" {
        out.write_all(&body)?;
    }
    out.flush()?;
    Ok(true)
}

fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default().to_string();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (path, query) = (path.to_string(), query.to_string());
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_string());
    }
    let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0usize).min(64 << 20);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method, path, query, headers, body }))
}

fn answer(request: &Request, inner: &Inner) -> (u16, Vec<u8>) {
    let error = |status: u16, code: &str| {
        (status, format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>").into_bytes())
    };
    match lock(&inner.tricks).pop_front() {
        Some(BucketTrick::SlowDown) => return error(503, "SlowDown"),
        Some(BucketTrick::Error) => return error(500, "InternalError"),
        None => {}
    }
    if !signed(request, &inner.region) {
        inner.refused.fetch_add(1, Ordering::Relaxed);
        return error(403, "SignatureDoesNotMatch");
    }
    let Some(name) = request.path.strip_prefix(&format!("/{}/", inner.bucket)) else {
        return error(404, "NoSuchBucket");
    };
    let mut objects = lock(&inner.objects);
    match request.method.as_str() {
        "PUT" => {
            objects.insert(name.to_string(), request.body.clone());
            (200, Vec::new())
        }
        "GET" | "HEAD" => objects.get(name).map_or_else(|| error(404, "NoSuchKey"), |bytes| (200, bytes.clone())),
        _ => error(405, "MethodNotAllowed"),
    }
}

/// Whether whoever knows the secret sent it, and every header and byte is as it was signed.
fn signed(request: &Request, region: &str) -> bool {
    let header = |name: &str| request.headers.get(name).map_or("", String::as_str);
    let Some(authorization) = header("authorization").strip_prefix("AWS4-HMAC-SHA256 ") else { return false };
    let part = |name: &str| {
        let found = authorization.split(',').find_map(|p| p.trim().strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_default()
    };
    let (credential, names, signature) = (part("Credential"), part("SignedHeaders"), part("Signature"));
    let (time, day) = (header("x-amz-date"), header("x-amz-date").get(..8).unwrap_or_default());
    let scope = format!("{day}/{region}/s3/aws4_request");
    if credential != format!("{ACCESS}/{scope}")
        || !["host", "x-amz-date"].iter().all(|n| names.split(';').any(|s| s == *n))
    {
        return false;
    }
    let stated = header("x-amz-content-sha256");
    if stated != "UNSIGNED-PAYLOAD" && stated != hex(digest::digest(&digest::SHA256, &request.body).as_ref()) {
        return false;
    }
    let mut query: Vec<&str> = request.query.split('&').filter(|q| !q.is_empty()).collect();
    query.sort_unstable();
    let headers: String = names.split(';').map(|n| format!("{n}:{}\n", header(n))).collect();
    let canonical = format!("{}\n{}\n{}\n{headers}\n{names}\n{stated}", request.method, request.path, query.join("&"));
    let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
    let tag = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let mut key = tag(format!("AWS4{SECRET}").as_bytes(), day);
    for step in [region, "s3", "aws4_request"] {
        key = tag(key.as_ref(), step);
    }
    hex(tag(key.as_ref(), &text).as_ref()) == signature
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
