//! Orders in an export of a person: baskets, orders with what came after them, store credit, advice in a shop.
use super::gather::{Section, Staff};
use catalog::variants;
use customers::PersonView;
use db::{DbError, Tx};
use orders::OrderError;
use orders::model::Delivery;
use orders::personal::{self, Held};
use serde_json::{Value, json};

fn stored(error: OrderError) -> DbError {
    match error {
        OrderError::Store(error) => error,
        // Nothing else can go wrong in reading; if it does, the export says so rather than leave something out.
        other => DbError::damaged("orders", other),
    }
}

/// The sections of orders.
pub fn sections(tx: &mut Tx, view: &PersonView, staff: &mut Staff) -> Result<Vec<Section>, DbError> {
    let names: Vec<(&str, &str)> = view.identifiers.iter().map(|i| (&*i.kind, &*i.value)).collect();
    let held = personal::held(tx, &names).map_err(stored)?;
    Ok(vec![
        orders(tx, &held)?,
        order_lines(&held),
        baskets(tx, &held)?,
        returns(&held, staff),
        claims(&held, staff),
        after_sale(&held, staff),
        refunds(&held),
        store_credit(&held),
        advice(tx, &held, staff)?,
        reviews(&held),
    ])
}

fn orders(tx: &mut Tx, held: &Held) -> Result<Section, DbError> {
    let places = stock::commands::places(tx)?;
    let rows = held.orders.iter().map(|o| {
        let (kind, place) = match &o.body.delivery {
            Delivery::PickUp { location_no } => ("pickup", places.get(*location_no).map(|l| l.id.to_string())),
            Delivery::Ship { option, .. } => (option.as_str(), None),
        };
        let paid: Vec<Value> = o
            .body
            .payments
            .iter()
            .map(|p| json!({"provider": p.provider, "state": p.state.as_str(), "captured": p.captured_minor, "refunded": p.refunded_minor}))
            .collect();
        json!({"order_number": o.body.number, "at": o.placed_at, "state": o.status().as_str(), "channel": o.body.channel,
            "name": o.contact.name, "email": o.contact.email, "phone": o.contact.phone, "address": o.contact.address,
            "delivery": kind, "place": place, "total": o.body.total_minor, "currency": o.body.currency, "payments": paid})
    });
    let fields = &[
        "order_number",
        "at",
        "state",
        "channel",
        "name",
        "email",
        "phone",
        "address",
        "delivery",
        "place",
        "total",
        "currency",
        "payments",
    ];
    Ok(Section::new("orders_placed", fields, rows.collect()))
}

fn order_lines(held: &Held) -> Section {
    let mut rows = Vec::new();
    for order in &held.orders {
        for line in &order.body.lines {
            let quantity = base::Quantity::from_milli(line.milli).to_string();
            rows.push(json!({"order_number": order.body.number, "sku": line.sku, "quantity": quantity, "total": line.total_minor,
                "currency": order.body.currency}));
        }
    }
    Section::new("order_lines", &["order_number", "sku", "quantity", "total", "currency"], rows)
}

fn baskets(tx: &mut Tx, held: &Held) -> Result<Section, DbError> {
    let mut rows = Vec::new();
    for cart in held.carts.iter().filter(|cart| cart.order_no.is_none()) {
        let mut goods = Vec::with_capacity(cart.body.lines.len());
        for line in &cart.body.lines {
            let sku = variants::get(tx, line.variant_no)?.map_or_else(String::new, |v| v.sku.to_string());
            goods.push(json!({"sku": sku, "quantity": line.quantity().to_string()}));
        }
        let c = &cart.contact;
        rows.push(json!({"at": cart.updated_at, "channel": cart.body.channel, "name": c.name, "email": c.email, "phone": c.phone,
            "address": c.address, "goods": goods}));
    }
    Ok(Section::new("baskets", &["at", "channel", "name", "email", "phone", "address", "goods"], rows))
}

fn number(held: &Held, order_no: i64) -> Value {
    held.orders.iter().find(|o| o.no == order_no).map_or(Value::Null, |o| o.body.number.clone().into())
}

fn returns(held: &Held, staff: &mut Staff) -> Section {
    let mut rows = Vec::new();
    for r in &held.returns {
        let goods: Vec<Value> = r
            .body
            .lines
            .iter()
            .map(|l| json!({"sku": l.sku, "quantity": base::Quantity::from_milli(l.milli).to_string(), "reason": l.reason.as_str()}))
            .collect();
        rows.push(json!({"order_number": number(held, r.order_no), "kind": r.stage.kind(), "state": r.stage.as_str(), "at": r.opened_at,
            "receipt": r.receipt, "name": r.contact.name, "email": r.contact.email, "phone": r.contact.phone, "goods": goods,
            "note": r.note, "answer": r.answer, "photos": r.photos, "total": r.body.total_minor, "currency": r.body.currency,
            "by": staff.hide(&r.body.decided_by)}));
    }
    let fields = &[
        "order_number",
        "kind",
        "state",
        "at",
        "receipt",
        "name",
        "email",
        "phone",
        "goods",
        "note",
        "answer",
        "photos",
        "total",
        "currency",
        "by",
    ];
    Section::new("returns", fields, rows)
}

