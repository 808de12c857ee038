//! From the store into the index and out again.
use crate::{Asked, Follower, Found, Index, Sort};
use base::{Clock, ManualClock, Timestamp};
use catalog::commands::put_products;
use catalog::model::ProductInput;
use db::testing::Place;
use db::writer::Options;
use db::{Engine, Store, Sync};
use serde_json::{Value, json};
use std::sync::Arc;

struct Shop {
    store: Store,
    reading: Engine,
    follower: Follower,
    clock: Arc<ManualClock>,
    place: Place,
}

impl Shop {
    fn new() -> Self {
        let place = Place::sqlite();
        let clock = Arc::new(ManualClock::new(Timestamp::from_civil(2026, 11, 23, 8, 0, 0)));
        let store = Store::open(db::Open {
            location: place.location.clone(),
            sync: Sync::UnsafeFast,
            migrations: &[db::migrate::MIGRATIONS, catalog::MIGRATIONS, catalog::prices::MIGRATIONS],
            options: Options::default(),
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
        let reading = place.location.open(Sync::UnsafeFast, true).expect("opens");
        let index = Arc::new(Index::open(&place.folder.join("search")).expect("an index"));
        Self { store, reading, follower: Follower::new(index).expect("one writer"), clock, place }
    }
    fn put(&mut self, inputs: Value) -> usize {
        let inputs: Vec<ProductInput> = serde_json::from_value(inputs).expect("inputs");
        let rejected = self.store.write(move |tx| put_products(tx, &inputs)).expect("written").1;
        assert_eq!(rejected, []);
        self.follow()
    }
    fn follow(&mut self) -> usize {
        self.follower.step(&mut self.reading, self.clock.now()).expect("follows")
    }
    fn ask(&self, asked: &Asked) -> Found {
        self.follower.index.search(asked).expect("answers")
    }
    /// Names of what is found, the best first.
    fn find(&mut self, text: &str) -> Vec<String> {
        let found = self.ask(&Asked { text: text.into(), limit: 20, ..Asked::default() });
        let products = catalog::products::by_nos(&mut self.reading, &found.nos).expect("read");
        products.into_iter().flatten().map(|p| p.id).collect()
    }
}

fn goods() -> Value {
    json!([
        {"id": "air", "name": "Кросівки Air Zoom", "brand": "Nike", "categories": ["Взуття > Кросівки"], "attributes": {"colour": "чорний"},
         "variants": [{"sku": "NK-100-42", "gtin": "4006381333931", "price": {"minor": 420000, "currency": "UAH"}, "attributes": {"size": "42"}}]},
        {"id": "dress", "name": "Платье летнее", "attributes": {"colour": "красный", "name#uk": "Сукня літня"},
         "variants": [{"sku": "DR-7", "price": {"minor": 99900, "currency": "UAH"}}]},
        {"id": "phone", "name": "Смартфон Galaxy", "brand": "Samsung", "attributes": {"colour": "чорний"}, "variants": [{"sku": "SM-G991", "price": {"minor": 2500000, "currency": "UAH"}}]},
        {"id": "shirt", "name": "Сорочка чоловіча", "attributes": {"colour": "білий", "description": "Для офісу"}, "variants": [{"sku": "SH-1", "price": {"minor": 80000, "currency": "UAH"}}]},
    ])
}

#[test]
fn words_are_found_in_any_form_language_and_script() {
    // [L1] search of one catalogue with typos and Ukrainian and Russian morphology.
    let mut shop = Shop::new();
    assert_eq!(shop.put(goods()), 4);
    let cases = [
        ("кросівок", "air"),
        ("КРОСІВКАМИ nike", "air"),
        ("красівки", "air"),
        ("rhjcsdrb", "air"),
        ("платья", "dress"),
        ("сукні", "dress"),
        ("gkfnmt", "dress"),
        ("самсунг", "phone"),
        ("samsnug", "phone"),
        ("смартфоны самсунг", "phone"),
        ("сороч", "shirt"),
        ("сорочку офіс", "shirt"),
        ("взуття", "air"),
        ("nk-100-42", "air"),
        ("4006381333931", "air"),
        ("sm g991", "phone"),
    ];
    for (asked, found) in cases {
        assert_eq!(shop.find(asked).first().map(String::as_str), Some(found), "{asked}");
    }
    assert!(shop.find("холодильник").is_empty());
    assert!(shop.find("кросівки samsung").is_empty(), "all words have to fit");
    let meant = shop.ask(&Asked { text: "rhjcsdrb".into(), limit: 1, ..Asked::default() }).understood;
    assert_eq!(meant.as_deref(), Some("кросівки"));
}

#[test]
fn facets_count_and_filter() {
    let mut shop = Shop::new();
    shop.put(goods());
    let asked = Asked { facets: true, limit: 10, ..Asked::default() };
    let found = shop.ask(&asked);
    let of = |found: &Found, kind: &str| -> Vec<(String, u64)> {
        found.facets.get(kind).map(|v| v.iter().map(|c| (c.value.clone(), c.count)).collect()).unwrap_or_default()
    };
    assert_eq!(found.total, 4);
    assert_eq!(of(&found, "colour"), [("чорний".to_string(), 2), ("білий".to_string(), 1), ("красный".to_string(), 1)]);
    assert_eq!(of(&found, "@category").len(), 2, "a category counts for those above it");
    let mut filtered = asked.clone();
    filtered.filters.insert("colour".into(), vec!["чорний".into()]);
    let found = shop.ask(&filtered);
    assert_eq!(found.total, 2);
    assert_eq!(of(&found, "@brand").len(), 2);
    assert_eq!(of(&found, "colour").len(), 3, "a facet that is filtered by shows its other values");
    filtered.filters.insert("@brand".into(), vec!["Nike".into(), "Samsung".into()]);
    filtered.sort = Sort::Cheapest;
    let nos = shop.ask(&filtered).nos;
    filtered.sort = Sort::Dearest;
    assert_eq!(nos, shop.ask(&filtered).nos.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn the_index_follows_and_is_built_anew() {
    let mut shop = Shop::new();
    shop.put(goods());
    assert_eq!(shop.follow(), 0, "nothing changed");
    assert_eq!(shop.put(json!([{"id": "shirt", "name": "Блуза"}])), 1, "one changed product costs one");
    assert_eq!(shop.find("блузи"), ["shirt"]);
    assert!(shop.find("сорочка").is_empty());
    assert_eq!(shop.put(json!([{"id": "shirt", "state": "archived"}])), 1);
    assert!(shop.find("блузи").is_empty());
    assert_eq!(shop.find("SH-1"), ["shirt"], "what was sold is found by its number");
    // A change of a tree of categories is seen by every product.
    shop.store.write(catalog::recount::touch_all).expect("written");
    assert_eq!(shop.follow(), 4);
    // Thrown away and made again.
    let Shop { store, mut reading, follower, clock, place } = shop;
    drop(follower);
    let folder = place.folder.join("search");
    std::fs::remove_dir_all(&folder).expect("gone");
    let mut follower = Follower::new(Arc::new(Index::open(&folder).expect("an index"))).expect("one writer");
    assert_eq!(follower.step(&mut reading, clock.now()).expect("follows"), 4);
    assert_eq!(follower.index.len(), 4);
    drop(follower);
    let follower = Follower::new(Arc::new(Index::open(&folder).expect("an index"))).expect("one writer");
    assert_eq!((follower.index.len(), follower.index.is_empty()), (4, false), "its position is kept with it");
    drop(store);
}

#[test]
fn sorting_by_price_follows_the_prices_of_a_channel() {
    use catalog::prices::commands::{NewList, NewPrice, PriceError, create_list, set_prices};
    use catalog::prices::model::{Kind, Scope};
    // [L1] one search for every channel, by the prices that it asks.
    let mut shop = Shop::new();
    shop.put(goods());
    let channel = |tx: &mut db::Tx| {
        let channel = catalog::schema::Channel {
            no: 0,
            code: "market".into(),
            kind: catalog::schema::ChannelKind::Site,
            labels: Default::default(),
            root_no: 0,
            locales: vec!["uk".into()],
            currencies: vec!["UAH".into()],
            assortment: vec![],
            version: 0,
        };
        let made = catalog::describe::put_channel(tx, channel, None);
        made.map(|c| c.no).map_err(|e| db::DbError::damaged("test", e))
    };
    let market = shop.store.write(channel).expect("a channel");
    assert_eq!(shop.follow(), 4, "a channel is shown by every product");
    let from = shop.clock.now().plus(base::HOUR_US);
    let list = move |tx: &mut db::Tx| -> Result<(), PriceError> {
        let scope = Scope { channels: vec!["market".into()], ..Scope::default() };
        let new = NewList {
            name: "Market".into(),
            currency: "UAH".into(),
            kind: Kind::Regular,
            position: 1,
            scope,
            reason: String::new(),
            starts_at: None,
            ends_at: None,
        };
        let list = create_list(tx, &new, "olena")?.id;
        let variant = catalog::variants::find(tx, "SM-G991")?.expect("the variant is there");
        let price =
            NewPrice { variant, min_quantity: 0, minor: Some(1), compare_at: None, from: Some(from), until: None };
        set_prices(tx, (list, ""), "k", &[price], "olena", "").map(drop)
    };
    shop.store.write(list).expect("a price");
    let told = |shop: &Shop| shop.store.write(catalog::prices::store::tell).expect("told");
    let cheapest = |shop: &mut Shop, channel_no: Option<i64>| {
        let found = shop.ask(&Asked { sort: Sort::Cheapest, channel_no, limit: 20, ..Asked::default() });
        let products = catalog::products::by_nos(&mut shop.reading, &found.nos).expect("read");
        products.into_iter().flatten().map(|p| p.id).collect::<Vec<_>>()
    };
    let as_it_is = ["shirt", "dress", "air", "phone"];
    (0..3).for_each(|_| told(&shop));
    shop.follow();
    assert_eq!(
        (cheapest(&mut shop, Some(market)), cheapest(&mut shop, None)),
        (as_it_is.map(String::from).to_vec(), as_it_is.map(String::from).to_vec())
    );
    shop.clock.set(from);
    (0..3).for_each(|_| told(&shop));
    assert_eq!(shop.follow(), 1, "one price costs one product");
    assert_eq!(shop.follow(), 0);
    assert_eq!(cheapest(&mut shop, Some(market)), ["phone", "shirt", "dress", "air"]);
    assert_eq!(cheapest(&mut shop, None), as_it_is, "where no channel is asked nothing moved");
}

#[test]
fn many_values_are_counted_as_few_are() {
    let mut shop = Shop::new();
    let one = |n: usize| json!({"id": format!("p{n}"), "name": "Товар", "attributes": {"article": format!("a{n}"), "colour": if n.is_multiple_of(3) { "red" } else { "blue" }}});
    shop.put((0..300).map(one).collect());
    let found = shop.ask(&Asked { facets: true, limit: 1, ..Asked::default() });
    let colours: Vec<(&str, u64)> = found.facets["colour"].iter().map(|c| (c.value.as_str(), c.count)).collect();
    assert_eq!(colours, [("blue", 200), ("red", 100)]);
    assert_eq!((found.total, found.facets["article"].len()), (300, 50), "the fifty most frequent are shown");
}
