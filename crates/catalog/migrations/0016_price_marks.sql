-- Variants whose public price moved, by the channel in which it did; channel empty = in every one. change: who follows prices keeps a
-- position in it. A variant that moves ten times while nobody looks stands here once.
CREATE TABLE price_marks (
    channel TEXT NOT NULL,
    variant_no BIGINT NOT NULL,
    change BIGINT NOT NULL,
    PRIMARY KEY (channel, variant_no)
) /* clustered */;
CREATE INDEX price_marks_by_change ON price_marks (channel, change, variant_no);
CREATE INDEX price_marks_of_all ON price_marks (change, variant_no);

-- Lists that changed as a whole and whose variants are still being marked: channels is a JSON list, after the last variant that was marked.
CREATE TABLE price_list_moves (
    list_id BIGINT PRIMARY KEY,
    channels TEXT NOT NULL,
    after BIGINT NOT NULL
);

CREATE INDEX price_entries_of_list ON price_entries (list_id, variant_no);
