//! A store with this crate's tables, on one of the engines.
use base::{Clock, ManualClock, Timestamp};
use db::testing::Place;
use db::writer::Options;
use db::{Open, Store, Tx};
use std::sync::Arc;

pub struct Stored {
    pub store: Store,
    pub clock: Arc<ManualClock>,
    // Dropped last: the store's files go with it.
    _place: Place,
}

impl Stored {
    pub fn each() -> Vec<Stored> {
        Place::all().into_iter().map(Stored::at).collect()
    }

    pub fn at(place: Place) -> Stored {
        let clock = Arc::new(ManualClock::new(super::shop::now()));
        let store = Store::open(Open {
            location: place.location.clone(),
            sync: db::Sync::UnsafeFast,
            migrations: &[db::migrate::MIGRATIONS, crate::MIGRATIONS],
            options: Options::default(),
            clock: clock.clone() as Arc<dyn Clock>,
            holder: "a test".into(),
            take_over: false,
            before: None,
            recover: None,
            ticker: None,
            observer: None,
            readers: 1,
        });
        Stored { store: store.expect("the store opens"), clock, _place: place }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn write<T: Send + 'static, E: From<db::DbError> + Send + Clone + 'static>(
        &self,
        f: impl FnMut(&mut Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.store.write(f)
    }
}
