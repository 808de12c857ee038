//! The routes of the catalogue: products, structure, search, feeds.
use super::{Act, Area, Shop, Value, fresh, json};

/// A product to be made.
pub(super) fn product(number: u64) -> Value {
    let size = json!({"sku": format!("m{number}-s"), "price": {"minor": 12990, "currency": "UAH"}, "attributes": {"size": "S"}});
    json!({"id": format!("m{number}"), "name": "Shoe", "variants": [size]})
}

fn sales_channel() -> Value {
    json!({"kind": "site", "labels": {"uk": "Сайт"}, "locales": ["uk"], "currencies": ["UAH"]})
}

/// A feed of a channel that is there.
fn product_feed(shop: &Shop) -> Value {
    shop.owner("PUT", "/api/v1/sales-channels/site").json(&sales_channel()).send();
    json!({"name": "F", "format": "yml", "channel": "site", "locale": "uk", "currency": "UAH", "link": "https://shop.example/p/{id}"})
}

/// A product that is there.
fn sold(shop: &Shop) -> String {
    let made = shop.owner("POST", "/api/v1/products").json(&product(fresh())).send().json();
    made["id"].as_str().unwrap_or_default().to_string()
}

/// What a route of this area is asked with; `None` for others.
pub fn case(shop: &Shop, id: &str) -> Option<(String, Option<Value>, Act)> {
    Some(match id {
        "list_products" => ("products?limit=5".into(), None, Act::Read(Area::Catalog)),
        "put_product" => ("products".into(), Some(product(fresh())), Act::Write(Area::Catalog)),
        "put_products" => {
            ("catalog/products".into(), Some(json!({"products": [product(fresh())]})), Act::Write(Area::Catalog))
        }
        "product_history" => (format!("products/{}/history", sold(shop)), None, Act::Read(Area::Catalog)),
        "product_completeness" => (format!("products/{}/completeness", sold(shop)), None, Act::Read(Area::Catalog)),
        "product_links" => (format!("products/{}/links", sold(shop)), None, Act::Read(Area::Catalog)),
        "put_product_links" => {
            let link = json!({"items": [{"kind": "substitute", "product_id": sold(shop)}]});
            (format!("products/{}/links", sold(shop)), Some(link), Act::Write(Area::Catalog))
        }
        "set_parts" => (format!("variants/{}-s/parts", sold(shop)), None, Act::Read(Area::Catalog)),
        "put_set_parts" => {
            let parts = json!({"items": [{"sku": format!("{}-s", sold(shop)), "quantity": 2}]});
            (format!("variants/{}-s/parts", sold(shop)), Some(parts), Act::Write(Area::Catalog))
        }
        "roll_back_product" => {
            let id = sold(shop);
            shop.owner("POST", "/api/v1/products").json(&json!({"id": id, "name": "Boot"})).send();
            (format!("products/{id}/roll-back"), Some(json!({"version": 1})), Act::Write(Area::Catalog))
        }
        "list_product_drafts" => ("product-drafts?state=draft".into(), None, Act::Read(Area::Catalog)),
        "create_product_draft" => {
            ("product-drafts".into(), Some(json!({"change": product(fresh()), "note": "n"})), Act::Write(Area::Catalog))
        }
        "decide_product_draft" => {
            let draft = json!({"change": product(fresh())});
            let made = shop.owner("POST", "/api/v1/product-drafts").json(&draft).send().json();
            let path = format!("product-drafts/{}", made["id"].as_str().unwrap_or_default());
            (path, Some(json!({"step": "submit"})), Act::Write(Area::Catalog))
        }
        "list_attributes" => ("attributes".into(), None, Act::Read(Area::Catalog)),
        "put_attribute" => (
            format!("attributes/a{}", fresh()),
            Some(json!({"kind": "text", "labels": {"uk": "Колір"}})),
            Act::Write(Area::Catalog),
        ),
        "list_families" => ("families".into(), None, Act::Read(Area::Catalog)),
        "put_family" => (format!("families/f{}", fresh()), Some(json!({"attributes": []})), Act::Write(Area::Catalog)),
        "list_categories" => ("categories".into(), None, Act::Read(Area::Catalog)),
        "put_category" => {
            (format!("categories/c{}", fresh()), Some(json!({"labels": {"uk": "Взуття"}})), Act::Write(Area::Catalog))
        }
        "list_brands" => ("brands".into(), None, Act::Read(Area::Catalog)),
        "put_brand" => (format!("brands/b{}", fresh()), Some(json!({"name": "B"})), Act::Write(Area::Catalog)),
        "list_sales_channels" => ("sales-channels".into(), None, Act::Read(Area::Catalog)),
        "put_sales_channel" => {
            (format!("sales-channels/s{}", fresh()), Some(sales_channel()), Act::Write(Area::Catalog))
        }
        "search_products" => {
            ("catalog/search".into(), Some(json!({"q": "shoe", "facets": true})), Act::Read(Area::Catalog))
        }
        "compare_products" => {
            (format!("catalog/compare?ids={},{}", sold(shop), sold(shop)), None, Act::Read(Area::Catalog))
        }
        "list_feeds" => ("feeds".into(), None, Act::Read(Area::Catalog)),
        "create_feed" => ("feeds".into(), Some(product_feed(shop)), Act::Write(Area::Catalog)),
        "update_feed" | "delete_feed" => {
            let body = product_feed(shop);
            let made = shop.owner("POST", "/api/v1/feeds").json(&body).send().json();
            let path = format!("feeds/{}", made["id"].as_str().unwrap_or_default());
            (path, (id == "update_feed").then_some(body), Act::Write(Area::Catalog))
        }
        "keep_media" => ("media".into(), Some(json!("not a picture")), Act::Write(Area::Catalog)),
        "begin_product_import" => {
            let text = b"id,name,sku\nx,X,x-1\n";
            let new = json!({"name": "goods.csv", "size": text.len()});
            let made = shop.owner("POST", "/api/v1/uploads").json(&new).send().json();
            let upload = made["id"].as_str().unwrap_or_default().to_string();
            assert_eq!(shop.owner("PUT", &format!("/api/v1/uploads/{upload}?offset=0")).body(text).send().status, 200);
            ("catalog/imports".into(), Some(json!({"upload": upload})), Act::Write(Area::Catalog))
        }
        "export_products" => ("catalog/export?format=csv".into(), None, Act::Read(Area::Catalog)),
        "get_product" => (format!("products/{}", sold(shop)), None, Act::Read(Area::Catalog)),
        _ => return None,
    })
}
