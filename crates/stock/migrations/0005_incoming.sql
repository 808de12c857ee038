-- Claims on goods that are ordered from suppliers and did not come yet: back-orders and pre-orders.

-- A claim's part on one line of a purchase order. state: open, moved (it became a claim on goods that came), released or short.
CREATE TABLE incoming_claims (
    no BIGINT NOT NULL,
    part BIGINT NOT NULL,
    owner TEXT NOT NULL,
    line BIGINT NOT NULL,
    variant_no BIGINT NOT NULL,
    purchase_order_no BIGINT NOT NULL,
    purchase_line BIGINT NOT NULL,
    location_no BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    promised_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    reservation_no BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    PRIMARY KEY (no, part)
) /* clustered */;
CREATE INDEX incoming_claims_by_purchase ON incoming_claims (purchase_order_no, purchase_line) WHERE state = 'open';
CREATE INDEX incoming_claims_by_variant ON incoming_claims (variant_no) WHERE state = 'open';
CREATE INDEX incoming_claims_by_owner ON incoming_claims (owner);

-- What was promised otherwise than before, and why: for whoever tells the customer.
CREATE TABLE incoming_promises (
    no BIGINT PRIMARY KEY,
    claim_no BIGINT NOT NULL,
    owner TEXT NOT NULL,
    before_at BIGINT NOT NULL,
    after_at BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    why TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX incoming_promises_by_claim ON incoming_promises (claim_no, no);
