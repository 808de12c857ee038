//! A shop with a few places, and what tests ask of it.
use crate::choice::Wanted;
use crate::commands::{self, LocationInput, Request, Reserved, Shortage};
use crate::model::{Condition, Document, DocumentKind, LocationKind, Move, ReservationKind, SUPPLIER};
use crate::{MIGRATIONS, StockError, availability, doctor};
use base::{Clock, ManualClock, Quantity, SECOND_US, Timestamp};
use db::testing::Place;
use db::{DbError, Open, Store, Sync, Tx};
use std::sync::Arc;

pub struct World {
    pub place: Arc<Place>,
    pub clock: Arc<ManualClock>,
    store: Option<Arc<Store>>,
}

pub fn input(id: &str, kind: LocationKind) -> LocationInput {
    LocationInput {
        id: id.into(),
        kind,
        name: id.into(),
        address: String::new(),
        lat_lon_e7: None,
        time_zone: "Europe/Kyiv".into(),
        entity: String::new(),
    }
}

pub fn q(units: i64) -> Quantity {
    Quantity::units(units)
}

pub fn want(variant_no: i64, units: i64) -> Wanted {
    Wanted { variant_no, quantity: q(units), location_no: None }
}

/// One line from a place to a place, both sellable.
pub fn line(variant_no: i64, from_no: i64, to_no: i64, units: i64) -> Move {
    Move {
        variant_no,
        from_no,
        from_condition: Condition::Sellable,
        to_no,
        to_condition: Condition::Sellable,
        lot: "".into(),
        quantity: q(units),
        reason: "".into(),
    }
}

pub fn paper(kind: DocumentKind, at: Timestamp, moves: Vec<Move>) -> Document {
    Document {
        kind,
        source: "test".into(),
        external_id: "".into(),
        reference: "".into(),
        note: "".into(),
        actor: "somebody".into(),
        at,
        moves,
    }
}

impl World {
    /// Runs a story once per engine, and looks at the books afterwards.
    pub fn each(story: impl Fn(&mut World)) {
        for place in Place::all() {
            let mut world = World::new(place);
            story(&mut world);
            world.assert_sound();
        }
    }
    pub fn new(place: Place) -> World {
        let clock = Arc::new(ManualClock::new(Timestamp::from_civil(2026, 11, 22, 14, 32, 0)));
        let mut world = World { place: Arc::new(place), clock, store: None };
        world.open();
        world
    }
    pub fn open(&mut self) {
        let open = Open {
            location: self.place.location.clone(),
            sync: Sync::UnsafeFast,
            migrations: &[db::migrate::MIGRATIONS, catalog::MIGRATIONS, MIGRATIONS],
            options: db::writer::Options::default(),
            clock: self.clock.clone() as Arc<dyn Clock>,
            holder: "a test".into(),
            take_over: false,
            before: None,
            recover: None,
            ticker: None,
            observer: None,
            readers: 1,
        };
        self.store = Some(Arc::new(Store::open(open).expect("the store opens")));
    }
    /// Ends the program as a kill would, and starts it again.
    pub fn crash(&mut self) {
        if let Some(store) = self.store.take() {
            store.abandon();
        }
        self.open();
    }
    pub fn store(&self) -> Arc<Store> {
        self.store.clone().expect("the store is open")
    }
    pub fn write<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut Tx) -> Result<T, StockError> + Send + 'static,
    ) -> Result<T, StockError> {
        self.store().write(f)
    }
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(seconds * SECOND_US);
    }
    /// A variant of the catalogue.
    pub fn variant(&self, no: i64, lots: catalog::model::Lots, gtin: &str) {
        let gtin = gtin.to_string();
        self.write(move |tx| {
            let product = "INSERT INTO products (no, id, name, state, family_no, brand_no, tax_class, categories, axes, vals, levels, \
                           media, complete, version, change, created_at, changed_at) VALUES ($1, $2, $2, 'active', 0, 0, '', '[]', \
                           '[]', '{}', '{}', '[]', '{}', 1, 1, 0, 0)";
            tx.execute(product, &[no.into(), (&format!("p{no}")).into()])?;
            let variant = "INSERT INTO variants (no, product_no, position, sku, gtin, price_minor, currency, tracked, lots, weight_g, \
                           state, vals) VALUES ($1, $1, 0, $2, $3, 0, '', 1, $4, 0, 'active', '{}')";
            tx.execute(variant, &[no.into(), (&format!("v{no}")).into(), (&gtin).into(), lots.code().into()])?;
            Ok(())
        })
        .expect("the variant is made");
    }
    pub fn location(&self, id: &str, kind: LocationKind) -> i64 {
        let input = input(id, kind);
        self.write(move |tx| commands::put_location(tx, &input, None)).expect("the place is made").1.no
    }
    pub fn receive(&self, variant_no: i64, location_no: i64, units: i64) {
        let at = self.now();
        let document = paper(DocumentKind::Receipt, at, vec![line(variant_no, SUPPLIER, location_no, units)]);
        self.write(move |tx| commands::post(tx, &document, Shortage::Refuse)).expect("goods come in");
    }
    pub fn reserve(&self, lines: Vec<Wanted>) -> Result<Reserved, StockError> {
        self.reserve_as(ReservationKind::Cart, lines, None)
    }
    pub fn reserve_as(
        &self,
        kind: ReservationKind,
        lines: Vec<Wanted>,
        seconds: Option<i64>,
    ) -> Result<Reserved, StockError> {
        let owner = "cart:1".into();
        let request = Request { channel: "site".into(), kind, owner, lines, seconds, partial: false };
        self.write(move |tx| commands::reserve(tx, &request))
    }
    /// What the site can sell.
    pub fn on_site(&self, variant_no: i64) -> Quantity {
        let now = self.now();
        self.store()
            .read(move |tx| -> Result<Quantity, DbError> {
                let places = commands::places(tx)?;
                let channel = places.channel("site").expect("there is a site");
                let stock = commands::stock(tx, variant_no)?;
                Ok(stock.map_or(Quantity::ZERO, |stock| availability::for_channel(&stock, channel, now)))
            })
            .expect("it is read")
    }
    pub fn sellable(&self, variant_no: i64, location_no: i64) -> Quantity {
        let read = move |tx: &mut Tx| -> Result<Quantity, DbError> {
            let stock = commands::stock(tx, variant_no)?;
            Ok(stock.and_then(|s| s.at(location_no).map(|p| p.sellable())).unwrap_or(Quantity::ZERO))
        };
        self.store().read(read).expect("it is read")
    }
    pub fn assert_sound(&self) {
        let now = self.now();
        let found = self.store().query(move |db| doctor::check(db, now)).expect("the books can be read");
        assert_eq!(found, []);
    }
}
