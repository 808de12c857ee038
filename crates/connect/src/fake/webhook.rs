//! A receiver of webhooks that checks signatures as the specification says, and fails on demand.
use crate::webhook::sign::{Secret, verify};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How the receiver answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A status with an empty body.
    Status(u16),
    /// 429 with `Retry-After`.
    SlowDown(String),
    /// A status with words.
    Words(u16, &'static str),
    /// 302 to somewhere.
    Redirect(String),
    /// 200 at once, and a body that never ends.
    SlowBody,
    /// Takes the request and says nothing until it is dropped.
    Hang,
    /// Takes the request and closes.
    Drop,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Path with its query.
    pub path: String,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp_s: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// The body's bytes.
    pub body: String,
}

impl Received {
    /// Whether somebody who knows `secret` believes this request now.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
        let head = (&*self.id, self.timestamp_s, &*self.signature);
        Secret::parse(secret).is_ok_and(|s| verify(&s, head, self.body.as_bytes(), (now, 300)).is_ok())
    }
}

#[derive(Default)]
struct Inner {
    received: Mutex<Vec<Received>>,
    arrived: Condvar,
    script: Mutex<(VecDeque<Reply>, Option<Reply>)>,
    stop: AtomicBool,
    open: AtomicUsize,
    most: AtomicUsize,
}

/// A receiver on a real port; ends when it is dropped.
pub struct FakeReceiver {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl FakeReceiver {
    /// Listens on this machine and answers 204.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("has one");
        let inner = Arc::new(Inner::default());
        let shared = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                let shared = shared.clone();
                std::thread::spawn(move || {
                    let now = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
                    shared.most.fetch_max(now, Ordering::SeqCst);
                    let _ = serve(stream, &shared);
                    shared.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, inner }
    }
    /// Where it listens, with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
    /// Answers the next requests so, one each, and then as before.
    pub fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.inner.script).0.extend(replies);
    }
    /// Answers every request so for which nothing else was said.
    pub fn always(&self, reply: Reply) {
        lock(&self.inner.script).1 = Some(reply);
    }
    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.inner.received).clone()
    }
    /// The most requests that were open at once.
    pub fn most_at_once(&self) -> usize {
        self.inner.most.load(Ordering::SeqCst)
    }
    /// Waits until at least `count` requests came; panics when they do not.
    pub fn wait_for(&self, count: usize, patience: Duration) -> Vec<Received> {
        let until = Instant::now() + patience;
        let mut received = lock(&self.inner.received);
        while received.len() < count {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} of {count} webhooks came: {received:#?}", received.len());
            received = self.inner.arrived.wait_timeout(received, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        received.clone()
    }
}

impl Drop for FakeReceiver {
    fn drop(&mut self) {
        self.inner.stop.store(true, Ordering::Relaxed);
        // The listener wakes up for this connection and sees the stop.
        let _ = TcpStream::connect(self.address);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: TcpStream, inner: &Inner) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_string();
    let (mut length, mut received) =
        (0, Received { path, id: String::new(), timestamp_s: 0, signature: String::new(), body: String::new() });
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let value = value.trim();
        match &*name.to_ascii_lowercase() {
            "content-length" => length = value.parse().unwrap_or(0),
            "webhook-id" => received.id = value.into(),
            "webhook-timestamp" => received.timestamp_s = value.parse().unwrap_or(0),
            "webhook-signature" => received.signature = value.into(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    received.body = String::from_utf8_lossy(&body).into_owned();
    let reply = {
        let mut script = lock(&inner.script);
        script.0.pop_front().or_else(|| script.1.clone()).unwrap_or(Reply::Status(204))
    };
    lock(&inner.received).push(received);
    inner.arrived.notify_all();
    answer(stream, reply, inner)
}

fn answer(mut stream: TcpStream, reply: Reply, inner: &Inner) -> std::io::Result<()> {
    let mut head = |status: u16, more: &str, body: &str| {
        let length = body.len();
        write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\n{more}content-length: {length}\r\n\r\n{body}")
    };
    match reply {
        Reply::Status(status) => head(status, "", ""),
        Reply::SlowDown(after) => head(429, &format!("retry-after: {after}\r\n"), ""),
        Reply::Words(status, words) => head(status, "", words),
        Reply::Redirect(to) => head(302, &format!("location: {to}\r\n"), ""),
        Reply::Drop => Ok(()),
        Reply::Hang => {
            while !inner.stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
            Ok(())
        }
        Reply::SlowBody => {
            write!(stream, "HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: 1000000\r\n\r\n")?;
            while !inner.stop.load(Ordering::Relaxed) {
                stream.write_all(b".")?;
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }
    }
}
