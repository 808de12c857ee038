//! A store with the catalogue's tables.
use crate::model::{Accepted, Product, ProductInput, Rejection};
use crate::{commands, products};
use base::{Clock, ManualClock, Timestamp};
use db::testing::Place;
use db::writer::Options;
use db::{DbError, Engine, Store, Tx};
use serde_json::Value;
use std::sync::Arc;

pub struct Shop {
    pub store: Store,
    pub clock: Arc<ManualClock>,
    _place: Place,
}

impl Shop {
    pub fn each() -> Vec<Self> {
        Place::all().into_iter().map(Self::at).collect()
    }
    pub fn at(place: Place) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_civil(2026, 11, 23, 8, 0, 0)));
        let store = Store::open(db::Open {
            location: place.location.clone(),
            sync: db::Sync::UnsafeFast,
            migrations: &[db::migrate::MIGRATIONS, crate::MIGRATIONS, crate::prices::MIGRATIONS],
            options: Options { turn: std::time::Duration::from_secs(3600), ..Options::default() },
            clock: clock.clone() as Arc<dyn Clock>,
            holder: "a test".into(),
            take_over: false,
            before: None,
            recover: None,
            ticker: None,
            observer: None,
            readers: 1,
        })
        .expect("the store opens");
        Self { store, clock, _place: place }
    }
    pub fn write<T: Send + 'static>(&self, f: impl FnMut(&mut Tx) -> Result<T, DbError> + Send + 'static) -> T {
        self.clock.advance(base::SECOND_US);
        self.store.write(f).expect("the command succeeds")
    }
    pub fn query<T: Send + 'static>(&self, f: impl FnOnce(&mut Engine) -> Result<T, DbError> + Send + 'static) -> T {
        self.store.query(f).expect("the query succeeds")
    }
    pub fn put(&self, inputs: Value) -> (Vec<Accepted>, Vec<Rejection>) {
        let inputs: Vec<ProductInput> = serde_json::from_value(inputs).expect("inputs");
        self.write(move |tx| commands::put_products(tx, &inputs))
    }
    /// Puts what has to be taken.
    pub fn made(&self, inputs: Value) -> Vec<i64> {
        let (accepted, rejected) = self.put(inputs);
        assert_eq!(rejected, []);
        accepted.iter().map(|a| a.product_no).collect()
    }
    pub fn product(&self, id: &'static str) -> Product {
        self.query(move |db| products::by_id(db, id)).expect("the product is there")
    }
}
