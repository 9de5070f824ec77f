-- Where events are posted to. What signs a delivery is derived from the peer identity, so that no secret is here.
CREATE TABLE webhooks (
    id           BLOB NOT NULL PRIMARY KEY, -- 16 random bytes
    token        TEXT NOT NULL,             -- id of the token that made it: it hears what that one hears
    url          TEXT NOT NULL,
    events       TEXT,                      -- patterns as JSON, NULL for all
    filter       TEXT,                      -- members as JSON, NULL for none
    next_seq     INTEGER NOT NULL,          -- the first event that was not delivered
    log_id       TEXT NOT NULL,             -- of which log
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
