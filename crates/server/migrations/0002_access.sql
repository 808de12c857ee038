-- Users: the stores that they serve (JSON list of ids), whether they may sign in, their second factor (sealed).
ALTER TABLE users ADD COLUMN stores TEXT NOT NULL DEFAULT '[]';
ALTER TABLE users ADD COLUMN active BIGINT NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN password_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN totp TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN totp_pending TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;

-- Sessions: when they were last used, from where and with what.
ALTER TABLE sessions ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';

-- Keys: rights (JSON list; empty: all of the role), stores, networks, end, last use.
ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE api_keys ADD COLUMN stores TEXT NOT NULL DEFAULT '[]';
ALTER TABLE api_keys ADD COLUMN networks TEXT NOT NULL DEFAULT '[]';
ALTER TABLE api_keys ADD COLUMN expires_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;

-- One-time links: `hash` is of the token; `user_id` is 0 for somebody who is not there yet.
CREATE TABLE invitations (
    id BIGINT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    user_id BIGINT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    stores TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);

-- Codes that stand in for a lost second factor; `hash` is of the code, a used one is gone.
CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (user_id, hash)
) /* clustered */;

-- Whose data somebody looked at: one row for a user, a person and an hour.
CREATE TABLE views (
    hour BIGINT NOT NULL,
    actor TEXT NOT NULL,
    person_id BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (hour, actor, person_id)
) /* clustered */;
CREATE INDEX views_of_person ON views (person_id, hour);

-- Somebody looked at unusually many people in an hour.
CREATE TABLE view_alarms (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    hour BIGINT NOT NULL,
    persons BIGINT NOT NULL,
    usual BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    closed_by TEXT NOT NULL
);

-- Large exports wait here for a second person.
CREATE TABLE export_approvals (
    id BIGINT PRIMARY KEY,
    what TEXT NOT NULL,
    export_rows BIGINT NOT NULL,
    reason TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    approved BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);

-- Every line of the audit holds the hash of the line before; lines of before this have none.
ALTER TABLE audit ADD COLUMN chain TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_subject ON audit (subject_kind, subject, id);
