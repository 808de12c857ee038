-- What was derived of a body's events when they came, packed; null for nothing.
ALTER TABLE log ADD COLUMN extra BYTEA;

-- What a replay needs: what the item is called, whether it is whole, what its body stated for all, and when it was tried again.
ALTER TABLE rejects ADD COLUMN event TEXT NOT NULL DEFAULT '';
ALTER TABLE rejects ADD COLUMN message_id TEXT NOT NULL DEFAULT '';
ALTER TABLE rejects ADD COLUMN envelope TEXT NOT NULL DEFAULT '';
ALTER TABLE rejects ADD COLUMN whole BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rejects ADD COLUMN replayed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rejects ADD COLUMN replay TEXT NOT NULL DEFAULT '';
