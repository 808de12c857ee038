-- What customers and colleagues at the counter see: whose carts and orders are whose, advice in a showroom, what was sold beside a pick-up.

CREATE INDEX orders_by_user ON orders (user_id) WHERE user_id <> '';
CREATE INDEX orders_by_device ON orders (anonymous_id) WHERE anonymous_id <> '';
CREATE INDEX carts_by_email ON carts (email) WHERE email <> '';
CREATE INDEX carts_by_phone ON carts (phone) WHERE phone <> '';
CREATE INDEX carts_by_user ON carts (user_id) WHERE user_id <> '';
CREATE INDEX carts_by_device ON carts (anonymous_id) WHERE anonymous_id <> '';
CREATE INDEX returns_by_email ON returns (email) WHERE email <> '';
CREATE INDEX returns_by_phone ON returns (phone) WHERE phone <> '';

-- A colleague advises somebody about a cart: what was tried and liked is in `body`, what was said beside it in `note`, which an erasure
-- empties. A moment of 0 has not come; order_no 0: nothing was ordered yet.
CREATE TABLE consultations (
    no BIGINT PRIMARY KEY,
    cart_no BIGINT NOT NULL,
    location_no BIGINT NOT NULL,
    seller TEXT NOT NULL,
    note TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    order_no BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX consultations_of_cart ON consultations (cart_no, no);
CREATE INDEX consultations_by_place ON consultations (location_no, no);
CREATE INDEX consultations_of_order ON consultations (order_no) WHERE order_no > 0;

-- What a customer who fetched an order bought beside it, as an order of its own.
CREATE TABLE pick_up_sales (
    order_no BIGINT PRIMARY KEY,
    of_order_no BIGINT NOT NULL,
    location_no BIGINT NOT NULL,
    seller TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX pick_up_sales_by_time ON pick_up_sales (at);
CREATE INDEX pick_up_sales_of_order ON pick_up_sales (of_order_no);
