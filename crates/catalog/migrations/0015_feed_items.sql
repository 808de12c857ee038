-- Items of a product: SQLite takes the first column of a clustered key before an index that begins with the same column, and then
-- reads the whole feed for each product.
DROP INDEX feed_items_of_product;
CREATE INDEX feed_items_of_product ON feed_items (product_no);
