use super::*;

fn example(name: &str) -> String {
    let path = format!("{}/../../docs/formats/examples/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("an example")
}

fn refused(network: &str, orders: &str) -> (u8, String) {
    let stop = files(network, orders, Path::new("network.json"), Path::new("orders.json")).expect_err("refused");
    (stop.code, stop.error.expect("why").to_string())
}

#[test]
fn mistakes_are_told_with_file_line_and_column() {
    let (network, orders) = (example("network"), example("orders"));
    let quantity = orders.replace("\"sku\": \"towel\", \"quantity\": 1", "\"sku\": \"towel\", \"quantity\": 0");
    let (code, text) = refused(&network, &quantity);
    assert_eq!(
        (code, text.as_str()),
        (2, "orders.json: line 12, column 50: /orders/1/lines/0/quantity: 0 is not between 1 and 100000")
    );
    let lane = network.replace("{ \"from\": \"odesa-2\"", "{ \"from\": \"odesa-3\"");
    let (_, text) = refused(&lane, &orders);
    assert_eq!(text, "network.json: line 15, column 15: /lanes/3/from: there is no location \"odesa-3\"");
    let (code, text) = refused(&network.replace("\"currency\": \"UAH\",", "\"currency\": \"UAH\""), &orders);
    assert_eq!((code, text.as_str()), (2, "network.json: line 3, column 3: expected `,` or `}`"));
    let (_, text) = refused(&network, "{\"orders\": [\n {\"id\": 7}]}");
    assert_eq!(text, "orders.json: line 2, column 9: invalid type: integer `7`, expected a string");
    let (_, text) = refused(
        &network,
        "\u{feff}{\"orders\": [{\"id\": \"ї\", \"zone\": \"z\", \"placed_at\": \"?\", \"lines\": []}]}",
    );
    assert!(text.contains("line 1, column 51"), "{text}");
}

#[test]
fn the_nearest_place_is_found() {
    let text = "{\"a\": [1, {\"b/c\": \"]}\\\"\", \"d\": [ ]}], \"e\": 5}";
    let at = |pointer: &str| of_place(text, pointer);
    fn of_place<'a>(text: &'a str, pointer: &str) -> &'a str {
        &text[place::of(text, pointer).1 - 1..]
    }
    assert!(at("/e").starts_with("5}"));
    assert!(at("/a/0").starts_with("1,"));
    assert!(at("/a/1/b~1c").starts_with("\"]}"));
    assert!(at("/a/1/d").starts_with("[ ]"));
    assert!(at("/a/1/d/3").starts_with("[ ]"), "what does not exist stands where it would");
    assert!(at("/a/7").starts_with("[1"));
    assert!(at("").starts_with("{\"a\""));
}

#[test]
fn figures_of_the_example() {
    let (at, with) = (PathBuf::from("n"), PathBuf::from("o"));
    let (network, orders) = files(&example("network"), &example("orders"), &at, &with).expect("good files");
    let batch = plan(&network, &orders, &Wishes::default(), &Effort::default(), &|_, _, _| {});
    let command = Source { network: at, orders: with, out: None, report: None, seed: 1, threads: None };
    let figures = &report(&command, 1, &network, &orders, &batch, Duration::ZERO)["metrics"];
    let want = json!({"orders": 2, "lines": 4, "units": 4, "units_parked": 1, "lines_parked": 1, "parcels": 2, "co2_g": 900,
        "cost_minor": 20955, "ship": 12055, "handle": 4400, "split": 0, "late": 4500, "proven_optimal": true});
    for (name, value) in want.as_object().expect("figures") {
        assert_eq!(&figures[name], value, "{name}");
    }
}
