-- Traits that the shop defines itself; values are never stored. `state` is `counting` or `live`.
CREATE TABLE computed_traits (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    expression TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT NOT NULL
);

-- What a trait was in each version.
CREATE TABLE computed_trait_versions (
    trait_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    expression TEXT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (trait_id, version)
) /* clustered */;
