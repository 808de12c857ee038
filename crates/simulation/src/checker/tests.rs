//! The checker on small logs, each spoilt in one way.
use super::*;

/// One order of two hats at 100.00, sent for 50.00, sold from place 1, paid.
fn sound() -> (Log, Tables) {
    let movement = |no, document, reference: &str, from, to, quantity| Movement {
        no,
        document,
        reference: reference.into(),
        variant: 9,
        from: (from, 0),
        to: (to, 0),
        quantity,
    };
    let event = |name: &str| Event {
        name: name.into(),
        order: "A-7".into(),
        total_minor: 25_000,
        shipping_minor: 5_000,
        products: vec![Product { sku: "hat".into(), milli: 2_000, unit_minor: 10_000 }],
    };
    let log = Log {
        movements: vec![movement(1, 1, "", -1, 1, 5_000), movement(2, 2, "order:7", 1, CUSTOMER, 2_000)],
        claims: vec![Claim {
            no: 3,
            line: 0,
            owner: "order:7".into(),
            variant: 9,
            place: 1,
            quantity: 2_000,
            expires: i64::MAX,
            ended: Some(Ended::Fulfilled),
        }],
        paid: vec![Paid { order: 7, refund: false, minor: 25_000 }],
        events: vec![event("Order Completed"), Event { products: vec![], ..event("Order Delivered") }],
        ..Log::default()
    };
    let order = OrderRow {
        no: 7,
        number: "A-7".into(),
        status: "delivered".into(),
        total_minor: 25_000,
        captured_minor: 25_000,
        refunded_minor: 0,
        shipping_minor: 5_000,
        known: true,
        instead: false,
        lines: vec![Line { sku: "hat".into(), variant: 9, milli: 2_000, unit_minor: 10_000 }],
    };
    let tables = Tables { positions: [((9, 1), [3_000, 0, 0, 0])].into(), orders: vec![order] };
    (log, tables)
}

/// What is found once something is spoilt.
fn found(spoil: impl Fn(&mut Log, &mut Tables)) -> Vec<&'static str> {
    let (mut log, mut tables) = sound();
    spoil(&mut log, &mut tables);
    let mut what: Vec<&'static str> = check(&log, &tables, When::AtTheEnd).into_iter().map(|d| d.what).collect();
    what.dedup();
    what
}

#[test]
fn a_sound_log_is_agreed_with() {
    assert_eq!(found(|_, _| {}), Vec::<&str>::new());
}

#[test]
fn what_is_spoilt_is_noticed() {
    let lost = found(|log, _| drop(log.movements.pop()));
    assert!(lost.contains(&"stock") && lost.contains(&"sale") && lost.contains(&"status"), "{lost:?}");
    let twice = found(|log, tables| {
        let again = Movement { no: 4, document: 4, ..log.movements[1].clone() };
        log.movements.push(again);
        tables.positions.insert((9, 1), [1_000, 0, 0, 0]);
    });
    assert!(twice.contains(&"sale") && twice.contains(&"pieces"), "{twice:?}");
    let refund = found(|log, tables| {
        log.paid.push(Paid { order: 7, refund: true, minor: 10_000 });
        log.events.push(Event { name: "Order Refunded".into(), total_minor: 10_000, ..log.events[0].clone() });
        tables.orders[0].refunded_minor = 10_000;
    });
    assert_eq!(refund, ["money"], "two hats stayed, and the money of one went back");
    assert_eq!(found(|log, _| log.claims[0].ended = None), ["claim"]);
    let kept =
        found(|log, _| log.claims.push(Claim { no: 4, owner: "order:8".into(), ended: None, ..log.claims[0].clone() }));
    assert_eq!(kept, ["claim"]);
    let negative = found(|log, tables| {
        log.movements.push(Movement {
            no: 5,
            document: 5,
            reference: String::new(),
            quantity: 4_000,
            ..log.movements[1].clone()
        });
        tables.positions.insert((9, 1), [-1_000, 0, 0, 0]);
    });
    assert!(negative.contains(&"oversold"), "{negative:?}");
    assert_eq!(found(|_, tables| tables.orders[0].status = "returned".into()), ["status"]);
    assert_eq!(found(|log, _| drop(log.events.remove(0))), ["events"]);
    assert_eq!(found(|log, _| log.paid[0].minor = 24_999), ["money"]);
    assert_eq!(found(|log, _| log.paid.push(Paid { order: 8, refund: false, minor: 1 })), ["money"]);
}

#[test]
fn what_came_back_settles_its_money() {
    let back = |log: &mut Log, tables: &mut Tables, minor: i64| {
        log.returns.insert(3, 7);
        log.movements.push(Movement {
            no: 6,
            document: 6,
            reference: "return:3".into(),
            from: (CUSTOMER, 0),
            to: (1, 0),
            quantity: 1_000,
            variant: 9,
        });
        tables.positions.insert((9, 1), [4_000, 0, 0, 0]);
        log.given.push(Given { order: 7, minor, credit: true, claim: false });
        tables.orders[0].status = "partly_returned".into();
    };
    assert_eq!(found(|log, tables| back(log, tables, 10_000)), Vec::<&str>::new());
    assert_eq!(found(|log, tables| back(log, tables, 9_999)), ["money"]);
    let claims = found(|log, tables| {
        log.claims[0].ended = None;
        log.claims[0].expires = 5;
        tables.orders[0].status = "delivered".into();
    });
    assert_eq!(claims, ["claim"]);
    let (mut log, mut tables) = sound();
    log.claims.push(Claim { no: 4, owner: "cart:1".into(), ended: None, quantity: 4_000, ..log.claims[0].clone() });
    tables.orders[0].status = "sent".into();
    let found = check(&log, &tables, When::At(1));
    assert_eq!(found.iter().map(|d| d.what).collect::<Vec<_>>(), ["oversold"], "3 lie there");
}
