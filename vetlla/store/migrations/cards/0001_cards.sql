-- Cards of homes. Only the code of the home is in the clear; the card is one sealed text (vetlla.store.cards.sealing).
CREATE TABLE cards (
    home   TEXT PRIMARY KEY NOT NULL,
    key_id TEXT NOT NULL, -- which key sealed it; not the key
    nonce  BLOB NOT NULL,
    sealed BLOB NOT NULL
);

-- Every reading and every change, in the form of the journal's audit. Append-only: hash = SHA-256 over the record and the
-- hash of the one before; AUTOINCREMENT remembers the highest id, so that a cut tail shows.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us   INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL, -- JSON
    hash    BLOB    NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, id);
CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
