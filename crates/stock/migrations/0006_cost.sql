-- What goods that came in cost: per movement, the goods themselves and their share of freight and customs. What follows from
-- it (averages, layers, the cost of a sale) is computed from the movements, so that a bill that comes late changes all of it.
CREATE TABLE cost_inputs (
    move_no BIGINT PRIMARY KEY,
    document_no BIGINT NOT NULL,
    variant_no BIGINT NOT NULL,
    purchase_order_no BIGINT NOT NULL,
    currency TEXT NOT NULL,
    goods_minor BIGINT NOT NULL,
    freight_minor BIGINT NOT NULL,
    customs_minor BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX cost_inputs_by_document ON cost_inputs (document_no);
CREATE INDEX cost_inputs_by_purchase ON cost_inputs (purchase_order_no, move_no) WHERE purchase_order_no > 0;
CREATE INDEX cost_inputs_by_variant ON cost_inputs (variant_no, move_no);
