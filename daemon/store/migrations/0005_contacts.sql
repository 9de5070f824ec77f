-- Signers whom the owner knows, from their pairing links: nothing here was heard from strangers.
CREATE TABLE contacts (
    key          BLOB NOT NULL PRIMARY KEY,
    scheme       TEXT NOT NULL,
    nickname     TEXT NOT NULL,
    multiaddrs   TEXT NOT NULL, -- separated by spaces; each ends in the peer id
    since        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
