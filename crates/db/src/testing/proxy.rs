//! A wire between Braid and PostgreSQL that tests can cut at a chosen point of a transaction.
//!
//! It listens on a port of this machine and speaks for the server behind it. It reads the client's messages one by one, so
//! that it knows when COMMIT passes; everything else goes through unread.
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where the wire breaks, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The writer's next COMMIT never reaches the server, which rolls back.
    BeforeCommit,
    /// The writer's next COMMIT is done, and its answer never reaches the client.
    AfterCommit,
}

#[derive(Default)]
struct State {
    cut: Mutex<Option<Cut>>,
    down: AtomicBool,
    /// New connections are refused from this cut on.
    stay_down: AtomicBool,
    cuts: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

/// The wire; its listener lives as long as the process.
#[derive(Clone)]
pub struct Proxy {
    state: Arc<State>,
    port: u16,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// A wire to the server whose socket the URL names as its host (`postgres://user@%2Ffolder/name`), and the URL of the same
    /// database through the wire.
    pub fn before(url: &str) -> (Self, String) {
        let (user, rest) = url.strip_prefix("postgres://").and_then(|u| u.split_once('@')).expect("a URL with a user");
        let (host, name) = rest.split_once('/').expect("a URL with a database");
        let socket = format!("{}/.s.PGSQL.5432", host.replace("%2F", "/"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("it listens").port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if shared.down.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = UnixStream::connect(&socket) else { continue };
                let _ = client.set_nodelay(true);
                lock(&shared.open).extend(client.try_clone());
                carry(client, server, &shared);
            }
        });
        (Self { state, port }, format!("postgres://{user}@127.0.0.1:{port}/{name}?sslmode=disable"))
    }

    /// Breaks the wire at this point, once.
    pub fn cut_at(&self, cut: Cut) {
        *lock(&self.state.cut) = Some(cut);
    }
    /// As [`Proxy::cut_at`], and new connections are refused from then on until [`Proxy::up`].
    pub fn cut_and_stay_down(&self, cut: Cut) {
        self.state.stay_down.store(true, Ordering::SeqCst);
        self.cut_at(cut);
    }
    /// Breaks every connection and refuses new ones.
    pub fn down(&self) {
        self.state.down.store(true, Ordering::SeqCst);
        for stream in lock(&self.state.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
    /// Takes connections again.
    pub fn up(&self) {
        self.state.stay_down.store(false, Ordering::SeqCst);
        self.state.down.store(false, Ordering::SeqCst);
    }
    /// How often the wire broke where it was told to.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
    /// The port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Carries one connection on two threads.
fn carry(client: TcpStream, server: UnixStream, state: &Arc<State>) {
    // From when COMMIT went through until its answer was swallowed.
    let swallow = Arc::new(AtomicBool::new(false));
    let (mut from_server, mut to_client) =
        (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
    let (swallowing, shared) = (swallow.clone(), state.clone());
    std::thread::spawn(move || {
        let mut buffer = [0; 1 << 16];
        loop {
            let read = match from_server.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            if swallowing.load(Ordering::SeqCst) {
                broke(&shared);
                break;
            }
            if to_client.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = (to_client.shutdown(Shutdown::Both), from_server.shutdown(Shutdown::Both));
    });
    let (mut from_client, mut to_server, state) = (client, server, state.clone());
    std::thread::spawn(move || {
        let (mut first, mut writes) = (true, false);
        while let Some(message) = next_message(&mut from_client, std::mem::take(&mut first)) {
            let query = if message.starts_with(b"Q") { message.get(5..).unwrap_or_default() } else { b"" };
            // Readers commit as well; the writer alone asks for this.
            writes |= query.starts_with(b"BEGIN ISOLATION LEVEL SERIALIZABLE");
            if writes && query.starts_with(b"COMMIT") {
                match lock(&state.cut).take() {
                    Some(Cut::BeforeCommit) => {
                        broke(&state);
                        break;
                    }
                    Some(Cut::AfterCommit) => swallow.store(true, Ordering::SeqCst),
                    None => {}
                }
            }
            if to_server.write_all(&message).is_err() {
                break;
            }
        }
        if swallow.load(Ordering::SeqCst) {
            // The other thread closes when the answer has come.
            std::thread::sleep(Duration::from_secs(5));
        }
        let _ = (from_client.shutdown(Shutdown::Both), to_server.shutdown(Shutdown::Both));
    });
}

fn broke(state: &State) {
    if state.stay_down.load(Ordering::SeqCst) {
        state.down.store(true, Ordering::SeqCst);
    }
    state.cuts.fetch_add(1, Ordering::SeqCst);
}

/// One message of the client with its head; the first one of a connection has no letter before its length.
fn next_message(from: &mut TcpStream, first: bool) -> Option<Vec<u8>> {
    let letter = usize::from(!first);
    let mut message = vec![0; letter + 4];
    from.read_exact(&mut message).ok()?;
    let length = u32::from_be_bytes(message[letter..].try_into().ok()?) as usize;
    message.resize(letter + length.max(4), 0);
    from.read_exact(&mut message[letter + 4..]).ok()?;
    Some(message)
}
