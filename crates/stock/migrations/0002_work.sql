-- Work with goods: transfers between places, counts, suppliers and what is ordered from them.

CREATE TABLE transfers (
    no BIGINT PRIMARY KEY,
    from_no BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    state TEXT NOT NULL,
    reference TEXT NOT NULL,
    note TEXT NOT NULL,
    reservation_no BIGINT NOT NULL,
    expected_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX transfers_by_state ON transfers (state, no);

CREATE TABLE transfer_lines (
    transfer_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    variant_no BIGINT NOT NULL,
    requested BIGINT NOT NULL,
    shipped BIGINT NOT NULL,
    received BIGINT NOT NULL,
    damaged BIGINT NOT NULL,
    lost BIGINT NOT NULL,
    returned BIGINT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (transfer_no, line)
) /* clustered */;

CREATE TABLE stock_counts (
    no BIGINT PRIMARY KEY,
    location_no BIGINT NOT NULL,
    state TEXT NOT NULL,
    blind BIGINT NOT NULL,
    tolerance_permille BIGINT NOT NULL,
    note TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX stock_counts_by_state ON stock_counts (state, no);

CREATE TABLE stock_count_lines (
    count_no BIGINT NOT NULL,
    variant_no BIGINT NOT NULL,
    state TEXT NOT NULL,
    counted BIGINT NOT NULL,
    counted_at BIGINT NOT NULL,
    counted_by TEXT NOT NULL,
    recounts BIGINT NOT NULL,
    book BIGINT NOT NULL,
    variance BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    PRIMARY KEY (count_no, variant_no)
) /* clustered */;

CREATE TABLE suppliers (
    no BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    lead_days BIGINT NOT NULL,
    note TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX suppliers_by_id ON suppliers (id);

CREATE TABLE purchase_orders (
    no BIGINT PRIMARY KEY,
    supplier_no BIGINT NOT NULL,
    location_no BIGINT NOT NULL,
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    freight_minor BIGINT NOT NULL,
    expected_at BIGINT NOT NULL,
    note TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX purchase_orders_by_state ON purchase_orders (state, no);

CREATE TABLE purchase_order_lines (
    purchase_order_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    variant_no BIGINT NOT NULL,
    ordered BIGINT NOT NULL,
    received BIGINT NOT NULL,
    cancelled BIGINT NOT NULL,
    cost_minor BIGINT NOT NULL,
    PRIMARY KEY (purchase_order_no, line)
) /* clustered */;
CREATE INDEX purchase_order_lines_by_variant ON purchase_order_lines (variant_no);
