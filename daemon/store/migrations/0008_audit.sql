-- The audit log: lines that follow from each other by their hashes (daemon/audit/chain.py), and where they begin and end.

CREATE TABLE audit (
    seq  INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    body TEXT NOT NULL,      -- JSON with sorted keys
    hash BLOB NOT NULL
) STRICT;

CREATE TABLE audit_ends (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    first_seq  INTEGER NOT NULL, -- the line before the oldest that is kept, 0 while all are
    first_hash BLOB NOT NULL,
    last_seq   INTEGER NOT NULL,
    last_hash  BLOB NOT NULL
) STRICT;

INSERT INTO audit_ends (one, first_seq, first_hash, last_seq, last_hash)
VALUES (1, 0, x'ba91a0a93850c808a83d97cdbcef7001750d212fba56c9f6d4b95145a0c07ae1', 0, x'ba91a0a93850c808a83d97cdbcef7001750d212fba56c9f6d4b95145a0c07ae1');
