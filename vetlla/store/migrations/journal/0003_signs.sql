-- Signs of life, written twice a minute: one row for each block of devices (vetlla.store.journal.signs) instead of one for
-- each device. The row of a device in `units` has them as they were when it was last written for another reason.
CREATE TABLE signs (
    stretch INTEGER PRIMARY KEY,
    day     TEXT    NOT NULL, -- to which what was counted belongs
    columns BLOB    NOT NULL
);

-- From when a device's silence counts, if it was not heard later: a restart does not begin it again.
ALTER TABLE units ADD COLUMN silent_since_us INTEGER NOT NULL DEFAULT 0;
