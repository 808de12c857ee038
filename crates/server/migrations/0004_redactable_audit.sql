-- The chain covers a digest of a line's detail, made with a salt of the line's own: without detail and salt nothing can be
-- learnt from the digest, and the chain still holds. Empty in lines of before (ADR 0022).
ALTER TABLE audit ADD COLUMN salt TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN digest TEXT NOT NULL DEFAULT '';
