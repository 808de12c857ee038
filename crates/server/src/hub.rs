//! Who watches what: the writer's notices go out to open streams.
//!
//! The observer runs on the writer's thread, so it only hands notices over; [`crate::live`] turns them into text. Each
//! stream has a bounded queue. A client that does not keep up loses messages and is told to `reload`, never waited for.
use crate::live_filter::{Needs, Told, Wants};
use bytes::Bytes;
use db::Notice;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Messages that wait for one client, at most.
const QUEUE: usize = 256;
/// Groups of notices that wait to be turned into text, at most.
const NOTICES: usize = 1024;
/// Open streams, at most: each costs a connection and a queue.
const STREAMS_MAX: usize = 1000;

/// What a stream is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Everything in the shop.
    Live,
    /// One person.
    Person(i64),
    /// One person, for whom may not see every kind of events: that something changed, not what.
    PersonBriefly(i64),
    /// One segment.
    Segment(i64),
    /// What can be had of which variant.
    Stock,
}

struct Client {
    id: u64,
    sender: mpsc::Sender<Bytes>,
    lagging: bool,
    wants: Wants,
}

#[derive(Default)]
struct Clients {
    next: u64,
    by_topic: HashMap<Topic, Vec<Client>>,
    closed: bool,
}

/// All open streams.
pub struct Hub {
    clients: Mutex<Clients>,
    count: AtomicUsize,
    notices: mpsc::Sender<Vec<Notice>>,
    missed: AtomicBool,
}

/// A stream's end in the hub; leaves when dropped.
pub struct Subscription {
    hub: std::sync::Arc<Hub>,
    topic: Topic,
    id: u64,
    /// What is to be sent, ready-made.
    pub receiver: mpsc::Receiver<Bytes>,
}

/// One message of a stream (HTML Living Standard, 9.2.5).
pub fn message(event: &str, data: &str) -> Bytes {
    // JSON has no raw line breaks, so one data line is enough.
    debug_assert!(!data.contains('\n'));
    Bytes::from(format!("event: {event}\ndata: {data}\n\n"))
}

impl Hub {
    /// A hub, and the notices that somebody must turn into messages.
    pub fn new() -> (std::sync::Arc<Self>, mpsc::Receiver<Vec<Notice>>) {
        let (sender, receiver) = mpsc::channel(NOTICES);
        let hub = Self {
            clients: Mutex::default(),
            count: AtomicUsize::new(0),
            notices: sender,
            missed: AtomicBool::new(false),
        };
        (std::sync::Arc::new(hub), receiver)
    }

