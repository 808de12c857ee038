//! Files of stock, in and out.
use super::{Shop, get, on_hand, post, shops};
use serde_json::{Value, json};

fn upload(shop: &Shop, name: &str, text: &str) -> String {
    let made = post(shop, "uploads", &json!({"name": name, "size": text.len()}));
    let id = made["id"].as_str().unwrap_or_default().to_string();
    let path = format!("/api/v1/uploads/{id}?offset=0");
    let put = shop.owner("PUT", &path).header("content-type", "application/octet-stream").body(text.as_bytes()).send();
    assert!((200..300).contains(&put.status), "{}", put.text);
    id
}

/// Brings a file in; gives the job when it has ended.
fn import(shop: &Shop, body: &Value) -> Value {
    let begun = post(shop, "stock/imports", body);
    let id = begun["job_id"].as_str().unwrap_or_default().to_string();
    for _ in 0..400 {
        let job = get(shop, &format!("jobs/{id}"));
        if job["state"] != "queued" && job["state"] != "running" {
            return job;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("the job never ends");
}

#[test]
fn stock_comes_from_shopify_and_woocommerce_and_goes_back() {
    for shop in shops() {
        post(&shop, "locations", &json!({"id": "hub", "kind": "warehouse", "name": "Головний склад"}));
        post(&shop, "locations", &json!({"id": "lviv", "kind": "store", "name": "Lviv"}));
        let variants =
            json!([{"sku": "HM-41", "attributes": {"Size": "41"}}, {"sku": "HM-42", "attributes": {"Size": "42"}}]);
        post(
            &shop,
            "products",
            &json!({"id": "khmara", "name": "Khmara", "state": "active", "axes": ["Size"], "variants": variants}),
        );
        let shopify = "Handle,Title,Option1 Name,Option1 Value,SKU,HS Code,COO,Location,Bin name,Incoming (not editable),\
            Unavailable (not editable),Committed (not editable),Available (not editable),On hand (current),On hand (new)\n\
            khmara,Khmara,Size,41,HM-41,,UA,LVIV,,0,0,0,4,4,\nkhmara,Khmara,Size,42,HM-42,,UA,Головний склад,,0,0,0,2,2,6\n\
            khmara,Khmara,Size,43,HM-43,,UA,Lviv,,0,0,0,1,1,\nkhmara,Khmara,Size,41,HM-41,,UA,Odesa,,0,0,0,1,1,\n\
            khmara,Khmara,Size,41,HM-41,,UA,Головний склад,,0,0,0,1,-1,\n";
        let file = upload(&shop, "inventory_export.csv", shopify);
        let job = import(&shop, &json!({"upload": file}));
        assert_eq!(job["result"]["tally"], json!({"rows": 5, "counted": 2, "moved": 2, "rejected": 3}), "{job:#}");
        assert_eq!((on_hand(&shop, "HM-41", "lviv"), on_hand(&shop, "HM-42", "hub")), (json!(4), json!(6)));
        let id = job["id"].as_str().unwrap_or_default();
        let report = shop.owner("GET", &format!("/api/v1/imports/{id}/report")).send().text;
        for part in ["there is no such SKU", "no location of this id or name", "less than nothing"] {
            assert!(report.contains(part), "{part}: {report}");
        }
        let woo = "ID,Type,SKU,Name,In stock?,Stock,Regular price\n7,variation,HM-41,Khmara,1,9,100\n8,variation,HM-42,Khmara,1,,100\n";
        let file = upload(&shop, "wc-product-export.csv", woo);
        let refused = shop.owner("POST", "/api/v1/stock/imports").json(&json!({"upload": file})).send();
        assert!(refused.text.contains("say which one its stock is"), "{}", refused.text);
        let job = import(&shop, &json!({"upload": file, "location": "lviv"}));
        assert_eq!(job["result"]["tally"]["counted"], 1, "{job:#}");
        assert_eq!(on_hand(&shop, "HM-41", "lviv"), json!(9));
        let text = |layout: &str| {
            let answer = shop.owner("GET", &format!("/api/v1/stock/export?layout={layout}")).send();
            assert_eq!(answer.status, 200, "{}", answer.text);
            answer.text
        };
        assert_eq!(text("woocommerce-stock"), "SKU,In stock?,Stock\r\nHM-41,1,9\r\nHM-42,1,6\r\n");
        let out = text("shopify-inventory");
        assert!(out.contains("khmara,Khmara,Size,41,,,,,HM-41,,,Lviv,,0,0,0,9,9,\r\n"), "{out}");
        // What went out comes back and changes nothing.
        for layout in ["shopify-inventory", "braid-stock"] {
            let file = upload(&shop, "again.csv", &text(layout));
            let job = import(&shop, &json!({"upload": file}));
            assert_eq!(
                (&job["result"]["tally"]["counted"], &job["result"]["tally"]["moved"]),
                (&json!(2), &json!(0)),
                "{job:#}"
            );
        }
        shop.assert_clean();
    }
}
