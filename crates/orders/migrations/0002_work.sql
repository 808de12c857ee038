-- Work on orders: how the shop promises, sources and confirms; what places are asked to do.

ALTER TABLE carts ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
ALTER TABLE carts ADD COLUMN anonymous_id TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN anonymous_id TEXT NOT NULL DEFAULT '';
-- 1: the customer never came for it, or sent the parcel back unopened.
ALTER TABLE orders ADD COLUMN unclaimed BIGINT NOT NULL DEFAULT 0;
-- What the customer was told, and when they had it: 0 where neither.
ALTER TABLE orders ADD COLUMN promised_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN promised_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN given_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX orders_by_placed ON orders (placed_at);

-- One row: JSON of everything that the business edits while it runs.
CREATE TABLE order_settings (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);

-- What places are asked to serve, written with its order: the pick queue. A moment of 0 has not come.
CREATE TABLE fulfilments (
    order_no BIGINT NOT NULL,
    no BIGINT NOT NULL,
    location_no BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    placed_at BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    ready_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    done_at BIGINT NOT NULL,
    keep_until BIGINT NOT NULL,
    PRIMARY KEY (order_no, no)
);
CREATE INDEX fulfilments_by_place ON fulfilments (location_no, state, due_at);
CREATE INDEX fulfilments_by_end ON fulfilments (state, keep_until);
