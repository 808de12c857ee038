-- Carts and orders. What is personal stands in columns of its own, so that an erasure empties them and leaves the rest; `body` is
-- JSON without anything of a person.

CREATE TABLE carts (
    no BIGINT PRIMARY KEY,
    order_no BIGINT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE orders (
    no BIGINT PRIMARY KEY,
    number TEXT NOT NULL,
    channel TEXT NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    placed_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX orders_by_number ON orders (number);
CREATE INDEX orders_by_status ON orders (status, no);
CREATE INDEX orders_by_email ON orders (email);
CREATE INDEX orders_by_phone ON orders (phone);

-- What happened to an order, who did it, and why: never changed.
CREATE TABLE order_history (
    no BIGINT PRIMARY KEY,
    order_no BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX order_history_by_order ON order_history (order_no, no);

-- What a provider told of a payment: told twice, it counts once.
CREATE TABLE payment_facts (
    provider TEXT NOT NULL,
    external_id TEXT NOT NULL,
    order_no BIGINT NOT NULL,
    action TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (provider, external_id)
) /* clustered */;
CREATE INDEX payment_facts_by_order ON payment_facts (order_no);
