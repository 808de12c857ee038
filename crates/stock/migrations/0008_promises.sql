-- Variants that may be sold before they are there, by the places to which they are delivered; location_no 0: any.

CREATE TABLE sell_ahead (
    variant_no BIGINT NOT NULL,
    location_no BIGINT NOT NULL,
    PRIMARY KEY (variant_no, location_no)
);
