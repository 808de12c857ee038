-- What can be said. A template's texts stand in its versions, which never change; `version` names the one in force.
CREATE TABLE templates (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    channel TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT NOT NULL
);
CREATE TABLE template_versions (
    template_id BIGINT NOT NULL,
    version BIGINT NOT NULL,
    subject TEXT NOT NULL,
    body_html TEXT NOT NULL,
    body_text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (template_id, version)
) /* clustered */;

-- "On entering the segment, send the template." An archived rule stays, so that its messages keep their meaning.
CREATE TABLE message_rules (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    segment_id BIGINT NOT NULL,
    template_id BIGINT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    once BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT NOT NULL
);

-- How many messages a person may get in a span of time. `any` stands for every channel or purpose.
CREATE TABLE caps (
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    span TEXT NOT NULL,
    most BIGINT NOT NULL,
    PRIMARY KEY (channel, purpose, span)
) /* clustered */;

-- Addresses that get nothing any more, whatever they agreed to.
CREATE TABLE suppressions (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    reason TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (channel, address)
) /* clustered */;

-- Every message that a rule intended, for ever. `due_at`: pending = when to try, sending = when its lease ends, else 0.
CREATE TABLE messages (
    id BIGINT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    rule_id BIGINT NOT NULL,
    profile_id BIGINT NOT NULL,
    event_seq BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    why TEXT NOT NULL,
    address TEXT NOT NULL,
    subject TEXT NOT NULL,
    template_id BIGINT NOT NULL,
    template_version BIGINT NOT NULL,
    once BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    intended_at BIGINT NOT NULL,
    first_attempt_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    settled_at BIGINT NOT NULL
);
CREATE INDEX messages_due ON messages (status, due_at, id) WHERE due_at > 0;
CREATE INDEX messages_of_profile ON messages (profile_id, rule_id, id);
CREATE INDEX messages_of_rule ON messages (rule_id, status, id);
CREATE INDEX messages_listed_by_rule ON messages (rule_id, id);
CREATE INDEX messages_by_status ON messages (status, id);
CREATE INDEX messages_to_address ON messages (address, rule_id) WHERE address <> '';

-- The ledger that caps count: one row per message that is, or may be, on its way or delivered.
CREATE TABLE sends (
    message_id BIGINT PRIMARY KEY,
    profile_id BIGINT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    address TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX sends_of_profile ON sends (profile_id, at);
CREATE INDEX sends_by_time ON sends (at);

-- Per rule, how many messages stand in each status; `doctor` compares them with the messages.
CREATE TABLE message_counts (
    rule_id BIGINT PRIMARY KEY,
    intended BIGINT NOT NULL,
    pending BIGINT NOT NULL,
    stopped BIGINT NOT NULL,
    sending BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    unknown BIGINT NOT NULL
);
