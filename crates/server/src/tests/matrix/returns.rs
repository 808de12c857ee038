//! The routes of what comes after the sale.
use super::super::returns::{delivered, post};
use super::{Act, Area, Shop, Value, fresh, json};
use crate::access::Role;

fn id_of(made: &Value) -> String {
    made["id"].as_str().unwrap_or_default().to_string()
}

fn lines() -> Value {
    json!([{"line": 0, "quantity": 1, "reason": "too_small"}])
}

/// A return of an order, approved by the rules.
fn asked(shop: &Shop) -> String {
    let order = delivered(shop, fresh(), 2).0;
    id_of(&post(shop, "returns", &json!({"order_id": order, "lines": lines()})))
}

fn taken(grade: Option<&str>) -> Value {
    let mut line = json!({"line": 0, "quantity": 1});
    if let Some(grade) = grade {
        line["grade"] = grade.into();
    }
    json!({"location_id": "lviv-1", "lines": [line]})
}

/// One whose goods are back.
fn back(shop: &Shop) -> String {
    let id = asked(shop);
    post(shop, &format!("returns/{id}/receive"), &taken(Some("sellable")));
    id
}

/// Money on its way back.
fn refund(shop: &Shop, failed: bool) -> String {
    let made = post(shop, &format!("returns/{}/refund", back(shop)), &json!({}));
    let id = id_of(&made["refunds"][0]);
    if failed {
        post(shop, &format!("refunds/{id}/fail"), &json!({"why": "closed"}));
    }
    id
}

/// An exchange whose first goods are back.
fn exchange(shop: &Shop) -> String {
    let (order, sku) = delivered(shop, fresh(), 1);
    let instead = json!([{"of": 0, "sku": sku, "quantity": 1}]);
    let made = post(shop, "returns", &json!({"order_id": order, "lines": lines(), "instead": instead}));
    let id = id_of(&made);
    post(shop, &format!("returns/{id}/receive"), &taken(Some("sellable")));
    id
}

/// One that waits for a person: the rules do not know it.
fn unasked(shop: &Shop) -> String {
    let mut policy = shop.owner("GET", "/api/v1/returns/policy").send().json();
    policy["approve_by_rule"] = false.into();
    let put = |policy: &Value| shop.owner("PUT", "/api/v1/returns/policy").json(policy).send().status;
    assert_eq!(put(&policy), 200);
    let id = asked(shop);
    policy["approve_by_rule"] = true.into();
    assert_eq!(put(&policy), 200);
    id
}

fn claim(shop: &Shop) -> String {
    id_of(&post(shop, "claims", &json!({"order_id": delivered(shop, fresh(), 2).0, "lines": lines()})))
}

fn denied(shop: &Shop) -> String {
    let id = claim(shop);
    post(shop, &format!("claims/{id}/deny"), &json!({"why": "no picture"}));
    id
}

/// A repair that somebody works on.
fn repair(shop: &Shop, lent: bool) -> String {
    let (order, sku) = delivered(shop, fresh(), 1);
    let body = json!({"kind": "repair", "order_id": order, "line": 0, "paid_by_customer": true});
    let id = id_of(&post(shop, "after-sale", &body));
    post(shop, &format!("after-sale/{id}/step"), &json!({"step": "accept"}));
    if lent {
        post(shop, &format!("after-sale/{id}/lend"), &json!({"sku": sku, "quantity": 1, "location_id": "lviv-1"}));
    }
    id
}

