//! Promotions one by one: what each effect, condition, limit and way of meeting does.
use super::shop::{basket, lines, priced, promotions, shown, totals, why_not};
use crate::model::CouponState;
use crate::price;
use serde_json::{Value, json};

fn percent(id: &str, percent: i64) -> Value {
    json!({"id": id, "effects": [{"kind": "percent", "percent": percent}]})
}

fn with(mut promotion: Value, more: Value) -> Value {
    for (key, value) in more.as_object().expect("an object") {
        promotion[key] = value.clone();
    }
    promotion
}

#[test]
fn sequential_percentages_take_what_is_left() {
    // Golden: 1000 − 100 − 10 % − 20 % = 1000 → 900 → 810 → 648; the last discount is 162, not 160.
    let steps = json!([
        {"id": "a", "effects": [{"kind": "fixed_per_order", "minor": 100}]}, percent("b", 10), percent("c", 20)
    ]);
    let out = priced(lines(&[1000]), json!({"lanes": [{"id": "only", "mode": "accumulate"}], "promotions": steps}));
    assert_eq!(shown(&out), [(648, "a:100 b:90 c:162".to_string())]);
    // Lanes stack in the same way.
    let lanes = json!([
        with(steps[0].clone(), json!({"lane": "pre"})),
        steps[1],
        with(steps[2].clone(), json!({"lane": "post"}))
    ]);
    let out = priced(lines(&[1000]), json!({"promotions": lanes}));
    assert_eq!(shown(&out), [(648, "a:100 b:90 c:162".to_string())]);
    assert_eq!(out.lines[0].discounts[2].why, "c: 20% of 8.10");
}

#[test]
fn in_a_lane_each_line_takes_what_is_best_for_the_customer() {
    let both = json!([
        percent("tenth", 10),
        {"id": "off", "effects": [{"kind": "fixed_per_line", "minor": 50}]}
    ]);
    let in_mode =
        |mode: &str| priced(lines(&[1000, 300]), json!({"lanes": [{"id": "x", "mode": mode}], "promotions": both}));
    assert_eq!(shown(&in_mode("best")), [(900, "tenth:100".into()), (250, "off:50".into())]);
    assert_eq!(shown(&in_mode("worst")), [(950, "off:50".into()), (270, "tenth:30".into())]);
    assert_eq!(shown(&in_mode("first")), [(900, "tenth:100".into()), (270, "tenth:30".into())]);
    assert_eq!(shown(&in_mode("accumulate")), [(850, "tenth:100 off:50".into()), (220, "tenth:30 off:50".into())]);
    assert_eq!(why_not(&in_mode("first"), "off"), "tenth gives the customer more in lane x");
}

#[test]
fn priority_decides_who_is_first_and_who_wins_a_tie() {
    let of = |mode: &str| {
        let both = json!([percent("later", 10), with(percent("sooner", 10), json!({"priority": -1}))]);
        shown(&priced(lines(&[1000]), json!({"lanes": [{"id": "x", "mode": mode}], "promotions": both})))
    };
    assert_eq!(of("first"), [(900, "sooner:100".into())]);
    assert_eq!(of("best"), [(900, "sooner:100".into())]);
    assert_eq!(of("accumulate"), [(810, "sooner:100 later:90".into())]);
}

#[test]
fn an_exclusive_promotion_applies_alone_or_not_at_all() {
    let of = |alone: i64| {
        let all = json!([
            with(percent("alone", alone), json!({"exclusive": true, "lane": "post"})),
            percent("a", 10),
            with(percent("b", 10), json!({"lane": "pre"}))
        ]);
        priced(lines(&[1000]), json!({"promotions": all}))
    };
    assert_eq!(shown(&of(20)), [(800, "alone:200".into())]);
    assert_eq!(why_not(&of(20), "a"), "alone applies alone");
    assert_eq!(shown(&of(19)), [(810, "alone:190".into())], "a tie goes to the exclusive one");
    assert_eq!(shown(&of(18)), [(810, "b:100 a:90".into())]);
    assert_eq!(why_not(&of(18), "alone"), "it applies alone only, and the other promotions give more");
}

#[test]
fn of_a_group_one_applies() {
    let of = |priority: i64| {
        let all = json!([
            with(percent("small", 5), json!({"group": "sale", "lane": "pre"})),
            with(percent("large", 10), json!({"group": "sale", "priority": priority})),
            with(percent("other", 10), json!({"lane": "post"}))
        ]);
        priced(lines(&[1000]), json!({"promotions": all}))
    };
    assert_eq!(shown(&of(0)), [(810, "large:100 other:90".into())]);
    assert_eq!(why_not(&of(0), "small"), "large of the same group applies");
    assert_eq!(shown(&of(1)), [(855, "small:50 other:95".into())], "a lower number goes before a larger gain");
}