fn claims(held: &Held, staff: &mut Staff) -> Section {
    let mut rows = Vec::new();
    for c in &held.claims {
        let lines: Vec<Value> = c
            .body
            .lines
            .iter()
            .map(|l| json!({"line": l.line, "quantity": base::Quantity::from_milli(l.milli).to_string(), "reason": l.reason.as_str()}))
            .collect();
        rows.push(json!({"order_number": number(held, c.order_no), "state": c.state.as_str(), "at": c.opened_at, "goods": lines,
            "note": c.note, "answer": c.answer, "photos": c.photos, "total": c.body.refund_minor,
            "by": staff.hide(&c.body.decided_by)}));
    }
    let fields = &["order_number", "state", "at", "goods", "note", "answer", "photos", "total", "by"];
    Section::new("claims", fields, rows)
}

fn after_sale(held: &Held, staff: &mut Staff) -> Section {
    let mut rows = Vec::new();
    for c in &held.cases {
        rows.push(json!({"order_number": number(held, c.order_no), "kind": c.kind.as_str(), "state": c.state.as_str(), "serial": c.serial,
            "note": c.note, "outcome": c.outcome, "at": c.opened_at, "due_at": c.due_at, "by": staff.hide(&c.owner)}));
    }
    let fields = &["order_number", "kind", "state", "serial", "note", "outcome", "at", "due_at", "by"];
    Section::new("after_sale", fields, rows)
}

fn refunds(held: &Held) -> Section {
    let rows = held.refunds.iter().map(|r| {
        json!({"order_number": number(held, r.order_no), "state": r.state.as_str(), "total": r.amount_minor, "currency": r.currency,
            "way": r.provider, "why": r.why, "at": r.at})
    });
    Section::new("refunds", &["order_number", "state", "total", "currency", "way", "why", "at"], rows.collect())
}

fn store_credit(held: &Held) -> Section {
    let mut rows = Vec::new();
    for (account, posted) in &held.credit {
        let balance = account.balance_minor;
        for p in posted {
            rows.push(json!({"code": account.code, "currency": account.currency, "balance": balance, "what": p.what, "total": p.minor,
                "why": p.why, "at": p.at}));
        }
        if posted.is_empty() {
            rows.push(json!({"code": account.code, "currency": account.currency, "balance": balance, "at": account.opened_at}));
        }
    }
    Section::new("store_credit", &["code", "currency", "balance", "what", "total", "why", "at"], rows)
}

fn advice(tx: &mut Tx, held: &Held, staff: &mut Staff) -> Result<Section, DbError> {
    let places = stock::commands::places(tx)?;
    let mut rows = Vec::new();
    for c in &held.consultations {
        let mut goods = Vec::with_capacity(c.goods.len());
        for g in &c.goods {
            let sku = variants::get(tx, g.variant_no)?.map_or_else(String::new, |v| v.sku.to_string());
            goods.push(json!({"sku": sku, "tried": g.tried, "liked": g.liked}));
        }
        rows.push(
            json!({"at": c.opened_at, "place": places.get(c.location_no).map(|l| l.id.to_string()), "goods": goods,
            "note": c.note, "by": staff.hide(&c.seller)}),
        );
    }
    Ok(Section::new("consultations", &["at", "place", "goods", "note", "by"], rows))
}

fn reviews(held: &Held) -> Section {
    let rows = held.reviews.iter().map(|r| {
        let order = held.orders.iter().find(|o| Some(o.no) == r.bought.map(|(no, _)| no));
        let line = order.zip(r.bought).and_then(|(o, (_, line))| o.body.lines.get(line));
        json!({"at": r.written_at, "order_number": order.map(|o| o.body.number.clone()), "sku": line.map(|l| l.sku.clone()),
            "rating": r.written.rating, "headline": r.written.title, "review": r.written.text, "name": r.written.name,
            "state": r.state.as_str(), "reason": r.reason, "answer": r.answer})
    });
    let fields = &["at", "order_number", "sku", "rating", "headline", "review", "name", "state", "reason", "answer"];
    Section::new("product_reviews", fields, rows.collect())
}
