//! The catalogue over HTTP: a file in, search, a feed out, a picture, the same file out and in again.
use super::harness::{Shop, shops};
use serde_json::{Value, json};
use std::time::Duration;

const FILE: &str = "id,name,brand,categories,axes,sku,gtin,price,currency,size,colour\n\
    air,Кросівки Air,Nike,Взуття,size,A-42,4006381333931,4200.00,UAH,42,чорний\n\
    air,,,,,A-43,,4200.00,UAH,43,чорний\n\
    dress,Сукня літня,Acme,Одяг,,D-1,4006381333932,999.90,UAH,,червоний\n\
    cup,Чашка,Acme,Дім,,C-1,,120,UAH,,білий\n";

fn import(shop: &Shop, text: &[u8], name: &str) -> Value {
    let made = shop.owner("POST", "/api/v1/uploads").json(&json!({"name": name, "size": text.len()})).send().json();
    let upload = made["id"].as_str().expect("an id").to_string();
    assert_eq!(shop.owner("PUT", &format!("/api/v1/uploads/{upload}?offset=0")).body(text).send().status, 200);
    let begun = shop.owner("POST", "/api/v1/catalog/imports").json(&json!({"upload": upload})).send();
    assert_eq!(begun.status, 201, "{}", begun.text);
    let id = begun.json()["job_id"].as_str().expect("a job").to_string();
    until(|| {
        let job = shop.owner("GET", &format!("/api/v1/jobs/{id}")).send().json();
        assert_ne!(job["state"], "failed", "{job}");
        (job["state"] == "done").then_some(job)
    })
}

fn until<T>(mut holds: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1_000 {
        if let Some(found) = holds() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never");
}

fn search(shop: &Shop, body: Value) -> Value {
    shop.owner("POST", "/api/v1/catalog/search").json(&body).send().json()
}

#[test]
fn a_file_comes_in_is_searched_fed_and_taken_out_again() {
    // [L1] [L2] one catalogue; a change there reaches all.
    for shop in shops() {
        let job = import(&shop, FILE.as_bytes(), "goods.csv");
        let id = job["id"].as_str().expect("an id");
        let report = shop.owner("GET", &format!("/api/v1/imports/{id}/report")).send().text;
        assert!(report.contains("goods.csv,4,gtin,") && report.contains("check digit"), "{report}");
        let found = until(|| {
            let found = search(&shop, json!({"q": "кросівок", "facets": true}));
            (found["total"] == 1).then_some(found)
        });
        assert_eq!(found["items"][0]["id"], "air");
        let list = shop.owner("GET", "/api/v1/products").send().json();
        assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "the row with a wrong GTIN is not there");

        let channel = json!({"kind": "site", "locales": ["uk"], "currencies": ["UAH"]});
        assert_eq!(shop.owner("PUT", "/api/v1/sales-channels/site").json(&channel).send().status, 200);
        let feed = json!({"name": "Rozetka", "format": "yml", "channel": "site", "locale": "uk", "currency": "UAH", "link": "https://shop.test/{id}"});
        let feed = shop.owner("POST", "/api/v1/feeds").json(&feed).send().json();
        let address = feed["url"].as_str().expect("an address");
        let path = address[address.find("/feed/").expect("a path")..].to_string();
        let whole = until(|| {
            let text = shop.ask("GET", &path).send().text;
            text.contains("A-43").then_some(text)
        });
        assert!(
            whole.starts_with("<?xml") && whole.ends_with("</yml_catalog>\n") && whole.contains("group_id"),
            "{whole}"
        );
        assert_eq!(shop.ask("GET", "/feed/nobody").send().status, 404);
        // A changed price reaches the feed, and the search follows a new name.
        let change = json!({"id": "cup", "name": "Кухоль", "variants": [{"sku": "C-1", "price": {"minor": 9900, "currency": "UAH"}}]});
        assert_eq!(shop.owner("POST", "/api/v1/products").json(&change).send().status, 200);
        until(|| shop.ask("GET", &path).send().text.contains("<price>99.00</price>").then_some(()));
        // [L3] So does a sale of the channel, with the price before it.
        let list =
            json!({"name": "Sale", "currency": "UAH", "kind": "sale", "position": 1, "scope": {"channels": ["site"]}});
        let list = shop.owner("POST", "/api/v1/price-lists").json(&list).send().json();
        let cup = shop.owner("GET", "/api/v1/products/cup").send().json();
        let price = json!({"prices": [{"variant_id": cup["variants"][0]["number"], "minor": 7900}]});
        let prices = format!("/api/v1/price-lists/{}/prices", list["id"].as_str().expect("an id"));
        assert_eq!(shop.owner("POST", &prices).json(&price).send().status, 200);
        let sale = "<price>79.00</price>\n<oldprice>99.00</oldprice>";
        until(|| shop.ask("GET", &path).send().text.contains(sale).then_some(()));
        let channel = json!({"q": "", "sort": "cheapest", "channel": "site"});
        until(|| (search(&shop, channel.clone())["items"][0]["id"] == "cup").then_some(()));
        assert_eq!(shop.owner("POST", "/api/v1/catalog/search").json(&json!({"channel": "moon"})).send().status, 422);
        until(|| (search(&shop, json!({"q": "кухоль"}))["total"] == 1).then_some(()));

        let side = shop.owner("GET", "/api/v1/catalog/compare?ids=air,cup&locale=uk").send().json();
        let colour =
            side["rows"].as_array().expect("rows").iter().find(|r| r["attribute"] == "colour").expect("colour");
        assert_eq!(colour["values"], json!(["чорний", "білий"]));

        // What goes out comes in again and changes nothing.
        let out = shop.owner("GET", "/api/v1/catalog/export?format=csv").send().text;
        let job = import(&shop, out.as_bytes(), "again.csv");
        let tally = &job["result"]["tally"];
        assert_eq!((&tally["same"], &tally["rejected"]), (&json!(2), &json!(0)), "{job} {out}");
        shop.assert_clean();
    }
}

