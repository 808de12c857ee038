-- Rules of identity as JSON, each change a version; the newest counts. None: the defaults.
CREATE TABLE identity_rules (
    version BIGINT PRIMARY KEY,
    rules TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL
);

-- mode `block`: identifies nobody; `pattern`: so does every value that it matches; `demote`: counts only where an event
-- carries nothing else.
ALTER TABLE blocked_values ADD COLUMN mode TEXT NOT NULL DEFAULT 'block';
ALTER TABLE blocked_values ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE blocked_values ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE blocked_values ADD COLUMN actor TEXT NOT NULL DEFAULT '';

-- What was joined and separated, in the order in which it happened, for whoever keeps ids of people elsewhere.
-- `before` and `after`: JSON, people with their profiles.
CREATE TABLE identity_changes (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    cause TEXT NOT NULL,
    evidence TEXT NOT NULL
);

-- Values seen with several others of one kind, which only a value that many people share is.
CREATE TABLE identity_suspects (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    other_kind TEXT NOT NULL,
    other_value TEXT NOT NULL,
    profile_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (kind, value, other_kind, other_value)
) /* clustered */;

-- Suspects that somebody looked at and left as they are.
CREATE TABLE identity_suspects_dismissed (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (kind, value)
) /* clustered */;

-- What the review queue needs beside the pair and its event. `probability` in millionths, -1 = unknown.
ALTER TABLE review_items ADD COLUMN probability BIGINT NOT NULL DEFAULT -1;
ALTER TABLE review_items ADD COLUMN evidence TEXT NOT NULL DEFAULT '';
ALTER TABLE review_items ADD COLUMN decision TEXT NOT NULL DEFAULT '';
ALTER TABLE review_items ADD COLUMN actor TEXT NOT NULL DEFAULT '';
ALTER TABLE review_items ADD COLUMN later_until BIGINT NOT NULL DEFAULT 0;
CREATE INDEX review_items_open ON review_items (closed_at, at, a, b);

-- Who made an edge that no event made.
ALTER TABLE edges ADD COLUMN actor TEXT NOT NULL DEFAULT '';

-- By the hour of receipt: events, new anonymous profiles, how many of that hour's became known in time, how many of any hour
-- became known in this one, joins.
CREATE TABLE identity_hours (
    hour BIGINT PRIMARY KEY,
    events BIGINT NOT NULL,
    anonymous BIGINT NOT NULL,
    known BIGINT NOT NULL,
    stitched BIGINT NOT NULL,
    joins BIGINT NOT NULL
);
