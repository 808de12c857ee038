-- The moment at which the writer acted last, in microseconds: a clock that goes back must not take time back with it.
ALTER TABLE writers ADD COLUMN acted_at BIGINT NOT NULL DEFAULT 0;
