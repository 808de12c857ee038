use super::{Ordered, Policy, RefundError, Returned, of_order};
use crate::amounts::Quantity;
use crate::model::BurnAs;
use crate::price;
use crate::tests::shop::{basket, lines, promotions};
use serde_json::json;

fn back(line: &str, pieces: i64) -> Returned {
    Returned { line: line.into(), quantity: Quantity::pieces(pieces) }
}

#[test]
fn a_partial_return_follows_its_policy() {
    // Three for the price of two; one comes back.
    let mut cart = lines(&[3000]);
    cart["lines"][0]["quantity"] = json!(3);
    let (cart, context) = basket(cart);
    let rules =
        promotions(json!({"promotions": [{"id": "third", "effects": [{"kind": "cheapest_free", "every": 3}]}]}));
    let priced = price(&cart, &rules, &context);
    assert_eq!(priced.totals.total_minor, 6000);
    let order =
        Ordered { priced: &priced, basket: &cart, promotions: &rules, context: &context, burn_as: BurnAs::Discount };
    let total = |of: Vec<(String, super::Refund)>| of.iter().map(|(_, r)| r.total_minor).sum::<i64>();
    let one = [back("1", 1)];
    assert_eq!(total(of_order(&order, (&[], 0), &one, Policy::Prorate).expect("it goes back")), 2000);
    assert_eq!(total(of_order(&order, (&[], 0), &one, Policy::Recompute).expect("it goes back")), 0, "two cost 60.00");
    let rest = of_order(&order, (&one, 0), &[back("1", 2)], Policy::Recompute).expect("it goes back");
    assert_eq!(total(rest), 6000, "all that was paid, at the latest with the last piece");
}

#[test]
fn a_threshold_that_is_lost_is_taken_into_account_where_the_policy_says_so() {
    let (cart, context) = basket(lines(&[10000, 5000]));
    let rules = promotions(
        json!({"promotions": [{"id": "p", "conditions": [{"kind": "amount", "min_minor": 15000}], "effects": [{"kind": "percent", "percent": 10}]}]}),
    );
    let priced = price(&cart, &rules, &context);
    let order =
        Ordered { priced: &priced, basket: &cart, promotions: &rules, context: &context, burn_as: BurnAs::Discount };
    let of = |policy| of_order(&order, (&[], 0), &[back("2", 1)], policy).expect("it goes back")[0].1.total_minor;
    assert_eq!((of(Policy::Prorate), of(Policy::Recompute)), (4500, 3500), "13500 paid, 10000 for what is kept");
}

#[test]
fn points_go_back_and_are_taken_back_in_parts() {
    let mut cart = lines(&[1000]);
    cart["lines"][0]["quantity"] = json!(3);
    cart["points"] = json!(10);
    cart["customer"] = json!({"points": 10});
    let (cart, context) = basket(cart);
    for (burn_as, name) in [(BurnAs::Discount, "discount"), (BurnAs::Payment, "payment")] {
        let rules =
            promotions(json!({"points": {"point_minor": 100, "earn_percent": 50, "burn_as": name}, "promotions": []}));
        let priced = price(&cart, &rules, &context);
        let order = Ordered { priced: &priced, basket: &cart, promotions: &rules, context: &context, burn_as };
        let mut seen = Vec::new();
        let mut before = Vec::new();
        for _ in 0..3 {
            let now = [back("1", 1)];
            let refund = of_order(&order, (&before, 0), &now, Policy::Prorate).expect("it goes back")[0].1;
            seen.push((refund.money_minor(), refund.points_back, refund.points_taken));
            before.extend(now);
        }
        // Paid with points as a discount 2000 are split; as a payment 3000 less the points' 1000, each split.
        let wanted = match burn_as {
            BurnAs::Discount => [(667, 4, 4), (667, 3, 3), (666, 3, 3)],
            BurnAs::Payment => [(666, 4, 4), (667, 3, 3), (667, 3, 3)],
        };
        assert_eq!(seen, wanted, "{name}");
        assert_eq!(seen.iter().map(|s| s.0).sum::<i64>(), 2000);
    }
}

#[test]
fn what_cannot_go_back_is_refused() {
    let (cart, context) = basket(lines(&[1000]));
    let rules = promotions(json!({"promotions": []}));
    let priced = price(&cart, &rules, &context);
    let order =
        Ordered { priced: &priced, basket: &cart, promotions: &rules, context: &context, burn_as: BurnAs::Discount };
    let of = |now: &[Returned]| of_order(&order, (&[], 0), now, Policy::Prorate).expect_err("it is refused");
    assert_eq!(of(&[back("9", 1)]), RefundError::NoLine { line: "9".into() });
    assert_eq!(of(&[back("1", 0)]), RefundError::Nothing { line: "1".into() });
    assert_eq!(of(&[back("1", 1), back("1", 1)]).to_string(), "line \"1\" has 0 left to return, not 1");
}

#[test]
fn points_of_what_is_gone_do_not_pay_for_what_is_kept() {
    // Two at 10.00, 500 points burned for 5.00: one brings 7.50 and 250 points under either policy, as no discount is lost.
    let mut cart = lines(&[1000]);
    cart["lines"][0]["quantity"] = json!(2);
    cart["points"] = json!(500);
    cart["customer"] = json!({"points": 500});
    let (cart, context) = basket(cart);
    for (burn_as, name, total) in [(BurnAs::Discount, "discount", 750), (BurnAs::Payment, "payment", 1000)] {
        let rules = promotions(json!({"points": {"point_minor": 1, "burn_as": name}, "promotions": []}));
        let priced = price(&cart, &rules, &context);
        let order = Ordered { priced: &priced, basket: &cart, promotions: &rules, context: &context, burn_as };
        for policy in [Policy::Prorate, Policy::Recompute] {
            let one = of_order(&order, (&[], 0), &[back("1", 1)], policy).expect("it goes back")[0].1;
            assert_eq!((one.total_minor, one.points_back, one.money_minor()), (total, 250, 750), "{name} {policy:?}");
        }
    }
}
