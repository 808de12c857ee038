-- Exchange with accounting systems (ERPs). Nothing of a person is kept here: orders and documents are known by number.

CREATE TABLE erp_connections (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    login TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    settings TEXT NOT NULL,
    -- History of orders that the other side confirmed to have, and what it was last sent.
    told_upto BIGINT NOT NULL,
    sent_upto BIGINT NOT NULL,
    -- The last of our events that it acknowledged.
    acked BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX erp_connections_by_name ON erp_connections (name);

-- What a warehouse or a kind of price there is here; an empty target: nobody has said yet.
CREATE TABLE erp_maps (
    connection_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (connection_id, kind, external_id)
) /* clustered */;

-- Groups, properties and values of properties, which later files name by id only.
CREATE TABLE erp_names (
    connection_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    external_id TEXT NOT NULL,
    parent TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (connection_id, kind, external_id)
) /* clustered */;

-- Which goods (kind product) and which offers (kind variant) are which here. One that became several is moved, never deleted.
CREATE TABLE erp_ids (
    connection_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    external_id TEXT NOT NULL,
    catalogue TEXT NOT NULL,
    product_id TEXT NOT NULL,
    variant_no BIGINT NOT NULL,
    article TEXT NOT NULL,
    barcode TEXT NOT NULL,
    service BIGINT NOT NULL,
    state TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (connection_id, kind, external_id)
) /* clustered */;
CREATE INDEX erp_ids_by_variant ON erp_ids (connection_id, variant_no);

-- The other side's last word on prices and stock, whether or not it can be used yet.
CREATE TABLE erp_prices (
    connection_id BIGINT NOT NULL,
    external_id TEXT NOT NULL,
    price_type TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    at BIGINT NOT NULL,
    applied BIGINT NOT NULL,
    PRIMARY KEY (connection_id, external_id, price_type)
) /* clustered */;

CREATE TABLE erp_stock (
    connection_id BIGINT NOT NULL,
    external_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    at BIGINT NOT NULL,
    applied BIGINT NOT NULL,
    PRIMARY KEY (connection_id, external_id, warehouse)
) /* clustered */;

CREATE TABLE erp_exchanges (
    id BIGINT PRIMARY KEY,
    connection_id BIGINT NOT NULL,
    direction TEXT NOT NULL,
    session_hash TEXT NOT NULL,
    state TEXT NOT NULL,
    version TEXT NOT NULL,
    -- 1 once a whole list of goods was seen to its end, -1 once a list of changes was.
    whole BIGINT NOT NULL,
    asked TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    heard_at BIGINT NOT NULL
);
CREATE INDEX erp_exchanges_of_connection ON erp_exchanges (connection_id, id);
CREATE INDEX erp_exchanges_by_session ON erp_exchanges (session_hash);

CREATE TABLE erp_files (
    exchange_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    tally TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (exchange_id, name)
) /* clustered */;

-- What came, what was done, what was refused and why.
CREATE TABLE erp_journal (
    id BIGINT PRIMARY KEY,
    connection_id BIGINT NOT NULL,
    exchange_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    level TEXT NOT NULL,
    file TEXT NOT NULL,
    line BIGINT NOT NULL,
    subject TEXT NOT NULL,
    what TEXT NOT NULL
);
CREATE INDEX erp_journal_of_connection ON erp_journal (connection_id, id);
CREATE INDEX erp_journal_of_exchange ON erp_journal (exchange_id, id);

-- What the other side says of our orders.
CREATE TABLE erp_orders (
    connection_id BIGINT NOT NULL,
    order_no BIGINT NOT NULL,
    number TEXT NOT NULL,
    said TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (connection_id, order_no)
) /* clustered */;

-- Events that came by REST: told twice, they count once.
CREATE TABLE erp_events (
    connection_id BIGINT NOT NULL,
    external_id TEXT NOT NULL,
    type TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (connection_id, external_id)
) /* clustered */;

-- Where the two sides' stock disagreed when it was last held against each other.
CREATE TABLE erp_differences (
    id BIGINT PRIMARY KEY,
    connection_id BIGINT NOT NULL,
    run BIGINT NOT NULL,
    at BIGINT NOT NULL,
    subject TEXT NOT NULL,
    sku TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    location_no BIGINT NOT NULL,
    theirs BIGINT NOT NULL,
    ours BIGINT NOT NULL,
    cause TEXT NOT NULL,
    who TEXT NOT NULL,
    advice TEXT NOT NULL
);
CREATE INDEX erp_differences_of_run ON erp_differences (connection_id, run, id);
