-- Events that a detach moved away from the profile under which they were logged.
CREATE TABLE moved_events (seq BIGINT PRIMARY KEY, profile_id BIGINT NOT NULL);
