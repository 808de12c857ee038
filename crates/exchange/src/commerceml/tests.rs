use super::*;
use base::{Decimal, Quantity};
use proptest::prelude::*;
use std::io::Read;

const GOODS: &str = include_str!("../../testdata/commerceml/import.xml");
const OFFERS: &str = include_str!("../../testdata/commerceml/offers.xml");
const RESTS: &str = include_str!("../../testdata/commerceml/rests.xml");
const BACK: &str = include_str!("../../testdata/commerceml/orders_back.xml");

/// Gives a file in pieces that end at these places.
struct Pieces<'a> {
    bytes: &'a [u8],
    cuts: Vec<usize>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let next = self.cuts.pop().unwrap_or(usize::MAX).max(1);
        let length = self.bytes.len().min(out.len()).min(next);
        out[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes = &self.bytes[length..];
        Ok(length)
    }
}

fn all(file: impl Read) -> Result<Vec<Item>, FileError> {
    let mut reader = Reader::new(file);
    let mut out = Vec::new();
    while let Some(item) = reader.next()? {
        out.push(item);
    }
    Ok(out)
}

fn cp1251(text: &str) -> Vec<u8> {
    text.replace("UTF-8", "windows-1251").chars().map(crate::encoding::to_windows_1251).collect()
}

fn shown(items: &[Item]) -> String {
    items.iter().map(|item| format!("{item:?}\n")).collect()
}

fn kept(name: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/commerceml").join(name);
    if std::env::var_os("BRAID_BLESS").is_some() {
        std::fs::write(&path, found).expect("it is written");
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap_or_default(),
        found,
        "{}; BRAID_BLESS=1 writes it anew",
        path.display()
    );
}

#[test]
fn the_files_of_an_exchange_are_read_as_they_are_kept() {
    for (name, file) in [("import", GOODS), ("offers", OFFERS), ("rests", RESTS), ("orders_back", BACK)] {
        let items = all(file.as_bytes()).expect("it is read");
        kept(&format!("{name}.items.txt"), &shown(&items));
        assert_eq!(all(&cp1251(file)[..]).expect("it is read"), items, "{name} in Windows-1251");
        let marked = [crate::encoding::MARK, file.as_bytes()].concat();
        assert_eq!(all(&marked[..]).expect("it is read"), items, "{name} with a mark");
        let bare = file.replace(" xmlns=\"urn:1C.ru:commerceml_2\"", "");
        assert_eq!(all(bare.as_bytes()).expect("it is read"), items, "{name} without a namespace");
    }
}

#[test]
fn numbers_are_read_with_commas_blanks_and_signs() {
    for (text, milli) in [
        ("1 234,5", 1_234_500),
        ("1\u{a0}234.5", 1_234_500),
        ("-3", -3_000),
        ("1,234.5", 1_234_500),
        ("1.234,5", 1_234_500),
        ("0.0004", 0),
    ] {
        assert_eq!(quantity(text), Ok(Quantity::from_milli(milli)), "{text}");
    }
    for text in ["", "x", "1..2", "99999999999999", "1e999"] {
        assert!(quantity(text).is_err(), "{text}");
    }
    for (text, code) in [("грн.", Some("UAH")), ("980", Some("UAH")), ("eur", Some("EUR")), ("монети", None)] {
        assert_eq!(currency(text).as_deref(), code);
    }
    assert_eq!([flag("true"), flag("FALSE "), flag("maybe")], [Some(true), Some(false), None]);
}

#[test]
fn an_offer_is_told_by_goods_and_characteristic() {
    let of = |text: &str| OfferId::parse(text).map(|id| id.to_string());
    assert_eq!(of("a#b").as_deref(), Some("a#b"));
    assert_eq!(of(" a ").as_deref(), Some("a"));
    assert_eq!(of("a#").as_deref(), Some("a"));
    assert_eq!(of("a#00000000-0000-0000-0000-000000000000").as_deref(), Some("a"));
    assert_eq!([of(""), of("#b")], [None, None]);
}

fn refused(file: &[u8]) -> String {
    all(file).expect_err("it is refused").to_string()
}

#[test]
fn hostile_files_are_refused() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><КоммерческаяИнформация>&b;</КоммерческаяИнформация>";
    assert!(refused(bomb.as_bytes()).contains("DTD"));
    let own = "<КоммерческаяИнформация><Каталог><Ид>&xxe;</Ид></Каталог></КоммерческаяИнформация>";
    assert!(refused(own.as_bytes()).contains("entities"));
    let deep = format!("<КоммерческаяИнформация>{}", "<a>".repeat(100_000));
    assert!(refused(deep.as_bytes()).contains("levels deep"));
    let long = format!("<КоммерческаяИнформация><Каталог><Ид>{}</Ид>", "x".repeat(17 << 20));
    assert!(refused(long.as_bytes()).contains("16 MiB"));
    let many = format!("<КоммерческаяИнформация><Документ>{}", "<a/>".repeat(500_000));
    assert!(refused(many.as_bytes()).contains("larger than is taken"));
    assert!(refused(b"<html><body>login</body></html>").contains("<html>"));
    assert!(refused(b"").contains("empty"));
    assert!(refused("<КоммерческаяИнформация>".as_bytes()).contains("ends in the middle"));
    assert!(refused("<КоммерческаяИнформация></Каталог>".as_bytes()).contains("byte"));
    assert!(refused(b"<?xml version=\"1.0\" encoding=\"koi8-r\"?><a/>").contains("koi8-r"));
    assert!(refused(&[0xff, 0xfe, 0x3c, 0x00]).contains("UTF-16"));
    let groups = format!(
        "<КоммерческаяИнформация><Классификатор>{}{}</Классификатор></КоммерческаяИнформация>",
        "<Группы><Группа><Ид>g</Ид>".repeat(35),
        "</Группа></Группы>".repeat(35)
    );
    let items = all(groups.as_bytes()).expect("groups that are too deep cost only themselves");
    assert!(matches!(items.last(), Some(Item::Bad { what: "group", .. })), "{items:?}");
}

