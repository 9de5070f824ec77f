-- Keys, the event log, tokens, idempotency, bans and known peers. Times are milliseconds, keys and ids are blobs.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) WITHOUT ROWID, STRICT;

-- How the data key is wrapped under the passphrase; one row. `generated`: under the passphrase file made at first start.
CREATE TABLE vault (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    version   INTEGER NOT NULL,
    vault_id  BLOB NOT NULL CHECK (length(vault_id) = 16),
    salt      BLOB NOT NULL CHECK (length(salt) = 16),
    opslimit  INTEGER NOT NULL,
    memlimit  INTEGER NOT NULL,
    wrapped   BLOB NOT NULL,
    generated INTEGER NOT NULL
) STRICT;

-- `xonly` is unique: one secret belongs to one scheme, and a secret and its negation share their x coordinate.
CREATE TABLE keys (
    pubkey     BLOB PRIMARY KEY CHECK (length(pubkey) = 33),
    xonly      BLOB NOT NULL UNIQUE CHECK (length(xonly) = 32),
    scheme     TEXT NOT NULL CHECK (scheme IN ('lotus', 'bip340')),
    label      TEXT NOT NULL,
    sealed     BLOB,
    external   INTEGER NOT NULL DEFAULT 0,
    paused     INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    CHECK (external OR sealed IS NOT NULL)
) WITHOUT ROWID, STRICT;

-- AUTOINCREMENT: a number is never given twice, not even when retention has removed every row.
CREATE TABLE events (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    time  INTEGER NOT NULL,
    data  TEXT NOT NULL
) STRICT;

CREATE TABLE tokens (
    token_id   TEXT PRIMARY KEY,
    digest     BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    scopes     TEXT NOT NULL,
    bound      INTEGER NOT NULL,
    create_key INTEGER NOT NULL,
    label      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) WITHOUT ROWID, STRICT;

CREATE TABLE token_keys (
    token_id TEXT NOT NULL REFERENCES tokens (token_id) ON DELETE CASCADE,
    pubkey   BLOB NOT NULL,
    PRIMARY KEY (token_id, pubkey)
) WITHOUT ROWID, STRICT;

CREATE TABLE idempotency (
    token_id TEXT NOT NULL,
    key      TEXT NOT NULL,
    digest   BLOB NOT NULL,
    result   BLOB NOT NULL,
    time     INTEGER NOT NULL,
    PRIMARY KEY (token_id, key)
) WITHOUT ROWID, STRICT;
CREATE INDEX idempotency_by_time ON idempotency (time);

CREATE TABLE bans (
    peer       BLOB PRIMARY KEY,
    until_ms   INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- Where peers were reached, so that the network is found again after the bootstrap addresses have gone.
CREATE TABLE peers (
    peer    BLOB NOT NULL,
    addr    BLOB NOT NULL,
    seen_ms INTEGER NOT NULL,
    PRIMARY KEY (peer, addr)
) WITHOUT ROWID, STRICT;
CREATE INDEX peers_by_time ON peers (seen_ms);