    /// Takes what the writer says; called on its thread, so it never waits.
    pub fn observe(&self, notices: &[Notice]) {
        if self.count.load(Ordering::Relaxed) > 0 && self.notices.try_send(notices.to_vec()).is_err() {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    /// Whether notices were lost since the last time somebody asked.
    pub fn take_missed(&self) -> bool {
        self.missed.swap(false, Ordering::Relaxed)
    }

    /// Opens a stream; `None` when there are too many or the server stops.
    pub fn subscribe(self: &std::sync::Arc<Self>, topic: Topic) -> Option<Subscription> {
        self.subscribe_to(topic, Wants::default())
    }

    /// As [`Hub::subscribe`], for some of the events only.
    pub fn subscribe_to(self: &std::sync::Arc<Self>, topic: Topic, wants: Wants) -> Option<Subscription> {
        let mut clients = self.lock();
        if clients.closed || self.count.load(Ordering::Relaxed) >= STREAMS_MAX {
            return None;
        }
        let (sender, receiver) = mpsc::channel(QUEUE);
        clients.next += 1;
        let id = clients.next;
        clients.by_topic.entry(topic).or_default().push(Client { id, sender, lagging: false, wants });
        self.count.fetch_add(1, Ordering::Relaxed);
        Some(Subscription { hub: self.clone(), topic, id, receiver })
    }

    /// Whether anybody watches a topic.
    pub fn watched(&self, topic: Topic) -> bool {
        self.lock().by_topic.contains_key(&topic)
    }

    /// What all who watch the shop want of its events.
    pub fn needs(&self) -> Needs {
        let clients = self.lock();
        Needs::of(clients.by_topic.get(&Topic::Live).into_iter().flatten().map(|c| &c.wants))
    }

    /// Tells an event to those who want it and watch the shop.
    pub fn send_event(&self, told: Told<'_>, message: &Bytes) {
        let mut clients = self.lock();
        let list = clients.by_topic.get_mut(&Topic::Live).into_iter().flatten();
        list.filter(|c| c.wants.takes(told)).for_each(|c| c.give(message));
    }

    /// The people that somebody watches.
    pub fn people(&self) -> Vec<i64> {
        let clients = self.lock();
        let mut out: Vec<i64> = clients
            .by_topic
            .keys()
            .filter_map(|t| match t {
                Topic::Person(id) | Topic::PersonBriefly(id) => Some(*id),
                Topic::Live | Topic::Segment(_) | Topic::Stock => None,
            })
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Open streams.
    pub fn streams(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Sends a message to all who watch a topic.
    pub fn send(&self, topic: Topic, message: &Bytes) {
        let mut clients = self.lock();
        for client in clients.by_topic.get_mut(&topic).into_iter().flatten() {
            client.give(message);
        }
    }

    /// Sends a message to everybody.
    pub fn send_all(&self, message: &Bytes) {
        let mut clients = self.lock();
        for client in clients.by_topic.values_mut().flatten() {
            client.give(message);
        }
    }

    /// Ends all streams; new ones are refused.
    pub fn close(&self) {
        let mut clients = self.lock();
        clients.closed = true;
        clients.by_topic.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    fn give(&mut self, message: &Bytes) {
        // Whoever fell behind first hears that something is missing, once there is room for both.
        if self.lagging && self.sender.capacity() > QUEUE / 2 {
            self.lagging = self.sender.try_send(crate::hub::message("reload", "{}")).is_err();
        }
        if self.lagging || self.sender.try_send(message.clone()).is_err() {
            self.lagging = true;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut clients = self.hub.lock();
        self.hub.count.fetch_sub(1, Ordering::Relaxed);
        if let Some(list) = clients.by_topic.get_mut(&self.topic) {
            list.retain(|c| c.id != self.id);
            if list.is_empty() {
                clients.by_topic.remove(&self.topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_client_is_told_to_reload_and_others_are_not() {
        let (hub, _notices) = Hub::new();
        let mut slow = hub.subscribe(Topic::Live).expect("room");
        for n in 0..QUEUE + 10 {
            hub.send(Topic::Live, &message("event", &n.to_string()));
        }
        for n in 0..QUEUE {
            assert_eq!(slow.receiver.try_recv().expect("queued"), message("event", &n.to_string()));
        }
        assert!(slow.receiver.try_recv().is_err());
        hub.send(Topic::Live, &message("event", "\"next\""));
        assert_eq!(slow.receiver.try_recv().expect("told"), message("reload", "{}"));
        assert_eq!(slow.receiver.try_recv().expect("goes on"), message("event", "\"next\""));
    }

    #[test]
    fn streams_hear_their_topic_only_and_leave_when_dropped() {
        let (hub, mut notices) = Hub::new();
        hub.observe(&[Notice::Person { person_id: 1 }]);
        assert!(notices.try_recv().is_err(), "nobody watches");
        let mut one = hub.subscribe(Topic::Person(1)).expect("room");
        let two = hub.subscribe(Topic::Segment(1)).expect("room");
        hub.observe(&[Notice::Person { person_id: 1 }]);
        assert!(notices.try_recv().is_ok());
        hub.send(Topic::Segment(1), &message("count", "{}"));
        assert!(one.receiver.try_recv().is_err());
        assert_eq!((hub.people(), hub.streams()), (vec![1], 2));
        drop(two);
        drop(one);
        assert_eq!((hub.people(), hub.streams(), hub.watched(Topic::Segment(1))), (vec![], 0, false));
        hub.close();
        assert!(hub.subscribe(Topic::Live).is_none());
    }
}
