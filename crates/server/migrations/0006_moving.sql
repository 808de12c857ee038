-- Modules that are compared with an old system while both run. `settings`: JSON; state: `running` or `switched`.
CREATE TABLE compare_modules (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    module TEXT NOT NULL,
    settings TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    switched_at BIGINT NOT NULL,
    switched_by TEXT NOT NULL
);

-- Every comparison that was made. `figures`: JSON, both systems' counts and sums with the causes.
CREATE TABLE compare_runs (
    id BIGINT PRIMARY KEY,
    module_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    file TEXT NOT NULL,
    file_rows BIGINT NOT NULL,
    from_day TEXT NOT NULL,
    to_day TEXT NOT NULL,
    figures TEXT NOT NULL,
    shift_minutes BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    why TEXT NOT NULL
);
CREATE INDEX compare_runs_of_module ON compare_runs (module_id, id);

-- The newest comparison of each day. `unlisted`: differences that count and found no room in the list.
CREATE TABLE compare_days (
    module_id BIGINT NOT NULL,
    day TEXT NOT NULL,
    run_id BIGINT NOT NULL,
    figures TEXT NOT NULL,
    verdict TEXT NOT NULL,
    why TEXT NOT NULL,
    unlisted BIGINT NOT NULL,
    PRIMARY KEY (module_id, day)
) /* clustered */;

-- Differences of the newest comparison of each day. `there`, `here`: JSON, empty where that side has nothing; `counts`: 0 for
-- those that the thresholds let pass; an explained one stays explained when it is found again.
CREATE TABLE compare_differences (
    id BIGINT PRIMARY KEY,
    module_id BIGINT NOT NULL,
    day TEXT NOT NULL,
    item TEXT NOT NULL,
    cause TEXT NOT NULL,
    there TEXT NOT NULL,
    here TEXT NOT NULL,
    why TEXT NOT NULL,
    counts BIGINT NOT NULL,
    explained_at BIGINT NOT NULL,
    explained_by TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX compare_differences_of_module ON compare_differences (module_id, day, id);

-- Who decided what about a module, with how it stood then (JSON).
CREATE TABLE compare_decisions (
    id BIGINT PRIMARY KEY,
    module_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    standing TEXT NOT NULL
);
CREATE INDEX compare_decisions_of_module ON compare_decisions (module_id, id);

-- What the columns of a system's files mean, by name; every version stays. `fingerprint`: a hash of the columns' names.
CREATE TABLE saved_mappings (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    version BIGINT NOT NULL,
    archived_at BIGINT NOT NULL
);
CREATE TABLE saved_mapping_versions (
    mapping_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    layout TEXT NOT NULL,
    mapping TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (mapping_id, version)
) /* clustered */;

-- The report on the data's quality of each day (UTC), as JSON; the newest of a day counts.
CREATE TABLE quality_days (
    day TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    figures TEXT NOT NULL
);
