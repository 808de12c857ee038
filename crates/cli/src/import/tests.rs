use super::online_retail_ii::{Invoice, Line};
use super::read::{Contents, read};
use base::{Clock, SystemClock, Timestamp};
use serde_json::Value;

const FILE: &str = include_str!("../../testdata/invoices.csv");

fn contents(text: &str) -> Contents {
    match read(text.as_bytes(), "invoices.csv", SystemClock.now(), |_| {}) {
        Ok(contents) => contents,
        Err(stop) => panic!("{stop:?}"),
    }
}

fn event(contents: &Contents, number: &str) -> Value {
    let invoice = contents.invoices.iter().find(|i| i.number == number).expect("the file has it");
    serde_json::from_str(&invoice.event("Test").expect("some line counts")).expect("JSON")
}

#[test]
fn an_invoice_is_an_order_at_its_earliest_line() {
    let contents = contents(FILE);
    let order = event(&contents, "489434");
    assert_eq!(order["messageId"], "import:Test:489434");
    assert_eq!((&order["event"], &order["userId"]), (&"Order Completed".into(), &"13085".into()));
    // Summer time: 07:44 in London is 06:44 in UTC.
    assert_eq!(order["timestamp"], "2010-06-01T06:44:00.000000Z");
    assert_eq!(order["properties"]["total"], 164.4);
    assert_eq!(order["properties"]["currency"], "GBP");
    assert_eq!(order["properties"]["country"], "United Kingdom");
    assert_eq!(order["properties"]["products"].as_array().map(Vec::len), Some(2));
    assert_eq!(order["properties"]["products"][0]["sku"], "85048");
}

#[test]
fn a_cancellation_is_a_refund_in_positive_numbers() {
    let refund = event(&contents(FILE), "C489449");
    assert_eq!(refund["event"], "Order Refunded");
    assert_eq!(refund["properties"]["order_id"], "489449");
    assert_eq!(refund["properties"].get("original_order"), Some(&Value::Null));
    assert_eq!(refund["properties"]["products"][0]["quantity"], 12);
    assert_eq!(refund["properties"]["total"], 35.4);
    assert_eq!(refund["timestamp"], "2009-12-01T10:33:00.000000Z");
}

#[test]
fn nobody_in_particular_has_no_id_and_bad_rows_are_reported_with_their_line() {
    let contents = contents(FILE);
    assert!(event(&contents, "489500").get("userId").is_none());
    // More decimals than pence: the text stays, the line's total is rounded half away from zero.
    let cheap = event(&contents, "489500");
    assert_eq!(cheap["properties"]["products"][0]["price"], "0.0625");
    assert_eq!(cheap["properties"]["total"], 0.19);
    let bad: Vec<(u64, &str)> = contents.bad.iter().map(|b| (b.line, b.reason.as_str())).collect();
    assert_eq!(
        bad,
        [
            (4, "the price is not above zero"),
            (7, "the price is not above zero"),
            (8, "\"x\" is no quantity"),
            (9, "\"2010-13-01 10:00:00\" is no date and time"),
            (10, "the row lies in the future"),
        ]
    );
    assert_eq!(contents.rows, 9);
    let events = contents.invoices.iter().filter_map(|i| i.event("Test")).count();
    assert_eq!(events, 3);
}

#[test]
fn an_invoice_without_lines_makes_no_event() {
    let empty = Invoice { number: "1".into(), customer_id: None, country: String::new(), lines: Vec::new() };
    assert_eq!(empty.event("Test"), None);
    let line = Line {
        stock_code: "1".into(),
        description: String::new(),
        quantity: 1,
        price: "1".into(),
        total_minor: 100,
        at: Timestamp::default(),
    };
    assert!(Invoice { lines: vec![line], ..empty }.event("Test").is_some());
}

#[test]
fn a_file_with_other_columns_is_refused_with_its_place() {
    let stop = read(&b"invoice,stock\n1,2\n"[..], "f.csv", SystemClock.now(), |_| {}).expect_err("other columns");
    assert_eq!(stop.code, 2);
    let said = stop.error.map(|e| e.to_string()).unwrap_or_default();
    assert_eq!(said, "f.csv line 1 column 2: found \"stock\" instead of \"stock_code\"");
}

#[test]
fn the_whole_year_has_the_known_counts() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/online_retail_ii/year_2009_2010.csv.gz");
    let input = crate::segment::open(std::path::Path::new(file)).expect("the example is there");
    let contents = read(input, file, SystemClock.now(), |_| {}).expect("reads");
    assert_eq!((contents.rows, contents.bad.len()), (525_461, 3_690));
    let counting = contents.invoices.iter().filter(|i| !i.lines.is_empty());
    let refunds = counting.clone().filter(|i| i.is_refund()).count();
    let named = counting.clone().filter(|i| i.customer_id.is_some()).count();
    let customers: std::collections::HashSet<_> = counting.clone().filter_map(|i| i.customer_id.as_ref()).collect();
    assert_eq!((counting.count(), refunds), (25_543, 4_592));
    assert_eq!((named, customers.len()), (23_585, 4_381));
}
