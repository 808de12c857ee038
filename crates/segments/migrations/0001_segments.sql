CREATE TABLE segments (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    expression TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT NOT NULL
);

-- Who is in which segment: follows the log by rotating flush. `leaves_at` of 0 = no moment is known.
CREATE TABLE memberships (
    person_id BIGINT NOT NULL,
    segment_id BIGINT NOT NULL,
    since BIGINT NOT NULL,
    leaves_at BIGINT NOT NULL,
    cause TEXT NOT NULL,
    PRIMARY KEY (person_id, segment_id)
) /* clustered */;
CREATE INDEX memberships_by_segment ON memberships (segment_id, person_id);

-- The same as facts: one appended row a group.
CREATE TABLE membership_changes (
    group_id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    changes BYTEA NOT NULL
);

-- How many people are in each segment, written with each group that changes it.
CREATE TABLE segment_counts (segment_id BIGINT PRIMARY KEY, count BIGINT NOT NULL);

-- Numbers of counters, given once for each meaning.
CREATE TABLE counters (id BIGINT PRIMARY KEY, meaning TEXT NOT NULL UNIQUE);
