-- What was signed under which budget, written in the transaction that stores the partial signatures; and approvals.

CREATE TABLE policy_charges (
    request      BLOB NOT NULL,
    budget       TEXT NOT NULL,              -- that of the rule which decided
    creator      TEXT NOT NULL,              -- public key, hex
    amount       INTEGER NOT NULL,           -- satoshis
    at_ms        INTEGER NOT NULL,           -- by the clock of budgets
    PRIMARY KEY (request, budget)
) STRICT, WITHOUT ROWID;

CREATE INDEX policy_charges_by_time ON policy_charges (at_ms);

-- Who said yes to a request for one own key, where the policy asks.
CREATE TABLE policy_approvals (
    request      BLOB NOT NULL,
    key          BLOB NOT NULL,
    token        TEXT NOT NULL,
    label        TEXT NOT NULL,
    at_ms        INTEGER NOT NULL,
    until_ms     INTEGER,                    -- NULL: as long as the request
    PRIMARY KEY (request, key, token)
) STRICT, WITHOUT ROWID;
