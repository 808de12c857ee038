-- Places, what lies there, every movement between them, and who has a claim on what.

CREATE TABLE locations (
    no BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    lat_e7 BIGINT,
    lon_e7 BIGINT,
    time_zone TEXT NOT NULL,
    entity TEXT NOT NULL,
    state TEXT NOT NULL,
    state_why TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX locations_by_id ON locations (id);

-- Who sells from where: how long a cart holds goods there, and what is kept back.
CREATE TABLE stock_channels (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    hold_seconds BIGINT NOT NULL,
    buffer BIGINT NOT NULL,
    kinds TEXT NOT NULL,
    only_locations TEXT NOT NULL,
    excluded_locations TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (id)
) /* clustered */;

-- What physically lies at a place, by condition, in thousandths of a unit: always the sum of the movements.
CREATE TABLE stock_positions (
    variant_no BIGINT NOT NULL,
    location_no BIGINT NOT NULL,
    sellable BIGINT NOT NULL,
    display BIGINT NOT NULL,
    damaged BIGINT NOT NULL,
    quarantine BIGINT NOT NULL,
    safety BIGINT NOT NULL,
    counted_at BIGINT NOT NULL,
    PRIMARY KEY (variant_no, location_no)
) /* clustered */;
CREATE INDEX stock_positions_by_location ON stock_positions (location_no, variant_no);

-- Why goods moved: a receipt, a sale, a count. One a paper, however many lines it has.
CREATE TABLE stock_documents (
    no BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    external_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    note TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX stock_documents_by_source ON stock_documents (source, external_id);

-- Every movement, for ever: from a place and a condition to a place and a condition.
CREATE TABLE stock_moves (
    no BIGINT PRIMARY KEY,
    document_no BIGINT NOT NULL,
    variant_no BIGINT NOT NULL,
    from_no BIGINT NOT NULL,
    from_condition BIGINT NOT NULL,
    to_no BIGINT NOT NULL,
    to_condition BIGINT NOT NULL,
    lot TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX stock_moves_by_variant ON stock_moves (variant_no, at);
CREATE INDEX stock_moves_by_document ON stock_moves (document_no);

-- Claims on goods: holds that end by themselves, and firm ones of orders.
CREATE TABLE reservations (
    no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    owner TEXT NOT NULL,
    variant_no BIGINT NOT NULL,
    location_no BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    ended_why BIGINT NOT NULL,
    PRIMARY KEY (no, line)
) /* clustered */;
CREATE INDEX reservations_by_variant ON reservations (variant_no) WHERE ended_at = 0;
CREATE INDEX reservations_by_expiry ON reservations (expires_at) WHERE ended_at = 0;
CREATE INDEX reservations_by_owner ON reservations (owner) WHERE ended_at = 0;
