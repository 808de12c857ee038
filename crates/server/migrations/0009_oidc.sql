-- Who somebody is at an identity provider: its name, and what it calls them for ever.
CREATE TABLE oidc_links (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    email TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
) /* clustered */;
CREATE UNIQUE INDEX oidc_links_of_user ON oidc_links (user_id, issuer);

-- Attempts that came back from the provider; each comes back once. `state` is a hash.
CREATE TABLE oidc_used (
    state TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
) /* clustered */;
CREATE INDEX oidc_used_by_age ON oidc_used (expires_at);

-- How a session began: with a password, or at the provider.
ALTER TABLE sessions ADD COLUMN via TEXT NOT NULL DEFAULT 'password';
