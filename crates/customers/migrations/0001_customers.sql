-- What is derived from a profile's events; follows the log by rotating flush, `folded_to` is the group that it holds.
CREATE TABLE profiles (
    profile_id BIGINT PRIMARY KEY,
    folded_to BIGINT NOT NULL,
    orders BIGINT NOT NULL,
    revenue BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    state BYTEA NOT NULL
);

-- What lists of people are sorted by. Apart from `profiles`, because a row is written here only when a value moved.
-- The figures of a person stand at the person's own id; an absorbed profile has -1.
CREATE TABLE profile_list (
    profile_id BIGINT PRIMARY KEY,
    person BIGINT NOT NULL,
    orders BIGINT NOT NULL,
    revenue BIGINT NOT NULL,
    slot BIGINT NOT NULL
);
CREATE INDEX profile_list_members ON profile_list (person, profile_id);
CREATE INDEX profile_list_by_orders ON profile_list (orders, profile_id);
CREATE INDEX profile_list_by_revenue ON profile_list (revenue, profile_id);
CREATE INDEX profile_list_by_slot ON profile_list (slot, profile_id);

-- One profile per identifier value, with the event that brought it; `at` is that event's own time.
CREATE TABLE identifiers (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    profile_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (kind, value)
) /* clustered */;
CREATE INDEX identifiers_of_profile ON identifiers (profile_id);

-- What joins profiles to people: the event that said so, and the identifier by which it said so.
CREATE TABLE edges (
    id BIGINT PRIMARY KEY,
    a BIGINT NOT NULL,
    b BIGINT NOT NULL,
    rule TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    seq BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    removed_at BIGINT NOT NULL
);
CREATE INDEX edges_of_a ON edges (a);
CREATE INDEX edges_of_b ON edges (b);

-- Pairs of profiles that somebody took apart.
CREATE TABLE cannot_link (
    id BIGINT PRIMARY KEY,
    a BIGINT NOT NULL,
    b BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL
);
CREATE INDEX cannot_link_of_a ON cannot_link (a);
CREATE INDEX cannot_link_of_b ON cannot_link (b);

-- What people cut, each before the event that got `seq`, so that identity can be decided again in the order of the log.
-- rule `edge`: the edge between a and b went; rule `bypass`: one between a and b took its place; rule `detach`: the value
-- went from profile a to profile b.
CREATE TABLE identity_cuts (
    id BIGINT PRIMARY KEY,
    seq BIGINT NOT NULL,
    rule TEXT NOT NULL,
    a BIGINT NOT NULL,
    b BIGINT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL
);
CREATE INDEX identity_cuts_by_seq ON identity_cuts (seq, id);

-- Events that say that two profiles are one, where somebody said that they are not.
CREATE TABLE review_items (
    a BIGINT NOT NULL,
    b BIGINT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    rule TEXT NOT NULL,
    seq BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    closed_at BIGINT NOT NULL,
    PRIMARY KEY (a, b)
) /* clustered */;

-- The ledger of consents about contact points. `at` is the server's time; `claimed_at` is proof only, but for imports.
-- channel `*` with a profile: everything that reaches that profile.
CREATE TABLE consents (
    id BIGINT PRIMARY KEY,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    purpose TEXT NOT NULL,
    granted BIGINT NOT NULL,
    at BIGINT NOT NULL,
    claimed_at BIGINT NOT NULL,
    wording TEXT NOT NULL,
    wording_version TEXT NOT NULL,
    profile_id BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    source BIGINT NOT NULL,
    actor TEXT NOT NULL,
    imported BIGINT NOT NULL
);
CREATE INDEX consents_of_address ON consents (channel, address, purpose, id);

-- Words of names, for search; a word that a name no longer has is filtered when it is read.
CREATE TABLE name_words (word TEXT NOT NULL, profile_id BIGINT NOT NULL, PRIMARY KEY (word, profile_id)) /* clustered */;

-- Values that the shop knows to be nobody's own, such as its own telephone; kind `*` = of any kind.
CREATE TABLE blocked_values (kind TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, value)) /* clustered */;
