-- Owners that were asked, so that each is asked once; and the scope `approve`, which tokens with `sign` have had by another name.

CREATE TABLE policy_asked (
    request      BLOB NOT NULL,
    key          BLOB NOT NULL,
    at_ms        INTEGER NOT NULL,
    PRIMARY KEY (request, key)
) STRICT, WITHOUT ROWID;

UPDATE tokens SET scopes = scopes || ' approve' WHERE ' ' || scopes || ' ' LIKE '% sign %';
