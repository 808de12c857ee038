-- Price lists. scope: JSON of {channels, regions, stores, segments, customers}; position: lower goes first; ends_at is the
-- greatest number while there is no end. List 0 is not here: its entries are the base prices.
CREATE TABLE price_lists (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    kind TEXT NOT NULL,
    position BIGINT NOT NULL,
    scope TEXT NOT NULL,
    reason TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX price_lists_by_start ON price_lists (starts_at);
CREATE INDEX price_lists_by_end ON price_lists (ends_at);

-- What a list was in each version: JSON of its row.
CREATE TABLE price_list_versions (
    list_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    document TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (list_id, version)
) /* clustered */;

-- One setting of many prices. key: what makes a repeat the same; undoes: the change that this one rolled back, 0 = none.
CREATE TABLE price_changes (
    id BIGINT PRIMARY KEY,
    list_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    actor TEXT NOT NULL,
    note TEXT NOT NULL,
    accepted BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    undoes BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE UNIQUE INDEX price_changes_by_key ON price_changes (key);
CREATE INDEX price_changes_of_list ON price_changes (list_id, id);

-- Prices with the time in which they hold, starts_at <= t < ends_at; also the history. min_quantity in thousandths; minor -1: no
-- price from here on; compare_at -1: none. Of one variant, list, currency and quantity no two hold at the same time.
CREATE TABLE price_entries (
    id BIGINT PRIMARY KEY,
    variant_no BIGINT NOT NULL,
    list_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    min_quantity BIGINT NOT NULL,
    minor BIGINT NOT NULL,
    compare_at BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    change_id BIGINT NOT NULL
);
CREATE INDEX price_entries_of_variant ON price_entries (variant_no, id);
CREATE INDEX price_entries_of_change ON price_entries (change_id, id);
CREATE INDEX price_entries_by_start ON price_entries (starts_at, variant_no);
CREATE INDEX price_entries_by_end ON price_entries (ends_at, variant_no);

-- Entries that a change cut short or moved, with how they stood before: what a roll-back needs.
CREATE TABLE price_cuts (
    change_id BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (change_id, entry_id)
) /* clustered */;
