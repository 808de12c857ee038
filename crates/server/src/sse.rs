//! Server-sent events: a subscription as the body of a response.
use crate::hub::{Hub, Subscription, Topic};
use crate::live_filter::Wants;
use crate::problem::{BUSY, Problem};
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use http_body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Interval};

/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);

struct Events {
    subscription: Subscription,
    beat: Interval,
    greeted: bool,
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.greeted {
            // The first bytes make proxies and browsers see the stream as open.
            self.greeted = true;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"retry: 1000\n: open\n\n")))));
        }
        match self.subscription.receiver.poll_recv(cx) {
            Poll::Ready(Some(message)) => return Poll::Ready(Some(Ok(Frame::data(message)))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {}
        }
        match self.beat.poll_tick(cx) {
            Poll::Ready(_) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b": beat\n\n"))))),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// A response that lasts until the client goes or the server stops.
pub fn stream(hub: &Arc<Hub>, topic: Topic) -> Result<Response, Problem> {
    stream_of(hub, topic, Wants::default())
}

/// As [`stream`], for some of the events only.
pub fn stream_of(hub: &Arc<Hub>, topic: Topic, wants: Wants) -> Result<Response, Problem> {
    let subscription = hub.subscribe_to(topic, wants);
    let subscription = subscription.ok_or_else(|| BUSY.because("too many streams are open").retry_after(5))?;
    let beat = tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let mut response = Response::new(Body::new(Events { subscription, beat, greeted: false }));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold messages back otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}
