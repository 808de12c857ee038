//! What is kept is priced again when some of an order goes, where the shop promised so. Sums by hand, and those of `loyalty::refunds`.
use super::shop::*;
use crate::OrderError;
use crate::after::commands::{Pay, account_of};
use crate::after::model::*;
use crate::commands::{self, Edit};
use crate::model::{Delivery, Order};
use crate::states::payment::Action;
use loyalty::refunds::Policy as Refunds;
use loyalty::rules::{self, Kind};
use serde_json::{Value, json};
use std::sync::Arc;

fn promise(world: &World, refunds: Refunds) {
    world.does(move |tx| {
        let mut settings = (*commands::settings(tx)?.1).clone();
        settings.policy.refunds = refunds;
        commands::put_settings(tx, &settings).map(drop)
    });
}

fn promotion(world: &World, document: Value) {
    world.does(move |tx| {
        let id = document["id"].as_str().expect("an id").to_string();
        let kept = rules::put(tx, Kind::Promotion, &id, None, &document.to_string(), "boss");
        kept.map(drop).map_err(|e| OrderError::field("/", e.to_string()))
    });
}

fn third_free(world: &World) {
    promotion(world, json!({"id": "third", "effects": [{"kind": "cheapest_free", "every": 3}]}));
}

fn ten_percent_from(world: &World, min_minor: i64) {
    let conditions = json!([{"kind": "amount", "min_minor": min_minor}]);
    promotion(world, json!({"id": "tenth", "conditions": conditions, "effects": [{"kind": "percent", "percent": 10}]}));
}

/// Pieces come back, and their money is handed out.
fn come_back(world: &World, p: &Place, of: i64, (line, units, reason): (usize, i64, Reason)) -> Arc<Return> {
    let no = ask(world, of, vec![wanted(line, units, reason)]).expect("it is asked").no;
    receive(world, no, p.lviv, vec![got(0, units, Some(Grade::Sellable))]).expect("it came");
    refund(world, no, Pay { paid_out: true, ..Pay::default() }).expect("it is paid out")
}

fn history(world: &World, no: i64) -> String {
    let rows = world.does(move |tx| Ok(commands::history_of(tx, no)?));
    rows.into_iter().map(|h| format!("{} {}", h.what, h.detail)).collect::<Vec<_>>().join("\n")
}

fn money(order: &Order) -> (i64, i64) {
    let sums = order.sums();
    (sums.captured - sums.refunded, order.open_minor())
}

#[test]
fn of_three_for_the_price_of_two_one_comes_back() {
    each(|world, p| {
        third_free(world);
        // By shares, as shops do that say nothing: a third of what was paid.
        let sold = delivered(world, &[(p.hat, 3)]);
        assert_eq!((sold.body.total_minor, sold.body.priced_from.is_none()), (69_900, true));
        assert_eq!(come_back(world, &p, sold.no, (0, 1, Reason::NotLiked)).body.total_minor, 20_000);
        promise(world, Refunds::Recompute);
        let sold = delivered(world, &[(p.hat, 3)]);
        // What the shop promised holds for that order, whatever it promises and gives later.
        promise(world, Refunds::Prorate);
        promotion(world, json!({"id": "third", "effects": [{"kind": "percent", "percent": 50}]}));
        let one = come_back(world, &p, sold.no, (0, 1, Reason::NotLiked));
        assert_eq!(
            (one.body.total_minor, one.body.lost_discount_minor),
            (0, 20_000),
            "two cost 600.00, which was paid"
        );
        assert_eq!(stage(&one), "refunded");
        let words = "200.00 less than its share goes back: \"third\" does not hold for what stays";
        assert_eq!(one.answer, words, "the customer reads why");
        assert!(history(world, sold.no).contains(&words.replace('"', "\\\"")), "{}", history(world, sold.no));
        assert_eq!(money(&order(world, sold.no)), (69_900, 0), "and owes nothing for it");
        let rest = come_back(world, &p, sold.no, (0, 2, Reason::NotLiked));
        assert_eq!(
            (rest.body.total_minor, &*rest.answer),
            (60_000, ""),
            "all that was paid, at the latest with the last"
        );
        assert_eq!(money(&order(world, sold.no)), (9_900, 0));
    });
}

#[test]
fn a_fault_of_ours_costs_nobody_a_discount() {
    each(|world, p| {
        third_free(world);
        promise(world, Refunds::Recompute);
        let sold = delivered(world, &[(p.hat, 3)]);
        let one = come_back(world, &p, sold.no, (0, 1, Reason::Defect));
        assert_eq!((one.body.total_minor, one.body.lost_discount_minor), (20_000, 0));
        assert_eq!(money(&order(world, sold.no)), (49_900, 0));
    });
}

#[test]
fn below_the_threshold_the_discount_is_lost() {
    each(|world, p| {
        // 1300.01 with 10 % off is 1170.01; without the hat there is nothing off.
        ten_percent_from(world, 130_001);
        for (refunds, hat, boots) in [(Refunds::Prorate, 27_000, 90_001), (Refunds::Recompute, 17_000, 100_001)] {
            promise(world, refunds);
            let sold = delivered(world, &[(p.hat, 1), (p.small, 1)]);
            assert_eq!(sold.body.total_minor, 117_001 + 9_900);
            let first = come_back(world, &p, sold.no, (0, 1, Reason::NotLiked));
            assert_eq!(first.body.total_minor, hat, "{refunds:?}");
            let back = order(world, sold.no);
            assert_eq!(money(&back), (117_001 + 9_900 - hat, 0), "{refunds:?}");
            assert_eq!(come_back(world, &p, sold.no, (1, 1, Reason::NotLiked)).body.total_minor, boots);
            assert_eq!(money(&order(world, sold.no)), (9_900, 0));
        }
    });
}

