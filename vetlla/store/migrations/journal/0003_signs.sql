-- Signs of life, written twice a minute: one row for each stretch of devices (vetlla.store.signs) instead of one for each
-- device that was heard. What `units` has of them is how they stood when its row was last written for another reason.
CREATE TABLE signs (
    stretch INTEGER PRIMARY KEY,
    day     TEXT    NOT NULL, -- to which what was counted belongs
    columns BLOB    NOT NULL
);

-- From when a device's silence counts, if it was not heard later: a restart does not begin it anew.
ALTER TABLE units ADD COLUMN silent_since_us INTEGER NOT NULL DEFAULT 0;
