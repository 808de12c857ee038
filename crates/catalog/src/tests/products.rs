//! Creating and changing products. [L1] one catalogue with unified names, SKU, characteristics.
use super::harness::Shop;
use crate::model::{Lots, Outcome, ProductState};
use crate::variants;
use serde_json::json;

#[test]
fn a_product_with_variants_is_stored_and_found_by_sku() {
    // [L1] CONTRACTS 9.
    for shop in Shop::each() {
        let nos = shop.made(json!([{"id": "tee", "name": "T-shirt", "brand": "Ґудзик", "categories": ["Clothes > Tops"],
            "axes": ["size"], "attributes": {"material": "cotton", "description#uk": "Футболка"},
            "variants": [
                {"sku": " TEE-S ", "gtin": "4820000000000", "price": {"minor": 12990, "currency": "UAH"}, "attributes": {"size": "S"}, "weight_g": 180},
                {"sku": "TEE-M", "lots": "serial", "tracked": true, "attributes": {"size": "M"}}]}]));
        let tee = shop.product("tee");
        assert_eq!((tee.no, tee.version, tee.state), (nos[0], 1, ProductState::Active));
        assert_eq!(tee.variants.iter().map(|v| v.sku.as_str()).collect::<Vec<_>>(), ["TEE-S", "TEE-M"]);
        assert_eq!(tee.values["description#uk"], "Футболка");
        let (found, small, none) = shop.write(|tx| {
            let no = variants::find(tx, "TEE-S")?;
            let small = variants::get(tx, no.unwrap_or_default())?;
            Ok((no, small, (variants::find(tx, "tee-s")?, variants::get(tx, 999_999)?)))
        });
        assert_eq!(found, Some(tee.variants[0].no));
        let small = small.expect("the variant is there");
        assert_eq!((small.product_no, &*small.sku, small.weight_g, small.price_minor), (tee.no, "TEE-S", 180, 12990));
        assert_eq!((&*small.currency, &*small.tax_class, small.lots), ("UAH", "standard", Lots::None));
        assert_eq!(none, (None, None), "an SKU is compared as it is written");
    }
}

#[test]
fn what_is_sent_again_is_the_same_and_what_is_absent_stays() {
    for shop in Shop::each() {
        let whole = json!([{"id": "a", "name": "A", "attributes": {"colour": "red"}, "variants": [{"sku": "a1", "price": {"minor": 5, "currency": "UAH"}}]}]);
        shop.made(whole.clone());
        let (accepted, _) = shop.put(whole);
        assert_eq!(accepted[0].outcome, Outcome::Same);
        let (accepted, _) = shop.put(json!([{"id": "a", "attributes": {"size": "M"}, "variants": [{"sku": "a2"}]}]));
        assert_eq!(accepted[0].outcome, Outcome::Changed);
        let a = shop.product("a");
        assert_eq!((a.name.as_str(), a.version, a.variants.len()), ("A", 2, 2));
        assert_eq!((a.values["colour"].as_str(), a.values["size"].as_str()), (Some("red"), Some("M")));
        shop.made(json!([{"id": "a", "attributes": {"size": "", "colour": null}}]));
        assert!(shop.product("a").values.is_empty(), "an empty text and null take a value away");
        // Twice in one call: the second changes what the first made.
        shop.made(json!([{"id": "b", "name": "B"}, {"id": "b", "name": "B2", "variants": [{"sku": "b"}]}]));
        assert_eq!((shop.product("b").name.as_str(), shop.product("b").variants.len()), ("B2", 1));
    }
}

#[test]
fn skus_and_gtins_belong_to_one_variant_of_the_shop() {
    for shop in Shop::each() {
        shop.made(json!([{"id": "a", "name": "A", "variants": [{"sku": "x", "gtin": "96385074"}]}]));
        let (accepted, rejected) = shop.put(json!([
            {"id": "b", "name": "B", "variants": [{"sku": "x"}]},
            {"id": "c", "name": "C", "variants": [{"sku": "y", "gtin": "00000096385074"}]},
            {"id": "d", "name": "D", "variants": [{"sku": "z"}]},
            {"id": "e", "name": "E", "variants": [{"sku": "z"}]},
            {"id": "f", "name": "F", "variants": [{"sku": "w"}, {"sku": " w"}]},
        ]));
        assert_eq!(accepted.iter().map(|a| a.index).collect::<Vec<_>>(), [2]);
        let why: Vec<(usize, &str)> = rejected.iter().map(|r| (r.index, r.pointer.as_str())).collect();
        assert_eq!(
            why,
            [(0, "/variants/0/sku"), (1, "/variants/0/gtin"), (3, "/variants/0/sku"), (4, "/variants/1/sku")]
        );
        assert!(rejected[1].detail.contains("96385074"), "{}", rejected[1].detail);
        // A GTIN that was given up may be taken.
        shop.made(json!([{"id": "a", "variants": [{"sku": "x", "gtin": ""}]}]));
        shop.made(json!([{"id": "c", "name": "C", "variants": [{"sku": "y", "gtin": "96385074"}]}]));
    }
}

#[test]
fn wrong_input_is_refused_with_its_place() {
    let cases = [
        (json!({"id": " ", "name": "A"}), "/id"),
        (json!({"id": "a"}), "/name"),
        (json!({"id": "a", "name": "A", "variants": [{"sku": ""}]}), "/variants/0/sku"),
        (json!({"id": "a", "name": "A", "variants": [{"sku": "s".repeat(101)}]}), "/variants/0/sku"),
        (json!({"id": "a", "name": "A", "variants": [{"sku": "s", "gtin": "4006381333932"}]}), "/variants/0/gtin"),
        (
            json!({"id": "a", "name": "A", "variants": [{"sku": "s", "price": {"minor": -1, "currency": "UAH"}}]}),
            "/variants/0/price/minor",
        ),
        (
            json!({"id": "a", "name": "A", "variants": [{"sku": "s", "price": {"minor": 1, "currency": "грн"}}]}),
            "/variants/0/price/currency",
        ),
        (json!({"id": "a", "name": "A", "family": "none"}), "/family"),
        (json!({"id": "a", "name": "A", "attributes": {"x@shop": "1"}}), "/attributes/x@shop"),
        (json!({"id": "a", "name": "A", "attributes": {"x#ukrainian": "1"}}), "/attributes/x#ukrainian"),
        (json!({"id": "a", "name": "A", "axes": ["none"]}), "/axes/0"),
        (
            json!({"id": "a", "name": "A", "axes": ["size"], "variants": [{"sku": "1", "attributes": {"size": "S"}}, {"sku": "2", "attributes": {"size": "S"}}]}),
            "/variants",
        ),
    ];
    let shop = Shop::each().remove(0);
    for (input, pointer) in cases {
        let (accepted, rejected) = shop.put(json!([input]));
        assert_eq!((accepted.len(), rejected[0].pointer.as_str()), (0, pointer), "{input}");
    }
    // U+0000 becomes readable at the border, so that what was stored is found again.
    shop.made(json!([{"id": "n\u{0}l", "name": "N\u{0}", "variants": [{"sku": "s\u{0}"}]}]));
    let found = shop.write(|tx| variants::find(tx, "s\u{0}"));
    assert!(found.is_some());
}