#[test]
fn a_sale_price_is_left_alone_where_the_promotion_says_so() {
    let mut sale = lines(&[1000, 1000]);
    sale["lines"][0]["sale"] = json!(true);
    let rule = with(percent("p", 10), json!({"not_with_sale_price": true}));
    assert_eq!(totals(&priced(sale.clone(), json!({"promotions": [rule]}))), [1000, 900]);
    sale["lines"][1]["sale"] = json!(true);
    assert_eq!(why_not(&priced(sale, json!({"promotions": [rule]})), "p"), "its goods have a sale price already");
}

#[test]
fn a_cap_holds_over_the_order() {
    let rule = with(percent("p", 50), json!({"cap_minor": 100}));
    let out = priced(lines(&[1000, 1000, 1000]), json!({"promotions": [rule]}));
    assert_eq!(totals(&out), [966, 967, 967]);
    assert_eq!(out.applied, [("p".to_string(), 100)]);
}

#[test]
fn dates_limits_and_coupons_decide_who_stands_open() {
    let at = |more: Value| {
        let mut document = lines(&[1000]);
        document["customer"] = json!({"id": "olena", "used": {"p": 2}});
        priced(document, json!({"promotions": [with(percent("p", 10), more)]}))
    };
    // The basket's moment is 2026-11-23T10:00:00Z.
    for (more, wanted) in [
        (json!({"starts_at": "2026-11-23T10:00:00.000001Z"}), "it begins at 2026-11-23T10:00:00.000001Z"),
        (json!({"ends_at": "2026-11-23T10:00:00Z"}), "it ended at 2026-11-23T10:00:00.000000Z"),
        (json!({"limit": 5, "used": 5}), "all 5 uses are spent"),
        (json!({"limit_per_customer": 2}), "the customer has used it 2 times, which is the limit"),
        (json!({"coupons": ["X"]}), "it needs a coupon"),
    ] {
        assert_eq!(why_not(&at(more), "p"), wanted);
    }
    for more in [
        json!({"starts_at": "2026-11-23T10:00:00Z"}),
        json!({"ends_at": "2026-11-23T10:00:00.000001Z"}),
        json!({"limit": 6, "used": 5}),
        json!({"limit_per_customer": 3}),
    ] {
        assert_eq!(totals(&at(more.clone())), [900], "{more}");
    }
    let nobody =
        priced(lines(&[1000]), json!({"promotions": [with(percent("p", 10), json!({"limit_per_customer": 3}))]}));
    assert!(why_not(&nobody, "p").contains("the customer is not known"));
}

#[test]
fn coupons_are_compared_without_blanks_and_case() {
    let mut document = lines(&[1000]);
    document["coupons"] = json!(["  spring10 ", "Spring10", "other", ""]);
    let out = priced(document, json!({"promotions": [with(percent("p", 10), json!({"coupons": ["SPRING10 "]}))]}));
    assert_eq!(totals(&out), [900]);
    assert_eq!(
        out.coupons,
        [("SPRING10".to_string(), CouponState::Applied), ("OTHER".to_string(), CouponState::Unknown)]
    );
}

