-- Legal entities, which place belongs to which and since when, and the papers that a transfer between two of them needs.

-- kind: company, sole_trader or franchisee; vat: 1 where it pays value added tax.
CREATE TABLE legal_entities (
    no BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    code TEXT NOT NULL,
    vat BIGINT NOT NULL,
    vat_code TEXT NOT NULL,
    iban TEXT NOT NULL,
    address TEXT NOT NULL,
    markup_permille BIGINT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX legal_entities_by_id ON legal_entities (id);

-- until_at: 9223372036854775807 for the one that holds.
CREATE TABLE location_entities (
    location_no BIGINT NOT NULL,
    since_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    entity_no BIGINT NOT NULL,
    PRIMARY KEY (location_no, since_at)
) /* clustered */;

-- side: sale (of the seller) or purchase (of the buyer); amounts are nothing where the cost is not known.
CREATE TABLE entity_documents (
    no BIGINT PRIMARY KEY,
    document_no BIGINT NOT NULL,
    side TEXT NOT NULL,
    entity_no BIGINT NOT NULL,
    other_no BIGINT NOT NULL,
    reference TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    currency TEXT NOT NULL,
    net_minor BIGINT NOT NULL,
    priced BIGINT NOT NULL,
    seller_vat BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE UNIQUE INDEX entity_documents_by_paper ON entity_documents (document_no, side, entity_no, other_no);
CREATE INDEX entity_documents_by_entity ON entity_documents (entity_no, at);
