-- Ids of a variant: SQLite would take the clustered key's first column before an index that begins with the same one, and read all ids
-- of the connection for each variant.
DROP INDEX erp_ids_by_variant;
CREATE INDEX erp_ids_by_variant ON erp_ids (variant_no);
