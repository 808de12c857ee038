//! A shop with prices, on one of the engines.
use crate::prices::commands::{Applied, NewList, NewPrice, PriceError, create_list, set_prices};
use crate::prices::model::{Ask, BASE, Entry, Kind, PriceList, Quote, Scope};
use crate::prices::{doctor, store};
use base::{Clock, ManualClock, Timestamp};
use db::testing::Place;
use db::writer::Options;
use db::{Open, Store, Tx};
use std::sync::Arc;

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a moment")
}

pub fn list(name: &str, position: i64, scope: Scope) -> NewList {
    NewList {
        name: name.into(),
        currency: "UAH".into(),
        kind: Kind::Regular,
        position,
        scope,
        reason: String::new(),
        starts_at: None,
        ends_at: None,
    }
}

pub fn price(variant: i64, minor: i64) -> NewPrice {
    NewPrice { variant, min_quantity: 0, minor: Some(minor), compare_at: None, from: None, until: None }
}

pub fn ask(variant: i64, channel: &str, at: Timestamp) -> Ask {
    Ask { variant, currency: "UAH".into(), quantity: 1000, channel: Some(channel.into()), at, ..Ask::default() }
}

pub struct Shop {
    pub store: Store,
    pub clock: Arc<ManualClock>,
    // Dropped last: the store's files go with it.
    _place: Place,
}

impl Shop {
    pub fn each() -> Vec<Shop> {
        Place::all().into_iter().map(Shop::at).collect()
    }

    pub fn at(place: Place) -> Shop {
        let clock = Arc::new(ManualClock::new(self::at("2026-11-23T10:00:00Z")));
        let store = Store::open(Open {
            location: place.location.clone(),
            sync: db::Sync::UnsafeFast,
            migrations: &[db::migrate::MIGRATIONS, crate::prices::MIGRATIONS],
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
        Shop { store: store.expect("the store opens"), clock, _place: place }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn write<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut Tx) -> Result<T, PriceError> + Send + 'static,
    ) -> Result<T, PriceError> {
        self.store.write(f)
    }

    pub fn list(&self, new: NewList) -> PriceList {
        self.write(move |tx| create_list(tx, &new, "olena")).expect("the list is made")
    }

    pub fn try_set(&self, list: i64, key: &str, prices: Vec<NewPrice>) -> Result<Applied, PriceError> {
        let key = key.to_string();
        let currency = if list == BASE { "UAH" } else { "" };
        self.write(move |tx| set_prices(tx, (list, currency), &key, &prices, "olena", ""))
    }

    /// Sets prices, all of which are taken.
    pub fn set(&self, list: i64, key: &str, prices: Vec<NewPrice>) -> i64 {
        let applied = self.try_set(list, key, prices).expect("the prices are set");
        assert_eq!(applied.rejections, [], "all are taken");
        applied.change
    }

    pub fn quote(&self, ask: Ask) -> Option<Quote> {
        self.store.read(move |tx| store::price_of(tx, &ask)).expect("a price")
    }

    pub fn entries(&self, variant: i64) -> Vec<Entry> {
        self.store.read(move |tx| store::entries(tx, variant)).expect("entries")
    }

    pub fn minor(&self, variant: i64, channel: &str) -> Option<i64> {
        self.quote(ask(variant, channel, self.now())).map(|q| q.minor)
    }

    pub fn assert_clean(&self) {
        let findings = self.store.query(doctor::check).expect("doctor reads");
        assert_eq!(findings, []);
    }
}
