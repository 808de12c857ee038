//! What users of other systems complain about, each as a test (LESSONS, commerce rows 18 to 23).
use super::shop::{basket, lines, now, priced, promotions, shown, totals};
use crate::amounts::Quantity;
use crate::model::BurnAs;
use crate::refunds::of_line;
use crate::{price, wire};
use serde_json::{Value, json};

fn percent(id: &str, lane: &str, percent: i64) -> Value {
    json!({"id": id, "lane": lane, "effects": [{"kind": "percent", "percent": percent}]})
}

#[test]
fn lesson_18_stacked_discounts_have_one_base_and_are_applied_once() {
    let rules = promotions(
        json!({"promotions": [percent("a", "pre", 10), percent("b", "default", 10), {"id": "c", "lane": "post", "effects": [{"kind": "fixed_per_order", "minor": 500}]}]}),
    );
    let (mut cart, context) = basket(lines(&[10000, 3333]));
    let first = price(&cart, &rules, &context);
    assert_eq!(shown(&first)[0].1, "a:1000 b:900 c:375", "each on what the one before left");
    // A fixpoint: whoever prices again finds the same, however often the cart was changed in between.
    let line = cart.lines[1].clone();
    cart.lines.push(crate::model::Line { id: "3".into(), ..line });
    let more = price(&cart, &rules, &context);
    assert_eq!(
        more.lines[0].discounts[..2],
        first.lines[0].discounts[..2],
        "a line more changes no percentage of another"
    );
    cart.lines.pop();
    assert_eq!(price(&cart, &rules, &context), first);
    assert_eq!(price(&cart, &rules, &context), price(&cart.clone(), &rules.clone(), &context.clone()));
}

#[test]
fn lesson_19_a_discount_of_all_is_exactly_nothing() {
    for prices in ["inclusive", "exclusive"] {
        for rounding in ["line", "document"] {
            let mut cart = lines(&[1, 2, 3, 9999, 33]);
            cart["tax"] = json!({"prices": prices, "rounding": rounding, "percent": 20});
            cart["lines"][2]["tax_percent"] = json!(7);
            let out = priced(cart, json!({"promotions": [percent("all", "default", 100)]}));
            for line in &out.lines {
                assert_eq!((line.taxed.net, line.taxed.tax(), line.taxed.total), (0, 0, 0), "{prices} {rounding}");
            }
            assert_eq!((out.totals.net_minor, out.totals.tax_minor, out.totals.due_minor), (0, 0, 0));
        }
    }
}

#[test]
fn lesson_20_promotions_know_priority_exclusion_and_groups() {
    let rules = json!({"promotions": [
        {"id": "group-a", "group": "g", "priority": 1, "effects": [{"kind": "percent", "percent": 30}]},
        {"id": "group-b", "group": "g", "priority": 0, "effects": [{"kind": "percent", "percent": 20}]},
        {"id": "post", "lane": "post", "effects": [{"kind": "percent", "percent": 50}]},
        {"id": "alone", "exclusive": true, "effects": [{"kind": "percent", "percent": 50}]}
    ]});
    let out = priced(lines(&[1000]), rules);
    assert_eq!(shown(&out), [(400, "group-b:200 post:400".into())]);
    let mut why: Vec<&str> = out.not_applied.iter().map(|(id, _)| &**id).collect();
    why.sort_unstable();
    assert_eq!(why, ["alone", "group-a"], "each that lost says why");
}

#[test]
fn lesson_21_a_promotion_that_is_not_touched_costs_nothing() {
    let (cart, mut context) = basket(lines(&[1000, 1000, 1000]));
    context.explain = false;
    let rules = |count: usize| {
        let one = |n: usize| json!({"id": format!("p{n}"), "effects": [{"kind": "cheapest_free", "every": 3, "on": {"skus": [format!("X-{n}")]}}]});
        promotions(json!({"promotions": (0..count).map(one).collect::<Vec<_>>()}))
    };
    for count in [1, 5000] {
        assert_eq!(rules(count).touched(&cart.lines, None, &[]), [0u32; 0], "of {count}");
    }
}

#[test]
fn lesson_22_money_goes_back_without_goods_and_goods_without_money() {
    // What goes back of a line is asked of the stored line alone: no return, no stock, no receipt is needed, and asking changes nothing.
    let out = priced(lines(&[1000]), json!({"promotions": [percent("p", "default", 10)]}));
    let whole = of_line(&out.lines[0], Quantity(0), Quantity::pieces(1), BurnAs::Discount).expect("it goes back");
    assert_eq!(whole.money_minor(), 900);
    assert_eq!(of_line(&out.lines[0], Quantity(0), Quantity::pieces(1), BurnAs::Discount), Ok(whole));
}

#[test]
fn lesson_23_refunds_of_two_returns_with_tax_inside_are_exact() {
    let mut cart = lines(&[3333]);
    cart["lines"][0]["quantity"] = json!(3);
    cart["tax"] = json!({"percent": 20});
    let out =
        priced(cart, json!({"promotions": [{"id": "p", "effects": [{"kind": "fixed_per_order", "minor": 100}]}]}));
    let line = &out.lines[0];
    assert_eq!((line.taxed.total, line.taxed.tax()), (9899, 1650));
    let back: Vec<(i64, i64)> = (0..3)
        .map(|n| of_line(line, Quantity::pieces(n), Quantity::pieces(1), BurnAs::Discount).expect("a piece"))
        .map(|r| (r.total_minor, r.tax_minor))
        .collect();
    assert_eq!(back, [(3300, 550), (3300, 550), (3299, 550)]);
    let four = of_line(line, Quantity::pieces(1), Quantity::pieces(3), BurnAs::Discount).expect_err("one too many");
    assert_eq!(four.to_string(), "line \"1\" has 2 left to return, not 3");
}

#[test]
fn a_cart_offer_ends_when_its_time_ends_r6() {
    // [R6] The offer ends when its timer does.
    let rules = json!({"promotions": [{"id": "timer", "ends_at": "2026-11-23T10:15:00Z", "effects": [{"kind": "percent", "percent": 10}]}]});
    let at = |text: &str| {
        let mut cart = lines(&[1000]);
        cart["at"] = json!(text);
        totals(&priced(cart, rules.clone()))
    };
    assert_eq!(at("2026-11-23T10:14:59.999999Z"), [900]);
    assert_eq!(at("2026-11-23T10:15:00Z"), [1000], "to the second, whatever was shown before");
    let text = lines(&[1000]).to_string();
    let (_, context) = wire::read_basket(&text, now(), &crate::law::presets::find).expect("a basket");
    assert_eq!(context.at, now(), "a basket without a moment has the caller's");
}

#[test]
fn a_personal_coupon_is_for_one_customer_r2_r3() {
    // [R2] [R3] A personal coupon on a category works for its customer alone.
    let rules = json!({"promotions": [{"id": "hers", "coupons": ["OLENA"], "conditions": [{"kind": "customer", "in": ["olena"]}, {"kind": "products", "on": {"categories": ["care"]}}], "effects": [{"kind": "percent", "percent": 20}]}]});
    let of = |customer: &str, category: &str| {
        let mut cart = lines(&[1000]);
        cart["customer"] = json!({"id": customer});
        cart["coupons"] = json!(["olena"]);
        cart["lines"][0]["categories"] = json!([category]);
        totals(&priced(cart, rules.clone()))
    };
    assert_eq!(of("olena", "care/face"), [800]);
    assert_eq!(of("taras", "care/face"), [1000]);
    assert_eq!(of("olena", "toys"), [1000]);
}
