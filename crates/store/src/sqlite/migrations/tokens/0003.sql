-- Why a login could not be renewed the last time that somebody asked for it, until it has been.
CREATE TABLE troubles (
    account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    what    TEXT NOT NULL
) STRICT;
