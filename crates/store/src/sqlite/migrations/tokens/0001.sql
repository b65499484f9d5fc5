-- Small facts about the database itself: generation, key source, seal check, the byok that wrote it.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- Grows with every change of accounts, secrets or client keys, so that other processes notice.
INSERT INTO meta (name, value) VALUES ('generation', 1);

-- Several accounts per provider are normal.
CREATE TABLE accounts (
    id           TEXT PRIMARY KEY,
    provider     TEXT NOT NULL,
    label        TEXT NOT NULL,
    kind         TEXT NOT NULL,
    identity     TEXT,
    email        TEXT,
    plan         TEXT,
    state        TEXT NOT NULL,
    state_reason TEXT,
    claims       TEXT NOT NULL,
    expires_at   INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (provider, label)
) STRICT;

CREATE INDEX accounts_by_identity ON accounts (provider, identity);

-- api_key, access and refresh are sealed. Either there is a key, or there are tokens.
CREATE TABLE secrets (
    account            TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    api_key            BLOB,
    access             BLOB,
    refresh            BLOB,
    expires_at         INTEGER,
    refresh_expires_at INTEGER,
    scopes             TEXT NOT NULL,
    CHECK ((api_key IS NULL) <> (access IS NULL))
) STRICT;

-- Refreshes that were begun and of which nothing is known yet.
CREATE TABLE refreshes (
    account    TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL,
    started_at INTEGER NOT NULL,
    tries      INTEGER NOT NULL
) STRICT;

-- The keys that tools send to byok, as hashes.
CREATE TABLE client_keys (
    id         TEXT PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    label      TEXT NOT NULL,
    user       TEXT,
    groups     TEXT NOT NULL,
    models     TEXT NOT NULL,
    limits     TEXT,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    debug      INTEGER NOT NULL
) STRICT;
