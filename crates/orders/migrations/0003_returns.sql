-- What comes after the sale. What people wrote stands in columns of its own, so that an erasure empties it and leaves the rest; `body`
-- is JSON without anything of a person.

-- Goods that come back, for money or for others. order_no 0: without the order, by a receipt.
CREATE TABLE returns (
    no BIGINT PRIMARY KEY,
    order_no BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    request_key TEXT NOT NULL,
    receipt TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    answer TEXT NOT NULL,
    photos TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX returns_of_order ON returns (order_no, no);
CREATE INDEX returns_by_state ON returns (state, no);
CREATE INDEX returns_by_key ON returns (request_key);

-- Something was wrong with goods that were sold; they need not come back.
CREATE TABLE claims (
    no BIGINT PRIMARY KEY,
    order_no BIGINT NOT NULL,
    state TEXT NOT NULL,
    request_key TEXT NOT NULL,
    note TEXT NOT NULL,
    answer TEXT NOT NULL,
    photos TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX claims_of_order ON claims (order_no, no);
CREATE INDEX claims_by_state ON claims (state, no);
CREATE INDEX claims_by_key ON claims (request_key);

-- Warranty, repair, a word after delivery: each with who looks after it, until when, and what came of it.
CREATE TABLE after_sale (
    no BIGINT PRIMARY KEY,
    order_no BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    serial TEXT NOT NULL,
    owner TEXT NOT NULL,
    note TEXT NOT NULL,
    outcome TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX after_sale_of_order ON after_sale (order_no, no);
CREATE INDEX after_sale_by_state ON after_sale (state, due_at, no);
CREATE INDEX after_sale_by_serial ON after_sale (serial) WHERE serial <> '';

-- Which piece, by its serial number, was sold with which line of which order.
CREATE TABLE sold_serials (
    serial TEXT NOT NULL,
    variant_no BIGINT NOT NULL,
    order_no BIGINT NOT NULL,
    line BIGINT NOT NULL,
    sold_at BIGINT NOT NULL,
    PRIMARY KEY (serial, variant_no)
) /* clustered */;

-- Money that goes back, with a life of its own. cause: what it is for, such as return:7.
CREATE TABLE refunds (
    no BIGINT PRIMARY KEY,
    order_no BIGINT NOT NULL,
    cause TEXT NOT NULL,
    provider TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL,
    external_id TEXT NOT NULL,
    why TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL,
    settled_at BIGINT NOT NULL
);
CREATE INDEX refunds_of_order ON refunds (order_no, no);
CREATE INDEX refunds_by_state ON refunds (state, no);

-- What of an order's pieces and money is spoken for after the sale: one row an order, JSON.
CREATE TABLE after_orders (
    order_no BIGINT PRIMARY KEY,
    body TEXT NOT NULL
);

-- Store credit: accounts with a code that nobody guesses, and a ledger in which every posting has two sides. Account 0 is the shop.
CREATE TABLE credit_accounts (
    no BIGINT PRIMARY KEY,
    code TEXT NOT NULL,
    currency TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL,
    balance_minor BIGINT NOT NULL,
    opened_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX credit_accounts_by_code ON credit_accounts (code);
CREATE INDEX credit_accounts_by_email ON credit_accounts (email) WHERE email <> '';
CREATE INDEX credit_accounts_by_phone ON credit_accounts (phone) WHERE phone <> '';

CREATE TABLE credit_postings (
    no BIGINT PRIMARY KEY,
    key TEXT NOT NULL,
    what TEXT NOT NULL,
    why TEXT NOT NULL,
    actor TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE UNIQUE INDEX credit_postings_by_key ON credit_postings (key);

CREATE TABLE credit_lines (
    posting_no BIGINT NOT NULL,
    account_no BIGINT NOT NULL,
    minor BIGINT NOT NULL,
    PRIMARY KEY (posting_no, account_no)
) /* clustered */;
CREATE INDEX credit_lines_of_account ON credit_lines (account_no, posting_no);
