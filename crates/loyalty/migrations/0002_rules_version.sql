-- Every change of rules has a number: an order says with which it was priced, and the rules can be had as they were then.
ALTER TABLE price_rule_versions ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
CREATE INDEX price_rule_versions_by_seq ON price_rule_versions (seq);
