//! Baskets and promotions for tests, written as the JSON that people write.
use crate::model::{Basket, Context, Priced};
use crate::wire::{read_basket, read_promotions};
use crate::{Compiled, price};
use base::Timestamp;
use serde_json::{Value, json};

pub fn now() -> Timestamp {
    Timestamp::parse("2026-11-23T10:00:00Z").expect("a moment")
}

pub fn basket(document: Value) -> (Basket, Context) {
    let text = document.to_string();
    read_basket(&text, now(), &crate::law::presets::find).unwrap_or_else(|e| panic!("{e} in {text}"))
}

pub fn promotions(document: Value) -> Compiled {
    let text = document.to_string();
    read_promotions(&text).unwrap_or_else(|e| panic!("{e} in {text}")).1
}

/// Lines `1`, `2`, … of one piece at these prices.
pub fn lines(prices: &[i64]) -> Value {
    let line = |(at, minor): (usize, &i64)| json!({"id": (at + 1).to_string(), "sku": format!("SKU-{}", at + 1), "quantity": 1, "price_minor": minor});
    json!({"currency": "UAH", "lines": prices.iter().enumerate().map(line).collect::<Vec<_>>()})
}

pub fn priced(basket_document: Value, promotions_document: Value) -> Priced {
    let (basket, context) = basket(basket_document);
    price(&basket, &promotions(promotions_document), &context)
}

/// What each line costs, and each discount as `promotion:minor`.
pub fn shown(priced: &Priced) -> Vec<(i64, String)> {
    let discounts = |line: &crate::model::PricedLine| {
        line.discounts.iter().map(|d| format!("{}:{}", d.promotion, d.minor)).collect::<Vec<_>>().join(" ")
    };
    priced.lines.iter().map(|line| (line.taxed.total, discounts(line))).collect()
}

pub fn totals(priced: &Priced) -> Vec<i64> {
    priced.lines.iter().map(|line| line.taxed.total).collect()
}

/// Why a promotion did not apply.
pub fn why_not(priced: &Priced, promotion: &str) -> String {
    let found = priced.not_applied.iter().find(|(id, _)| id == promotion);
    found.map(|(_, why)| why.to_string()).unwrap_or_else(|| panic!("{promotion} applied: {:?}", priced.applied))
}
