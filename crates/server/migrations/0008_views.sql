-- Tables as people arranged them: which filter, which columns in which order; `state` is JSON of the console.
CREATE TABLE saved_views (
    id BIGINT PRIMARY KEY,
    page TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    shared BIGINT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX saved_views_of_page ON saved_views (page, id);

-- What staff wrote about a customer. A note stays with the profile that it was written to, so that a cut takes it along.
CREATE TABLE notes (
    id BIGINT PRIMARY KEY,
    profile_id BIGINT NOT NULL,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL
);
CREATE INDEX notes_of_profile ON notes (profile_id, id);

-- Files that staff put to a customer; in the database, so that backup and erasure reach them.
CREATE TABLE customer_files (
    id BIGINT PRIMARY KEY,
    profile_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    content BYTEA NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX customer_files_of_profile ON customer_files (profile_id, id);

-- One change of many customers, so that it can be undone after a reload.
CREATE TABLE bulk_edits (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    title TEXT NOT NULL,
    changed BIGINT NOT NULL,
    undone_at BIGINT NOT NULL,
    undone_by TEXT NOT NULL
);

-- What it changed: the value before and after as JSON, empty for none.
CREATE TABLE bulk_edit_rows (
    edit_id BIGINT NOT NULL,
    place BIGINT NOT NULL,
    profile_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    PRIMARY KEY (edit_id, place)
) /* clustered */;
CREATE INDEX bulk_edit_rows_of_profile ON bulk_edit_rows (profile_id);
