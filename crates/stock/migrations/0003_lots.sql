-- Lots and serial numbers: what is known of each, and how much of it lies where (always the sum of its movements). Tags that
-- were read at a place, by session: a proposal for a count, never a movement.

-- state: good, quarantined or expired; expires_at: 0 where it does not expire.
CREATE TABLE stock_lots (
    variant_no BIGINT NOT NULL,
    lot TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    why TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (variant_no, lot)
) /* clustered */;
CREATE INDEX stock_lots_by_expiry ON stock_lots (expires_at) WHERE expires_at > 0 AND state = 'good';

CREATE TABLE stock_lot_positions (
    variant_no BIGINT NOT NULL,
    lot TEXT NOT NULL,
    location_no BIGINT NOT NULL,
    condition BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (variant_no, lot, location_no, condition)
) /* clustered */;
CREATE INDEX stock_lot_positions_by_place ON stock_lot_positions (variant_no, location_no, condition);

CREATE INDEX stock_moves_by_lot ON stock_moves (lot, no) WHERE lot <> '';

INSERT INTO stock_lots (variant_no, lot, expires_at, first_at, state, why, version, updated_at)
    SELECT variant_no, lot, 0, MIN(at), 'good', '', 1, MIN(at) FROM stock_moves WHERE lot <> '' GROUP BY variant_no, lot;
INSERT INTO stock_lot_positions (variant_no, lot, location_no, condition, quantity)
    SELECT variant_no, lot, location_no, condition, CAST(SUM(quantity) AS BIGINT) FROM (
        SELECT variant_no, lot, to_no AS location_no, to_condition AS condition, quantity FROM stock_moves
            WHERE lot <> '' AND to_no NOT IN (-1, -2, -3)
        UNION ALL
        SELECT variant_no, lot, from_no, from_condition, -quantity FROM stock_moves
            WHERE lot <> '' AND from_no NOT IN (-1, -2, -3)) AS sides
    GROUP BY variant_no, lot, location_no, condition;

CREATE TABLE rfid_sessions (
    no BIGINT PRIMARY KEY,
    source TEXT NOT NULL,
    external_id TEXT NOT NULL,
    device TEXT NOT NULL,
    location_no BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    count_no BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX rfid_sessions_by_source ON rfid_sessions (source, external_id);

-- late: it was told after the session had become a count.
CREATE TABLE rfid_reads (
    session_no BIGINT NOT NULL,
    epc TEXT NOT NULL,
    gtin TEXT NOT NULL,
    serial TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (session_no, epc)
) /* clustered */;
CREATE INDEX rfid_reads_by_gtin ON rfid_reads (gtin);
