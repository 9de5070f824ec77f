-- The directory: what signers, nodes and requesters say about themselves, and what this daemon remembers about them.

-- A log that is only appended to: a line is written once and never edited. It leaves when a newer statement of the same
-- subject takes its place under a new number, when it has expired and its grace time is over, or when it was evicted.
-- `seq` is the cursor that peers synchronise from; numbers are never used twice.
CREATE TABLE directory_log (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     INTEGER NOT NULL,      -- 1 advertisement with its entry, 2 withdrawal, 3 node, 4 notice
    subject  BLOB NOT NULL UNIQUE,  -- whom it speaks for: key under its scheme, peer, or the notice itself
    id       BLOB NOT NULL UNIQUE,  -- 32 bytes, the record's id
    ts       INTEGER NOT NULL,
    exp      INTEGER NOT NULL,      -- nobody needs it after that; of a withdrawal: until its tombstone falls
    peer     BLOB,                  -- who countersigned it; NULL for the withdrawal of an unknown key
    net      BLOB,                  -- the /24 or /48 it says it lives in; NULL for none
    record   BLOB NOT NULL,         -- envelope
    entry    BLOB,                  -- envelope of the directory entry, for advertisements
    view     BLOB,                  -- JSON shown to clients, for advertisements
    types    TEXT,                  -- their names separated by spaces, for advertisements
    taken_ms INTEGER NOT NULL,
    checksum BLOB NOT NULL          -- 8 bytes over all of the above: damage is found when it is read
);
CREATE INDEX directory_log_by_exp ON directory_log (exp);
CREATE INDEX directory_log_by_peer ON directory_log (peer, kind) WHERE peer IS NOT NULL;
CREATE INDEX directory_log_nodes ON directory_log (exp) WHERE kind = 3;
CREATE INDEX directory_log_notices ON directory_log (exp) WHERE kind = 4;
CREATE INDEX directory_log_by_net ON directory_log (net, kind) WHERE net IS NOT NULL;

-- How many lines there are of each kind, counted apart for those that no peer answers for.
CREATE TABLE directory_tally (
    kind    INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    lines   INTEGER NOT NULL,
    PRIMARY KEY (kind, unknown)
) WITHOUT ROWID;
INSERT INTO directory_tally VALUES (1, 0, 0), (1, 1, 0), (2, 0, 0), (2, 1, 0), (3, 0, 0), (3, 1, 0), (4, 0, 0), (4, 1, 0);

-- What findAvailableSigners searches: each advertisement once under every type it names, and once under '' for all.
-- The table itself lies in the order in which it is walked, newest first.
CREATE TABLE signers (
    type    TEXT NOT NULL,
    ts      INTEGER NOT NULL,
    seq     INTEGER NOT NULL,       -- of its line in the log
    exp     INTEGER NOT NULL,
    low     INTEGER NOT NULL,       -- minAmount, 0 when open
    high    INTEGER NOT NULL,       -- maxAmount, 2^53 when open
    scheme  TEXT NOT NULL,
    purpose TEXT,                   -- metadata.purpose, lower case
    pubkey  BLOB NOT NULL,
    PRIMARY KEY (type, ts DESC, seq DESC)
) WITHOUT ROWID;
CREATE INDEX signers_by_scheme ON signers (scheme, ts DESC, seq DESC) WHERE type = '';
CREATE INDEX signers_by_purpose ON signers (purpose, ts DESC, seq DESC) WHERE type = '' AND purpose IS NOT NULL;
CREATE INDEX signers_by_low ON signers (low) WHERE type = '';
CREATE INDEX signers_by_high ON signers (high) WHERE type = '';

-- Subjects that are never evicted: own keys, pinned keys, past session partners.
CREATE TABLE directory_kept (
    subject BLOB PRIMARY KEY,
    why     TEXT NOT NULL
) WITHOUT ROWID;

-- What this daemon advertises for its own keys. `last_ts` outlives a withdrawal: a later advertisement must be newer.
CREATE TABLE own_advertisements (
    pubkey    BLOB PRIMARY KEY,
    scheme    TEXT NOT NULL,
    criteria  TEXT NOT NULL,        -- JSON as given by the client
    metadata  TEXT NOT NULL,
    ttl_ms    INTEGER NOT NULL,
    last_ts   INTEGER NOT NULL,
    exp       INTEGER NOT NULL,
    record    BLOB NOT NULL,        -- the latest advertisement, or the withdrawal
    withdrawn INTEGER NOT NULL,
    warned    INTEGER NOT NULL DEFAULT 0  -- signer:expiring was told for this advertisement
) WITHOUT ROWID;

-- Which transaction types each client token follows.
CREATE TABLE discovery_follows (
    token TEXT NOT NULL,
    type  TEXT NOT NULL,
    PRIMARY KEY (token, type)
) WITHOUT ROWID;

-- How far this daemon has read the logs of others. `log` is the identity of that log: a restored node begins a new one.
CREATE TABLE sync_cursors (
    peer   BLOB PRIMARY KEY,
    log    BLOB NOT NULL,
    cursor INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL
) WITHOUT ROWID;

-- What this daemon saw of others. The three weights are counts scaled by 2^(age of the epoch / half-life), so that one
-- factor decays all of them at once and a score can be compared in SQL.
CREATE TABLE reputation (
    pubkey      BLOB PRIMARY KEY,
    completed   INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    aborted     INTEGER NOT NULL,
    good_weight REAL NOT NULL,
    bad_weight  REAL NOT NULL,
    response_ms REAL,
    at_ms       INTEGER NOT NULL,
    ts          INTEGER,            -- of this key's latest advertisement, and its line in the log: where to find it
    seq         INTEGER
) WITHOUT ROWID;
