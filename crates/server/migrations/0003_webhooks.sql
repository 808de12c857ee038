-- Who gets webhooks. `filter`: JSON, what goes there. `secret` and `old_secret` are sealed; the old one is good until `old_until`.
-- state `active`, `paused` (by a person; deliveries wait) or `disabled` (`reason` says why; nothing is queued).
-- Nothing that happened before `since` goes there. While `blocked_until` lies ahead nobody is asked; `failing_since` of 0 = fine.
CREATE TABLE webhook_endpoints (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    filter TEXT NOT NULL,
    secret TEXT NOT NULL,
    old_secret TEXT NOT NULL,
    old_until BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    since BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failing_since BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    last_status BIGINT NOT NULL,
    last_error TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- How far what is no event was read, by what it is; the log's reader is a subscription.
CREATE TABLE webhook_positions (source TEXT PRIMARY KEY, position BIGINT NOT NULL);

-- What happened, once for all endpoints. `key` names what it is about, so that nothing is queued twice; `profile_id` whose it is
-- (0 = nobody's); `body` is what is signed and sent, empty once the person was erased.
CREATE TABLE webhook_messages (
    id BIGINT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    at BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    profile_id BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX webhook_messages_of_profile ON webhook_messages (profile_id) WHERE profile_id > 0;
CREATE INDEX webhook_messages_by_age ON webhook_messages (queued_at);

-- One row for a message and an endpoint. state `pending`, `delivering`, `failed` (will be tried again), `delivered`, `dead`.
-- `next_at`: when to try, or when the lease of an attempt ends; 0 = settled. `attempts` of all times, `tries` of this round.
CREATE TABLE webhook_deliveries (
    id BIGINT PRIMARY KEY,
    endpoint_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_status BIGINT NOT NULL,
    last_error TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    settled_at BIGINT NOT NULL,
    UNIQUE (endpoint_id, message_id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_at, id) WHERE next_at > 0;
CREATE INDEX webhook_deliveries_listed ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (endpoint_id, state, id);
CREATE INDEX webhook_deliveries_of_message ON webhook_deliveries (message_id);
CREATE INDEX webhook_deliveries_settled ON webhook_deliveries (state, settled_at) WHERE settled_at > 0;

-- The newest attempts of each delivery. status 0 = no answer; `answer` is the beginning of what the receiver said.
CREATE TABLE webhook_attempts (
    id BIGINT PRIMARY KEY,
    delivery_id BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status BIGINT NOT NULL,
    error TEXT NOT NULL,
    answer TEXT NOT NULL
);
CREATE INDEX webhook_attempts_of_delivery ON webhook_attempts (delivery_id, attempt);
