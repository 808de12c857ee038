-- Claims are found by number, variant and end. Nobody asks for those of one owner but the check of the books, which reads all that are
-- alive: the index cost a page with every claim that was made or ended.
DROP INDEX reservations_by_owner;
