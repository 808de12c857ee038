//! How fast the shop's API may be asked: by one write key, from one address, about one cart or order. Whoever is faster is told when
//! to come again, before anything of the request is read.
use super::source_of;
use crate::app::App;
use crate::problem::{Problem, TOO_FAST};
use crate::sources::SourceKind;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base::{SECOND_US, Timestamp};
use collect::RateLimit;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    Key(i64),
    Address(IpAddr),
    /// A cart or an order, as its id is written.
    Thing(Box<str>),
}

/// Addresses, carts and orders that are remembered at once. Beyond that those go that rested; if nobody did, all, since memory has an end.
const KEPT_MAX: usize = 50_000;
/// After so long a bucket is full again at any rate of one a second and more.
const RESTED_US: i64 = 10 * SECOND_US;
/// So many seconds' worth may come at once from an address, or about a cart.
const BURST: u32 = 4;

/// The counts, shared by all requests.
#[derive(Debug, Default)]
pub struct Paces {
    of: Mutex<HashMap<Who, (RateLimit, Timestamp)>>,
}

impl Paces {
    /// Counts one request; the seconds to wait when it is one too many.
    fn take(&self, who: Who, (per_second, burst): (u32, u32), now: Timestamp) -> Result<(), u32> {
        if per_second == 0 {
            return Ok(());
        }
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if of.len() >= KEPT_MAX && !of.contains_key(&who) {
            of.retain(|_, (_, last)| now.micros() - last.micros() < RESTED_US);
            if of.len() >= KEPT_MAX {
                of.clear();
            }
        }
        let entry = of.entry(who).or_insert_with(|| (RateLimit::new(per_second, burst, now), now));
        entry.1 = now;
        entry.0.take(1, now).map_err(|wait| wait.seconds)
    }
}

/// The cart or order that an address speaks of.
fn thing(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/shop/v1/")?;
    let (kind, rest) = rest.split_once('/')?;
    let id = rest.split('/').next().filter(|id| !id.is_empty() && id.len() <= 60)?;
    matches!(kind, "carts" | "orders").then_some(id)
}

fn judge(app: &App, request: &Request) -> Result<(), Problem> {
    let (now, config) = (app.now(), &app.config);
    let source = source_of(app, request.headers());
    let client = (config.rate_per_client, config.rate_per_client.saturating_mul(BURST));
    let mut all = Vec::new();
    if let Some(source) = &source {
        all.push((Who::Key(source.id), (config.rate_per_key, config.rate_per_key)));
    }
    // A server asks for many customers from one address; a program on this machine speaks for others as well.
    let asks_for_itself = source.as_ref().is_none_or(|source| source.kind == SourceKind::Browser);
    let address = crate::listen::client_address(app, request.extensions(), request.headers());
    if let Some(address) = address.filter(|a| asks_for_itself && !a.is_loopback()) {
        all.push((Who::Address(address), client));
    }
    if let Some(id) = thing(request.uri().path()) {
        all.push((Who::Thing(id.into()), client));
    }
    for (who, rate) in all {
        app.paces.take(who, rate, now).map_err(|seconds| {
            TOO_FAST.because(format!("try again in {seconds} s: see [shop_api] of braid.toml")).retry_after(seconds)
        })?;
    }
    Ok(())
}

/// Lets a request pass that comes in time.
pub async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match judge(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_alone_and_time_gives_back() {
        let paces = Paces::default();
        let at = |s: i64| Timestamp::from_micros(1_000_000 + s * SECOND_US);
        let address = |n: u8| Who::Address(IpAddr::from([10, 0, 0, n]));
        for _ in 0..8 {
            assert_eq!(paces.take(address(1), (2, 8), at(0)), Ok(()));
        }
        assert_eq!(paces.take(address(1), (2, 8), at(0)), Err(1));
        assert_eq!(paces.take(address(2), (2, 8), at(0)), Ok(()), "another one");
        assert_eq!(paces.take(address(1), (2, 8), at(1)), Ok(()), "time gives back");
        assert_eq!(paces.take(address(1), (0, 0), at(1)), Ok(()), "no limit");
    }

    #[test]
    fn memory_has_an_end() {
        let paces = Paces::default();
        for n in 0..KEPT_MAX + 5 {
            let who = Who::Thing(format!("c{n}").into());
            assert_eq!(paces.take(who, (1, 4), Timestamp::from_micros(1)), Ok(()));
        }
        assert!(paces.of.lock().expect("nobody panicked").len() <= KEPT_MAX);
    }

    #[test]
    fn carts_and_orders_are_told_by_their_ids() {
        assert_eq!(thing("/shop/v1/carts/c7-1/lines"), Some("c7-1"));
        assert_eq!(thing("/shop/v1/orders/o7-1"), Some("o7-1"));
        for other in ["/shop/v1/carts", "/shop/v1/availability", "/shop/v1/shelf/lviv-1/shoe"] {
            assert_eq!(thing(other), None, "{other}");
        }
    }
}
