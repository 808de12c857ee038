-- Tracking plans of sources, every version.
CREATE TABLE source_plans (
    source BIGINT NOT NULL,
    version BIGINT NOT NULL,
    text TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (source, version)
);

-- When a source was observed only: seqs from the first to before the last; 0 = still.
CREATE TABLE observations (
    source BIGINT NOT NULL,
    from_seq BIGINT NOT NULL,
    to_seq BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (source, from_seq)
);

-- What rules would have done because of observed events, by day (UTC), with the newest case.
CREATE TABLE observed (
    source BIGINT NOT NULL,
    rule_id BIGINT NOT NULL,
    day BIGINT NOT NULL,
    count BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (source, rule_id, day)
);

-- What sources were seen to send: counts, moments, kinds of values as bits, and the shape of one value.
CREATE TABLE learned_events (
    source BIGINT NOT NULL,
    event TEXT NOT NULL,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    overflow BIGINT NOT NULL,
    PRIMARY KEY (source, event)
);
CREATE TABLE learned_properties (
    source BIGINT NOT NULL,
    event TEXT NOT NULL,
    property TEXT NOT NULL,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    kinds BIGINT NOT NULL,
    shape TEXT NOT NULL,
    PRIMARY KEY (source, event, property)
);

-- What changed in a source's events, or does not fit its plan.
CREATE TABLE drift (
    id BIGINT PRIMARY KEY,
    source BIGINT NOT NULL,
    kind TEXT NOT NULL,
    event TEXT NOT NULL,
    property TEXT NOT NULL,
    detail TEXT NOT NULL,
    since BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    count BIGINT NOT NULL,
    examples TEXT NOT NULL,
    resolved_at BIGINT NOT NULL,
    resolved_by TEXT NOT NULL,
    UNIQUE (source, kind, event, property)
);

-- Profiles that a changed plan gives another meaning, until they are made again.
CREATE TABLE reread_profiles (job BIGINT NOT NULL, profile_id BIGINT NOT NULL, PRIMARY KEY (job, profile_id)) /* clustered */;