#[test]
fn conditions_look_at_what_they_say() {
    let document = |more: Value| {
        let mut document = lines(&[1000, 500]);
        document["lines"][0]["categories"] = json!(["shoes/boots"]);
        document["lines"][0]["brand"] = json!("Stezhka");
        document["lines"][1]["tags"] = json!(["new"]);
        document["channel"] = json!("site");
        document["store"] = json!("lviv");
        document["region"] = json!("west");
        document["payment"] = json!("card");
        document["delivery"] = json!("pickup");
        document["customer"] = json!({"id": "olena", "segments": ["vip"], "orders": 3});
        with(document, more)
    };
    let holds = |condition: Value| {
        let rule =
            json!({"id": "p", "conditions": [condition], "effects": [{"kind": "percent", "percent": 10, "on": {}}]});
        let out = priced(document(json!({})), json!({"promotions": [rule]}));
        out.applied.len() == 1
    };
    for (condition, wanted) in [
        (json!({"kind": "products", "on": {"categories": ["shoes"]}}), true),
        (json!({"kind": "products", "on": {"categories": ["shoes/boots"]}}), true),
        (json!({"kind": "products", "on": {"categories": ["shoe"]}}), false),
        (json!({"kind": "products", "on": {"brands": ["Stezhka"], "not": {"skus": ["SKU-1"]}}}), false),
        (json!({"kind": "products", "on": {"tags": ["new"], "skus": ["SKU-1"]}, "quantity_min": 2}), true),
        (json!({"kind": "products", "on": {"tags": ["new"]}, "quantity_min": 2}), false),
        (json!({"kind": "quantity", "min": 2, "max": 2}), true),
        (json!({"kind": "quantity", "min": 3}), false),
        (json!({"kind": "amount", "min_minor": 1500}), true),
        (json!({"kind": "amount", "min_minor": 1501}), false),
        (json!({"kind": "amount", "on": {"tags": ["new"]}, "max_minor": 499}), false),
        (json!({"kind": "channel", "in": ["app", "site"]}), true),
        (json!({"kind": "store", "in": ["kyiv"]}), false),
        (json!({"kind": "region", "in": ["west"]}), true),
        (json!({"kind": "payment", "in": ["card"]}), true),
        (json!({"kind": "delivery", "in": ["courier"]}), false),
        (json!({"kind": "segment", "in": ["vip"]}), true),
        (json!({"kind": "customer", "in": ["taras"]}), false),
        (json!({"kind": "customer", "in": ["olena"]}), true),
        (json!({"kind": "first_order"}), false),
        (json!({"kind": "orders", "min": 3, "max": 3}), true),
        (json!({"kind": "not", "condition": {"kind": "first_order"}}), true),
        (json!({"kind": "any", "conditions": [{"kind": "first_order"}, {"kind": "store", "in": ["lviv"]}]}), true),
    ] {
        assert_eq!(holds(condition.clone()), wanted, "{condition}");
    }
    let rule = json!({"id": "p", "match": "any", "conditions": [{"kind": "first_order"}, {"kind": "store", "in": ["lviv"]}], "effects": [{"kind": "percent", "percent": 10}]});
    assert_eq!(priced(document(json!({})), json!({"promotions": [rule]})).applied.len(), 1);
    let rule = json!({"id": "p", "conditions": [{"kind": "amount", "min_minor": 2000}], "effects": [{"kind": "percent", "percent": 10}]});
    let out = priced(document(json!({})), json!({"promotions": [rule]}));
    assert_eq!(why_not(&out, "p"), "it needs goods for at least 20.00; the basket has 15.00");
}

#[test]
fn effects_take_off_what_they_say() {
    let of = |pieces: &[(i64, Value)], effect: Value| {
        let lines: Vec<Value> = pieces.iter().enumerate().map(|(at, (minor, quantity))| json!({"id": at.to_string(), "sku": format!("S{at}"), "quantity": quantity, "price_minor": minor})).collect();
        totals(&priced(
            json!({"currency": "UAH", "lines": lines}),
            json!({"promotions": [{"id": "p", "effects": [effect]}]}),
        ))
    };
    let one = |minor: i64| (minor, json!(1));
    assert_eq!(
        of(&[one(1000), one(1000), one(1000)], json!({"kind": "fixed_per_order", "minor": 100})),
        [966, 967, 967]
    );
    assert_eq!(of(&[one(50)], json!({"kind": "fixed_per_order", "minor": 100})), [0], "never below nothing");
    assert_eq!(of(&[one(1000), one(50)], json!({"kind": "fixed_per_line", "minor": 100})), [900, 0]);
    assert_eq!(of(&[(1000, json!(3))], json!({"kind": "fixed_per_unit", "minor": 100})), [2700]);
    assert_eq!(of(&[(1000, json!(0.35))], json!({"kind": "fixed_per_unit", "minor": 100})), [315]);
    assert_eq!(of(&[(1000, json!(2)), one(500)], json!({"kind": "fixed_price", "minor": 700})), [1400, 500]);
    // Every third is free, the cheapest of all.
    assert_eq!(of(&[(1000, json!(2)), one(300)], json!({"kind": "cheapest_free", "every": 3})), [2000, 0]);
    assert_eq!(of(&[(1000, json!(5)), one(1200)], json!({"kind": "cheapest_free", "every": 3})), [3000, 1200]);
    assert_eq!(of(&[(1000, json!(2))], json!({"kind": "cheapest_free", "every": 3})), [2000]);
    assert_eq!(of(&[(1000, json!(2))], json!({"kind": "cheapest_free", "every": 2, "percent": 50})), [1500]);
    assert_eq!(of(&[(1000, json!(7))], json!({"kind": "buy_get", "buy": 2, "get": 1})), [5000]);
    assert_eq!(of(&[(1000, json!(7))], json!({"kind": "buy_get", "buy": 2, "get": 1, "times_max": 1})), [6000]);
    let other = json!({"kind": "buy_get", "buy": 2, "get": 1, "on": {"skus": ["S0"]}, "get_on": {"skus": ["S1"]}, "percent": 50});
    assert_eq!(
        of(&[(1000, json!(5)), (600, json!(3))], other.clone()),
        [5000, 1200],
        "two pairs bought, two halves given"
    );
    assert_eq!(of(&[(1000, json!(1)), (600, json!(3))], other), [1000, 1800]);
    // What is given may be what is bought, as long as enough is left to be bought.
    let both =
        json!({"kind": "buy_get", "buy": 2, "get": 1, "on": {"skus": ["S0", "S1"]}, "get_on": {"skus": ["S1", "S2"]}});
    assert_eq!(of(&[one(1000), one(100), one(300)], both), [1000, 100, 0]);
    let bundle = json!({"kind": "bundle_price", "minor": 1200, "items": [{"on": {"skus": ["S0"]}, "quantity": 1}, {"on": {"skus": ["S1"]}, "quantity": 2}]});
    assert_eq!(of(&[one(1000), (300, json!(3))], bundle.clone()), [750, 750], "1600 for 1200, shared by worth");
    assert_eq!(of(&[one(1000), (300, json!(1))], bundle), [1000, 300]);
    let tiers =
        json!({"kind": "tiers", "by": "amount", "steps": [{"from": 1000, "percent": 5}, {"from": 2000, "minor": 300}]});
    assert_eq!(of(&[one(999)], tiers.clone()), [999]);
    assert_eq!(of(&[one(1000)], tiers.clone()), [950]);
    assert_eq!(of(&[one(1000), one(1000)], tiers), [850, 850]);
    let tiers = json!({"kind": "tiers", "by": "quantity", "steps": [{"from": 2, "percent": 10}]});
    assert_eq!(of(&[(500, json!(2))], tiers), [900]);
}

