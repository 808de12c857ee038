-- What can be said of a product: kind of value, and whether it differs by language (`localisable`) and channel (`scopable`).
-- labels: JSON of texts by language; options: JSON list of {code, labels}.
CREATE TABLE attributes (
    no BIGINT PRIMARY KEY,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    labels TEXT NOT NULL,
    part TEXT NOT NULL,
    unit_family TEXT NOT NULL,
    localisable BIGINT NOT NULL,
    scopable BIGINT NOT NULL,
    is_unique BIGINT NOT NULL,
    facet BIGINT NOT NULL,
    compared BIGINT NOT NULL,
    options TEXT NOT NULL,
    position BIGINT NOT NULL,
    learned BIGINT NOT NULL,
    used BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX attributes_by_code ON attributes (code);

-- Kinds of products: which attributes they have, and which of them a channel wants. attributes: JSON list of
-- {code, required: [channel]}; axes: JSON list of codes by which variants differ.
CREATE TABLE families (
    no BIGINT PRIMARY KEY,
    code TEXT NOT NULL,
    labels TEXT NOT NULL,
    label_attribute TEXT NOT NULL,
    attributes TEXT NOT NULL,
    axes TEXT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX families_by_code ON families (code);

-- Trees of categories. parent_no 0 = the root of a tree.
CREATE TABLE categories (
    no BIGINT PRIMARY KEY,
    code TEXT NOT NULL,
    parent_no BIGINT NOT NULL,
    labels TEXT NOT NULL,
    position BIGINT NOT NULL,
    archived BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX categories_by_code ON categories (code);

CREATE TABLE brands (
    no BIGINT PRIMARY KEY,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    aliases TEXT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX brands_by_code ON brands (code);

-- Where products are shown and sold. root_no: the tree of categories that it shows, 0 = all; locales and currencies: JSON
-- lists; assortment: JSON list of rules, the first that fits decides.
CREATE TABLE sales_channels (
    no BIGINT PRIMARY KEY,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    labels TEXT NOT NULL,
    root_no BIGINT NOT NULL,
    locales TEXT NOT NULL,
    currencies TEXT NOT NULL,
    assortment TEXT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX sales_channels_by_code ON sales_channels (code);

-- Products. `vals` holds the values of all attributes by key (code, code@channel, code#language, code@channel#language),
-- `levels` those that belong to one value of the first axis, `media` what is shown, `complete` how full it is by channel and
-- language: JSON each. `change` is the number of the last change of whatever a search or a feed shows of it: who follows
-- the catalogue keeps a position in it.
CREATE TABLE products (
    no BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    family_no BIGINT NOT NULL,
    brand_no BIGINT NOT NULL,
    tax_class TEXT NOT NULL,
    categories TEXT NOT NULL,
    axes TEXT NOT NULL,
    vals TEXT NOT NULL,
    levels TEXT NOT NULL,
    media TEXT NOT NULL,
    complete TEXT NOT NULL,
    version BIGINT NOT NULL,
    change BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX products_by_id ON products (id);
CREATE INDEX products_by_change ON products (change, no);
CREATE INDEX products_of_family ON products (family_no, no);
CREATE INDEX products_of_brand ON products (brand_no, no);

-- What is sold and kept in stock. gtin: 14 digits, or empty; lots: 0 none, 1 by lot, 2 by serial number; state: active or
-- archived. currency empty = no base price.
CREATE TABLE variants (
    no BIGINT PRIMARY KEY,
    product_no BIGINT NOT NULL,
    position BIGINT NOT NULL,
    sku TEXT NOT NULL,
    gtin TEXT NOT NULL,
    price_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    tracked BIGINT NOT NULL,
    lots BIGINT NOT NULL,
    weight_g BIGINT NOT NULL,
    state TEXT NOT NULL,
    vals TEXT NOT NULL
);
CREATE UNIQUE INDEX variants_by_sku ON variants (sku);
CREATE INDEX variants_by_gtin ON variants (gtin, no);
CREATE INDEX variants_of_product ON variants (product_no, position, no);

-- Values that only one product or variant may have; owner is its number.
CREATE TABLE unique_values (
    attribute_no BIGINT NOT NULL,
    value TEXT NOT NULL,
    owner BIGINT NOT NULL,
    PRIMARY KEY (attribute_no, value)
) /* clustered */;

-- What a set consists of: so many pieces of each part.
CREATE TABLE bundle_parts (
    bundle_no BIGINT NOT NULL,
    part_no BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (bundle_no, part_no)
) /* clustered */;
CREATE INDEX bundle_parts_by_part ON bundle_parts (part_no, bundle_no);

-- What belongs to a product: accompanying goods, spare parts, substitutes, dearer ones.
CREATE TABLE associations (
    product_no BIGINT NOT NULL,
    kind TEXT NOT NULL,
    other_no BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (product_no, kind, other_no)
) /* clustered */;
CREATE INDEX associations_of_other ON associations (other_no, kind);

-- Products as they were: the whole document before the change that made the next version.
CREATE TABLE product_versions (
    product_no BIGINT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (product_no, version)
);

-- Changes that wait for somebody else's yes. state: draft, submitted, approved, rejected, withdrawn; change: the input as JSON.
CREATE TABLE product_drafts (
    no BIGINT PRIMARY KEY,
    product_no BIGINT NOT NULL,
    base_version BIGINT NOT NULL,
    state TEXT NOT NULL,
    change TEXT NOT NULL,
    note TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX product_drafts_by_state ON product_drafts (state, no);
CREATE INDEX product_drafts_of_product ON product_drafts (product_no, no);

-- Pictures and documents by the hash of their bytes; the bytes lie in the installation's folder.
CREATE TABLE media (
    hash TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
) /* clustered */;

-- Lists of goods for others to fetch. position: the change up to which its items follow the catalogue.
CREATE TABLE feeds (
    no BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    format TEXT NOT NULL,
    channel_no BIGINT NOT NULL,
    locale TEXT NOT NULL,
    currency TEXT NOT NULL,
    link TEXT NOT NULL,
    token TEXT NOT NULL,
    active BIGINT NOT NULL,
    position BIGINT NOT NULL,
    followed_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX feeds_by_token ON feeds (token);

-- The rendered item of each variant that a feed shows, and why another is not shown.
CREATE TABLE feed_items (
    feed_no BIGINT NOT NULL,
    variant_no BIGINT NOT NULL,
    product_no BIGINT NOT NULL,
    item TEXT NOT NULL,
    why_not TEXT NOT NULL,
    PRIMARY KEY (feed_no, variant_no)
) /* clustered */;
CREATE INDEX feed_items_of_product ON feed_items (feed_no, product_no);
