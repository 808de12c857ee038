-- Files that were taken out: who, what, with which mark. `contacts`: phones and e-mails are plain. `ended`: why the file is
-- gone (`expired`, `deleted`, `erasure`), empty while it is not. `link_*`: the one link that opens the file.
CREATE TABLE exports (
    id BIGINT PRIMARY KEY,
    job_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    actor TEXT NOT NULL,
    mark TEXT NOT NULL,
    canary TEXT NOT NULL,
    approval BIGINT NOT NULL,
    contacts BIGINT NOT NULL,
    file TEXT NOT NULL,
    export_rows BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ready_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    ended TEXT NOT NULL,
    link_hash TEXT NOT NULL,
    link_until BIGINT NOT NULL,
    link_used BIGINT NOT NULL,
    downloads BIGINT NOT NULL
);
CREATE INDEX exports_by_job ON exports (job_id);
CREATE INDEX exports_by_mark ON exports (mark);
