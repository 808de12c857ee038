-- What came of a request: JSON of an export that was handed over or of an erasure; empty while nothing did.
ALTER TABLE privacy_requests ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
CREATE INDEX privacy_requests_of_person ON privacy_requests (person_id, id);

-- How long what is kept. `kind`: events, rejects, messages, audit, inactive. `source` 0 = any; `pattern` is a name of events in which
-- `*` stands for anything, empty = all. Nothing goes before somebody switches a rule on.
CREATE TABLE retention_rules (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    source BIGINT NOT NULL,
    pattern TEXT NOT NULL,
    days BIGINT NOT NULL,
    ground TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
