//! Fakes of the outside systems: servers on a real port that do what the real ones do, and fail on demand.
//!
//! Start at [`FakeSmtp::start`] with a [`Script`]; `Script::default()` is a server that takes every mail. A [`Failure`] is
//! *how* a server fails *at* a [`Point`]; scripts bind failures to connections by number or to recipients. The server runs
//! on a thread of its own, so tests without a runtime can use it, and ends when it is dropped.
//!
//! ```ignore
//! let greylisting = Failure::reply(Point::Recipient, 451);
//! let fake = FakeSmtp::start(Script::default().recipient("dana@example.com", [greylisting]));
//! // … the first mail to Dana gets 451, the second is taken …
//! let mails = fake.wait_for(1, Duration::from_secs(5));
//! assert_eq!(mails[0].subject(), "Hello");
//! ```
//!
//! The certificate of its TLS modes is for `localhost`, `127.0.0.1` and `::1`, signed by the authority [`CA_PEM`]. Both
//! keys are public; nothing else may trust them.

mod accepted;
mod alerts;
mod bucket;
mod listener;
mod provider;
mod script;
mod session;
mod webhook;

pub use accepted::AcceptedMail;
pub use alerts::{FakeAlerts, FeedTrick, Shown};
pub use bucket::{BucketTrick, FakeBucket};
pub use listener::{CA_PEM, FakeSmtp};
pub use provider::{FakeProvider, Person, Trick};
pub use script::{Failure, How, Point, Script, Tls};
pub use webhook::{FakeReceiver, Received, Reply};