#[test]
fn what_is_called_off_before_it_left_follows_the_same_rule() {
    each(|world, p| {
        ten_percent_from(world, 130_001);
        for (refunds, owed) in [(Refunds::Prorate, 90_001), (Refunds::Recompute, 100_001)] {
            promise(world, refunds);
            let cart = world
                .cart(&[(p.hat, 1), (p.small, 1)], Delivery::Ship { option: "courier".into(), price_minor: 9_900 });
            let no = world.checkout(cart).expect("it is ordered").no;
            world.pay(no, Action::Capture, &format!("c-{no}"), 126_901).expect("it is paid");
            let part = order(world, no).body.parts.iter().position(|part| part.line == 0).expect("a part");
            world.does(move |tx| commands::cancel(tx, no, Some(&[part]), (false, "no", "agent")));
            let left = order(world, no);
            assert_eq!((left.owed_minor(), left.open_minor()), (owed + 9_900, 0), "{refunds:?}");
            assert_eq!(left.owing().surplus_minor(), 117_001 - owed, "it is to go back");
            let said = history(world, no).contains("does not hold for what stays");
            assert_eq!(said, refunds == Refunds::Recompute);
            world.pay(no, Action::Refund, &format!("r-{no}"), 117_001 - owed).expect("it goes back");
            hand_over(world, no);
            assert_eq!(
                come_back(world, &p, no, (1, 1, Reason::NotLiked)).body.total_minor,
                owed,
                "and so does the rest"
            );
            assert_eq!(money(&order(world, no)), (9_900, 0));
        }
    });
}

#[test]
fn of_a_changed_order_the_changed_price_is_the_whole() {
    each(|world, p| {
        third_free(world);
        promise(world, Refunds::Recompute);
        let cart = world.cart(&[(p.hat, 1)], Delivery::Ship { option: "courier".into(), price_minor: 9_900 });
        let no = world.checkout(cart).expect("it is ordered").no;
        promise(world, Refunds::Prorate);
        let edit = Edit { lines: Some(vec![(p.hat, q(3))]), ..Edit::default() };
        let changed = world.does(move |tx| commands::edit(tx, no, &edit, &shop(), "agent"));
        assert_eq!((changed.body.total_minor, changed.body.priced_from.is_some()), (69_900, true));
        world.pay(no, Action::Capture, "c-1", 69_900).expect("it is paid");
        hand_over(world, no);
        assert_eq!(come_back(world, &p, no, (0, 1, Reason::NotLiked)).body.total_minor, 0);
    });
}

/// In any order of parts the sums are those of the pure rule.
#[test]
fn orders_give_what_the_pure_rule_gives() {
    each(|world, p| {
        third_free(world);
        ten_percent_from(world, 200_000);
        promise(world, Refunds::Recompute);
        for steps in [[(0, 1), (1, 1), (0, 2)], [(1, 1), (0, 2), (0, 1)], [(0, 2), (0, 1), (1, 1)]] {
            let sold = delivered(world, &[(p.hat, 3), (p.large, 2)]);
            let body = sold.body.clone();
            let (basket, context) = body.priced_from.as_ref().and_then(|from| from.again(&sold)).expect("it is kept");
            let rules = world.does(move |tx| Ok(rules::rules_of(tx, body.rules)?));
            let priced = loyalty::price(&basket, &rules.compiled, &context);
            let totals = |lines: &[loyalty::model::PricedLine]| lines.iter().map(|l| l.taxed.total).collect::<Vec<_>>();
            let kept: Vec<i64> = sold.body.lines.iter().map(|line| line.total_minor).collect();
            assert_eq!(totals(&priced.lines), kept, "the order can be priced again as it was");
            let pure = loyalty::refunds::Ordered {
                priced: &priced,
                basket: &basket,
                promotions: &rules.compiled,
                context: &context,
                burn_as: loyalty::model::BurnAs::Discount,
            };
            let (mut before, mut minor) = (vec![], 0);
            for (line, units) in steps {
                let now = [loyalty::refunds::Returned {
                    line: line.to_string(),
                    quantity: loyalty::amounts::Quantity::pieces(units),
                }];
                let wanted = loyalty::refunds::of_order(&pure, (&before, minor), &now, Refunds::Recompute);
                let wanted: i64 = wanted.expect("it goes back").iter().map(|(_, r)| r.total_minor).sum();
                let row = come_back(world, &p, sold.no, (line, units, Reason::ChangedMind));
                assert_eq!(row.body.total_minor, wanted, "{steps:?}");
                minor += wanted;
                before.extend(now);
            }
            let no = sold.no;
            let account = world.does(move |tx| Ok(account_of(tx, no)?));
            assert_eq!((account.repriced_minor, account.let_go_minor), (minor, minor));
        }
    });
}
