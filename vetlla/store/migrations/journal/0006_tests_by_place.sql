-- A test names one registered account: another home may have the same number behind another receiver or line. It ends by
-- the monotonic clock of a machine start, so that a wall clock that is set back makes none longer. A test that runs while
-- this step is taken goes on for the account that is registered for every receiver and line, and ends for any other.
CREATE TABLE tests_by_place (
    account       TEXT    NOT NULL COLLATE NOCASE,
    receiver      TEXT    NOT NULL COLLATE NOCASE,
    line          TEXT    NOT NULL COLLATE NOCASE,
    since_us      INTEGER NOT NULL,
    until_us      INTEGER NOT NULL,
    until_mono_us INTEGER NOT NULL,
    boot          INTEGER NOT NULL, -- 0: none that is known, so that until_us counts
    operator      TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    PRIMARY KEY (account, receiver, line)
) WITHOUT ROWID;
INSERT INTO tests_by_place SELECT account, '', '', since_us, until_us, 0, 0, operator, reason FROM on_test;
DROP TABLE on_test;
ALTER TABLE tests_by_place RENAME TO on_test;
