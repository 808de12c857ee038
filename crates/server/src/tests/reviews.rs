//! Reviews from the customer's own page to the shelf, and what colleagues do with them.
use super::front::{fetched, page, ready};
use super::harness::shops;
use super::orders::{begin, get, owner, receive};
use super::privacy::person;
use serde_json::{Value, json};

#[test]
fn a_review_goes_from_the_order_to_the_shelf() {
    // [P3] [AA5] [A1] [A11]
    for shop in shops() {
        begin(&shop);
        receive(&shop, "shoe-42", "lviv-1", 9);
        let (waits, _) = ready(&shop, &[("shoe-42", 1)], true);
        let early = page(&shop, "POST", &format!("orders/{waits}/reviews"), Some(&json!({"line": 0, "rating": 5})));
        assert_eq!(
            (early.status, early.json()["errors"][0]["pointer"].clone()),
            (422, json!("/line")),
            "{}",
            early.text
        );
        let (id, number) = fetched(&shop, &[("shoe-42", 1)]);
        let seen = page(&shop, "GET", &format!("orders/{id}"), None).json();
        assert_eq!(
            (&seen["lines"][0]["can_review"], &seen["lines"][0]["review"]),
            (&json!(true), &Value::Null),
            "{seen}"
        );
        let write = |body: Value| page(&shop, "POST", &format!("orders/{id}/reviews"), Some(&body));
        for (bad, at) in [
            (json!({"line": 0, "rating": 0}), "/rating"),
            (json!({"line": 0, "rating": 5, "text": "x".repeat(4_001)}), "/text"),
            (json!({"line": 9, "rating": 5}), "/line"),
        ] {
            let answer = write(bad);
            assert_eq!(
                (answer.status, answer.json()["errors"][0]["pointer"].clone()),
                (422, json!(at)),
                "{}",
                answer.text
            );
        }
        let text = json!({"line": 0, "rating": 2, "title": "Tight", "text": "Too small <b>for me</b>", "name": "Olena", "lang": "uk"});
        let made = write(text.clone());
        assert_eq!((made.status, made.json()["state"].clone()), (201, json!("awaiting")), "{}", made.text);
        assert_eq!(write(text).status, 201, "as often as they like, it is one");
        let seen = page(&shop, "GET", &format!("orders/{id}"), None).json();
        assert_eq!(seen["lines"][0]["review"]["title"], "Tight", "{seen}");

        // Nobody else sees it yet.
        let public = || page(&shop, "GET", "products/shoe/reviews", None).json();
        assert_eq!((public()["rating"]["count"].clone(), public()["items"].clone()), (json!(0), json!([])));
        let list = get(&shop, "reviews?state=awaiting&unanswered=true");
        let row = &list["items"][0];
        assert_eq!(
            (&row["order_number"], &row["raised"], &row["verified"]),
            (&json!(number), &json!(true), &json!(true)),
            "{list}"
        );
        let review = row["id"].as_str().expect("an id").to_string();
        let step = |body: Value| owner(&shop, "POST", &format!("reviews/{review}/steps"), &body);
        let steps = format!("/api/v1/reviews/{review}/steps");
        let without = shop.owner("POST", &steps);
        assert_eq!(without.json(&json!({"do": "reject", "reason": ""})).send().status, 409, "a reason is given");
        step(json!({"do": "publish"}));
        let answered = step(json!({"do": "answer", "text": "Take a size more."}));
        assert_eq!((&answered["raised"], &answered["state"]), (&json!(false), &json!("published")));
        let stale = shop.owner("POST", &steps).header("if-match", "\"v1\"");
        assert_eq!(stale.json(&json!({"do": "publish"})).send().status, 412);
        assert_eq!(
            public()["rating"],
            json!({"count": 1, "mean": "2.00", "stars": {"1": 0, "2": 1, "3": 0, "4": 0, "5": 0}})
        );
        let by_sku = page(&shop, "GET", "products/shoe-42/reviews", None).json();
        assert_eq!(
            (&by_sku["items"][0]["answer"], &by_sku["items"][0]["verified"]),
            (&json!("Take a size more."), &json!(true))
        );
        assert!(!by_sku.to_string().contains(&number), "nobody learns the order: {by_sku}");
        assert_eq!(page(&shop, "GET", "products/nothing/reviews", None).status, 404);
        let shelf = page(&shop, "GET", "shelf/lviv-1/shoe-42", None).json();
        assert_eq!(
            (&shelf["rating"]["mean"], &shelf["reviews"][0]["title"]),
            (&json!("2.00"), &json!("Tight")),
            "{shelf}"
        );
        assert_eq!(get(&shop, "products/shoe/rating")["stars"], json!([0, 1, 0, 0, 0]));

        // Reviews of a marketplace come with their source, all or none.
        let one = |id: &str, rating: i64| json!({"product_id": "shoe", "source": "marketplace", "source_id": id, "rating": rating, "text": "fine"});
        let brought = owner(&shop, "POST", "reviews", &json!({"reviews": [one("m:1", 5), one("m:2", 4)]}));
        assert_eq!(brought["taken"], 2);
        let bad =
            shop.owner("POST", "/api/v1/reviews").json(&json!({"reviews": [one("m:3", 5), one("m:4", 9)]})).send();
        assert_eq!((bad.status, bad.json()["errors"][0]["pointer"].clone()), (422, json!("/reviews/1/rating")));
        let market = get(&shop, "reviews?source=marketplace&limit=1");
        assert_eq!(market["items"].as_array().map(Vec::len), Some(1));
        let next = format!(
            "reviews?source=marketplace&limit=1&cursor={}",
            market["next_cursor"].as_str().expect("a page more")
        );
        assert_ne!(get(&shop, &next)["items"][0]["id"], market["items"][0]["id"]);

        // It stands in the customer's log, in the audit, and in what they are handed over.
        let who = person(&shop, "olena@example.com");
        let events = get(&shop, &format!("customers/{who}/timeline"));
        let told = events["items"].as_array().expect("a list").iter().find(|e| e["event"] == "Product Reviewed");
        let told = told.unwrap_or_else(|| panic!("{events}"));
        assert_eq!((&told["properties"]["product_id"], &told["properties"]["rating"]), (&json!("shoe"), &json!(2)));
        let audit = get(&shop, "audit?limit=20");
        assert!(
            audit["items"]
                .as_array()
                .expect("a list")
                .iter()
                .any(|a| a["object"] == "review" || a.to_string().contains("\"review\"")),
            "{audit}"
        );
        shop.assert_clean();
    }
}
