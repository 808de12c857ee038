-- Reviews of products. order_no and line: what was bought, -1 where it was written elsewhere; source_id: by what its source knows it. raised:
-- it is negative and nobody answered. A moment of 0 has not come. An erasure empties name, title and text; the stars stay.
CREATE TABLE product_reviews (
    no BIGINT PRIMARY KEY,
    product_no BIGINT NOT NULL,
    variant_no BIGINT NOT NULL,
    order_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    rating BIGINT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    name TEXT NOT NULL,
    lang TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_by TEXT NOT NULL,
    answered_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    raised BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX product_reviews_by_place ON product_reviews (raised, no);
CREATE INDEX product_reviews_of_product ON product_reviews (product_no, state, no);
CREATE INDEX product_reviews_of_order ON product_reviews (order_no, line) WHERE order_no > 0;
CREATE UNIQUE INDEX product_reviews_by_source ON product_reviews (source, source_id) WHERE source_id <> '';

-- What is published of a product, by stars; kept with each step.
CREATE TABLE product_ratings (
    product_no BIGINT PRIMARY KEY,
    stars_1 BIGINT NOT NULL,
    stars_2 BIGINT NOT NULL,
    stars_3 BIGINT NOT NULL,
    stars_4 BIGINT NOT NULL,
    stars_5 BIGINT NOT NULL
);
