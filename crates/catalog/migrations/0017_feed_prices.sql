-- Feeds show the price of their channel. priced_to: the change of prices up to which items follow; region: for which region of the
-- channel prices are asked, empty = none. Items that were rendered with base prices are looked at once more.
ALTER TABLE feeds ADD COLUMN priced_to BIGINT NOT NULL DEFAULT 0;
ALTER TABLE feeds ADD COLUMN region TEXT NOT NULL DEFAULT '';
UPDATE feeds SET position = 0;