/// What a route of returns is asked with; `None` for others.
pub fn case(shop: &Shop, id: &str) -> Option<(String, Option<Value>, Act)> {
    let (read, write) = (Act::Read(Area::Orders), Act::Write(Area::Orders));
    let case = "after-sale";
    Some(match id {
        "list_returns" => ("returns?state=open".into(), None, read),
        "create_return" => {
            let order = delivered(shop, fresh(), 20).0;
            ("returns".into(), Some(json!({"order_id": order, "lines": lines()})), write)
        }
        "get_return_policy" => ("returns/policy".into(), None, read),
        "put_return_policy" => {
            let policy = shop.owner("GET", "/api/v1/returns/policy").send().json();
            ("returns/policy".into(), Some(policy), Act::Write(Area::Settings))
        }
        "return_rates" => ("returns/rates?limit=5".into(), None, read),
        "get_return" => (format!("returns/{}", asked(shop)), None, read),
        "approve_return" => (format!("returns/{}/approve", unasked(shop)), Some(json!({})), write),
        "deny_return" => (format!("returns/{}/deny", unasked(shop)), Some(json!({"why": "worn"})), write),
        "cancel_return" => (format!("returns/{}/cancel", asked(shop)), None, write),
        "receive_return" => (format!("returns/{}/receive", asked(shop)), Some(taken(Some("outlet"))), write),
        "grade_return" => {
            let id = asked(shop);
            post(shop, &format!("returns/{id}/receive"), &taken(None));
            (format!("returns/{id}/grade"), Some(json!({"line": 0, "nth": 0, "grade": "sellable"})), write)
        }
        "close_return_short" => {
            let order = delivered(shop, fresh(), 2).0;
            let lines = json!([{"line": 0, "quantity": 2, "reason": "defect"}]);
            let id = id_of(&post(shop, "returns", &json!({"order_id": order, "lines": lines})));
            post(shop, &format!("returns/{id}/receive"), &taken(Some("sellable")));
            (format!("returns/{id}/close-short"), None, write)
        }
        "refund_return" => (format!("returns/{}/refund", back(shop)), Some(json!({"paid_out": true})), write),
        "fulfil_exchange" => (format!("returns/{}/fulfil", exchange(shop)), Some(json!({"hand_over": true})), write),
        "turn_into_return" => (format!("returns/{}/turn-into-return", exchange(shop)), None, write),
        "list_refunds" => ("refunds?state=pending".into(), None, read),
        "settle_refund" => (format!("refunds/{}/settle", refund(shop, false)), Some(json!({})), write),
        "fail_refund" => (format!("refunds/{}/fail", refund(shop, false)), Some(json!({"why": "closed"})), write),
        "retry_refund" => (format!("refunds/{}/retry", refund(shop, true)), None, write),
        "credit_refund" => (format!("refunds/{}/credit", refund(shop, true)), Some(json!({"agreed": true})), write),
        "give_goodwill" => {
            let order = delivered(shop, fresh(), 1).0;
            let body = json!({"order_id": order, "amount_minor": 500, "why": "sorry", "key": "k"});
            ("goodwill".into(), Some(body), write)
        }
        "list_claims" => ("claims".into(), None, read),
        "create_claim" => {
            let order = delivered(shop, fresh(), 20).0;
            ("claims".into(), Some(json!({"order_id": order, "lines": lines()})), write)
        }
        "get_claim" => (format!("claims/{}", claim(shop)), None, read),
        "approve_claim" => {
            let body = json!({"resolution": "refund", "answer": "sorry"});
            (format!("claims/{}/approve", claim(shop)), Some(body), write)
        }
        "deny_claim" => (format!("claims/{}/deny", claim(shop)), Some(json!({"why": "no picture"})), write),
        "reopen_claim" => (format!("claims/{}/reopen", denied(shop)), Some(json!({"note": "look"})), write),
        "cancel_claim" => (format!("claims/{}/cancel", claim(shop)), None, write),
        "resolve_claim" => {
            let (id, order) = (claim(shop), "replacement_order_id");
            let made = post(shop, &format!("claims/{id}/approve"), &json!({"resolution": "replacement"}));
            super::super::returns::hand_over(shop, made[order].as_str().unwrap_or_default());
            (format!("claims/{id}/resolve"), None, write)
        }
        "after_of_customer" => ("customers/1/orders".into(), None, read),
        "list_cases" => ("after-sale?state=running&kind=repair".into(), None, read),
        "create_case" => {
            let body = json!({"kind": "instructions", "order_id": delivered(shop, fresh(), 1).0});
            (case.into(), Some(body), write)
        }
        "get_case" => (format!("{case}/{}", repair(shop, false)), None, read),
        "step_case" => (format!("{case}/{}/step", repair(shop, false)), Some(json!({"step": "work"})), write),
        "close_case" => {
            let id = repair(shop, false);
            for step in ["work", "finish"] {
                post(shop, &format!("{case}/{id}/step"), &json!({"step": step}));
            }
            (format!("{case}/{id}/close"), Some(json!({"outcome": "new sole"})), write)
        }
        "assign_case" => {
            let body = json!({"owner": Role::Agent.as_str(), "due_at": "2030-01-01T00:00:00Z"});
            (format!("{case}/{}/assign", repair(shop, false)), Some(body), write)
        }
        "lend_in_case" => {
            let (order, sku) = delivered(shop, fresh(), 1);
            let body = json!({"kind": "repair", "order_id": order, "line": 0, "paid_by_customer": true});
            let id = id_of(&post(shop, case, &body));
            post(shop, &format!("{case}/{id}/step"), &json!({"step": "accept"}));
            let body = json!({"sku": sku, "quantity": 1, "location_id": "lviv-1"});
            (format!("{case}/{id}/lend"), Some(body), write)
        }
        "take_back_loan" => {
            let body = json!({"loan": 0, "location_id": "lviv-1", "grade": "sellable"});
            (format!("{case}/{}/take-back", repair(shop, true)), Some(body), write)
        }
        "note_serial" => {
            let order = delivered(shop, fresh(), 1).0;
            let body = json!({"order_id": order, "line": 0, "serial": format!("sn-{}", fresh())});
            ("sold-serials".into(), Some(body), write)
        }
        _ => return None,
    })
}
