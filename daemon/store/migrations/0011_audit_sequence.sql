-- The newest line of the audit log is known by its number, which SQLite keeps for AUTOINCREMENT and writes with the line,
-- so that a line costs one statement and one page.

CREATE TABLE audit_lines (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    body TEXT NOT NULL,      -- JSON with sorted keys
    hash BLOB NOT NULL
) STRICT;

INSERT INTO audit_lines (seq, time, body, hash) SELECT seq, time, body, hash FROM audit ORDER BY seq;
DROP TABLE audit;
DELETE FROM sqlite_sequence WHERE name IN ('audit', 'audit_lines');
INSERT INTO sqlite_sequence (name, seq) SELECT 'audit_lines', last_seq FROM audit_ends;
ALTER TABLE audit_ends RENAME TO audit_start;
ALTER TABLE audit_start DROP COLUMN last_seq;
ALTER TABLE audit_start DROP COLUMN last_hash;
