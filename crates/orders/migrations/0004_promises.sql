-- Promises that move: alerts of the feed, pauses of places as they were reckoned with, and what of them orders have not heard yet.

-- One alert of a territory; ended_at 0: it goes on, as far as the feed has said.
CREATE TABLE alerts (
    territory TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    PRIMARY KEY (territory, began_at)
);
CREATE INDEX alerts_by_end ON alerts (ended_at);

-- One row: when the feed was asked and answered last, and how it failed.
CREATE TABLE alert_feed (
    id BIGINT PRIMARY KEY,
    asked_at BIGINT NOT NULL,
    answered_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    error TEXT NOT NULL
);

-- When a place stood still, or will; an end that nobody knows is the greatest number. assumed 1: the end is a guess.
CREATE TABLE place_pauses (
    location_no BIGINT NOT NULL,
    kind TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    assumed BIGINT NOT NULL,
    PRIMARY KEY (location_no, kind, from_at)
);
CREATE INDEX place_pauses_by_end ON place_pauses (until_at);

-- Pauses of a place became others, and its orders are told one after another: up to which it was done.
CREATE TABLE pause_changes (
    no BIGINT PRIMARY KEY,
    location_no BIGINT NOT NULL,
    at BIGINT NOT NULL,
    before_pauses TEXT NOT NULL,
    after_pauses TEXT NOT NULL,
    done_until BIGINT NOT NULL
);
CREATE INDEX pause_changes_by_place ON pause_changes (location_no);

-- Up to which number something was read, such as changed promises of goods to come.
CREATE TABLE order_positions (
    name TEXT PRIMARY KEY,
    no BIGINT NOT NULL
);

-- Who orders, where somebody vouched for it: the person's number; 0: nobody is known. Erased with the rest that is personal.
ALTER TABLE carts ADD COLUMN person_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN person_id BIGINT NOT NULL DEFAULT 0;
CREATE INDEX orders_by_person ON orders (person_id) WHERE person_id <> 0;
