-- Tokens with which a renewal of an account was begun, as hashes and in their order: a copy of them that is imported later is
-- that account's.
CREATE TABLE sent_tokens (
    account    TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL,
    number     INTEGER NOT NULL,
    PRIMARY KEY (account, token_hash)
) STRICT, WITHOUT ROWID;