#[test]
fn effects_without_goods_are_on_those_of_the_condition() {
    let rule = json!({"id": "p", "conditions": [{"kind": "products", "on": {"skus": ["SKU-2"]}}], "effects": [{"kind": "percent", "percent": 10}]});
    assert_eq!(totals(&priced(lines(&[1000, 1000]), json!({"promotions": [rule]}))), [1000, 900]);
    assert_eq!(
        why_not(&priced(lines(&[1000]), json!({"promotions": [rule]})), "p"),
        "it needs 1 of its goods; the basket has 0"
    );
}

#[test]
fn shipping_comes_after_the_goods() {
    let document = |price: i64| with(lines(&[price]), json!({"shipping": {"price_minor": 80}, "tax": {"percent": 20}}));
    let rules = json!([
        percent("tenth", 10),
        {"id": "free", "conditions": [{"kind": "amount", "min_minor": 900}], "effects": [{"kind": "free_shipping"}]},
        {"id": "half", "effects": [{"kind": "free_shipping", "percent": 50, "minor_max": 30}]}
    ]);
    let out = priced(document(1000), json!({"promotions": rules}));
    let shipping = out.shipping.as_ref().expect("shipping");
    assert_eq!((shipping.taxed.total, shipping.taxed.tax(), out.totals.due_minor), (0, 0, 900));
    let out = priced(document(999), json!({"promotions": rules}));
    assert_eq!(out.totals.due_minor, 899 + 50, "what is left after the goods' promotions counts");
    assert_eq!(why_not(&out, "free"), "it needs goods for at least 9.00; the basket has 8.99");
}

#[test]
fn a_personal_price_is_the_customers_list_price() {
    let mut document = lines(&[1000, 1000]);
    document["lines"][0]["personal_minor"] = json!(800);
    document["lines"][1]["personal_minor"] = json!(1200);
    let out = priced(document, json!({"promotions": [percent("p", 10)]}));
    assert_eq!(shown(&out), [(720, "personal-price:200 p:80".into()), (900, "p:100".into())]);
}

