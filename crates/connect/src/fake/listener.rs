//! The thread, the port and the books of a fake server.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc as async_mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::accepted::AcceptedMail;
use super::script::{Failure, Script, Tls};
use super::session;

/// The authority that signed the fake's certificate, in PEM, for a client's extra roots.
pub const CA_PEM: &[u8] = include_bytes!("ca.pem");
const SERVER_PEM: &[u8] = include_bytes!("server.pem");
const SERVER_KEY_PEM: &[u8] = include_bytes!("server.key");

/// A scriptable SMTP server on a port of its own. Ends when dropped.
pub struct FakeSmtp {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    orders: async_mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread of the server is told; each order is answered when it is carried out.
enum Order {
    Listen(bool, mpsc::Sender<()>),
    Stop,
}

/// What the connections and the test share.
pub(super) struct Shared {
    pub tls: Option<TlsAcceptor>,
    books: Mutex<Books>,
    changed: Condvar,
}

pub(super) struct Books {
    pub script: Script,
    pub accepted: Vec<AcceptedMail>,
    pub commands: Vec<(usize, String)>,
    pub connections: usize,
}

impl Shared {
    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn accept(&self, mail: AcceptedMail) {
        self.books().accepted.push(mail);
        self.changed.notify_all();
    }
}

impl FakeSmtp {
    /// Starts a server; it listens, or refuses, when this returns.
    pub fn start(script: Script) -> FakeSmtp {
        let tls = (script.tls != Tls::None).then(acceptor);
        let listening = !script.refuses_connections;
        let address: SocketAddr = if script.ipv6 { "[::1]:0" } else { "127.0.0.1:0" }.parse().expect("an address");
        let books = Books { script, accepted: Vec::new(), commands: Vec::new(), connections: 0 };
        let shared = Arc::new(Shared { tls, books: Mutex::new(books), changed: Condvar::new() });
        let (orders, incoming) = async_mpsc::unbounded_channel();
        let (started, start) = mpsc::channel();
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new().name("fake-smtp".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(address, listening, for_thread, incoming, started));
        });
        let thread = thread.expect("a thread");
        let addr = start.recv().expect("the fake mail server could not take a port");
        FakeSmtp { addr, shared, orders, thread: Some(thread) }
    }

    /// The URL of this server, with its login if it wants one.
    pub fn url(&self) -> String {
        let books = self.shared.books();
        let scheme = match books.script.tls {
            Tls::None => "smtp",
            Tls::StartTls => "smtp+starttls",
            Tls::Implicit => "smtps",
        };
        match &books.script.login {
            Some((user, password)) => format!("{scheme}://{}:{}@{}", escape(user), escape(password), self.addr),
            None => format!("{scheme}://{}", self.addr),
        }
    }

    /// The mails taken so far, in the order in which they were taken.
    pub fn accepted(&self) -> Vec<AcceptedMail> {
        self.shared.books().accepted.clone()
    }

    /// Waits until `count` mails were taken and gives all; panics after `limit`.
    pub fn wait_for(&self, count: usize, limit: Duration) -> Vec<AcceptedMail> {
        let deadline = Instant::now() + limit;
        let mut books = self.shared.books();
        while books.accepted.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} mails of {count} came within {limit:?}", books.accepted.len());
            books = self.shared.changed.wait_timeout(books, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        books.accepted.clone()
    }

    /// The commands received so far on the connection of this number; what follows `AUTH` is hidden.
    pub fn commands(&self, connection: usize) -> Vec<String> {
        let books = self.shared.books();
        books.commands.iter().filter(|(number, _)| *number == connection).map(|(_, line)| line.clone()).collect()
    }

    /// How many connections were made so far.
    pub fn connections(&self) -> usize {
        self.shared.books().connections
    }

    /// Adds a failure for a next mail to this recipient, as [`Script::recipient`] does.
    pub fn fail_next(&self, recipient: &str, failure: Failure) {
        self.shared.books().script.recipients.entry(recipient.to_owned()).or_default().push_back(failure);
    }

    /// Refuses new connections, or takes them again. The port stays ours meanwhile; open connections go on.
    pub fn set_listening(&self, listening: bool) {
        let (done, wait) = mpsc::channel();
        self.orders.send(Order::Listen(listening, done)).expect("the fake mail server runs");
        wait.recv().expect("the fake mail server runs");
    }
}

impl Drop for FakeSmtp {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; a second one here would abort the test run.
            let _ = thread.join();
        }
    }
}

async fn run(
    address: SocketAddr,
    listening: bool,
    shared: Arc<Shared>,
    mut orders: async_mpsc::UnboundedReceiver<Order>,
    started: mpsc::Sender<SocketAddr>,
) {
    let socket = bind(address).await;
    let address = socket.local_addr().expect("an address");
    let mut port = Some(Port::Held(socket));
    port = port.map(|port| if listening { port.listen() } else { port });
    started.send(address).expect("the test waits");
    loop {
        let order = match &port {
            Some(Port::Open(listener)) => {
                tokio::select! {
                    order = orders.recv() => order,
                    incoming = listener.accept() => {
                        if let Ok((stream, _)) = incoming {
                            let number = {
                                let mut books = shared.books();
                                books.connections += 1;
                                books.connections - 1
                            };
                            tokio::spawn(session::serve(stream, number, shared.clone()));
                        }
                        continue;
                    }
                }
            }
            _ => orders.recv().await,
        };
        match order {
            Some(Order::Listen(wanted, done)) => {
                port = match (port.take(), wanted) {
                    (Some(Port::Held(socket)), true) => Some(Port::Held(socket).listen()),
                    (Some(Port::Open(listener)), false) => {
                        drop(listener);
                        Some(Port::Held(bind(address).await))
                    }
                    (port, _) => port,
                };
                let _ = done.send(());
            }
            Some(Order::Stop) | None => return,
        }
    }
}

/// A port that is bound: without `listen`, the system refuses connections to it.
enum Port {
    Held(TcpSocket),
    Open(TcpListener),
}

impl Port {
    fn listen(self) -> Port {
        match self {
            Port::Held(socket) => Port::Open(socket.listen(128).expect("a listening port")),
            open => open,
        }
    }
}

/// Binds, waiting a little for the system to give the port up after its listener was closed.
async fn bind(address: SocketAddr) -> TcpSocket {
    for _ in 0..200 {
        let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }.expect("a socket");
        socket.set_reuseaddr(true).expect("a socket option");
        match socket.bind(address) {
            Ok(()) => return socket,
            Err(error) if error.kind() == ErrorKind::AddrInUse => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("cannot bind {address}: {error}"),
        }
    }
    panic!("the port of {address} stays in use");
}

fn acceptor() -> TlsAcceptor {
    TlsAcceptor::from(server_config())
}

/// The configuration of a server with the fakes' certificate.
pub(super) fn server_config() -> Arc<ServerConfig> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(SERVER_PEM).collect();
    let key = PrivateKeyDer::from_pem_slice(SERVER_KEY_PEM).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(certificates.expect("certificates"), key)
        .expect("key and certificate fit");
    Arc::new(config)
}

fn escape(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
