-- One row a writer: who holds it, and how far its part of the log has come.
CREATE TABLE writers (
    writer BIGINT PRIMARY KEY,
    epoch BIGINT NOT NULL,
    holder TEXT NOT NULL,
    address TEXT NOT NULL,
    since BIGINT NOT NULL,
    clean BIGINT NOT NULL,
    next_seq BIGINT NOT NULL,
    last_group BIGINT NOT NULL,
    unflushed_group BIGINT NOT NULL,
    unflushed_seq BIGINT NOT NULL,
    next_id BIGINT NOT NULL,
    next_profile BIGINT NOT NULL,
    events BIGINT NOT NULL,
    derived BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    profiles BIGINT NOT NULL,
    absorbed BIGINT NOT NULL,
    hash_key BYTEA NOT NULL
);

-- The log. `ids` holds 16 bytes an item, zero for one that was dropped; `times` and `profiles` are packed numbers.
CREATE TABLE log (
    first_seq BIGINT PRIMARY KEY,
    writer BIGINT NOT NULL,
    group_id BIGINT NOT NULL,
    count BIGINT NOT NULL,
    source BIGINT NOT NULL,
    origin BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    ids BYTEA NOT NULL,
    times BYTEA NOT NULL,
    profiles BYTEA NOT NULL,
    body BYTEA NOT NULL
);

-- Sorted runs of event ids, for de-duplication beyond what memory holds.
CREATE TABLE dedup_runs (
    run BIGINT PRIMARY KEY,
    upto_seq BIGINT NOT NULL,
    newest_at BIGINT NOT NULL,
    keep_for_ever BIGINT NOT NULL,
    count BIGINT NOT NULL,
    filter BYTEA NOT NULL
);
CREATE TABLE dedup_pages (
    run BIGINT NOT NULL,
    page BIGINT NOT NULL,
    ids BYTEA NOT NULL,
    PRIMARY KEY (run, page)
) /* clustered */;

-- Names of events, by the number that packed indexes use.
CREATE TABLE event_names (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- Per profile, packed (time, seq, type) entries that no longer fit into the profile's own row.
CREATE TABLE profile_index (
    profile_id BIGINT NOT NULL,
    chunk BIGINT NOT NULL,
    entries BYTEA NOT NULL,
    PRIMARY KEY (profile_id, chunk)
) /* clustered */;

-- What could not be accepted, kept with the reason.
CREATE TABLE rejects (
    id BIGINT PRIMARY KEY,
    source BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    code TEXT NOT NULL,
    pointer TEXT NOT NULL,
    detail TEXT NOT NULL,
    raw TEXT NOT NULL
);
CREATE INDEX rejects_by_source ON rejects (source, received_at);

-- How far each reader of the log has come, written with its effect.
CREATE TABLE subscriptions (
    name TEXT NOT NULL,
    writer BIGINT NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (name, writer)
);

-- Things that are due at a moment.
CREATE TABLE timers (
    kind BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
) /* clustered */;
CREATE INDEX timers_by_due ON timers (due_at);

-- Long work that can be stopped and resumed.
CREATE TABLE jobs (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject BIGINT NOT NULL,
    state TEXT NOT NULL,
    position BIGINT NOT NULL,
    total BIGINT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX jobs_by_state ON jobs (state, id);

-- Small state that is one value.
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Hourly totals for the first page.
CREATE TABLE hours (
    hour BIGINT PRIMARY KEY,
    events BIGINT NOT NULL,
    orders BIGINT NOT NULL,
    revenue_minor BIGINT NOT NULL
);