#[test]
fn points_are_burned_within_limits_and_earned_on_what_was_paid_r1_r5() {
    // [R1] [R5] Points are earned and spent in one account, whatever the channel, and pay part of a basket.
    let document = |points: i64, balance: i64| {
        with(
            lines(&[10000, 5000]),
            json!({"points": points, "customer": {"id": "olena", "points": balance}, "shipping": {"price_minor": 1000}}),
        )
    };
    let rules = |more: Value| json!({"points": with(json!({"point_minor": 100, "earn_percent": 5, "burn_percent_max": 30}), more), "promotions": []});
    let out = priced(document(20, 300), rules(json!({})));
    assert_eq!(shown(&out), [(8667, "points:1333".into()), (4333, "points:667".into())]);
    assert_eq!((out.points.burned, out.points.burned_minor, out.points.earned), (20, 2000, 6), "5 % of 130.00, cut");
    assert_eq!(out.totals.due_minor, 14000, "shipping is paid in money and earns nothing");
    let out = priced(document(100, 300), rules(json!({})));
    assert_eq!((out.points.burned, out.points.burned_minor), (45, 4500));
    assert!(out.points.why.starts_with("at most 30% of 150.00 can be paid with points"), "{}", out.points.why);
    let out = priced(document(100, 7), rules(json!({})));
    assert_eq!((out.points.burned, out.points.why.split(';').next()), (7, Some("the customer has 7 points")));
    let out = priced(document(100, -7), rules(json!({})));
    assert_eq!(out.points.burned, 0);
    let out = priced(document(9, 300), rules(json!({"burn_min": 10})));
    assert_eq!(out.points.burned, 0);
    // As a way of paying they change no price and no tax.
    let out = priced(document(20, 300), rules(json!({"burn_as": "payment"})));
    assert_eq!(totals(&out), [10000, 5000]);
    assert_eq!(
        (out.totals.total_minor, out.totals.points_minor, out.totals.due_minor, out.points.earned),
        (16000, 2000, 14000, 6)
    );
    // Goods that take no part, and gift cards.
    let mut gift = document(100, 300);
    gift["lines"][0]["gift_card"] = json!(true);
    let out = priced(gift, rules(json!({})));
    assert_eq!((out.points.burned, out.points.earned), (15, 1), "30 % of 50.00; 5 % of the 35.00 that are left");
    let out = priced(document(100, 300), rules(json!({"except": {"skus": ["SKU-1"]}})));
    assert_eq!(out.points.burned, 15);
    let out = priced(document(1, 300), json!({"promotions": []}));
    assert_eq!((out.points.burned, &*out.points.why), (0, "points have no worth here"));
}

#[test]
fn points_are_multiplied_lane_by_lane_r4() {
    // [R4] Who is loyal gets more.
    let document = with(lines(&[10000, 10000]), json!({"customer": {"segments": ["vip"]}}));
    let rules = json!({"points": {"point_minor": 100, "earn_percent": 5}, "promotions": [
        {"id": "double", "conditions": [{"kind": "segment", "in": ["vip"]}], "effects": [{"kind": "points_multiplier", "times": 2}]},
        {"id": "less", "effects": [{"kind": "points_multiplier", "times": 1.5}]},
        {"id": "sku", "lane": "post", "effects": [{"kind": "points_multiplier", "times": 3, "on": {"skus": ["SKU-1"]}}]}
    ]});
    let out = priced(document, rules);
    assert_eq!((out.points.earned, out.lines[0].earned, out.lines[1].earned), (40, 30, 10));
    assert_eq!(out.applied.iter().map(|(id, _)| &**id).collect::<Vec<_>>(), ["double", "less", "sku"]);
}

#[test]
fn cash_is_rounded_on_the_total_only_and_only_cash_is() {
    let document = |payment: &str| with(lines(&[9976, 1]), json!({"country": "UA", "payment": payment}));
    let none = json!({"promotions": []});
    let cash = priced(document("cash"), none.clone());
    assert_eq!((cash.totals.total_minor, cash.totals.rounding_minor, cash.totals.due_minor), (9977, 23, 10000));
    assert_eq!(cash.totals.tax_minor, 1663, "the rounding is not taxed");
    let card = priced(document("card"), none);
    assert_eq!((card.totals.rounding_minor, card.totals.due_minor), (0, 9977));
}

#[test]
fn only_touched_promotions_are_looked_at() {
    let (mut two, mut context) = basket(lines(&[1000, 1000]));
    two.lines[0].categories = vec!["shoes/boots/winter".into()];
    let rules: Vec<Value> = (0..200)
        .map(|n| json!({"id": format!("p{n}"), "effects": [{"kind": "percent", "percent": 10, "on": {"categories": [format!("c{n}")]}}]}))
        .chain([json!({"id": "boots", "effects": [{"kind": "percent", "percent": 10, "on": {"categories": ["shoes/boots"]}}]})])
        .collect();
    let compiled = promotions(json!({"promotions": rules}));
    assert_eq!(compiled.touched(&two.lines, None, &[]), [200]);
    let explained = price(&two, &compiled, &context);
    context.explain = false;
    let quick = price(&two, &compiled, &context);
    assert_eq!((explained.not_applied.len(), quick.not_applied.len()), (200, 0));
    assert_eq!((explained.lines, explained.applied), (quick.lines, quick.applied), "to explain changes no price");
}
