-- Signing requests and the attempts to sign them. What retention removes are bodies; `signing_locks` is never deleted.

CREATE TABLE signing_requests (
    number       INTEGER PRIMARY KEY,        -- order of arrival: the cursor of lists
    request      BLOB NOT NULL UNIQUE,       -- request id
    scheme       TEXT NOT NULL,
    envelope     BLOB NOT NULL,
    creator      BLOB NOT NULL,
    expires      INTEGER NOT NULL,
    received     INTEGER NOT NULL,
    source       BLOB,                       -- the peer that brought it; NULL: made here
    outcome      TEXT NOT NULL,
    reason       TEXT,
    by_key       BLOB,                       -- who declined or cancelled
    signatures   BLOB,                       -- 64 bytes per item; once set never replaced
    completed    INTEGER,                    -- from which the broadcast deadlines derive
    turn         INTEGER NOT NULL DEFAULT 0, -- how often the duty to broadcast has passed on
    finished     INTEGER,
    settled      INTEGER NOT NULL DEFAULT 0  -- nothing is left to do: not loaded at start
) STRICT;

CREATE INDEX signing_requests_unsettled ON signing_requests (number) WHERE settled = 0;
CREATE INDEX signing_requests_by_outcome ON signing_requests (outcome, number);
CREATE INDEX signing_requests_finished ON signing_requests (finished) WHERE finished IS NOT NULL;

CREATE TABLE signing_keys (
    request      BLOB NOT NULL,
    position     INTEGER NOT NULL,
    key          BLOB NOT NULL,
    own          INTEGER NOT NULL,
    delivered    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (request, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX signing_keys_by_key ON signing_keys (key, request);

-- One join per signer and attempt. Own ones are what is re-sent, and never made twice.
CREATE TABLE signing_joins (
    request      BLOB NOT NULL,
    attempt      INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    own          INTEGER NOT NULL,
    peer         BLOB NOT NULL,
    envelope     BLOB NOT NULL,
    PRIMARY KEY (request, attempt, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_sessions (
    number       INTEGER PRIMARY KEY,
    session      BLOB NOT NULL,
    key          BLOB NOT NULL,
    request      BLOB NOT NULL,
    attempt      INTEGER NOT NULL,
    state        TEXT NOT NULL,
    auto         INTEGER NOT NULL,
    want_round1  INTEGER NOT NULL,
    want_round2  INTEGER NOT NULL,
    partial_released INTEGER NOT NULL,
    nonce_sent   INTEGER NOT NULL,
    reason       TEXT,
    scope        TEXT,
    culprits     BLOB NOT NULL,              -- public keys, 33 bytes each
    missing      BLOB NOT NULL,
    superseded_by BLOB,
    all_joined   INTEGER,
    released_at  INTEGER,
    by_key       BLOB,
    conflicting  BLOB NOT NULL,
    closed       INTEGER NOT NULL DEFAULT 0,
    UNIQUE (session, key)
) STRICT;

CREATE INDEX signing_sessions_by_request ON signing_sessions (request, attempt);

-- One message per slot: the first is kept, a contradicting second one goes to signing_records as evidence.
CREATE TABLE signing_messages (
    session      BLOB NOT NULL,
    position     INTEGER NOT NULL,
    seq          INTEGER NOT NULL,           -- 1 nonce, 2 partial, 3 abort, 4 done
    own          INTEGER NOT NULL,
    envelope     BLOB NOT NULL,
    PRIMARY KEY (session, position, seq)
) STRICT, WITHOUT ROWID;

-- The second lock on signing: written in the transaction that stores the partial signatures, before they leave.
CREATE TABLE signing_locks (
    session      BLOB NOT NULL,
    key          BLOB NOT NULL,
    item         INTEGER NOT NULL,
    digest       BLOB NOT NULL,              -- the nonce set that was answered
    PRIMARY KEY (session, key, item)
) STRICT, WITHOUT ROWID;

-- Declines, cancels and evidence, as envelopes.
CREATE TABLE signing_records (
    request      BLOB NOT NULL,
    id           BLOB NOT NULL,
    session      BLOB,
    culprit      BLOB,
    envelope     BLOB NOT NULL,
    PRIMARY KEY (request, id)
) STRICT, WITHOUT ROWID;
