-- What a chunk of a profile's index holds, so that the first page of a long timeline reads only the newest chunks: the times
-- of its newest and oldest event, and which names occur (one bit of 63 each). A chunk written before says nothing and is
-- always read.
ALTER TABLE profile_index ADD COLUMN newest BIGINT NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE profile_index ADD COLUMN oldest BIGINT NOT NULL DEFAULT -9223372036854775807;
ALTER TABLE profile_index ADD COLUMN names BIGINT NOT NULL DEFAULT -1;
CREATE INDEX profile_index_by_newest ON profile_index (profile_id, newest, chunk);

-- Who may live together: per profile keyed hashes of surname and address, and of what was declared. Written only where the
-- shop looks for households; a row of an address that was left is recognised when it is read.
CREATE TABLE household_keys (
    key BIGINT NOT NULL,
    profile_id BIGINT NOT NULL,
    PRIMARY KEY (key, profile_id)
) /* clustered */;
CREATE INDEX household_keys_of_profile ON household_keys (profile_id);

-- What people said: these two do (`together`) or do not (`apart`) live together. a < b.
CREATE TABLE household_links (
    a BIGINT NOT NULL,
    b BIGINT NOT NULL,
    said TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (a, b)
) /* clustered */;
CREATE INDEX household_links_of_b ON household_links (b);
