-- Runs of ids are merged by age. state: 0 = looked up in, 1 = being written, 2 = going. `pages` of 0 = pages of equal length
-- with the first id of each in `filter`, as they were written before; otherwise an id's page follows from its value.
ALTER TABLE dedup_runs ADD COLUMN state BIGINT NOT NULL DEFAULT 0;
ALTER TABLE dedup_runs ADD COLUMN level BIGINT NOT NULL DEFAULT 0;
ALTER TABLE dedup_runs ADD COLUMN pages BIGINT NOT NULL DEFAULT 0;
ALTER TABLE dedup_runs ADD COLUMN oldest_at BIGINT NOT NULL DEFAULT 0;
UPDATE dedup_runs SET oldest_at = newest_at;

-- One filter over each part of a run, read when it is needed first.
CREATE TABLE dedup_filters (
    run BIGINT NOT NULL,
    part BIGINT NOT NULL,
    bits BYTEA NOT NULL,
    PRIMARY KEY (run, part)
) /* clustered */;
