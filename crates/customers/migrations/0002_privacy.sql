-- Who was erased: keyed hashes of identifiers (`identifier`) and of profiles with their birth (`profile`), never the values.
CREATE TABLE erased (
    hash BYTEA NOT NULL,
    kind TEXT NOT NULL,
    request_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (hash)
) /* clustered */;

-- Requests of people about their data, with the legal term.
CREATE TABLE privacy_requests (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    person_id BIGINT NOT NULL,
    who TEXT NOT NULL,
    contact TEXT NOT NULL,
    note TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX privacy_requests_by_state ON privacy_requests (state, due_at, id);

-- The register of processing purposes.
CREATE TABLE privacy_purposes (
    id BIGINT PRIMARY KEY,
    purpose TEXT NOT NULL,
    ground TEXT NOT NULL,
    categories TEXT NOT NULL,
    retention TEXT NOT NULL,
    recipients TEXT NOT NULL,
    version BIGINT NOT NULL,
    archived_at BIGINT NOT NULL
);

-- Kinds of documents that law keeps beyond an erasure, and until when each kept one stays; `seq` is its event.
CREATE TABLE retained_kinds (
    event TEXT PRIMARY KEY,
    ground TEXT NOT NULL,
    term_days BIGINT NOT NULL,
    enabled BIGINT NOT NULL
);
CREATE TABLE retained_documents (
    seq BIGINT PRIMARY KEY,
    event TEXT NOT NULL,
    ground TEXT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX retained_documents_by_end ON retained_documents (until, seq);
INSERT INTO retained_kinds (event, ground, term_days, enabled) VALUES
    ('Order Completed', 'Tax Code of Ukraine, art. 44.3', 1095, 1),
    ('Order Refunded', 'Tax Code of Ukraine, art. 44.3', 1095, 1);
