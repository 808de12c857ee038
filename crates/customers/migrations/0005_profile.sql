-- What a chunk of a profile's index holds, so that the first page of a long timeline reads only the newest chunks: the times
-- of its newest and oldest event, and which names occur (one bit of 63 each). A chunk written before says nothing and is
-- always read.
ALTER TABLE profile_index ADD COLUMN newest BIGINT NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE profile_index ADD COLUMN oldest BIGINT NOT NULL DEFAULT -9223372036854775807;
ALTER TABLE profile_index ADD COLUMN names BIGINT NOT NULL DEFAULT -1;
CREATE INDEX profile_index_by_newest ON profile_index (profile_id, newest, chunk);
