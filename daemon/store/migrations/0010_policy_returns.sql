-- Of a transaction whose inputs are signed by several requests: which of its outputs each signed one counted as coming
-- back. Never deleted, as a signature is good for as long as its coin is there.

CREATE TABLE policy_returns (
    transaction_digest BLOB NOT NULL,        -- of what is signed: without what unlocks its inputs
    request            BLOB NOT NULL,
    outputs            TEXT NOT NULL,        -- their positions, JSON
    PRIMARY KEY (transaction_digest, request)
) STRICT, WITHOUT ROWID;
