-- Who said go or no go about a part of the roll-out, with how its checklist stood then (JSON).
CREATE TABLE rollout_decisions (
    id BIGINT PRIMARY KEY,
    area TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    standing TEXT NOT NULL
);
CREATE INDEX rollout_decisions_of_area ON rollout_decisions (area, id);
