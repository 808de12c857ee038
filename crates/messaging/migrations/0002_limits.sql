-- Who suppressed an address; empty = the mail server's answer or the person.
ALTER TABLE suppressions ADD COLUMN actor TEXT NOT NULL DEFAULT '';

-- What a rule's messages are about, as people choose it; empty = nothing that can be chosen.
ALTER TABLE message_rules ADD COLUMN topic TEXT NOT NULL DEFAULT '';

-- What a person wants to get, by profile; `*` = every channel, or every topic. The most exact row decides.
CREATE TABLE preferences (
    profile_id BIGINT NOT NULL,
    channel TEXT NOT NULL,
    topic TEXT NOT NULL,
    wanted BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (profile_id, channel, topic)
) /* clustered */;
