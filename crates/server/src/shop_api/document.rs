//! The shop's API as a document (OpenAPI 3.1), at `/shop/v1/openapi.json`: what can be asked, with or without a key, and what is refused.
use serde_json::{Map, Value, json};

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// A shop with a source's write key.
    Key,
    /// Whoever has the id, with or without a key.
    Holder,
}

/// One request: method, path, status of success, who may ask, what it does.
type Asked = (&'static str, &'static str, u16, By, &'static str);

use By::{Holder, Key};

/// Everything that can be asked.
#[rustfmt::skip]
const ALL: &[Asked] = &[
    ("get", "/availability", 200, Key, "What can be had of SKUs in a channel."),
    ("get", "/promises", 200, Key, "How and when an SKU can be had, for a product page."),
    ("post", "/carts", 201, Key, "Begins a cart."),
    ("get", "/carts/{id}", 200, Holder, "A cart with what it costs now."),
    ("post", "/carts/{id}/lines", 200, Holder, "Adds goods."),
    ("put", "/carts/{id}/lines", 200, Holder, "Puts so much of an SKU instead of what is there; nothing takes it out."),
    ("put", "/carts/{id}/customer", 200, Holder, "Says who orders."),
    ("post", "/carts/{id}/coupons", 200, Holder, "Adds a coupon as typed."),
    ("put", "/carts/{id}/try-on", 200, Holder, "Says whether goods are tried on before they are paid for."),
    ("get", "/carts/{id}/delivery-options", 200, Holder, "Ways in which the cart can be had, with price, moments and why."),
    ("put", "/carts/{id}/delivery", 200, Holder, "Chooses a way."),
    ("get", "/carts/{id}/slots", 200, Holder, "What goes with the goods, can be had, and is not owned."),
    ("get", "/carts/{id}/code.svg", 200, Holder, "The basket's page as a code for a camera."),
    ("post", "/carts/{id}/checkout", 201, Holder, "Orders the cart; 409 `not_enough` names what is short."),
    ("get", "/orders/{id}", 200, Holder, "An order as its customer sees it."),
    ("post", "/orders/{id}/payments", 201, Holder, "Pays: `test`, `on_delivery` or `store_credit` with its `code`."),
    ("post", "/orders/{id}/confirm", 200, Holder, "The customer confirms."),
    ("post", "/orders/{id}/cancel", 200, Holder, "The customer calls off what no place works on yet."),
    ("get", "/orders/{id}/returns", 200, Holder, "Returns with their state, and what can still be brought back."),
    ("post", "/orders/{id}/returns", 201, Holder, "Asks to bring goods back."),
    ("get", "/orders/{id}/claims", 200, Holder, "Claims with their state, and what can still be complained of."),
    ("post", "/orders/{id}/claims", 201, Holder, "Complains of goods, which need not come back."),
    ("get", "/orders/{id}/slots", 200, Holder, "What goes with the order."),
    ("get", "/orders/{id}/code.svg", 200, Holder, "The pick-up code for the counter's scanner, once something waits."),
    ("post", "/orders/{id}/reviews", 201, Holder, "Reviews a line that was delivered, or changes what was written of it."),
    ("get", "/products/{product}/reviews", 200, Holder, "What is published of a product, by its id or an SKU, with its sums."),
    ("get", "/shelf/{location}/{code}", 200, Holder, "Goods on a shelf, by SKU or GTIN."),
    ("post", "/shelf/{location}", 201, Holder, "Begins a basket with goods from a shelf."),
];

fn operation((method, path, status, by, summary): &Asked) -> Value {
    let names = path.split(['{', '}']).skip(1).step_by(2);
    let mut parameters: Vec<Value> =
        names.map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})).collect();
    if *method != "get" {
        parameters
            .push(json!({"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}));
    }
    let content = match path.ends_with(".svg") {
        true => json!({"image/svg+xml": {"schema": {"type": "string"}}}),
        false => json!({"application/json": {"schema": {"type": "object"}}}),
    };
    let problem = |description: &str| json!({"description": description, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
    let mut too_fast = problem("`too_fast`: nothing was done; send it again after `Retry-After` seconds");
    too_fast["headers"] = json!({"Retry-After": {"schema": {"type": "integer", "minimum": 1}}});
    let mut of = json!({
        "summary": summary,
        "parameters": parameters,
        "responses": {
            status.to_string(): {"description": "done", "content": content},
            "429": too_fast,
            "default": problem("a problem (RFC 9457); `type` leads to a page about it"),
        },
        // Whoever needs no key may send one all the same.
        "security": match by { Key => json!([{"write_key": []}]), Holder => json!([{}, {"write_key": []}]) },
    });
    if *method != "get" {
        of["requestBody"] = json!({"content": {"application/json": {"schema": {"type": "object"}}}});
    }
    of
}

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for asked in ALL {
        let path = paths.entry(format!("/shop/v1{}", asked.1)).or_insert_with(|| json!({}));
        path[asked.0] = operation(asked);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Braid shop API",
            "version": "1.0.0",
            "description": "From a site or an app, on behalf of a customer: docs/orders.md has the bodies. Requests are counted a second by write key, by address \
                            (of browsers), and by cart or order: `[shop_api] rate_per_key` and `rate_per_client` of braid.toml.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "securitySchemes": {"write_key": {"type": "http", "scheme": "basic", "description": "a source's write key as the user name"}},
            "schemas": {"Problem": {"type": "object", "required": ["type", "title", "status", "code"], "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
                "code": {"type": "string"}, "errors": {"type": "array", "items": {"type": "object"}},
            }}},
        },
    })
}

/// Methods and paths, for the test that asks them all.
#[cfg(test)]
pub fn all() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    ALL.iter().map(|(method, path, _, by, _)| (*method, *path, *by == Key))
}
