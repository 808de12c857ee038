-- Promotions, the policy over them (lanes, points) and rules of law, as people wrote them. kind: promotion, policy, law; document: JSON.
CREATE TABLE price_rules (
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    version BIGINT NOT NULL,
    document TEXT NOT NULL,
    archived BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (kind, code)
) /* clustered */;

CREATE TABLE price_rule_versions (
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    version BIGINT NOT NULL,
    document TEXT NOT NULL,
    archived BIGINT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (kind, code, version)
) /* clustered */;

-- Which order used which promotion, for limits; account 0: nobody known.
CREATE TABLE promotion_uses (
    promotion TEXT NOT NULL,
    document TEXT NOT NULL,
    account BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (promotion, document)
) /* clustered */;
CREATE INDEX promotion_uses_of_document ON promotion_uses (document);
CREATE INDEX promotion_uses_of_account ON promotion_uses (account, promotion);

CREATE TABLE promotion_totals (
    promotion TEXT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (promotion)
) /* clustered */;

-- Movements of points. key: kind and document, once each; of_document: what is reversed, or empty.
CREATE TABLE points_postings (
    id BIGINT PRIMARY KEY,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    of_document TEXT NOT NULL,
    points BIGINT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE UNIQUE INDEX points_postings_by_key ON points_postings (key);
CREATE INDEX points_postings_of_document ON points_postings (of_document, kind);

-- The ledger: lines of a posting sum to zero. account 0 issues points; lot_id 0 on its side.
CREATE TABLE points_lines (
    posting_id BIGINT NOT NULL,
    line BIGINT NOT NULL,
    account BIGINT NOT NULL,
    lot_id BIGINT NOT NULL,
    points BIGINT NOT NULL,
    PRIMARY KEY (posting_id, line)
) /* clustered */;
CREATE INDEX points_lines_of_account ON points_lines (account, posting_id);
CREATE INDEX points_lines_of_lot ON points_lines (lot_id, posting_id);

-- What is left of what was earned, with its end; expires_at is the greatest number while there is none. A debt is a lot below zero.
CREATE TABLE points_lots (
    id BIGINT PRIMARY KEY,
    account BIGINT NOT NULL,
    document TEXT NOT NULL,
    remaining BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX points_lots_of_account ON points_lots (account, id);
CREATE INDEX points_lots_by_end ON points_lots (expires_at, id);
