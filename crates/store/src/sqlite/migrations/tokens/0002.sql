-- What a vendor's tokens are of no use without, as sealed JSON.
ALTER TABLE secrets ADD COLUMN facts BLOB;