#[test]
fn a_product_is_made_changed_and_named_once() {
    // CONTRACTS 9.
    for shop in shops() {
        let body = json!({"id": "tee", "name": "T-shirt", "variants": [{"sku": "T-S", "gtin": "4006381333931", "price": {"minor": 12990, "currency": "UAH"}, "attributes": {"size": "S"}}]});
        let made = shop.owner("POST", "/api/v1/products").json(&body).send();
        assert_eq!((made.status, made.json()["variants"][0]["gtin"].as_str()), (201, Some("4006381333931")));
        assert_eq!(
            shop.owner("POST", "/api/v1/products").json(&body).send().status,
            200,
            "the same again is no second one"
        );
        let taken = json!({"id": "other", "name": "O", "variants": [{"sku": "T-S"}]});
        let refused = shop.owner("POST", "/api/v1/products").json(&taken).send();
        assert_eq!(refused.code(), (422, "bad_input".into()));
        assert_eq!(refused.json()["errors"][0]["pointer"], "/variants/0/sku");
        let found = shop.owner("GET", "/api/v1/products/tee").send();
        assert_eq!((found.status, found.headers["etag"].as_str()), (200, "\"v1\""));
        assert_eq!(shop.owner("GET", "/api/v1/products/none").send().status, 404);
        // A picture, by what it is and not by what it is called.
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(40, 30).write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
        let kept = shop.owner("POST", "/api/v1/media").body(bytes.get_ref()).send();
        assert_eq!((kept.status, kept.json()["width"].as_i64()), (201, Some(40)), "{}", kept.text);
        let hash = kept.json()["hash"].as_str().expect("a hash").to_string();
        let served = shop.ask("GET", &format!("/media/{hash}/96")).send();
        assert_eq!((served.status, served.headers["content-type"].as_str()), (200, "image/jpeg"));
        assert!(served.headers["cache-control"].contains("immutable"));
        assert_eq!(shop.owner("POST", "/api/v1/media").body(b"<svg/>").send().status, 422);
        shop.assert_clean();
    }
}
