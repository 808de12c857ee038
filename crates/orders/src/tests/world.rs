//! A shop with goods, and what tests ask of it.
use crate::commands::{self, Fact, Shop};
use crate::model::{Contact, Delivery, Order};
use crate::states::payment::Action;
use crate::{MIGRATIONS, OrderError, doctor};
use base::{Clock, ManualClock, Quantity, Timestamp};
use catalog::model::{ProductInput, ProductState, VariantInput};
use db::testing::Place;
use db::{Open, Store, Sync, Tx};
use std::sync::Arc;
use stock::commands::{LocationInput, Shortage};
use stock::model::{Document, DocumentKind, LocationKind, Move, SUPPLIER};

pub struct World {
    pub place: Arc<Place>,
    pub clock: Arc<ManualClock>,
    store: Option<Arc<Store>>,
}

pub fn shop() -> Shop {
    Shop { country: "UA".into(), currency: "UAH".into(), zone: jiff::tz::TimeZone::UTC, buyers: None }
}

pub fn q(units: i64) -> Quantity {
    Quantity::units(units)
}

pub fn line(variant_no: i64, from_no: i64, to_no: i64, units: i64) -> Move {
    Move::sellable(variant_no, (from_no, to_no), q(units), "")
}

impl World {
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
            migrations: &[
                db::migrate::MIGRATIONS,
                catalog::MIGRATIONS,
                catalog::prices::MIGRATIONS,
                stock::MIGRATIONS,
                loyalty::MIGRATIONS,
                MIGRATIONS,
            ],
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
        f: impl FnMut(&mut Tx) -> Result<T, OrderError> + Send + 'static,
    ) -> Result<T, OrderError> {
        self.store().write(f)
    }
    /// The same, where it must not be refused.
    pub fn does<T: Send + 'static>(&self, f: impl FnMut(&mut Tx) -> Result<T, OrderError> + Send + 'static) -> T {
        self.write(f).expect("it is done")
    }
    pub fn location(&self, id: &str, kind: LocationKind) -> i64 {
        let input = LocationInput {
            id: id.into(),
            kind,
            name: id.into(),
            address: String::new(),
            lat_lon_e7: None,
            time_zone: "Europe/Kyiv".into(),
            entity: String::new(),
        };
        self.write(move |tx| Ok(stock::commands::put_location(tx, &input, None)?)).expect("the place is made").1.no
    }
    /// A variant on sale; gives its number.
    pub fn goods(&self, sku: &str, minor: i64, tracked: bool) -> i64 {
        let variant = VariantInput {
            sku: sku.into(),
            price: Some(catalog::model::Price { minor, currency: "UAH".into() }),
            tracked: Some(tracked),
            ..VariantInput::default()
        };
        let product = ProductInput {
            id: format!("p-{sku}"),
            name: Some(sku.into()),
            state: Some(ProductState::Active),
            variants: vec![variant],
            ..ProductInput::default()
        };
        let sku = sku.to_string();
        self.write(move |tx| {
            let (_, rejected) = catalog::commands::put_products(tx, std::slice::from_ref(&product))?;
            assert_eq!(rejected, []);
            Ok(catalog::variants::find(tx, &sku)?.expect("it was made"))
        })
        .expect("it is made")
    }
    pub fn receive(&self, variant_no: i64, location_no: i64, units: i64) {
        self.post(DocumentKind::Receipt, vec![line(variant_no, SUPPLIER, location_no, units)], Shortage::Refuse);
    }
    pub fn post(&self, kind: DocumentKind, moves: Vec<Move>, shortage: Shortage) -> stock::commands::Posted {
        let document = Document {
            kind,
            source: "test".into(),
            external_id: "".into(),
            reference: "".into(),
            note: "".into(),
            actor: "somebody".into(),
            at: self.clock.now(),
            moves,
        };
        self.write(move |tx| Ok(stock::commands::post(tx, &document, shortage)?)).expect("it is posted")
    }
    /// A cart with lines, a customer and a way.
    pub fn cart(&self, lines: &[(i64, i64)], delivery: Delivery) -> i64 {
        let lines = lines.to_vec();
        self.write(move |tx| {
            let cart = commands::create_cart(tx, &shop(), "site", None)?;
            for (variant_no, units) in &lines {
                commands::put_line(tx, cart.no, *variant_no, q(*units), false)?;
            }
            let contact =
                Contact { email: "olena@example.com".into(), name: "Олена".into(), ..Contact::default() };
            commands::put_contact(tx, cart.no, &contact)?;
            let address =
                if matches!(delivery, Delivery::Ship { .. }) { "Львів, Площа Ринок 1" } else { "" };
            commands::put_delivery(tx, cart.no, &delivery, (address, None))?;
            Ok(cart.no)
        })
        .expect("the cart is filled")
    }
    pub fn checkout(&self, cart_no: i64) -> Result<Arc<Order>, OrderError> {
        self.write(move |tx| commands::checkout(tx, cart_no, &shop(), "site"))
    }
    pub fn pay(&self, order_no: i64, action: Action, id: &str, minor: i64) -> Result<Arc<Order>, OrderError> {
        let fact = Fact {
            provider: "test".into(),
            payment_id: "p1".into(),
            external_id: id.into(),
            action,
            amount_minor: minor,
        };
        self.write(move |tx| commands::pay(tx, order_no, &fact, "site"))
    }
    pub fn available(&self, variant_no: i64) -> Quantity {
        self.write(move |tx| {
            let places = stock::commands::places(tx)?;
            let stock = stock::commands::stock(tx, variant_no)?.unwrap_or_default();
            let site = places.channel("site").expect("there is a site");
            Ok(stock::availability::for_channel(&stock, site, tx.now()))
        })
        .expect("it is read")
    }
    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }
    pub fn assert_sound(&self) {
        let now = self.clock.now();
        let found = self.store().query(move |db| stock::doctor::check(db, now)).expect("the books can be read");
        assert_eq!(found, []);
        assert_eq!(self.store().query(doctor::check).expect("orders can be read"), []);
    }
}
