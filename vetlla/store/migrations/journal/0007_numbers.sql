-- The least number that may be given out next, by table: a restore leaves those out that the replaced journal had given.
CREATE TABLE numbers (
    what  TEXT    PRIMARY KEY,
    least INTEGER NOT NULL
) WITHOUT ROWID;
