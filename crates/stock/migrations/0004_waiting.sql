-- Who waits for goods, in the order in which they joined, and what they are to be told.

-- state: waiting, told (until until_at the goods are kept), taken, passed (the time was over), left; location_no: 0 = any.
CREATE TABLE waiting (
    no BIGINT PRIMARY KEY,
    variant_no BIGINT NOT NULL,
    channel TEXT NOT NULL,
    location_no BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    contact TEXT NOT NULL,
    state TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    reservation_no BIGINT NOT NULL
);
CREATE INDEX waiting_in_line ON waiting (variant_no, no) WHERE state = 'waiting';
CREATE INDEX waiting_told ON waiting (until_at) WHERE state = 'told';
CREATE INDEX waiting_by_contact ON waiting (contact, no);

-- What is to be told; done_at: 0 until somebody has told it.
CREATE TABLE waiting_notices (
    no BIGINT PRIMARY KEY,
    waiting_no BIGINT NOT NULL,
    at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    done_at BIGINT NOT NULL
);
CREATE INDEX waiting_notices_open ON waiting_notices (no) WHERE done_at = 0;
