-- What owners do not want to see of signing requests.

-- A request that was dismissed for an own key: it leaves the lists of that key.
CREATE TABLE signing_dismissed (
    request      BLOB NOT NULL,
    key          BLOB NOT NULL,
    PRIMARY KEY (request, key)
) STRICT, WITHOUT ROWID;

-- A creator whose requests an own key is not shown; `key` is empty where it holds for all keys of this daemon.
CREATE TABLE signing_muted (
    creator      BLOB NOT NULL,
    key          BLOB NOT NULL,
    since        INTEGER NOT NULL,
    PRIMARY KEY (creator, key)
) STRICT, WITHOUT ROWID;