#[test]
fn what_is_wrong_with_one_costs_no_other_its_place() {
    let file = "<КоммерческаяИнформация><ПакетПредложений><Предложения>\
        <Предложение><Ид>a</Ид><Количество>багато</Количество></Предложение>\
        <Предложение><Наименование>no id</Наименование></Предложение>\
        <Предложение><Ид>b</Ид><Цены><Цена><ИдТипаЦены>t</ИдТипаЦены><ЦенаЗаЕдиницу>-1</ЦенаЗаЕдиницу></Цена></Цены></Предложение>\
        <Предложение><Ид>c</Ид><Количество>-2,5</Количество></Предложение>\
        </Предложения></ПакетПредложений></КоммерческаяИнформация>";
    let items = all(file.as_bytes()).expect("it is read");
    let bad: Vec<&str> =
        items.iter().filter_map(|i| if let Item::Bad { why, .. } = i { Some(&why[..]) } else { None }).collect();
    assert_eq!(bad, ["\"багато\" is no quantity", "it has no Ид of goods", "a price is less than nothing"]);
    assert!(items.iter().any(|i| matches!(i, Item::Offer(o) if o.total == Some(Quantity::from_milli(-2_500)))));
}

fn word() -> impl Strategy<Value = String> {
    // Texts as they come back: XML readers trim nothing inside, we trim the ends.
    "[а-яіїєґА-Яa-z0-9<>&\"'#.]{1,12}( [а-я<&]{1,5})?"
}

fn decimal() -> impl Strategy<Value = Decimal> {
    (0i128..1_000_000_000_000_000).prop_map(Decimal::from_billionths)
}

prop_compose! {
    fn line()(id in word(), name in word(), price in decimal(), milli in 0i64..1_000_000_000, total in decimal(),
              discount in proptest::option::of((word(), decimal(), any::<bool>())), is_service in any::<bool>()) -> Line {
        let discounts = discount.into_iter().map(|(name, total, included)| Discount { name, total, included }).collect();
        Line { id, name, unit: "796".into(), price, quantity: Quantity::from_milli(milli), total, discounts, is_service }
    }
}

prop_compose! {
    fn document()(id in word(), number in word(), total in decimal(), comment in word(), lines in proptest::collection::vec(line(), 0..6),
                  who in proptest::option::of((word(), word(), word())), requisites in proptest::collection::vec((word(), word()), 0..4)) -> Document {
        let partner = who.map(|(name, email, address)| Partner {
            id: "7".into(), name, role: "Покупатель".into(), email, phone: "+380501234567".into(), address,
        });
        Document {
            id, number, date: "2026-01-31".into(), time: "15:40:40".into(), operation: "Заказ товара".into(), currency: "UAH".into(),
            total, version: "3".into(), comment, partner, lines, requisites,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn orders_come_back_as_they_were_written(documents in proptest::collection::vec(document(), 0..5)) {
        let mut file = Vec::new();
        write(&mut file, &documents, "2026-01-31T15:40:40").expect("memory");
        let items = all(&file[..]).expect("it is read");
        let wanted: Vec<Item> = documents.into_iter().map(Item::Document).collect();
        prop_assert_eq!(items, wanted);
    }

    #[test]
    fn a_file_in_pieces_is_the_same_file(cuts in proptest::collection::vec(1usize..700, 0..60), which in 0usize..4, cyrillic in any::<bool>()) {
        let text = [GOODS, OFFERS, RESTS, BACK][which];
        let bytes = if cyrillic { cp1251(text) } else { text.as_bytes().to_vec() };
        let whole = all(text.as_bytes()).expect("it is read");
        prop_assert_eq!(all(Pieces { bytes: &bytes, cuts }).expect("it is read"), whole);
    }

    #[test]
    fn damage_never_panics(at in 0usize..4000, byte in any::<u8>(), end in 0usize..6000, which in 0usize..4) {
        let mut bytes = [GOODS, OFFERS, RESTS, BACK][which].as_bytes().to_vec();
        let place = at % bytes.len();
        bytes[place] = byte;
        bytes.truncate(end.max(1));
        let _ = all(&bytes[..]);
    }
}
